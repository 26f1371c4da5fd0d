package exchange

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"tongxin/quiz"
)

const sheetName = "题库"

// WriteXLSX writes questions as a spreadsheet that Parse reads back.
func WriteXLSX(list []quiz.Content) ([]byte, error) {
	rows := make([][]string, len(list))
	for i := range list {
		rows[i] = writeRow(&list[i])
	}
	return workbook(rows, false)
}

func writeRow(c *quiz.Content) []string {
	parts, answer := make([]string, 0, quiz.MaxParts), ""
	switch c.Kind {
	case quiz.Single, quiz.Multiple:
		for i, o := range c.Options {
			parts = append(parts, o.Text)
			if o.Right {
				answer += string(rune('A' + i))
			}
		}
	case quiz.TrueFalse:
		answer = "错误"
		if c.True {
			answer = "正确"
		}
	case quiz.Fill:
		for _, b := range c.Blanks {
			parts = append(parts, writeBlank(b))
		}
	case quiz.Order:
		parts = append(parts, c.Items...)
	case quiz.Match:
		for _, p := range c.Pairs {
			parts = append(parts, escapeCell(p.Left)+" "+arrow+" "+escapeCell(p.Right))
		}
		var extra []string
		for _, e := range c.Extra {
			extra = append(extra, escapeCell(e))
		}
		answer = strings.Join(extra, orMark)
	case quiz.Short:
		for _, r := range c.Rubric {
			parts = append(parts, percent(r.Share)+"% "+r.Text)
		}
	}
	for len(parts) < quiz.MaxParts {
		parts = append(parts, "")
	}
	row := append([]string{kindNames()[c.Kind][0], c.Stem}, parts...)
	return append(row, answer, c.Explanation, c.Source, strings.Join(c.Topics, "；"), strconv.Itoa(c.Difficulty))
}

func writeBlank(b quiz.Blank) string {
	var all []string
	for _, a := range b.Accept {
		all = append(all, escapeCell(a))
	}
	if n := b.Number; n != nil {
		all = append(all, strconv.FormatFloat(n.Value, 'f', -1, 64)+aboutMark+strconv.FormatFloat(n.Tolerance, 'f', -1, 64))
	}
	return strings.Join(all, orMark)
}

// hints are the remarks on the header cells of the template.
func hints() map[string]string {
	return map[string]string{
		colKind:        "必填：单选、多选、判断、填空、排序、连线、简答。",
		colStem:        "必填。填空题的空用 ___（三个下划线）表示。可以用 Markdown 和 $公式$；图片先上传素材库，再写 ![说明](asset:编号)。",
		partColumn(0):  "单选、多选：选项。填空：第 1 个空的答案，几个答案都算对时用 | 隔开，数值写成 32±0。排序：第 1 项。连线：左边 → 右边。简答：占比% 评分要点。",
		colAnswer:      "单选填 B；多选填 ABD；判断填 正确 或 错误；连线可填多余的右边项，用 | 隔开；其他题型留空。",
		colExplanation: "可不填。作答后显示。",
		colSource:      "可不填。答案写在哪里。",
		colTopics:      "最多 5 个，用分号隔开；不填则用导入时的默认知识点。",
		colDifficulty:  "1（最易）到 5（最难）；不填则用导入时的默认难度。",
	}
}

// examples are the rows of the template that an import passes over.
func examples() []quiz.Content {
	return []quiz.Content{
		{
			Kind: quiz.Single, Stem: exampleMark + "支部党员大会一般多久召开一次？",
			Options: []quiz.Option{{Text: "每月"}, {Text: "每季度", Right: true}, {Text: "每年"}}, Explanation: "以“示例：”开头的行导入时会跳过。",
			Source: "中国共产党支部工作条例（试行）", Topics: []string{"三会一课"}, Difficulty: 1,
		},
		{
			Kind: quiz.Multiple, Stem: exampleMark + "“三会”包括哪些？",
			Options: []quiz.Option{{Text: "支部党员大会", Right: true}, {Text: "支部委员会会议", Right: true}, {Text: "党小组会", Right: true}, {Text: "职工大会"}},
			Topics:  []string{"三会一课"}, Difficulty: 2,
		},
		{Kind: quiz.TrueFalse, Stem: exampleMark + "预备党员没有表决权。", True: true, Topics: []string{"党员权利"}, Difficulty: 1},
		{
			Kind: quiz.Fill, Stem: exampleMark + "党员每年集中学习培训不少于 ___ 学时。",
			Blanks: []quiz.Blank{{Accept: []string{"三十二"}, Number: &quiz.Number{Value: 32}}}, Topics: []string{"学习教育"}, Difficulty: 2,
		},
		{
			Kind: quiz.Order, Stem: exampleMark + "请按民主评议的先后排序。",
			Items: []string{"个人自评", "党员互评", "民主测评", "组织评定"}, Topics: []string{"民主评议"}, Difficulty: 3,
		},
		{
			Kind: quiz.Match, Stem: exampleMark + "请把会议与召开的频次连起来。",
			Pairs: []quiz.Pair{{Left: "支部党员大会", Right: "一般每季度一次"}, {Left: "支部委员会会议", Right: "一般每月一次"}},
			Extra: []string{"每年一次"}, Topics: []string{"三会一课"}, Difficulty: 3,
		},
		{
			Kind: quiz.Short, Stem: exampleMark + "请说明“三会一课”的内容。",
			Rubric: []quiz.Criterion{{Text: "说出三会", Share: 0.6}, {Text: "说出一课", Share: 0.4}}, Topics: []string{"三会一课"}, Difficulty: 3,
		},
	}
}

// Template makes the spreadsheet that an import takes, with remarks and an
// example of each kind.
func Template() ([]byte, error) {
	list := examples()
	rows := make([][]string, len(list))
	for i := range list {
		rows[i] = writeRow(&list[i])
	}
	return workbook(rows, true)
}

func workbook(rows [][]string, remarks bool) (out []byte, err error) {
	f := excelize.NewFile()
	defer f.Close() //nolint:errcheck // there are no temporary files
	if err := f.SetSheetName("Sheet1", sheetName); err != nil {
		return nil, err
	}
	if err := style(f); err != nil {
		return nil, err
	}
	for i, row := range append([][]string{columns()}, rows...) {
		cells := make([]any, len(row))
		for j, v := range row {
			cells[j] = v
		}
		if err := f.SetSheetRow(sheetName, "A"+strconv.Itoa(i+1), &cells); err != nil {
			return nil, err
		}
	}
	if remarks {
		if err := remark(f); err != nil {
			return nil, err
		}
	}
	var buf bytes.Buffer
	if err := f.Write(&buf); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

func style(f *excelize.File) error {
	text, err := f.NewStyle(&excelize.Style{NumFmt: 49, Alignment: &excelize.Alignment{WrapText: true, Vertical: "top"}}) // 49 is text
	if err != nil {
		return err
	}
	head, err := f.NewStyle(&excelize.Style{
		NumFmt: 49, Font: &excelize.Font{Bold: true},
		Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"F3E3E1"}},
	})
	if err != nil {
		return err
	}
	last, err := excelize.ColumnNumberToName(len(columns()))
	if err != nil {
		return err
	}
	if err := f.SetColStyle(sheetName, "A:"+last, text); err != nil {
		return err
	}
	if err := f.SetColWidth(sheetName, "A", last, 16); err != nil {
		return err
	}
	if err := f.SetColWidth(sheetName, "B", "B", 50); err != nil {
		return err
	}
	if err := f.SetCellStyle(sheetName, "A1", last+"1", head); err != nil {
		return err
	}
	return f.SetPanes(sheetName, &excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"})
}

func remark(f *excelize.File) error {
	notes := hints()
	for i, name := range columns() {
		col, err := excelize.ColumnNumberToName(i + 1)
		if err != nil {
			return err
		}
		if note, ok := notes[name]; ok {
			c := excelize.Comment{Cell: col + "1", Author: "同心", Paragraph: []excelize.RichTextRun{{Text: note}}, Width: 300, Height: 110}
			if err := f.AddComment(sheetName, c); err != nil {
				return err
			}
		}
		if name != colKind {
			continue
		}
		var kinds []string
		for _, k := range quiz.Kinds() {
			kinds = append(kinds, kindNames()[k][0])
		}
		v := excelize.NewDataValidation(true)
		v.SetSqref(col + "2:" + col + strconv.Itoa(quiz.MaxItems+1))
		if err := v.SetDropList(kinds); err != nil {
			return err
		}
		if err := f.AddDataValidation(sheetName, v); err != nil {
			return err
		}
	}
	return nil
}
