package typeset

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"tongxin/internal/errs"
)

func setter(t *testing.T) *Setter {
	t.Helper()
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var (
	ink = color.RGBA{0x22, 0x22, 0x22, 255}
	red = color.RGBA{0x9E, 0x1B, 0x1B, 255}
)

func sample(s *Setter) *Page {
	p := s.Page(148, 105)
	p.Rect(5, 5, 138, 95, 1, red)
	p.Line(10, 30, 138, 30, 0.5, red)
	p.Rect(10, 80, 20, 10, 0, red)
	p.Text(74, 22, Center, Style{Size: 24, Spacing: 8, Color: red, Heavy: true}, "荣誉证书")
	p.Paragraph(12, 40, 124, 7, Style{Size: 12, Color: ink}, "兹证明 欧阳·喆堃 同志参加“党章学习测试（2026 年第一季度）”，成绩 96.5 分。")
	return p
}

func meta() Meta {
	return Meta{Title: "证书", Author: "第一党支部", At: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)}
}

func TestPDFReadsBack(t *testing.T) {
	s := setter(t)
	b, err := s.PDF(meta(), sample(s), sample(s))
	if err != nil {
		t.Fatal(err)
	}
	if len(b) > 60_000 {
		t.Errorf("%d bytes: the fonts were not cut down", len(b))
	}
	file := filepath.Join(t.TempDir(), "a.pdf")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "pdftotext", file, "-").Output()
	if err != nil {
		t.Fatalf("pdftotext (Debian: poppler-utils): %v", err)
	}
	flat := strings.NewReplacer(" ", "", "\n", "").Replace(string(out))
	for _, want := range []string{"荣誉证书", "兹证明欧阳·喆堃同志参加“党章学习测试（2026年第一季度）”，成绩96.5分。"} {
		if strings.Count(flat, want) != 2 {
			t.Errorf("%q is not on both pages: %q", want, out)
		}
	}
}

func TestSamePageGivesSameBytes(t *testing.T) {
	s := setter(t)
	var wg sync.WaitGroup
	pdfs, pngs := make([][]byte, 3), make([][]byte, 3)
	for i := range pdfs {
		wg.Go(func() { // also at the same time
			var err error
			if pdfs[i], err = s.PDF(meta(), sample(s)); err != nil {
				t.Error(err)
			}
			if pngs[i], err = s.PNG(sample(s), 60); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for i := range pdfs {
		if !bytes.Equal(pdfs[i], pdfs[0]) || !bytes.Equal(pngs[i], pngs[0]) {
			t.Error("two renderings differ")
		}
	}
}

// Whatever the PDF draws is in the picture, at its place.
func TestPicture(t *testing.T) {
	s := setter(t)
	b, err := s.PNG(sample(s), 100)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	mm := func(v float64) int { return int(v * 100 / 25.4) }
	if img.Bounds().Dx() != mm(148) && img.Bounds().Dx() != mm(148)+1 {
		t.Errorf("%v", img.Bounds())
	}
	if c := color.RGBAModel.Convert(img.At(mm(20), mm(85))); c != red {
		t.Errorf("the filled box is %v", c)
	}
	if c := color.RGBAModel.Convert(img.At(mm(2), mm(2))); c != (color.RGBA{255, 255, 255, 255}) {
		t.Errorf("outside the border is %v", c)
	}
	for what, r := range map[string]image.Rectangle{
		"title": image.Rect(mm(40), mm(12), mm(108), mm(24)), "text": image.Rect(mm(12), mm(35), mm(136), mm(41)),
		"border": image.Rect(mm(4), mm(40), mm(6), mm(60)), "line": image.Rect(mm(10), mm(29), mm(138), mm(31)),
	} {
		if !marked(img, r) {
			t.Errorf("no %s", what)
		}
	}
	if marked(img, image.Rect(mm(35), mm(60), mm(136), mm(95))) {
		t.Error("something stands where nothing was set")
	}
}

func marked(img image.Image, r image.Rectangle) bool {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			if c := color.RGBAModel.Convert(img.At(x, y)).(color.RGBA); c.G < 128 {
				return true
			}
		}
	}
	return false
}

func TestCharactersThatNoFontHas(t *testing.T) {
	s := setter(t)
	if got := s.Clean("𠮷\u200b野\t家\u202e"); got != "〓野 家" {
		t.Errorf("%q", got)
	}
	if got := s.Lacks("张𠮷明\n"); !slices.Equal(got, []rune{'𠮷'}) {
		t.Errorf("%q", got)
	}
	if n := utf8.RuneCountInString(s.Clean(strings.Repeat("长", maxText+50))); n != maxText {
		t.Errorf("%d characters", n)
	}
	if w := s.Width(Style{Size: 72}, "中"); s.Width(Style{Size: 10}, "") != 0 || w < 25.39 || w > 25.41 {
		t.Errorf("%v", s.Width(Style{Size: 72}, "中"))
	}
}

func TestLines(t *testing.T) {
	s := setter(t)
	st := Style{Size: 72 / 25.4 * 10} // 10 mm a character
	for text, want := range map[string][]string{
		"":                 {""},
		"一二三四五六":           {"一二三四五", "六"},
		"一二三四五。六":          {"一二三四", "五。六"},
		"一二三四“五”":          {"一二三四", "“五”"},
		"一二三四（五）":          {"一二三四", "（五）"},
		"一二\n三":            {"一二", "三"},
		"一二\r\n\r\n三":      {"一二", "", "三"},
		"一二三四 2026-03":     {"一二三四", "2026-03"},
		"一二三四五 六":          {"一二三四五", "六"},
		"一二三四五！！！":         {"一二三四", "五！！！"},
		"AAAAAAAAAAAAAAAA": {"AAAAAAA", "AAAAAAA", "AA"},
	} {
		if got := s.Lines(st, 50, text); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestLinesKeepAllAndFit(t *testing.T) {
	s := setter(t)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.SampledFrom([]rune("党员学习，。（）“”ab12-. 、《》")), 0, 80, -1).Draw(t, "text")
		width := rapid.Float64Range(4, 80).Draw(t, "width")
		st := Style{Size: rapid.Float64Range(6, 30).Draw(t, "size"), Spacing: rapid.Float64Range(0, 6).Draw(t, "spacing")}
		lines := s.Lines(st, width, text)
		for _, l := range lines {
			if w := s.Width(st, l); w > width+1e-6 && utf8.RuneCountInString(l) > 1 {
				t.Fatalf("%q is %v wide, not %v", l, w, width)
			}
		}
		bare := func(s string) string { return strings.ReplaceAll(s, " ", "") }
		if bare(strings.Join(lines, "")) != bare(text) {
			t.Fatalf("%q became %q", text, lines)
		}
	})
}

func TestQR(t *testing.T) {
	m, err := QR("https://example.org/c/ABCD-2345")
	if err != nil {
		t.Fatal(err)
	}
	n := len(m)
	if (n-17)%4 != 0 {
		t.Fatalf("%d cells", n)
	}
	for _, corner := range [][2]int{{0, 0}, {n - 7, 0}, {0, n - 7}} { // the three finders
		for y := range 7 {
			for x := range 7 {
				ring := max(max(3-x, x-3), max(3-y, y-3))
				if m[corner[1]+y][corner[0]+x] != (ring != 2) {
					t.Fatalf("no finder at %v", corner)
				}
			}
		}
	}
	if _, err := QR(strings.Repeat("x", 5000)); !errs.Is(err, errs.Internal) {
		t.Errorf("too long: %v", err)
	}
}

func TestBounds(t *testing.T) {
	s := setter(t)
	if _, err := s.PDF(meta()); !errs.Is(err, errs.TooLarge) {
		t.Errorf("no pages: %v", err)
	}
	if _, err := s.PDF(meta(), make([]*Page, MaxPages+1)...); !errs.Is(err, errs.TooLarge) {
		t.Errorf("too many pages: %v", err)
	}
	if _, err := s.PNG(s.Page(297, 210), 1200); !errs.Is(err, errs.TooLarge) {
		t.Errorf("too many pixels: %v", err)
	}
	if _, err := s.PNG(s.Page(0, 0), 100); !errs.Is(err, errs.TooLarge) {
		t.Errorf("no pixels: %v", err)
	}
}
