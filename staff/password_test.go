package staff

import (
	"crypto/rand"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
)

func hasher(t testing.TB, p HashParams) *Service {
	s, err := New(Config{Random: rand.Reader, Policy: Policy{Hash: p}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestHashIsArgon2idAtTheRecommendedCost(t *testing.T) {
	s := hasher(t, HashParams{})
	h, err := s.hash("correct horse battery staple")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(h, "$argon2id$v=19$m=19456,t=2,p=1$") || strings.Contains(h, "horse") {
		t.Fatal(h)
	}
	if ok, weak, err := s.compare(h, "correct horse battery staple"); !ok || weak || err != nil {
		t.Fatal(ok, weak, err)
	}
	if ok, _, _ := s.compare(h, "correct horse battery stapl"); ok {
		t.Fatal("a wrong password fits")
	}
	other, err := s.hash("correct horse battery staple")
	if err != nil || other == h {
		t.Fatal("no salt")
	}
}

func TestOldParametersAreWeak(t *testing.T) {
	old := hasher(t, HashParams{MemoryKiB: 32, Passes: 1, Threads: 1})
	h, err := old.hash("pass")
	if err != nil {
		t.Fatal(err)
	}
	now := hasher(t, HashParams{MemoryKiB: 64, Passes: 1, Threads: 1})
	if ok, weak, err := now.compare(h, "pass"); !ok || !weak || err != nil {
		t.Fatal(ok, weak, err)
	}
}

func TestBrokenHashesAreErrorsNotMatches(t *testing.T) {
	s := hasher(t, HashParams{MemoryKiB: 32, Passes: 1, Threads: 1})
	for _, h := range []string{"", "x", "$2b$10$abc", "$argon2id$v=19$m=32,t=1,p=1$$", "$argon2id$v=19$m=x$AA$AA", "$argon2id$v=19$m=32,t=1,p=1$!!$AA", "$argon2id$v=19$m=32,t=1,p=1$AAAA$"} {
		if ok, _, err := s.compare(h, ""); ok || err == nil {
			t.Errorf("%q: ok %v, err %v", h, ok, err)
		}
	}
}

func TestPasswordPolicy(t *testing.T) {
	p := Policy{MinPassword: 10}
	for pass, good := range map[string]bool{
		"春眠不觉晓处处闻啼鸟":                 true, // ten characters, thirty bytes
		"correct horse":              true,
		"short":                      false,
		"aaaaaaaaaaaaaa":             false,
		"abcabcabcabcabc":            false,
		"0123456789":                 false,
		"9876543210":                 false,
		"password12":                 false,
		"P@ssw0rd!!":                 false,
		"1qaz2wsx3edc":               false,
		"woaini1314!":                false,
		"my Zhang.San pw":            false, // holds the login
		strings.Repeat("x y", 100):   false, // too long
		"20210701!!":                 false,
		"password of a tall giraffe": true,
	} {
		err := p.checkPassword("zhang.san", pass)
		if (err == nil) != good {
			t.Errorf("%q: %v", pass, err)
		}
		if err != nil && (errs.CodeOf(err) != errs.Invalid || strings.Contains(err.Error(), pass)) {
			t.Errorf("%q: %v", pass, err)
		}
	}
}

// Whatever the text, the policy answers without a panic and says the same twice.
func TestPasswordPolicyIsTotal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		login, pass := rapid.String().Draw(t, "login"), rapid.String().Draw(t, "pass")
		p := Policy{MinPassword: 10}
		a, b := p.checkPassword(login, pass), p.checkPassword(login, pass)
		if (a == nil) != (b == nil) {
			t.Fatal("two answers")
		}
		if a == nil && len([]rune(pass)) < 10 {
			t.Fatal("too short and accepted")
		}
	})
}

func TestPaths(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		path, chain := "", []ids.ID{}
		for range rapid.IntRange(1, MaxDepth).Draw(t, "depth") {
			id := ids.ID(rapid.Int64Range(1, 1<<62).Draw(t, "id"))
			path, chain = childPath(path, id), append(chain, id)
		}
		got := pathIDs(path)
		if len(got) != len(chain) || depth(path) != len(chain) || got[len(got)-1] != chain[len(chain)-1] {
			t.Fatalf("%s: %v, want %v", path, got, chain)
		}
		if len(path) > 255 {
			t.Fatalf("a path of depth %d has %d bytes", len(chain), len(path))
		}
	})
}

func TestKindsFit(t *testing.T) {
	for _, c := range []struct {
		child, parent Kind
		fits          bool
	}{
		{Committee, Committee, true},
		{GeneralBranch, Committee, true},
		{Branch, Committee, true},
		{Branch, GeneralBranch, true},
		{Group, Branch, true},
		{Branch, Branch, false},
		{Committee, Branch, false},
		{Branch, Group, false},
		{GeneralBranch, GeneralBranch, false},
	} {
		if c.child.fits(c.parent) != c.fits {
			t.Errorf("%s under %s", c.child, c.parent)
		}
	}
}

func TestMaskPhone(t *testing.T) {
	for in, want := range map[string]string{"13812345678": "138****5678", "1234567": "****", "+8613812345678": "+86****5678"} {
		if got := maskPhone(in); got != want {
			t.Errorf("%s: %s", in, got)
		}
	}
}
