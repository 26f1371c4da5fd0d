package signed_test

import (
	"testing"
	"time"

	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/signed"
)

func TestTokens(t *testing.T) {
	c := clock.NewManual(time.Date(2026, 3, 2, 7, 0, 0, 0, time.UTC))
	s := signed.New([]byte("key"), "picture", c)
	token := s.Token("abc:800", time.Hour)
	value, end, err := s.Open(token)
	if err != nil || value != "abc:800" || end.Sub(c.Now()) < time.Hour || end.Sub(c.Now()) > 2*time.Hour {
		t.Fatal(value, end, err)
	}
	c.Add(20 * time.Minute)
	if again := s.Token("abc:800", time.Hour); again != token && c.Now().Add(time.Hour).Before(end) {
		t.Error("the token changed within its step")
	}
	for name, open := range map[string]func() error{
		"another use": func() error { _, _, err := signed.New([]byte("key"), "file", c).Open(token); return err },
		"another key": func() error { _, _, err := signed.New([]byte("kez"), "picture", c).Open(token); return err },
		"nothing":     func() error { _, _, err := s.Open(""); return err },
		"no base64":   func() error { _, _, err := s.Open("?" + token); return err },
	} {
		if err := open(); !errs.Is(err, errs.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := range len(token) {
		b := []byte(token)
		if b[i]++; b[i] == 'z'+1 {
			b[i] = 'A'
		}
		if _, _, err := s.Open(string(b)); err == nil {
			t.Errorf("altered at %d, it still opened", i)
		}
	}
	c.Add(2 * time.Hour)
	if _, _, err := s.Open(token); !errs.Is(err, errs.NotFound) {
		t.Error("it never ends:", err)
	}
}
