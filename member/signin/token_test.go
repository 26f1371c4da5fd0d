package signin

import (
	"strings"
	"testing"
	"time"

	"tongxin/internal/ids"
)

// A token that was not made by us, byte for byte, is believed by nobody.
func FuzzTokens(f *testing.F) {
	k := keys{[]byte("a key of the tests, 32 bytes long"), []byte("an earlier key")}
	until := time.UnixMilli(1_770_000_000_000)
	good, next := k.access(access{session: 7, member: 9, expires: until}), k.refresh(7, 3, "nonce")
	for _, s := range []string{"", good, next, good[:len(good)-1], good + "A", strings.ToLower(good), "????", next + "="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if a, ok := k.readAccess(s); ok && s != good && k.access(a) != s && (keys{k[1]}).access(a) != s {
			t.Fatalf("believed %q as %+v", s, a)
		}
		if c, ok := readClaim(s); ok && k.proves(c.body, c.sum, "nonce") && s != k.refresh(c.session, c.generation, "nonce") {
			t.Fatalf("believed %q as %+v", s, c)
		}
	})
}

func TestTokens(t *testing.T) {
	old, now := keys{[]byte("old")}, keys{[]byte("new"), []byte("old")}
	a := access{session: ids.ID(1) << 62, member: 9, expires: time.UnixMilli(1_770_000_000_000)}
	for name, token := range map[string]string{"of the key now": now.access(a), "of the key before": old.access(a)} {
		if got, ok := now.readAccess(token); !ok || got != a {
			t.Errorf("%s: %+v %v", name, got, ok)
		}
	}
	if _, ok := old.readAccess(now.access(a)); ok {
		t.Error("a token of an unknown key was believed")
	}
	if _, ok := now.readAccess(now.refresh(a.session, 1, "n")); ok {
		t.Error("a refresh token passed for an access token")
	}
	if _, ok := readClaim(now.access(a)); ok {
		t.Error("an access token passed for a refresh token")
	}
	c, ok := readClaim(now.refresh(a.session, 5, "n"))
	if !ok || c.session != a.session || c.generation != 5 || !now.proves(c.body, c.sum, "n") || now.proves(c.body, c.sum, "m") {
		t.Errorf("claim %+v", c)
	}
}

func BenchmarkReadAccess(b *testing.B) {
	k := keys{[]byte("a key of the tests, 32 bytes long")}
	token := k.access(access{session: 7, member: 9, expires: time.Now()})
	for b.Loop() {
		k.readAccess(token)
	}
}
