package exchange

import (
	"math/big"
	"strconv"
	"strings"

	"tongxin/quiz"
)

// Columns of the template, as they stand in the first row. The parts columns
// hold options, blanks, items, pairs or criteria, as the kind has them.
const (
	colKind        = "题型"
	colStem        = "题干"
	colPart        = "选项" // 选项A … 选项J
	colAnswer      = "答案"
	colExplanation = "解析"
	colSource      = "出处"
	colTopics      = "知识点"
	colDifficulty  = "难度"
)

func partColumn(i int) string { return colPart + string(rune('A'+i)) }

func columns() []string {
	out := []string{colKind, colStem}
	for i := range quiz.MaxParts {
		out = append(out, partColumn(i))
	}
	return append(out, colAnswer, colExplanation, colSource, colTopics, colDifficulty)
}

// kindNames are how people write kinds; the first is what is exported.
func kindNames() map[quiz.Kind][]string {
	return map[quiz.Kind][]string{
		quiz.Single:    {"单选", "单选题", "单项选择", "单项选择题"},
		quiz.Multiple:  {"多选", "多选题", "多项选择", "多项选择题"},
		quiz.TrueFalse: {"判断", "判断题"},
		quiz.Fill:      {"填空", "填空题"},
		quiz.Order:     {"排序", "排序题"},
		quiz.Match:     {"连线", "连线题", "匹配", "匹配题"},
		quiz.Short:     {"简答", "简答题", "问答", "问答题", "论述题"},
	}
}

// Marks inside a cell. A backslash before one of them, or before a backslash,
// takes it literally.
const (
	orMark    = "|"  // between the texts that a blank accepts
	aboutMark = "±"  // a number and its tolerance
	arrow     = "→"  // between the sides of a pair
	typed     = "=>" // the same, as it is typed
)

func escapeCell(s string) string {
	return strings.NewReplacer(`\`, `\\`, orMark, `\`+orMark, "｜", `\｜`, aboutMark, `\`+aboutMark, arrow, `\`+arrow, typed, `\`+typed).Replace(s)
}

// cutCell splits at the first or at every unescaped mark, and takes the
// backslashes away.
func cutCell(s string, once bool, marks ...string) []string {
	var out []string
	var b strings.Builder
	for i := 0; i < len(s); {
		if s[i] == '\\' {
			if n := special(s[i+1:]); n > 0 {
				b.WriteString(s[i+1 : i+1+n])
				i += 1 + n
				continue
			}
		}
		if n := markAt(s[i:], marks); n > 0 && (!once || len(out) == 0) {
			out = append(out, b.String())
			b.Reset()
			i += n
			continue
		}
		b.WriteByte(s[i])
		i++
	}
	return append(out, b.String())
}

func special(s string) int { return markAt(s, []string{`\`, orMark, "｜", aboutMark, arrow, typed}) }

func markAt(s string, marks []string) int {
	for _, m := range marks {
		if strings.HasPrefix(s, m) {
			return len(m)
		}
	}
	return 0
}

// percent writes a share exactly: 0.333 is 33.3.
func percent(share float64) string {
	r, ok := new(big.Rat).SetString(strconv.FormatFloat(share, 'g', -1, 64))
	if !ok {
		return "0"
	}
	s := r.Mul(r, big.NewRat(100, 1)).FloatString(20)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// share reads what percent wrote.
func share(s string) (float64, bool) {
	f, err := strconv.ParseFloat(s+"e-2", 64)
	return f, err == nil && !strings.ContainsAny(s, "eExXpP_")
}
