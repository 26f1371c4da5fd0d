package seal

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestBothAlgorithmsOpenEachOther(t *testing.T) {
	aes := box(t, "k1", map[string][]byte{"k1": secret(1), "k0": secret(2)})
	sm4, err := aes.Using(SM4)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		plain := rapid.String().Draw(t, "plain")
		for _, pair := range [][2]*Box{{aes, sm4}, {sm4, aes}, {sm4, sm4}} {
			sealed, err := pair[0].Seal([]byte(plain), "use")
			if err != nil {
				t.Fatal(err)
			}
			got, err := pair[1].Open(sealed, "use")
			if err != nil || string(got) != plain {
				t.Fatalf("%q, %v", got, err)
			}
			if _, err := pair[1].Open(sealed, "other"); !errors.Is(err, ErrOpen) {
				t.Fatalf("opened for another use: %v", err)
			}
			if pair[0].Outdated(sealed) || pair[1].Outdated(sealed) != (pair[0] != pair[1]) {
				t.Fatal("Outdated does not know the algorithm")
			}
		}
	})
	if _, err := aes.Using("rot13"); err == nil {
		t.Fatal("an unknown algorithm was taken")
	}
}

func TestAlgorithmCannotBeSwapped(t *testing.T) {
	aes := box(t, "k1", map[string][]byte{"k1": secret(1)})
	sealed, err := aes.Seal([]byte("secret"), "use")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := aes.Open(strings.Replace(sealed, "v1.", "s1.", 1), "use"); !errors.Is(err, ErrOpen) {
		t.Fatalf("a value under a renamed algorithm opened: %v", err)
	}
	for _, bad := range []string{"s1.k1.", "s1.k1.AAAA", "v1.k1.AAAA"} {
		if _, err := aes.Open(bad, "use"); err == nil {
			t.Fatalf("%q opened", bad)
		}
	}
}

func TestBlindIndexesCoverEveryKey(t *testing.T) {
	old := box(t, "k1", map[string][]byte{"k1": secret(1)})
	now := box(t, "k2", map[string][]byte{"k1": secret(1), "k2": secret(2)})
	got := now.BlindIndexes("phone", "x")
	if len(got) != 2 || got[0] != now.BlindIndex("phone", "x") || !slices.Contains(got, old.BlindIndex("phone", "x")) {
		t.Fatalf("indexes %v", got)
	}
	if slices.Contains(now.BlindIndexes("other", "x"), got[0]) {
		t.Fatal("one purpose finds another's values")
	}
}
