package exchange

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/png"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tongxin/quiz"
)

func read(t testing.TB, data string, f Format) []quiz.FileItem {
	t.Helper()
	file, err := Parse([]byte(data), f, Defaults{})
	if err != nil {
		t.Fatal(err)
	}
	return file.Items
}

// good wants one item without problems that is a question.
func good(t testing.TB, data string, f Format) quiz.Content {
	t.Helper()
	list := read(t, data, f)
	if len(list) != 1 || len(list[0].Problems) > 0 {
		t.Fatalf("%s: %+v", data, list)
	}
	if err := list[0].Content.Check(); err != nil {
		t.Fatalf("%s: %v\n%+v", data, err, list[0].Content)
	}
	return list[0].Content
}

func options(c quiz.Content) (out []string) {
	for _, o := range c.Options {
		s := o.Text
		if o.Right {
			s = "=" + s
		}
		out = append(out, s)
	}
	return out
}

func TestGIFT(t *testing.T) {
	c := good(t, "// [tag:党史] [tag:难度4]\n::标题::谁主持\\: 一大？{\n=张国焘#对\n~毛泽东\n~董必武\n####见[党史]第一卷\\n出处：党史\n}", GIFT)
	if c.Kind != quiz.Single || c.Stem != "谁主持: 一大？" || !slices.Equal(options(c), []string{"=张国焘", "毛泽东", "董必武"}) ||
		c.Explanation != `见\[党史\]第一卷` || c.Source != "党史" || c.Difficulty != 4 || !slices.Equal(c.Topics, []string{"党史"}) {
		t.Fatalf("%+v", c)
	}
	c = good(t, "$CATEGORY: $course$/top/三会一课\n\n哪些是“三会”？{~%33.333%大会 ~%33.333%支委会 ~%33.333%党小组会 ~%-100%工会}", GIFT)
	if c.Kind != quiz.Multiple || !slices.Equal(options(c), []string{"=大会", "=支委会", "=党小组会", "工会"}) || c.Topics[0] != "三会一课" || c.Difficulty != 3 {
		t.Fatalf("%+v", c)
	}
	if c = good(t, "预备党员有表决权。{F}", GIFT); c.Kind != quiz.TrueFalse || c.True {
		t.Fatalf("%+v", c)
	}
	c = good(t, "党员每年学习不少于{=32 =三十二 =%50%30}学时。", GIFT)
	if c.Kind != quiz.Fill || c.Stem != "党员每年学习不少于___学时。" || !slices.Equal(c.Blanks[0].Accept, []string{"32", "三十二"}) {
		t.Fatalf("%+v", c)
	}
	c = good(t, "圆周率？{#3.14:0.005}", GIFT)
	if n := c.Blanks[0].Number; n.Value != 3.14 || n.Tolerance != 0.005 || c.Stem != "圆周率？___" {
		t.Fatalf("%+v", c)
	}
	if n := good(t, "几个？{#1..5}", GIFT).Blanks[0].Number; n.Value != 3 || n.Tolerance != 2 {
		t.Fatalf("%+v", n)
	}
	c = good(t, "连线{\n=大会 -> 每季度\n=支委会 -> 每月\n= -> 每年\n}", GIFT)
	if c.Kind != quiz.Match || len(c.Pairs) != 2 || c.Pairs[1] != (quiz.Pair{Left: "支委会", Right: "每月"}) || !slices.Equal(c.Extra, []string{"每年"}) {
		t.Fatalf("%+v", c)
	}
	if c = good(t, "谈谈体会。{}", GIFT); c.Kind != quiz.Short {
		t.Fatalf("%+v", c)
	}
	if c = good(t, "[html]<p>水是 H<sub>2</sub>O，<b>对吗</b>？</p>{T}", GIFT); c.Stem != "水是 H<sub>2</sub>O，**对吗**？" {
		t.Fatalf("%q", c.Stem)
	}
	if c = good(t, `[markdown]$\\frac\{1\}\{2\}$ 是 *一半*{T}`, GIFT); c.Stem != `$\frac{1}{2}$ 是 *一半*` {
		t.Fatalf("%q", c.Stem)
	}
	if c = good(t, "3*4=12 见 _这里_ 和 [x]{T}", GIFT); c.Stem != `3\*4=12 见 \_这里\_ 和 \[x\]` {
		t.Fatalf("%q", c.Stem)
	}
}

func TestGIFTNamesWhatIsWrong(t *testing.T) {
	list := read(t, "第一题{=甲 ~乙}\n\n没有答案的题\n\n// 说明\n第三题{看}\n\n<img src=\"https://example.com/a.png\">看图{T}\n\n两个空{=a}又{=b}", GIFT)
	if len(list) != 5 || len(list[0].Problems) != 0 {
		t.Fatalf("%+v", list)
	}
	for i, want := range []struct {
		line  int
		words string
	}{{1, ""}, {3, "大括号"}, {6, "判断写 T 或 F"}, {8, "example.com"}, {10, "只能有一处大括号"}} {
		it := list[i]
		if it.Line != want.line || want.words != "" && (len(it.Problems) == 0 || !strings.Contains(it.Problems[0].Message, want.words)) {
			t.Errorf("%d: %+v", i, it)
		}
	}
	if it := read(t, "x{=a* =%50%b =c#好}", GIFT)[0]; len(it.Notes) != 3 || !slices.Equal(it.Content.Blanks[0].Accept, []string{"c"}) {
		t.Errorf("%+v", it)
	}
}

func TestAiken(t *testing.T) {
	list := read(t, "支部党员大会一般多久一次？\nA. 每月\nB) 每季度\nC、每年\nANSWER: B\n\n哪些对？\n第二行\nA. 甲*\nB. 乙\n答案：AB\n\n没有答案\nA. 甲\nB. 乙\n", Aiken)
	if len(list) != 3 {
		t.Fatalf("%+v", list)
	}
	if c := list[0].Content; c.Kind != quiz.Single || !slices.Equal(options(c), []string{"每月", "=每季度", "每年"}) || c.Check() != nil {
		t.Fatalf("%+v", c)
	}
	if c := list[1].Content; c.Kind != quiz.Multiple || c.Stem != "哪些对？\n第二行" || !slices.Equal(options(c), []string{`=甲\*`, "=乙"}) || list[1].Line != 7 {
		t.Fatalf("%+v", list[1])
	}
	if len(list[2].Problems) != 1 || !strings.Contains(list[2].Problems[0].Message, "ANSWER: A") {
		t.Fatalf("%+v", list[2])
	}
	for data, words := range map[string]string{
		"题\nA. 甲\nB. 乙\nANSWER: C": "没有对应的选项", "题\nA. 甲\nC. 乙\nANSWER: A": "第 3 行不是选项", "题\nA. 甲\nANSWER:": "没有写答案",
	} {
		if it := read(t, data, Aiken)[0]; len(it.Problems) == 0 || !strings.Contains(it.Problems[0].Message, words) {
			t.Errorf("%q: %+v", data, it)
		}
	}
}

func pngBytes(t testing.TB) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 4, 4))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func moodleFile(t testing.TB) string {
	data, err := os.ReadFile("testdata/moodle.xml")
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(data), "PNG", base64.StdEncoding.EncodeToString(pngBytes(t)))
}

func TestMoodle(t *testing.T) {
	file, err := Parse([]byte(moodleFile(t)), Moodle, Defaults{Topic: "默认", Difficulty: 5})
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]quiz.FileItem{}
	for _, it := range file.Items {
		_, name, _ := strings.Cut(it.Name, "“")
		byName[strings.TrimSuffix(name, "”")] = it
	}
	for _, name := range []string{"单选", "多选", "判断", "填空", "数值", "匹配", "排序", "问答"} {
		it := byName[name]
		if len(it.Problems) > 0 {
			t.Errorf("%s: %+v", name, it.Problems)
		}
		if err := it.Content.Check(); err != nil {
			t.Errorf("%s: %v %+v", name, err, it.Content)
		}
	}
	c := byName["单选"].Content
	if pics := c.Pictures(); len(pics) != 1 || !bytes.Equal(file.Pictures[pics[0]].Data, pngBytes(t)) || !strings.HasPrefix(c.Stem, "看图 ![党徽](asset:") ||
		!slices.Equal(options(c), []string{"每月", "=每**季度**", "每年"}) || c.Explanation != "一般每季度一次" || c.Source != "条例" || c.Topics[0] != "三会一课" || c.Difficulty != 2 {
		t.Errorf("%+v", c)
	}
	if c := byName["多选"].Content; c.Kind != quiz.Multiple || !slices.Equal(options(c), []string{"=大会", "=支委会", "工会"}) || c.Difficulty != 5 || c.Topics[0] != "组织生活" {
		t.Errorf("%+v", c)
	}
	if c := byName["填空"].Content; c.Stem != "党员每年学习不少于 ___ 学时" || !slices.Equal(c.Blanks[0].Accept, []string{"32", "三十二"}) {
		t.Errorf("%+v", c)
	}
	if n := byName["数值"].Content.Blanks[0].Number; n == nil || n.Value != 3.14 || n.Tolerance != 0.01 {
		t.Errorf("%+v", n)
	}
	if c := byName["匹配"].Content; len(c.Pairs) != 2 || c.Extra[0] != "每年" {
		t.Errorf("%+v", c)
	}
	if c := byName["排序"].Content; !slices.Equal(c.Items, []string{"自评", "互评", "测评"}) {
		t.Errorf("%+v", c)
	}
	if c := byName["问答"].Content; c.Rubric[0].Share != 1 {
		t.Errorf("%+v", c)
	}
	for name, words := range map[string]string{"完形": "不支持 Moodle 的“cloze”题型", "外图": "example.com", "缺图": "不在文件里"} {
		if it := byName[name]; len(it.Problems) != 1 || !strings.Contains(it.Problems[0].Message, words) {
			t.Errorf("%s: %+v", name, it)
		}
	}
}

func TestHostileXML(t *testing.T) {
	deep := "<quiz>" + strings.Repeat("<a>", 60) + strings.Repeat("</a>", 60) + "</quiz>"
	for name, x := range map[string]struct{ data, words string }{
		"entities":    {`<!DOCTYPE q [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><quiz><question type="essay"><name><text>&b;</text></name></question></quiz>`, "文档类型"},
		"outside":     {`<!DOCTYPE q SYSTEM "file:///etc/passwd"><quiz></quiz>`, "文档类型"},
		"unknown":     {`<quiz>&b;</quiz>`, "格式不正确"},
		"deep":        {deep, "太深"},
		"many":        {"<quiz>" + strings.Repeat("<a/>", maxElements+1) + "</quiz>", "太大"},
		"cut short":   {`<quiz><question>`, "格式不正确"},
		"charset":     {`<?xml version="1.0" encoding="gbk"?><quiz></quiz>`, "UTF-8"},
		"not a quiz":  {`<html></html>`, "<quiz>"},
		"not XML":     {`hello`, "<quiz>"},
		"broken text": {"<quiz>\xff</quiz>", "UTF-8"},
	} {
		_, err := Parse([]byte(x.data), Moodle, Defaults{})
		if err == nil || !strings.Contains(err.Error(), x.words) || strings.Contains(err.Error(), "passwd") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// anyContent draws a question as the bank would keep it.
func anyContent(t *rapid.T) quiz.Content {
	word := func(name string) string {
		return strings.TrimSpace(rapid.StringMatching(`[-a-c甲乙 ~=#{}:\\%*|±→>\[\]_&<"'.$n\n]{1,12}`).Filter(func(s string) bool {
			return strings.TrimSpace(s) != "" && !strings.Contains(s, "___")
		}).Draw(t, name))
	}
	words := func(name string, low, high int) []string {
		return rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) string {
			return strings.TrimSpace(rapid.StringMatching(`[-a-c甲乙1-9 ~=#{}:\\%*|±→>\[\]_&<"'.$n\n]{1,8}`).Draw(t, name))
		}).Filter(func(s string) bool { return s != "" && !strings.Contains(s, "___") }), low, high, quiz.Fold).Draw(t, name)
	}
	c := quiz.Content{
		Kind: rapid.SampledFrom(quiz.Kinds()).Draw(t, "kind"), Stem: word("stem"), Difficulty: rapid.IntRange(1, 5).Draw(t, "difficulty"),
		Topics: rapid.SliceOfNDistinct(rapid.StringMatching(`[a-c甲乙][a-c甲乙 ]{0,3}[a-c]`), 1, 5, quiz.Fold).Draw(t, "topics"),
	}
	if rapid.Bool().Draw(t, "explained") {
		c.Explanation = word("explanation")
	}
	if rapid.Bool().Draw(t, "sourced") {
		c.Source = word("source")
	}
	switch c.Kind {
	case quiz.Single, quiz.Multiple:
		list := words("options", 2, 10)
		right := rapid.IntRange(0, len(list)-1).Draw(t, "right")
		for i, o := range list {
			also := c.Kind == quiz.Multiple && rapid.Bool().Draw(t, "also")
			c.Options = append(c.Options, quiz.Option{Text: o, Right: i == right || also})
		}
	case quiz.TrueFalse:
		c.True = rapid.Bool().Draw(t, "true")
	case quiz.Fill:
		for range rapid.IntRange(1, 3).Draw(t, "blanks") {
			c.Stem += rapid.SampledFrom([]string{"___", " ___", " ___ 后", "甲___乙"}).Draw(t, "blank")
			b := quiz.Blank{}
			if rapid.Bool().Draw(t, "number") {
				b.Number = &quiz.Number{Value: rapid.Float64Range(-1e6, 1e6).Draw(t, "value"), Tolerance: rapid.Float64Range(0, 10).Draw(t, "tolerance")}
			}
			if b.Number == nil || rapid.IntRange(0, 4).Draw(t, "both") == 0 {
				b.Accept = words("accept", 1, 4)
			}
			c.Blanks = append(c.Blanks, b)
		}
	case quiz.Order:
		c.Items = words("items", 2, 10)
	case quiz.Match:
		rights := words("rights", 2, 12)
		lefts := words("lefts", max(2, len(rights)-quiz.MaxExtra), min(10, len(rights)))
		for i, l := range lefts {
			c.Pairs = append(c.Pairs, quiz.Pair{Left: l, Right: rights[i]})
		}
		c.Extra = append(c.Extra, rights[len(lefts):]...)
	case quiz.Short:
		c.Rubric = []quiz.Criterion{{Text: word("criterion"), Share: 0.333}, {Text: word("criterion"), Share: 0.667}}
	}
	c = c.Tidy()
	if c.Check() != nil || c.Kind == quiz.Fill && quiz.CountBlanks(c.Stem) != len(c.Blanks) {
		t.Skip("not a question")
	}
	return c
}

func same(a, b quiz.Content) bool { return quiz.SameKey(&a) == quiz.SameKey(&b) }

func TestSheetRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.Custom(anyContent), 1, 3).Draw(t, "list")
		data, err := WriteXLSX(list)
		if err != nil {
			t.Fatal(err)
		}
		file, err := Parse(data, XLSX, Defaults{})
		if err != nil {
			t.Fatal(err)
		}
		if len(file.Items) != len(list) {
			t.Fatalf("%d of %d", len(file.Items), len(list))
		}
		for i, it := range file.Items {
			if len(it.Problems) > 0 || !same(it.Content, list[i]) {
				t.Fatalf("%+v\n%+v\n%+v", it.Problems, list[i], it.Content)
			}
		}
	})
}

func TestGIFTRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.Custom(anyContent), 1, 4).Draw(t, "list")
		data, left := WriteGIFT(list)
		var want []quiz.Content
		for i, c := range list {
			if !slices.ContainsFunc(left, func(l Left) bool { return l.Index == i && l.Whole }) {
				c.Rubric = nil
				want = append(want, c)
			}
		}
		file, err := Parse(data, GIFT, Defaults{})
		if err != nil {
			t.Fatal(err)
		}
		if len(file.Items) != len(want) {
			t.Fatalf("%d of %d:\n%s", len(file.Items), len(want), data)
		}
		for i, it := range file.Items {
			if len(it.Problems) > 0 || !same(it.Content, want[i]) {
				t.Fatalf("%+v\n%+v\n%+v\n%s", it.Problems, want[i], it.Content, data)
			}
		}
	})
}

func TestWhatGIFTCannotSayIsNamed(t *testing.T) {
	two := quiz.Content{Kind: quiz.Fill, Stem: "___ 和 ___", Blanks: make([]quiz.Blank, 2), Topics: []string{"甲"}, Difficulty: 1}
	order := quiz.Content{Kind: quiz.Order, Stem: "排", Items: []string{"a", "b"}, Topics: []string{"甲"}, Difficulty: 1}
	short := quiz.Content{Kind: quiz.Short, Stem: "谈", Rubric: []quiz.Criterion{{Text: "点", Share: 1}}, Topics: []string{"甲"}, Difficulty: 1}
	data, left := WriteGIFT([]quiz.Content{two, order, short})
	want := []Left{{0, "GIFT 的填空题只能有一个空，请导出 xlsx。", true}, {1, "GIFT 没有排序题，请导出 xlsx。", true}, {2, "GIFT 没有评分要点。", false}}
	if !reflect.DeepEqual(left, want) || !strings.Contains(string(data), "// 第 1 题未导出") {
		t.Fatalf("%+v\n%s", left, data)
	}
}

func TestTemplate(t *testing.T) {
	data, err := Template()
	if err != nil {
		t.Fatal(err)
	}
	if list := read(t, string(data), XLSX); len(list) != 0 {
		t.Fatalf("the examples are read: %+v", list)
	}
	for _, c := range examples() {
		if err := c.Check(); err != nil {
			t.Error(c.Stem, err)
		}
	}
}
