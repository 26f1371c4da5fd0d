package quiz

import (
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Fold is how texts are compared: full and half width alike (NFKC), letter case
// alike, without outer spaces and invisible characters, inner spaces as one.
func Fold(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) { // zero-width spaces, byte-order marks, direction marks
			return -1
		}
		return r
	}, norm.NFKC.String(s))
	// Folding can leave what NFKC would write differently, and turns Cherokee
	// upper, everything else lower: another round settles it.
	s = norm.NFKC.String(strings.ToLower(cases.Fold().String(s)))
	return strings.Join(strings.Fields(s), " ")
}

// numeral is a decimal number as people type it; at most three digits of
// exponent, so that nobody makes us compute with a number of a billion digits.
var numeral = regexp.MustCompile(`^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$`)

var thousands = regexp.MustCompile(`^[+-]?\d{1,3}(,\d{3})+(\.\d*)?$`)

// number reads a number out of what a person typed: full width, thousands
// separators and the minus sign U+2212 allowed.
func number(s string) (*big.Rat, bool) {
	s = strings.ReplaceAll(Fold(s), "\u2212", "-")
	if thousands.MatchString(s) {
		s = strings.ReplaceAll(s, ",", "")
	}
	if len(s) > MaxGivenBlank || !numeral.MatchString(s) {
		return nil, false
	}
	return new(big.Rat).SetString(s)
}

// holds compares in decimals as written: with binary fractions 0.4 would lie
// outside 0.3 ± 0.1.
func (n Number) holds(given string) bool {
	x, ok := number(given)
	if !ok || !finite(n.Value) || !finite(n.Tolerance) {
		return false
	}
	diff := x.Sub(x, decimal(n.Value))
	return diff.Abs(diff).Cmp(decimal(n.Tolerance)) <= 0
}

func decimal(f float64) *big.Rat {
	r, _ := new(big.Rat).SetString(strconv.FormatFloat(f, 'g', -1, 64))
	return r
}
