package publish

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
)

// Columns of the calendar as CSV: what Export writes, Import reads back.
func csvHeader() []string {
	return []string{"图文编号", "标题", "发布时间", "公众号", "方式", "状态"}
}

// Limits of an import.
const (
	maxCSV     = 1 << 20 // bytes
	maxCSVRows = 1000
)

const csvTime = "2006-01-02 15:04"

// RowError names a wrong cell.
type RowError struct {
	Column  string `json:"column"`
	Message string `json:"message"`
}

// ImportRow is the reading of one line.
type ImportRow struct {
	Line   int        `json:"line" doc:"line of the file, the header is 1"`
	Title  string     `json:"title"`
	DueAt  time.Time  `json:"dueAt,omitzero"`
	Action string     `json:"action,omitempty" enum:"schedule,reschedule,skip"`
	Errors []RowError `json:"errors"`

	post    *Post
	targets []Target
}

// ImportReport is what an import would do or did.
type ImportReport struct {
	Rows    []ImportRow `json:"rows"`
	Wrong   int         `json:"wrong" doc:"lines with errors; nothing is written while there are any"`
	Written int         `json:"written"`
}

// ParsedRow is one line of the file before it is checked against the house.
type ParsedRow struct {
	Line                          int
	PostID, Title, Due, Acct, Way string
}

// ParseCSV reads a calendar file: UTF-8 with or without a byte order mark, or
// GB18030 as Excel saves it in China. Columns are found by their header.
func ParseCSV(data []byte) ([]ParsedRow, error) {
	if len(data) > maxCSV {
		return nil, errs.New(errs.TooLarge, "文件超过 1 MB，请分成几个文件导入。")
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		decoded, err := simplifiedchinese.GB18030.NewDecoder().Bytes(data)
		if err != nil {
			return nil, errs.Wrap(err, errs.Invalid, "无法识别文件编码，请另存为 CSV UTF-8 后再导入。")
		}
		data = decoded
	}
	r := csv.NewReader(bytes.NewReader(data))
	r.FieldsPerRecord = -1
	header, err := r.Read()
	if err != nil {
		return nil, errs.Wrap(err, errs.Invalid, "文件是空的，请先导出一份作为模板。")
	}
	col := map[string]int{}
	for i, name := range header {
		col[strings.TrimSpace(name)] = i
	}
	for _, name := range []string{"图文编号", "发布时间", "公众号"} {
		if _, ok := col[name]; !ok {
			return nil, errs.New(errs.Invalid, "缺少“%s”这一列，请先导出一份作为模板。", name)
		}
	}
	var rows []ParsedRow
	for {
		rec, err := r.Read()
		if err == io.EOF {
			return rows, nil
		}
		if err != nil {
			line := len(rows) + 2
			var pe *csv.ParseError
			if errors.As(err, &pe) { // counts empty lines and lines within quotes too
				line = pe.StartLine
			}
			return nil, errs.Wrap(err, errs.Invalid, "第 %d 行格式不正确，请检查引号和逗号。", line)
		}
		line, _ := r.FieldPos(0)
		cell := func(name string) string {
			if i, ok := col[name]; ok && i < len(rec) {
				return strings.TrimLeft(strings.TrimSpace(rec[i]), "'")
			}
			return ""
		}
		row := ParsedRow{Line: line, PostID: cell("图文编号"), Title: cell("标题"), Due: cell("发布时间"), Acct: cell("公众号"), Way: cell("方式")}
		if row == (ParsedRow{Line: line}) {
			continue
		}
		if len(rows) >= maxCSVRows {
			return nil, errs.New(errs.TooLarge, "一次最多导入 %d 行，请分成几个文件。", maxCSVRows)
		}
		rows = append(rows, row)
	}
}

// ImportCalendar plans approved posts from a CSV file. dry only reports;
// otherwise everything is checked first and nothing is written when a line is
// wrong. A failure in the middle (somebody edited a post meanwhile) stops and
// tells how far it came: lines already planned are skipped by the next import.
func (s *Service) ImportCalendar(ctx context.Context, actor *authz.Actor, data []byte, dry bool) (*ImportReport, error) {
	parsed, err := ParseCSV(data)
	if err != nil {
		return nil, err
	}
	accounts, err := s.Store.ListAccounts(ctx, actor.Scope(PostSchedule))
	if err != nil {
		return nil, err
	}
	rep := &ImportReport{Rows: make([]ImportRow, 0, len(parsed))}
	for _, p := range parsed {
		row, err := s.readRow(ctx, actor, p, accounts)
		if err != nil {
			return nil, err
		}
		rep.Rows = append(rep.Rows, row)
	}
	rep.merge()
	if dry || rep.Wrong > 0 {
		return rep, nil
	}
	for _, row := range rep.Rows {
		switch row.Action {
		case "schedule":
			_, err = s.Schedule(ctx, actor, row.post.ID, row.post.Version, row.DueAt, row.targets)
		case "reschedule":
			_, err = s.Reschedule(ctx, actor, row.post.ID, row.DueAt)
		default:
			continue
		}
		if err != nil {
			return rep, errs.Wrap(err, errs.CodeOf(err), "已完成 %d 行，第 %d 行没有成功，请检查后再次导入（已完成的行会自动跳过）。", rep.Written, row.Line)
		}
		rep.Written++
	}
	return rep, nil
}

// merge makes one plan of the lines that name the same post: an export has one
// line for each account. The post has one time for all of them.
func (rep *ImportReport) merge() {
	lines := map[ids.ID]*ImportRow{}
	for i := range rep.Rows {
		row := &rep.Rows[i]
		if row.post == nil || row.Action == "skip" || len(row.Errors) > 0 {
			continue
		}
		head, again := lines[row.post.ID]
		if !again {
			lines[row.post.ID] = row
			continue
		}
		if !head.DueAt.Equal(row.DueAt) {
			row.Errors = append(row.Errors, RowError{"发布时间", "与第 " + itoa(head.Line) + " 行是同一篇图文，发布时间必须相同。"})
			continue
		}
		for _, t := range row.targets {
			if slices.ContainsFunc(head.targets, func(o Target) bool { return o.AccountID == t.AccountID }) && row.Action == "schedule" {
				row.Errors = append(row.Errors, RowError{"公众号", "与第 " + itoa(head.Line) + " 行的图文和公众号都相同，请删去一行。"})
			}
		}
		head.targets = append(head.targets, row.targets...)
		row.Action = "skip"
	}
	for _, row := range rep.Rows {
		if len(row.Errors) > 0 {
			rep.Wrong++
		}
	}
}

func (s *Service) readRow(ctx context.Context, actor *authz.Actor, p ParsedRow, accounts []Account) (ImportRow, error) {
	row := ImportRow{Line: p.Line, Title: p.Title, Errors: []RowError{}}
	if p.Due == "" && p.Acct == "" { // exported as waiting for a time, and not given one
		row.Action = "skip"
		return row, nil
	}
	if err := s.readPost(ctx, actor, p, &row); err != nil {
		return row, err
	}
	due, err := parseCSVTime(p.Due)
	if err != nil {
		row.bad("发布时间", "请写成“2026-03-01 09:00”这样的形式。")
	} else {
		row.DueAt = due
	}
	if err == nil && row.post != nil {
		same, err := s.plannedAt(ctx, row.post, due)
		if err != nil {
			return row, err
		}
		if same {
			row.Action = "skip"
			return row, nil
		}
	}
	if err == nil && due.Before(s.Clock.Now()) {
		row.bad("发布时间", "这个时间已经过去。")
	}
	row.readTargets(p, accounts)
	return row, s.readAction(ctx, &row)
}

func (row *ImportRow) bad(column, msg string) {
	row.Errors = append(row.Errors, RowError{column, msg})
}

// parseCSVTime reads what Export writes and what spreadsheets make of it:
// "2026/3/1 9:00", with or without seconds.
func parseCSVTime(text string) (time.Time, error) {
	text = strings.ReplaceAll(text, "/", "-")
	t, err := time.ParseInLocation("2006-1-2 15:04", text, clock.Shanghai())
	if err != nil {
		t, err = time.ParseInLocation("2006-1-2 15:04:05", text, clock.Shanghai())
	}
	return t.UTC(), err
}

// plannedAt tells a line that is as it was exported: the post has a delivery of
// that minute, whatever became of it.
func (s *Service) plannedAt(ctx context.Context, p *Post, due time.Time) (bool, error) {
	if p.State != Queued && p.State != Finished {
		return false, nil
	}
	all, err := s.Store.DeliveriesOf(ctx, p.ID)
	return slices.ContainsFunc(all, func(d Delivery) bool { return d.DueAt.Truncate(time.Minute).Equal(due) }), err
}

func (s *Service) readPost(ctx context.Context, actor *authz.Actor, p ParsedRow, row *ImportRow) error {
	id, err := ids.Parse(p.PostID)
	if err != nil || id == 0 {
		row.bad("图文编号", "请填写系统中的图文编号（导出的表里有）。")
		return nil
	}
	post, err := s.postFor(ctx, actor, id, PostSchedule)
	if errs.Is(err, errs.NotFound) || errs.Is(err, errs.Forbidden) {
		row.bad("图文编号", "没有找到这篇图文，或者您没有权限安排它。")
		return nil
	}
	if err != nil {
		return err
	}
	row.Title, row.post = post.Title, post
	return nil
}

func (row *ImportRow) readTargets(p ParsedRow, accounts []Account) {
	mode, ok := modeOf(p.Way)
	if !ok {
		row.bad("方式", "请写“发布”“群发”或“仅存草稿”，留空则按公众号的设置。")
	}
	named := false
	for name := range strings.FieldsFuncSeq(p.Acct, func(r rune) bool { return r == '、' || r == ';' || r == '；' }) {
		named, name = true, strings.TrimSpace(name)
		same := func(a Account) bool { return a.Name == name }
		i := slices.IndexFunc(accounts, same)
		switch {
		case i < 0:
			row.bad("公众号", "没有找到公众号“"+name+"”，请核对名称。")
		case slices.ContainsFunc(accounts[i+1:], same):
			row.bad("公众号", "有多个公众号叫“"+name+"”，无法判断是哪一个，请在日历中安排。")
		default:
			row.targets = append(row.targets, Target{AccountID: accounts[i].ID, Mode: mode})
		}
	}
	if !named {
		row.bad("公众号", "请填写公众号名称。")
	}
}

// readAction says what the line asks for and whether the post allows it.
func (s *Service) readAction(ctx context.Context, row *ImportRow) error {
	switch {
	case row.post == nil:
		return nil
	case row.post.State == Queued:
		row.Action = "reschedule"
		return nil
	}
	row.Action = "schedule"
	err := s.schedulable(ctx, row.post)
	var e *errs.Error
	if errors.As(err, &e) && e.Code == errs.Conflict {
		row.bad("图文编号", e.Msg)
		return nil
	}
	return err
}

func modeOf(name string) (Mode, bool) {
	m, ok := map[string]Mode{"": "", "发布": ModePublish, "群发": ModeMass, "仅存草稿": ModeDraft}[name]
	return m, ok
}

func modeName(m Mode) string {
	return map[Mode]string{ModePublish: "发布", ModeMass: "群发", ModeDraft: "仅存草稿"}[m]
}

// ExportCalendar writes what is planned in a span as CSV with a byte order
// mark, so that Excel reads it as UTF-8.
func (s *Service) ExportCalendar(ctx context.Context, actor *authz.Actor, f CalendarFilter) ([]byte, error) {
	cal, err := s.CalendarOf(ctx, actor, f)
	if err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	buf.WriteString("\ufeff")
	w := csv.NewWriter(&buf)
	records := [][]string{csvHeader()}
	for _, it := range cal.Items {
		records = append(records, []string{
			"'" + it.PostID.String(), safeCell(it.Title), it.DueAt.In(clock.Shanghai()).Format(csvTime),
			safeCell(it.AccountName), modeName(it.Mode), StateName(it.DeliveryState),
		})
	}
	for _, p := range cal.Ready {
		records = append(records, []string{"'" + p.ID.String(), safeCell(p.Title), "", "", "", "待安排"})
	}
	if err := w.WriteAll(records); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// safeCell keeps a spreadsheet from running a title as a formula.
func safeCell(v string) string {
	if r, _ := utf8.DecodeRuneInString(v); v != "" && strings.ContainsRune("=+-@＝＋－＠\t\r\n", r) {
		return "'" + v
	}
	return v
}
