package results

import (
	"bytes"
	"crypto/rand"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func code(t interface{ Fatal(...any) }, seed []byte) string {
	c, err := NewCode(bytes.NewReader(append(seed, bytes.Repeat([]byte{7}, 200)...)))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCodesReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := code(t, rapid.SliceOfN(rapid.Byte(), 9, 9).Draw(t, "random"))
		typed := rapid.SampledFrom([]string{c, ShowCode(c), strings.ToLower(c), " " + strings.ReplaceAll(ShowCode(c), "-", " ") + "\n", wide(c)}).Draw(t, "typed")
		if got, ok := ParseCode(typed); !ok || got != c {
			t.Fatalf("%q reads as %q %v, want %q", typed, got, ok, c)
		}
	})
}

func wide(s string) string {
	return strings.Map(func(r rune) rune { return r + 0xFEE0 }, s)
}

func TestCodesNoticeMistakes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := []byte(code(t, rapid.SliceOfN(rapid.Byte(), 9, 9).Draw(t, "random")))
		i, j := rapid.IntRange(0, codeLen-1).Draw(t, "i"), rapid.IntRange(0, codeLen-1).Draw(t, "j")
		wrong := bytes.Clone(c)
		if rapid.Bool().Draw(t, "swap") {
			wrong[i], wrong[j] = c[j], c[i]
		} else {
			wrong[i] = codeAlphabet[rapid.IntRange(0, len(codeAlphabet)-1).Draw(t, "sign")]
		}
		if _, ok := ParseCode(string(wrong)); ok != bytes.Equal(wrong, c) {
			t.Fatalf("%s for %s: %v", wrong, c, ok)
		}
	})
	for _, s := range []string{"", "-", "3333", strings.Repeat("3", 17), strings.Repeat("3", 15) + "0", strings.Repeat("-", 300), "党", strings.Repeat("O", 16)} {
		if got, ok := ParseCode(s); ok {
			t.Errorf("%q reads as %q", s, got)
		}
	}
}

func TestCodesHaveNoLookAlikes(t *testing.T) {
	for _, pair := range []string{"0O", "1I", "1L", "2Z", "5S", "8B", "6G", "UV", "DO", "QO"} {
		if strings.ContainsRune(codeAlphabet, rune(pair[0])) && strings.ContainsRune(codeAlphabet, rune(pair[1])) {
			t.Errorf("%s are both in the alphabet", pair)
		}
	}
	seen := map[string]bool{}
	for range 2000 {
		c, err := NewCode(rand.Reader)
		if err != nil || seen[c] {
			t.Fatalf("%q twice, or %v", c, err)
		}
		seen[c] = true
	}
	if _, err := NewCode(strings.NewReader("short")); err == nil {
		t.Error("a code without randomness")
	}
}

func TestMask(t *testing.T) {
	for name, want := range map[string]string{"张明": "张*", "张小明": "张*明", "欧阳小明": "欧**明", "张": "*", "": "*", " 李 ": "*", "古丽·阿依": "古***依"} {
		if got := Mask(name); got != want {
			t.Errorf("%q: %q", name, got)
		}
	}
}

func FuzzParseCode(f *testing.F) {
	f.Add("3479-ACDE")
	f.Add("３４７９ＡＣＤＥ")
	f.Fuzz(func(t *testing.T, s string) {
		if c, ok := ParseCode(s); ok {
			if again, ok := ParseCode(ShowCode(c)); !ok || again != c || len(c) != codeLen {
				t.Errorf("%q: %q %q", s, c, again)
			}
		}
	})
}
