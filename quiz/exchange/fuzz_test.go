package exchange

import (
	"strings"
	"testing"
	"unicode/utf8"

	"tongxin/internal/errs"
	"tongxin/quiz"
)

// everything holds what was read of any file to what must be true of it.
func everything(t *testing.T, data []byte, format Format) {
	file, err := Parse(data, format, Defaults{})
	if err != nil {
		if errs.Is(err, errs.Internal) {
			t.Fatal(err)
		}
		return
	}
	lines := strings.Count(string(data), "\n") + strings.Count(string(data), "\r") + 1
	var fine []quiz.Content
	for _, it := range file.Items {
		if format != XLSX && (it.Line < 1 || it.Line > lines) || it.Name == "" {
			t.Fatalf("no place: %+v", it)
		}
		for _, p := range it.Problems {
			if p.Message == "" || !utf8.ValidString(p.Message) || strings.Contains(p.Message, "%!") {
				t.Fatalf("%+v", p)
			}
		}
		if len(it.Problems) > 0 || it.Content.Check() != nil {
			continue
		}
		for _, hash := range it.Content.Pictures() {
			if _, ok := file.Pictures[hash]; !ok && format == Moodle && !strings.Contains(string(data), hash) {
				t.Fatalf("a picture from nowhere: %s", hash)
			}
		}
		fine = append(fine, it.Content)
	}
	// What was read can be written, and read again as the same.
	out, left := WriteGIFT(fine)
	again, err := Parse(out, GIFT, Defaults{})
	if err != nil {
		t.Fatal(err)
	}
	whole := 0
	for _, l := range left {
		if l.Whole {
			whole++
		}
	}
	if len(again.Items) != len(fine)-whole {
		t.Fatalf("%d of %d read again:\n%s", len(again.Items), len(fine)-whole, out)
	}
}

func FuzzGIFT(f *testing.F) {
	for _, s := range []string{
		"::题::谁？{=甲 ~乙#反馈\n####解析}", "$CATEGORY: a/b\n\n// [tag:x] [tag:难度3]\n[html]<p>a<img src=x></p>{T}", "几？{#=3:1 =%50%4}",
		"{=a -> b =c -> d = -> e}", "x\\{\\}\\~\\=\\n\\\\{~%50%a~%-50%b}y", "[markdown]{}", "___{=a*}", "{", "}{", "::::{}", "a{####}", "{#1..2}", "\\(x\\){T}$$y$$",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { everything(t, []byte(s), GIFT) })
}

func FuzzAiken(f *testing.F) {
	for _, s := range []string{"题\nA. 甲\nB) 乙\nANSWER: B", "题\nＡ．甲\nb、乙\n答案：A,B\n\n", "A. x\nANSWER: A", "题\nANSWER:", "- x\n1. y\nA. z"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { everything(t, []byte(s), Aiken) })
}

func FuzzMoodle(f *testing.F) {
	f.Add(moodleFile(f))
	f.Add(`<quiz><question type="multichoice"><questiontext format="html"><text>&lt;ul&gt;&lt;li&gt;a&lt;b&gt; c&lt;/b&gt;</text></questiontext></question></quiz>`)
	f.Add(`<!DOCTYPE a [<!ENTITY b "c">]><quiz>&b;</quiz>`)
	f.Fuzz(func(t *testing.T, s string) { everything(t, []byte(s), Moodle) })
}

func FuzzHTML(f *testing.F) {
	for _, s := range []string{"<p>a<br>b</p><ol><li>c<li>d</ol>", "<b> x </b><i>*</i>", "<table><tr><td>1<td>2</table>", "\\(a<b>b</b>\\)", "<img src='data:image/png;base64,AAAA' alt='](x)'>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var it quiz.FileItem
		out := fromHTML(&it, "题干", s, func(string) (string, string) { return "asset:" + strings.Repeat("0", 64), "" })
		c := quiz.Content{Kind: quiz.Short, Stem: out, Topics: []string{"a"}, Difficulty: 1}
		for _, hash := range c.Pictures() {
			if hash != strings.Repeat("0", 64) {
				t.Fatalf("a picture from nowhere: %s in %q", hash, out)
			}
		}
	})
}

func FuzzSheet(f *testing.F) {
	template, err := Template()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(template)
	list := examples()
	for i := range list {
		list[i].Stem = strings.TrimPrefix(list[i].Stem, exampleMark)
	}
	book, err := WriteXLSX(list)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(book)
	f.Add([]byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, data []byte) { everything(t, data, XLSX) })
}

// A file is a zip, which keeps a fuzzer busy with checksums: here it gets at the cells.
func FuzzRow(f *testing.F) {
	f.Add("单选", "题", "甲|乙|丙", "AC", "难", "a；b")
	f.Add("填空", "___", `32±0\|`, "", "3", "")
	f.Add("连线", "题", `a→b|c=>d\→`, "e｜f", "1", "x")
	f.Add("简答", "题", "40% a|60％ b", "", "", "")
	f.Fuzz(func(t *testing.T, kind, stem, parts, answer, difficulty, topics string) {
		cells := map[string]string{colKind: kind, colStem: stem, colAnswer: answer, colDifficulty: difficulty, colTopics: topics}
		for i, p := range strings.SplitN(parts, "/", quiz.MaxParts) {
			cells[partColumn(i)] = p
		}
		it := readRow(3, cells)
		c := it.Content.Tidy()
		if len(it.Problems) > 0 || c.Check() != nil {
			return
		}
		row := writeRow(&c)
		back := map[string]string{}
		for i, name := range columns() {
			back[name] = cleanCell(row[i])
		}
		again := readRow(3, back)
		if c2 := again.Content.Tidy(); len(again.Problems) > 0 || quiz.SameKey(&c2) != quiz.SameKey(&c) {
			t.Fatalf("%+v\n%+v\n%+v\n%q", again.Problems, c, c2, row)
		}
	})
}
