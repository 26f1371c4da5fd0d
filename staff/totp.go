package staff

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"image/png"
	"slices"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/trail"
)

// RFC 6238 with the figures every authenticator app understands: SHA-1, 30 s,
// six digits; one step of clock error either way.
const (
	totpPeriod    = 30
	totpSkew      = 1
	recoveryCodes = 10
)

// TotpUse is the context that binds a sealed second factor to its account; a
// rotation of keys needs it too.
func TotpUse(account ids.ID) string { return "staff.totp:" + account.String() }

// Enrolment is what a person needs to bind an authenticator app.
type Enrolment struct {
	Secret string `json:"secret" doc:"base32, for typing"`
	URL    string `json:"url" doc:"otpauth address"`
	QR     string `json:"qr" doc:"PNG as a data URL"`
	Ticket string `json:"ticket" doc:"sealed secret; sent back with the first code"`
}

// StartSecondFactor offers a secret. Nothing is stored until a code proves that
// the app has it: the sealed secret travels with the person.
func (s *Service) StartSecondFactor(ctx context.Context, actor *authz.Actor) (*Enrolment, error) {
	c, err := s.cfg.Store.CredentialsOf(ctx, actor.ID)
	if err != nil {
		return nil, err
	}
	if c.TOTP != "" {
		return nil, errs.New(errs.Conflict, "已绑定动态口令，如需更换请先解除绑定。")
	}
	key, err := totp.Generate(totp.GenerateOpts{Issuer: s.cfg.Issuer, AccountName: c.Login, SecretSize: 20, Rand: s.cfg.Random})
	if err != nil {
		return nil, err
	}
	img, err := key.Image(240, 240)
	if err != nil {
		return nil, err
	}
	var pic bytes.Buffer
	if err := png.Encode(&pic, img); err != nil {
		return nil, err
	}
	expires := s.cfg.Clock.Now().Add(15 * time.Minute).Format(time.RFC3339)
	ticket, err := s.cfg.Sealer.Seal([]byte(expires+" "+key.Secret()), "staff.enrol:"+actor.ID.String())
	if err != nil {
		return nil, err
	}
	return &Enrolment{
		Secret: key.Secret(), URL: key.URL(), Ticket: ticket,
		QR: "data:image/png;base64," + base64.StdEncoding.EncodeToString(pic.Bytes()),
	}, nil
}

// BindSecondFactor binds the offered secret when code proves it and returns
// the recovery codes, which are shown once.
func (s *Service) BindSecondFactor(ctx context.Context, actor *authz.Actor, ticket, code string) ([]string, error) {
	secret, err := s.openEnrolment(actor.ID, ticket)
	if err != nil {
		return nil, err
	}
	c, err := s.cfg.Store.CredentialsOf(ctx, actor.ID)
	if err != nil {
		return nil, err
	}
	if c.TOTP != "" {
		return nil, errs.New(errs.Conflict, "已绑定动态口令，如需更换请先解除绑定。")
	}
	step, ok := s.matchCode(secret, code, 0)
	if !ok {
		return nil, errs.Bad("code", "验证码不正确，请核对手机时间后输入最新的 6 位验证码。")
	}
	codes, hashes, err := s.newRecovery()
	if err != nil {
		return nil, err
	}
	c.TOTPStep, c.Recovery = step, hashes
	if c.TOTP, err = s.cfg.Sealer.Seal([]byte(secret), TotpUse(c.ID)); err != nil {
		return nil, err
	}
	if err := s.cfg.Store.SaveCredentials(ctx, c, signInEntry(&c, "account.totp.bind", trail.OK)); err != nil {
		return nil, err
	}
	s.changed()
	return codes, nil
}

func (s *Service) openEnrolment(account ids.ID, ticket string) (string, error) {
	late := errs.New(errs.Conflict, "绑定已超时，请重新开始。")
	plain, err := s.cfg.Sealer.Open(ticket, "staff.enrol:"+account.String())
	if err != nil {
		return "", late
	}
	at, secret, ok := strings.Cut(string(plain), " ")
	expires, err := time.Parse(time.RFC3339, at)
	if !ok || err != nil || s.cfg.Clock.Now().After(expires) {
		return "", late
	}
	return secret, nil
}

// DropSecondFactor unbinds after the present password was given.
func (s *Service) DropSecondFactor(ctx context.Context, actor *authz.Actor, password string) error {
	c, err := s.cfg.Store.CredentialsOf(ctx, actor.ID)
	if err != nil {
		return err
	}
	if c.TOTP == "" {
		return errs.New(errs.Conflict, "还没有绑定动态口令。")
	}
	if err := s.confirm(ctx, &c, "password", password); err != nil {
		return err
	}
	c.TOTP, c.Recovery = "", nil
	if err := s.cfg.Store.SaveCredentials(ctx, c, signInEntry(&c, "account.totp.drop", trail.OK)); err != nil {
		return err
	}
	s.changed()
	return nil
}

// useCode checks a code of the app, then the recovery codes. It returns the
// credentials that must be stored for the code to count; nil: wrong code.
func (s *Service) useCode(c *Credentials, code string) (swap *Credentials, method string, err error) {
	if c.TOTP == "" {
		return nil, "", nil
	}
	secret, err := s.cfg.Sealer.Open(c.TOTP, TotpUse(c.ID))
	if err != nil {
		return nil, "", err
	}
	next := *c
	if step, ok := s.matchCode(string(secret), code, c.TOTPStep); ok {
		next.TOTPStep = step
		return &next, "totp", nil
	}
	h := tokenHash(normalRecovery(code))
	if i := slices.IndexFunc(c.Recovery, func(r string) bool { return subtle.ConstantTimeCompare([]byte(r), []byte(h)) == 1 }); i >= 0 {
		next.Recovery = slices.Delete(slices.Clone(c.Recovery), i, i+1)
		return &next, "recovery", nil
	}
	return nil, "", nil
}

// matchCode finds the time step of a code; steps up to last were used already.
func (s *Service) matchCode(secret, code string, last int64) (step int64, ok bool) {
	code = strings.ReplaceAll(strings.TrimSpace(code), " ", "")
	now := s.cfg.Clock.Now().Unix() / totpPeriod
	for st := now - totpSkew; st <= now+totpSkew; st++ {
		want, err := totp.GenerateCodeCustom(secret, time.Unix(st*totpPeriod, 0), totp.ValidateOpts{
			Period: totpPeriod, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1,
		})
		if err == nil && st > last && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			step, ok = st, true
		}
	}
	return step, ok
}

// newRecovery makes codes of 50 random bits, "ABCDE-FGHIJ"; hashes are stored.
func (s *Service) newRecovery() (codes, hashes []string, err error) {
	for range recoveryCodes {
		var b [7]byte
		if _, err := s.cfg.Random.Read(b[:]); err != nil {
			return nil, nil, err
		}
		t := base32.StdEncoding.EncodeToString(b[:])[:10]
		codes = append(codes, t[:5]+"-"+t[5:])
		hashes = append(hashes, tokenHash(t))
	}
	return codes, hashes, nil
}

func normalRecovery(code string) string {
	return strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(code))
}
