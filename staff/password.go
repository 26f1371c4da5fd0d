package staff

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/argon2"

	"tongxin/internal/errs"
)

// HashParams of argon2id. They stand in every hash, so raising them here
// rehashes each password at its next sign-in.
type HashParams struct {
	MemoryKiB uint32
	Passes    uint32
	Threads   uint8
}

// OWASP is what the OWASP Password Storage Cheat Sheet names as the least for
// argon2id (2024: m=19 MiB, t=2, p=1): small enough to keep idle memory small.
func OWASP() HashParams { return HashParams{MemoryKiB: 19 * 1024, Passes: 2, Threads: 1} }

const (
	hashesAtOnce = 2   // bounds the memory of hashing to 2 × MemoryKiB
	maxPassword  = 200 // bytes; longer input only costs time
	saltLen      = 16
	keyLen       = 32
)

// hash makes the PHC string of a password.
func (s *Service) hash(password string) (string, error) {
	salt := make([]byte, saltLen)
	if _, err := io.ReadFull(s.cfg.Random, salt); err != nil {
		return "", err
	}
	p := s.policy.Hash
	key := argon2.IDKey([]byte(password), salt, p.Passes, p.MemoryKiB, p.Threads, keyLen)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.MemoryKiB, p.Passes, p.Threads,
		b64.EncodeToString(salt), b64.EncodeToString(key)), nil
}

// hashBounded is hash when it is its turn.
func (s *Service) hashBounded(ctx context.Context, password string) (string, error) {
	if err := s.hashing.Acquire(ctx, 1); err != nil {
		return "", busy(err)
	}
	defer s.hashing.Release(1)
	return s.hash(password)
}

// verify compares a password with a PHC string when it is its turn. weak
// reports a hash with other parameters than today's.
func (s *Service) verify(ctx context.Context, hash, password string) (ok, weak bool, err error) {
	if err := s.hashing.Acquire(ctx, 1); err != nil {
		return false, false, busy(err)
	}
	defer s.hashing.Release(1)
	return s.compare(hash, password)
}

func busy(err error) error {
	return errs.Wrap(err, errs.Unavailable, "登录的人较多，请稍后再试。")
}

func (s *Service) compare(hash, password string) (ok, weak bool, err error) {
	var v int
	var p HashParams
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false, false, fmt.Errorf("staff: password hash of an unknown form")
	}
	if _, err := fmt.Sscanf(parts[2], "v=%d", &v); err != nil {
		return false, false, fmt.Errorf("staff: password hash version: %w", err)
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.MemoryKiB, &p.Passes, &p.Threads); err != nil {
		return false, false, fmt.Errorf("staff: password hash parameters: %w", err)
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil {
		return false, false, fmt.Errorf("staff: password hash salt: %w", err)
	}
	want, err := base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil || len(want) == 0 {
		return false, false, fmt.Errorf("staff: password hash key")
	}
	got := argon2.IDKey([]byte(password), salt, p.Passes, p.MemoryKiB, p.Threads, uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1, p != s.policy.Hash || v != argon2.Version, nil
}

// checkNew holds a new password against the policy and the former hashes.
func (s *Service) checkNew(ctx context.Context, c *Credentials, password string) error {
	if err := s.policy.checkPassword(c.Login, password); err != nil {
		return err
	}
	former := append([]string{c.Hash}, c.History...)
	for _, h := range former[:min(len(former), s.policy.History)] {
		if h == "" {
			continue
		}
		same, _, err := s.verify(ctx, h, password)
		if err != nil {
			return err
		}
		if same {
			return errs.Bad("password", "新密码不能与最近用过的 %d 个密码相同。", s.policy.History)
		}
	}
	return nil
}

// remember moves the present hash of c into its history and sets the new one.
func (s *Service) remember(c *Credentials, hash string) {
	if c.Hash != "" {
		c.History = append([]string{c.Hash}, c.History...)
	}
	c.History = c.History[:min(len(c.History), max(0, s.policy.History-1))]
	c.Hash, c.PasswordAt = hash, s.cfg.Clock.Now()
}

// checkPassword asks for length and refuses what is guessed first
// (NIST SP 800-63B: length and a list, no rules about kinds of characters).
func (p Policy) checkPassword(login, password string) error {
	low := strings.ToLower(password)
	switch n := len([]rune(password)); {
	case n < p.MinPassword:
		return errs.Bad("password", "密码至少 %d 个字符，可以用一句话。", p.MinPassword)
	case len(password) > maxPassword:
		return errs.Bad("password", "密码过长，最多 %d 个字节。", maxPassword)
	case login != "" && strings.Contains(low, strings.ToLower(login)):
		return errs.Bad("password", "密码不能包含登录名。")
	case monotone(low) || guessed(low):
		return errs.Bad("password", "这个密码太常见，容易被猜到，请换一个。")
	}
	return nil
}

// monotone reports one character or one short group over and over, or a run up
// or down ("aaaaaaaaaa", "abcabcabcabc", "0123456789").
func monotone(s string) bool {
	for size := 1; size <= 4 && size*3 <= len(s); size++ {
		if s == strings.Repeat(s[:size], len(s)/size+1)[:len(s)] {
			return true
		}
	}
	up, down := 0, 0
	for i := 1; i < len(s); i++ {
		if s[i] == s[i-1]+1 {
			up++
		}
		if s[i] == s[i-1]-1 {
			down++
		}
	}
	return max(up, down) >= len(s)-2
}

// guessed reports passwords made of little more than one of the words that
// head every list of leaked passwords.
func guessed(s string) bool {
	words := []string{
		"password", "passw0rd", "p@ssw0rd", "p@ssword", "qwertyuiop", "qwerty", "1qaz2wsx3edc", "1qaz2wsx", "qazwsxedc",
		"asdfghjkl", "zxcvbnm", "iloveyou", "woaini1314", "woaini", "5201314", "admin", "administrator", "root",
		"welcome", "letmein", "abc123456", "abc123", "a123456789", "123456789", "12345678", "123456", "1234567890",
		"987654321", "88888888", "66666666", "11111111", "00000000", "147258369", "tongxin", "dangjian", "zhibu",
		"20210701", "19210701", "19491001",
	}
	for _, w := range words {
		if rest, found := strings.CutPrefix(s, w); found && len(rest) <= 4 {
			return true
		}
		if rest, found := strings.CutSuffix(s, w); found && len(rest) <= 4 {
			return true
		}
	}
	return false
}
