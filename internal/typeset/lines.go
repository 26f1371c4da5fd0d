package typeset

import (
	"strings"
	"unicode"
)

// Marks that may not begin a line (after 中文排版: GB/T 15834) and that may not end one.
const (
	notFirst = "、。，．；：？！…—）》〉」』】〕”’％%,.;:?!)]}"
	notLast  = "（《〈「『【〔“‘([{"
)

// Lines breaks text into lines no wider than width mm. Chinese may break
// between any two characters but for the marks above; a Latin word or a number
// stays whole unless it alone is too wide. A single character wider than the
// line stands alone.
func (s *Setter) Lines(st Style, width float64, text string) (out []string) {
	for part := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		out = append(out, s.fill(st, width, s.Clean(part))...)
	}
	return out
}

// fill breaks one paragraph; an empty one is an empty line.
func (s *Setter) fill(st Style, width float64, clean string) (out []string) {
	var cur []rune
	used := 0.0 // of cur, mm
	for _, piece := range s.pieces(st, width, clean) {
		w := s.width(st, string(piece)) + st.Spacing*mmPerPoint
		if len(cur) > 0 && used+w-st.Spacing*mmPerPoint > width {
			out = append(out, strings.TrimRight(string(cur), " "))
			cur, used = nil, 0
			if piece[0] == ' ' {
				continue
			}
		}
		cur, used = append(cur, piece...), used+w
	}
	return append(out, strings.TrimRight(string(cur), " "))
}

// pieces are what may not be broken: words, and characters with the marks that
// cling to them.
func (s *Setter) pieces(st Style, width float64, clean string) (out [][]rune) {
	var cur []rune
	flush := func() {
		if len(cur) > 0 {
			out = append(out, cur)
			cur = nil
		}
	}
	for _, r := range clean {
		switch n := len(cur); {
		case n == 0:
		case s.width(st, string(cur)) > width: // too wide even alone: break anywhere
			flush()
		case strings.ContainsRune(notLast, cur[n-1]), strings.ContainsRune(notFirst, r) && cur[n-1] != ' ', word(cur[n-1]) && word(r):
		default:
			flush()
		}
		if s.width(st, string(append(append([]rune(nil), cur...), r))) > width {
			flush()
		}
		cur = append(cur, r)
	}
	flush()
	return out
}

// word reports a character of a Latin word, a number or a code.
func word(r rune) bool {
	return r < 0x2E80 && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_/@#&+", r))
}
