package results

import (
	"fmt"
	"io"
	"math/big"
	"strings"
	"unicode"

	"tongxin/internal/errs"
)

// codeAlphabet has no two signs that are taken for each other in print or
// handwriting: no 0/O, 1/I/L, 2/Z, 5/S, 8/B, 6/G (only 6), U/V (only V). 23 is
// a prime, which the check sign needs.
const codeAlphabet = "34679ACDEFHJKMNPQRTVWXY"

// codeLen signs: 15 drawn at random (67 bits, nobody guesses one) and a check.
const codeLen = 16

// codeWeightInverse is 16⁻¹ mod 23, 16 being the weight of the check sign.
const codeWeightInverse = 13

// NewCode draws a code. Its signs v₀…v₁₅ satisfy Σ (i+1)·v_i ≡ 0 mod 23, so one
// wrong sign and any two that changed places are always noticed.
func NewCode(random io.Reader) (string, error) {
	n := big.NewInt(int64(len(codeAlphabet)))
	limit := new(big.Int).Exp(n, big.NewInt(codeLen-1), nil)
	v, err := below(random, limit)
	if err != nil {
		return "", err
	}
	out := make([]byte, codeLen)
	sum, digit := 0, new(big.Int)
	for i := range codeLen - 1 {
		v.DivMod(v, n, digit)
		d := int(digit.Int64())
		out[i] = codeAlphabet[d]
		sum += (i + 1) * d
	}
	p := len(codeAlphabet)
	out[codeLen-1] = codeAlphabet[(p-sum%p)*codeWeightInverse%p]
	return string(out), nil
}

// below draws uniformly from [0, limit): bytes that reach beyond are thrown away.
func below(random io.Reader, limit *big.Int) (*big.Int, error) {
	buf := make([]byte, (limit.BitLen()+7)/8)
	spare := uint(len(buf)*8 - limit.BitLen())
	for {
		if _, err := io.ReadFull(random, buf); err != nil {
			return nil, errs.Wrap(err, errs.Internal, "系统内部出错，请稍后再试。")
		}
		buf[0] >>= spare
		if v := new(big.Int).SetBytes(buf); v.Cmp(limit) < 0 {
			return v, nil
		}
	}
}

// ParseCode reads a code as people type it: small letters, spaces, hyphens and
// full-width signs are alike. False: it cannot be one, so nobody needs to look.
func ParseCode(s string) (string, bool) {
	if len(s) > 200 {
		return "", false
	}
	var out strings.Builder
	sum := 0
	for _, r := range s {
		if r >= 0xFF01 && r <= 0xFF5E { // full width
			r -= 0xFEE0
		}
		if unicode.IsSpace(r) || r == '-' || r == '－' || r == '—' {
			continue
		}
		d := strings.IndexRune(codeAlphabet, unicode.ToUpper(r))
		if d < 0 || out.Len() == codeLen {
			return "", false
		}
		out.WriteByte(codeAlphabet[d])
		sum += out.Len() * d
	}
	return out.String(), out.Len() == codeLen && sum%len(codeAlphabet) == 0
}

// ShowCode is a code in groups of four.
func ShowCode(code string) string {
	if len(code) != codeLen {
		return code
	}
	return fmt.Sprintf("%s-%s-%s-%s", code[:4], code[4:8], code[8:12], code[12:])
}

// Mask is a name as strangers may see it: 张*明, 张*, 欧**明.
func Mask(name string) string {
	r := []rune(strings.TrimSpace(name))
	switch n := len(r); n {
	case 0, 1:
		return "*"
	case 2:
		return string(r[0]) + "*"
	default:
		return string(r[0]) + strings.Repeat("*", min(n-2, 6)) + string(r[n-1])
	}
}
