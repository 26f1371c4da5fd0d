package render

import (
	"strings"
	"time"
	"unicode"

	"github.com/sergi/go-diff/diffmatchpatch"
)

// Ops of a Span.
const (
	Equal  = "equal"
	Insert = "insert"
	Delete = "delete"
)

// Span is a piece of a comparison.
type Span struct {
	Op   string `json:"op" enum:"equal,insert,delete"`
	Text string `json:"text"`
}

// compareTime bounds one comparison. Past it the rest is shown as replaced
// wholesale, which is still correct.
const compareTime = 500 * time.Millisecond

// Compare shows how a became b: Latin words and numbers are whole, Chinese is
// compared character by character and neighbouring changes are joined, so
// that people read phrases. The equal and deleted spans together are a, the
// equal and inserted ones b.
func Compare(a, b string) []Span {
	if a == b {
		if a == "" {
			return nil
		}
		return []Span{{Equal, a}}
	}
	v := vocabulary{index: map[string]rune{}}
	ra, rb := v.encode(a), v.encode(b)
	if ra == nil || rb == nil { // more different words than there are code points
		return replaced(a, b)
	}
	d := diffmatchpatch.New()
	d.DiffTimeout = compareTime
	diffs := d.DiffCleanupSemantic(d.DiffMainRunes(ra, rb, false))
	out := make([]Span, 0, len(diffs))
	for _, x := range diffs {
		op := Equal
		switch x.Type {
		case diffmatchpatch.DiffInsert:
			op = Insert
		case diffmatchpatch.DiffDelete:
			op = Delete
		}
		text := v.decode(x.Text)
		if text == "" {
			continue
		}
		if n := len(out); n > 0 && out[n-1].Op == op {
			out[n-1].Text += text
			continue
		}
		out = append(out, Span{op, text})
	}
	return out
}

func replaced(a, b string) []Span {
	var out []Span
	if a != "" {
		out = append(out, Span{Delete, a})
	}
	if b != "" {
		out = append(out, Span{Insert, b})
	}
	return out
}

// vocabulary gives every word one rune, which is what the diff compares.
type vocabulary struct {
	index map[string]rune
	words []string
}

const surrogates = 0xd800

func (v *vocabulary) encode(s string) []rune {
	out := make([]rune, 0, len(s)/2)
	for len(s) > 0 {
		n := word(s)
		r, ok := v.index[s[:n]]
		if !ok {
			r = rune(len(v.words)) + 1
			if r >= surrogates {
				r += 0x800 // surrogates cannot stand in a string
			}
			if r >= unicode.ReplacementChar {
				r++
			}
			if r > unicode.MaxRune {
				return nil
			}
			v.index[s[:n]] = r
			v.words = append(v.words, s[:n])
		}
		out = append(out, r)
		s = s[n:]
	}
	return out
}

func (v *vocabulary) decode(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r > unicode.ReplacementChar {
			r--
		}
		if r >= surrogates {
			r -= 0x800
		}
		b.WriteString(v.words[r-1])
	}
	return b.String()
}

// word is the length in bytes of the first word of s: letters and digits of
// alphabets run together, everything else stands alone.
func word(s string) int {
	for i, c := range s {
		joins := (unicode.IsLetter(c) || unicode.IsDigit(c) || unicode.IsMark(c)) && c < 0x2e80
		if i == 0 && joins {
			continue
		}
		if i == 0 {
			// one character, whatever its bytes (an invalid byte is one too)
			rest := s[1:]
			for len(rest) > 0 && rest[0]&0xc0 == 0x80 && c != unicode.ReplacementChar {
				rest = rest[1:]
			}
			return len(s) - len(rest)
		}
		if !joins {
			return i
		}
	}
	return len(s)
}
