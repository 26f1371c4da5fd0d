// Package signed makes short texts that cannot be altered and end at a time:
// links that work without a session. What a text means is the caller's.
package signed

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"

	"tongxin/internal/clock"
	"tongxin/internal/errs"
)

// Signer signs under one key. Safe for concurrent use.
type Signer struct {
	key   []byte
	use   string
	clock clock.Clock
}

// New makes a signer. The use is part of every signature, so that a token of
// one use is worth nothing in another.
func New(key []byte, use string, c clock.Clock) *Signer {
	return &Signer{key: append([]byte(nil), key...), use: use, clock: c}
}

// macLen of the signature in a token: 128 bits.
const macLen = 16

// Token carries value for at least life and less than twice as long: its end is
// rounded up to a multiple of life, so that the same value gives the same token
// for a while and a browser finds what it keeps. life is at least a second.
func (s *Signer) Token(value string, life time.Duration) string {
	step := max(int64(life/time.Second), 1)
	end := s.clock.Now().Add(life).Unix()
	end += (step - end%step) % step
	raw := binary.BigEndian.AppendUint64(nil, uint64(end))
	raw = append(raw, value...)
	return base64.RawURLEncoding.EncodeToString(append(raw, s.mac(raw)...))
}

// Open returns the value and the end of a token. One that was altered, made for
// another use or is over is errs.NotFound.
func (s *Signer) Open(token string) (value string, end time.Time, err error) {
	missing := errs.New(errs.NotFound, "这个链接已失效，请回到原来的页面重新打开。")
	raw, decodeErr := base64.RawURLEncoding.Strict().DecodeString(token)
	if decodeErr != nil || len(raw) < 8+macLen {
		return "", time.Time{}, missing
	}
	body, mac := raw[:len(raw)-macLen], raw[len(raw)-macLen:]
	if !hmac.Equal(mac, s.mac(body)) {
		return "", time.Time{}, missing
	}
	end = time.Unix(int64(binary.BigEndian.Uint64(body[:8])), 0).UTC()
	if !s.clock.Now().Before(end) {
		return "", time.Time{}, missing
	}
	return string(body[8:]), end, nil
}

func (s *Signer) mac(body []byte) []byte {
	h := hmac.New(sha256.New, s.key)
	h.Write([]byte(s.use))
	h.Write([]byte{0})
	h.Write(body)
	return h.Sum(nil)[:macLen]
}
