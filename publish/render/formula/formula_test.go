package formula

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func open(t testing.TB) *Face {
	f, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestDraws(t *testing.T) {
	f := open(t)
	for _, tex := range []string{
		"x", "x^2", "x_i^{n+1}", `\frac{a}{b}`, `\sqrt[3]{x}`, `\sum_{i=1}^n i`, `\int_0^1 x\,dx`, `\left(\frac12\right)`, `\alpha\beta\Gamma`,
		`\begin{matrix}a&b\\c&d\end{matrix}`, `\begin{cases}1&x>0\\0&x\le 0\end{cases}`, `\hat{x}+\vec{v}`, `\mathbb{R}\mathcal{L}\mathbf{x}`, `\text{max ok}`,
		`f'(x)`, `\overline{AB}`, `99.5\%`, `\binom n k`, `\big( x \big)`, `-1`, `\displaystyle\frac{1}{2}`, `\lim_{x\to 0}`, `_a^b`,
	} {
		for _, display := range []bool{false, true} {
			p, err := f.Draw(tex, display)
			if err != nil {
				t.Errorf("%s: %v", tex, err)
				continue
			}
			if p.Width <= 0 || p.Height <= 0 || !strings.HasPrefix(p.Path, "M") || strings.Trim(p.Path, "MlhvcqzZ0123456789- ") != "" {
				t.Errorf("%s: %+v", tex, p)
			}
		}
	}
}

func TestEverySymbolIsInTheFont(t *testing.T) {
	f := open(t)
	for name := range symbols {
		if _, err := f.Draw(`\`+name, false); err != nil {
			t.Errorf(`\%s: %v`, name, err)
		}
	}
	for name := range accents {
		if _, err := f.Draw(`\`+name+`{x}`, false); err != nil {
			t.Errorf(`\%s: %v`, name, err)
		}
	}
	for name := range delimiters {
		if strings.ContainsAny(name, "abcdefghijklmnopqrstuvwxyz{}|") {
			name = `\` + name
		}
		if _, err := f.Draw(`\left`+name+` x \right.`, false); err != nil {
			t.Errorf(`%s: %v`, name, err)
		}
	}
	for name := range fonts {
		if _, err := f.Draw(`\`+name+`{ABCNRZ}`, false); err != nil {
			t.Errorf(`\%s: %v`, name, err)
		}
	}
}

func TestRefusesInChinese(t *testing.T) {
	f := open(t)
	for tex, want := range map[string]string{
		"":                            "空",
		`\foo`:                        `\foo`,
		"{x":                          "没有对应",
		"x}":                          "多了一个",
		`\frac{a}`:                    "不完整",
		"a^b^c":                       "连续",
		`\text{汉字}`:                   "汉",
		`\left( x`:                    "没有对应",
		`\begin{tikz}\end{x}`:         "tikz",
		`\begin{matrix}a`:             "没有对应",
		"a & b":                       "&",
		strings.Repeat("x", 1001):     "太长",
		strings.Repeat("{", 400):      "嵌套",
		strings.Repeat("^{", 400):     "嵌套",
		strings.Repeat(`\sqrt `, 160): "嵌套",
		strings.Repeat(`\hat`, 200):   "嵌套",
	} {
		_, err := f.Draw(tex, false)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasSuffix(err.Error(), "。") {
			t.Errorf("%.20s: %v", tex, err)
		}
	}
}

// Scripts are smaller and stand higher; a fraction is taller than its parts.
func TestProportions(t *testing.T) {
	f := open(t)
	size := func(tex string) Picture {
		p, err := f.Draw(tex, true)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	x, sup, sub, frac := size("x"), size("x^x"), size("x_x"), size(`\frac{x}{x}`)
	if sup.Height <= x.Height || sup.Width >= 2*x.Width || sub.Depth <= x.Depth || frac.Height <= x.Height || frac.Depth <= x.Depth {
		t.Error(x, sup, sub, frac)
	}
	if size(`\left(\frac{x}{x}\right)`).Height < frac.Height {
		t.Error("the fence is lower than what it holds")
	}
}

func TestNeverPanics(t *testing.T) {
	f := open(t)
	parts := []string{
		"x", "{", "}", "^", "_", "'", "&", `\\`, `\frac`, `\sqrt`, "[", "]", `\left`, `\right`, "(", ")", ".", `\begin{matrix}`, `\end{matrix}`,
		`\text`, `\hat`, `\sum`, `\limits`, `\displaystyle`, `\big`, `\`, " ", "汉", `\mathbb`, `\pmod`, `\binom`, `\!`, `\overline`, "\xff",
	}
	rapid.Check(t, func(rt *rapid.T) {
		tex := strings.Join(rapid.SliceOfN(rapid.SampledFrom(parts), 0, 25).Draw(rt, "tex"), "")
		p, err := f.Draw(tex, rapid.Bool().Draw(rt, "display"))
		if err == nil && (p.Path == "" || strings.Contains(p.ViewBox, "NaN")) {
			rt.Fatal(p)
		}
	})
}
