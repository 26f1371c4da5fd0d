package seal

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func secret(fill byte) []byte { return bytes.Repeat([]byte{fill}, MinSecret) }

func box(t testing.TB, current string, keys map[string][]byte) *Box {
	t.Helper()
	b, err := New(current, keys)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestOpensWhatWasSealed(t *testing.T) {
	b := box(t, "k1", map[string][]byte{"k1": secret(1)})
	rapid.Check(t, func(t *rapid.T) {
		plain := rapid.SliceOf(rapid.Byte()).Draw(t, "plain")
		context := rapid.String().Draw(t, "context")
		sealed, err := b.Seal(plain, context)
		if err != nil {
			t.Fatal(err)
		}
		got, err := b.Open(sealed, context)
		if err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("got %q, %v", got, err)
		}
		if len(plain) > 3 && strings.Contains(sealed, string(plain)) {
			t.Fatal("the plain text shows in the sealed value")
		}
		if _, err := b.Open(sealed, context+"x"); !errors.Is(err, ErrOpen) {
			t.Fatalf("opened for another use: %v", err)
		}
	})
}

func TestEveryAlteredByteIsFound(t *testing.T) {
	b := box(t, "k1", map[string][]byte{"k1": secret(1), "k2": secret(1)})
	sealed, err := b.Seal([]byte("secret"), "use")
	if err != nil {
		t.Fatal(err)
	}
	for i := range sealed {
		for _, c := range []byte("AZ9.") {
			if sealed[i] == c {
				continue
			}
			altered := sealed[:i] + string(c) + sealed[i+1:]
			if got, err := b.Open(altered, "use"); err == nil {
				t.Fatalf("altered at %d it opened as %q", i, got)
			}
		}
	}
	if _, err := b.Open(strings.Replace(sealed, ".k1.", ".k2.", 1), "use"); !errors.Is(err, ErrOpen) {
		t.Fatalf("a value under a renamed key opened: %v", err)
	}
}

func TestSameTextSealsDifferently(t *testing.T) {
	b := box(t, "k1", map[string][]byte{"k1": secret(1)})
	one, _ := b.Seal([]byte("same"), "use")
	two, _ := b.Seal([]byte("same"), "use")
	if one == two {
		t.Fatal("two seals of one text are equal")
	}
}

func TestRotation(t *testing.T) {
	old := box(t, "k1", map[string][]byte{"k1": secret(1)})
	sealed, err := old.Seal([]byte("kept"), "use")
	if err != nil {
		t.Fatal(err)
	}
	both := box(t, "k2", map[string][]byte{"k1": secret(1), "k2": secret(2)})
	if got, err := both.Open(sealed, "use"); err != nil || string(got) != "kept" {
		t.Fatalf("after rotation: %q, %v", got, err)
	}
	if !both.Outdated(sealed) || old.Outdated(sealed) {
		t.Fatal("Outdated does not tell the old key from the new")
	}
	fresh, err := both.Seal([]byte("new"), "use")
	if err != nil || !strings.HasPrefix(fresh, "v1.k2.") {
		t.Fatalf("sealed as %q, %v; want the current key's id", fresh, err)
	}
	if _, err := old.Open(fresh, "use"); !errors.Is(err, ErrUnknown) {
		t.Fatalf("a box without the key answered %v", err)
	}
	wrong := box(t, "k1", map[string][]byte{"k1": secret(9)})
	if _, err := wrong.Open(sealed, "use"); !errors.Is(err, ErrOpen) {
		t.Fatalf("another master secret answered %v", err)
	}
}

func TestRefusesWeakOrMissingKeys(t *testing.T) {
	for name, try := range map[string]struct {
		current string
		keys    map[string][]byte
	}{
		"short":      {"k1", map[string][]byte{"k1": secret(1)[1:]}},
		"no current": {"k2", map[string][]byte{"k1": secret(1)}},
		"dot in id":  {"k.1", map[string][]byte{"k.1": secret(1)}},
		"empty id":   {"", map[string][]byte{"": secret(1)}},
		"no keys":    {"k1", nil},
	} {
		if _, err := New(try.current, try.keys); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestDerivedKeysAreApart(t *testing.T) {
	b := box(t, "k1", map[string][]byte{"k1": secret(1), "k0": secret(2)})
	seen := map[string]string{}
	for _, purpose := range []string{"audit", "csrf", "index/phone", ""} {
		k := string(b.Derive(purpose))
		if len(k) != 32 || seen[k] != "" {
			t.Fatalf("key of %q: %d bytes, same as %q", purpose, len(k), seen[k])
		}
		seen[k] = purpose + "!"
	}
	if !bytes.Equal(b.Derive("audit"), b.Derive("audit")) {
		t.Fatal("a derived key changes")
	}
	all := b.DeriveAll("audit")
	if len(all) != 2 || !bytes.Equal(all["k1"], b.Derive("audit")) || bytes.Equal(all["k0"], all["k1"]) {
		t.Fatal("DeriveAll does not hold each key's own")
	}
}

func TestBlindIndex(t *testing.T) {
	b := box(t, "k1", map[string][]byte{"k1": secret(1)})
	one := b.BlindIndex("phone", "13800000000")
	if len(one) != 64 || one != b.BlindIndex("phone", "13800000000") {
		t.Fatalf("index %q is not a steady hex SHA-256", one)
	}
	if one == b.BlindIndex("card", "13800000000") || one == b.BlindIndex("phone", "13800000001") {
		t.Fatal("different purposes or values share an index")
	}
	other := box(t, "k1", map[string][]byte{"k1": secret(2)})
	if one == other.BlindIndex("phone", "13800000000") {
		t.Fatal("the index does not depend on the secret")
	}
}

func FuzzOpen(f *testing.F) {
	b := box(f, "k1", map[string][]byte{"k1": secret(1)})
	good, _ := b.Seal([]byte("x"), "use")
	for _, s := range []string{"", "v1", "v1.", "v1.k1.", "v1.k1.AAAA", "v2.k1.AAAA", good, good + "="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, sealed string) {
		if plain, err := b.Open(sealed, "use"); err == nil && sealed != good && string(plain) != "x" {
			t.Fatalf("%q opened as %q", sealed, plain)
		}
	})
}
