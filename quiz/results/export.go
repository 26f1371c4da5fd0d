package results

import (
	"bytes"
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/ids"
	"tongxin/internal/trail"
	"tongxin/quiz"
)

// maxExport bounds an export in rows.
const maxExport = 50_000

// Export writes results, turnout and, where the actor may see it, the analysis
// of a paper into a workbook, and notes it in the audit: it leaves the house
// with names.
func (s *Service) Export(ctx context.Context, actor *authz.Actor, id, org ids.ID) (*File, error) {
	v, err := s.view(ctx, actor, id, org)
	if err != nil {
		return nil, err
	}
	p := v.paper
	c := choice(p, v.area)
	list, err := s.cfg.Store.Standings(ctx, c, 0, maxExport)
	if err != nil {
		return nil, err
	}
	turnout, err := s.cfg.Store.Turnout(ctx, c, p.OrgPath)
	if err != nil {
		return nil, err
	}
	tables := []table{standingsTable(list), turnoutTable(turnout)}
	if s.mayExamine(actor, p) == nil {
		a, err := s.recent(ctx, v)
		if err != nil {
			return nil, err
		}
		tables = append(tables, analysisTable(a), testTable(a))
	}
	data, err := workbook(tables)
	if err != nil {
		return nil, err
	}
	err = s.cfg.Store.Record(ctx, trail.Entry{
		Actor: actor, Action: "results.export", Object: "paper", ID: p.ID, OrgID: p.OrgID, OrgPath: p.OrgPath,
		Detail: map[string]string{"rows": strconv.Itoa(len(list)), "title": p.Title},
	})
	return &File{"成绩-" + fileName(p.Title) + ".xlsx", data}, err
}

func fileName(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, r) || r < ' ' {
			return '-'
		}
		return r
	}, s)
}

// table is one sheet: a header, rows and the widths of columns.
type table struct {
	name   string
	head   []string
	widths []float64
	rows   [][]any
}

func standingsTable(list []Standing) table {
	t := table{
		name: "成绩", head: []string{"名次", "姓名", "党支部", "成绩", "是否合格", "用时（分:秒）", "作答次数", "交卷时间", "备注"},
		widths: []float64{8, 14, 28, 10, 10, 14, 10, 20, 16},
	}
	for _, s := range list {
		row := []any{s.Rank, safeCell(s.Name), safeCell(s.OrgName), s.Score, yes(s.Passed, "合格", "不合格"), minutes(s.UsedSec), s.Attempts, moment(s.EndedAt), ""}
		if s.Rank == 0 {
			row[0], row[3], row[4], row[8] = "", "", "", "等待评分"
		}
		t.rows = append(t.rows, row)
	}
	return t
}

func turnoutTable(list []Turnout) table {
	t := table{
		name: "参加情况", head: []string{"党支部", "应参加", "已参加", "参加率 %", "合格", "合格率 %", "平均分"},
		widths: []float64{32, 10, 10, 12, 10, 12, 10},
	}
	for _, o := range list {
		t.rows = append(t.rows, []any{
			safeCell(o.OrgName), o.Should, o.Took, round1(percent(float64(o.Took), o.Should)), o.Passed, round1(percent(float64(o.Passed), o.Took)), optional(o.Mean),
		})
	}
	return t
}

func analysisTable(a *Analysis) table {
	t := table{
		name: "题目分析",
		head: []string{
			"序号", "题型", "题干", "知识点", "分值", "作答人数", "得分率 %", "标准差 %", "猜测得分率 %", "设计权重 %", "有效权重 %", "区分度 %", "区分效率 %", "需要检查", "说明",
		},
		widths: []float64{8, 8, 50, 18, 8, 10, 10, 10, 14, 12, 12, 10, 12, 10, 60},
	}
	for i, it := range a.Items {
		f := it.Figures
		var said []string
		for _, r := range f.Findings {
			said = append(said, r.Text)
		}
		t.rows = append(t.rows, []any{
			i + 1, kindName(it.Kind), safeCell(plain(it.content)), safeCell(strings.Join(it.Topics, "、")), it.Points, f.Answered, optional(f.Facility),
			optional(f.SD), optional(f.Guess), optional(f.Intended), optional(f.Effective), optional(f.Discrimination), optional(f.Efficiency),
			yes(f.Dubious, "是", ""), strings.Join(said, ""),
		})
	}
	return t
}

func testTable(a *Analysis) table {
	t := a.Test
	out := table{name: "试卷分析", head: []string{"指标", "数值"}, widths: []float64{24, 14}, rows: [][]any{
		{"首次作答人数", t.Attempts},
		{"平均分", optional(t.Mean)},
		{"中位数", optional(t.Median)},
		{"标准差（分）", optional(t.SD)},
		{"偏度", optional(t.Skewness)},
		{"峰度", optional(t.Kurtosis)},
		{"信度（克龙巴赫 α）%", optional(t.Alpha)},
		{"标准误（分）", optional(t.Error)},
	}}
	for _, n := range a.Notes {
		out.rows = append(out.rows, []any{"说明", n})
	}
	return out
}

func kindName(k quiz.Kind) string {
	return map[quiz.Kind]string{
		quiz.Single: "单选", quiz.Multiple: "多选", quiz.TrueFalse: "判断", quiz.Fill: "填空", quiz.Order: "排序", quiz.Match: "连线", quiz.Short: "简答",
	}[k]
}

func yes(b bool, then, otherwise string) string {
	if b {
		return then
	}
	return otherwise
}

func minutes(sec int) string {
	return strconv.Itoa(sec/60) + ":" + strconv.Itoa(sec%60/10) + strconv.Itoa(sec%10)
}

func moment(t time.Time) string { return t.In(clock.Shanghai()).Format("2006-01-02 15:04:05") }

func round1(v float64) float64 {
	out, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'f', 1, 64), 64)
	return out
}

// optional is a figure or an empty cell: what is not defined is not 0.
func optional(v *float64) any {
	if v == nil {
		return ""
	}
	out, _ := strconv.ParseFloat(strconv.FormatFloat(*v, 'f', 2, 64), 64)
	return out
}

// safeCell keeps a spreadsheet from running a name as a formula when the sheet
// is saved as CSV and opened again (OWASP CSV Injection).
func safeCell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

func workbook(tables []table) (out []byte, err error) {
	f := excelize.NewFile()
	defer f.Close() //nolint:errcheck // there are no temporary files
	head, err := f.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"F3E3E1"}}})
	if err != nil {
		return nil, err
	}
	for i, t := range tables {
		if i == 0 {
			err = f.SetSheetName("Sheet1", t.name)
		} else {
			_, err = f.NewSheet(t.name)
		}
		if err == nil {
			err = t.write(f, head)
		}
		if err != nil {
			return nil, err
		}
	}
	var buf bytes.Buffer
	if err := f.Write(&buf); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// write streams a sheet: an export may have tens of thousands of rows.
func (t table) write(f *excelize.File, head int) error {
	w, err := f.NewStreamWriter(t.name)
	if err != nil {
		return err
	}
	for i, width := range t.widths {
		if err := w.SetColWidth(i+1, i+1, width); err != nil {
			return err
		}
	}
	if err := w.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	top := make([]any, len(t.head))
	for i, h := range t.head {
		top[i] = excelize.Cell{StyleID: head, Value: h}
	}
	if err := w.SetRow("A1", top); err != nil {
		return err
	}
	for i, row := range t.rows {
		if err := w.SetRow("A"+strconv.Itoa(i+2), row); err != nil {
			return err
		}
	}
	return w.Flush()
}
