package member

import (
	"bytes"
	"context"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"tongxin/internal/authz"
	"tongxin/internal/page"
	"tongxin/internal/trail"
)

// hints are the remarks on the header cells of the template.
func (s *Service) hints() map[string]string {
	var posts []string
	for _, p := range s.rules.Posts {
		posts = append(posts, p.Label)
	}
	return map[string]string{
		colName:   "必填。",
		colOrg:    "填写“组织与人员”里的名称或简称；不填则用导入时选择的党支部。",
		colGroup:  "可不填。填写该党支部下党小组的名称。",
		colKind:   "必填：正式党员 或 预备党员。",
		colPosts:  "可不填。几个职务用顿号隔开。可填：" + strings.Join(posts, "、") + "。",
		colGender: "可不填：男 或 女。填了身份证号会自动识别。",
		colID:     "与手机号至少填一项。本列已设为文本格式，请勿改动。加密保存。",
		colPhone:  "与身份证号至少填一项。11 位手机号。加密保存。",
		colBirth:  "可不填，例如 1985-03-12。填了身份证号会自动识别。",
		colJoined: "预备党员必填，例如 2024-07-01。",
		colFull:   "正式党员填写，例如 2025-07-01。",
		colExtend: "只有延长预备期的预备党员填写，例如 2026-01-01。",
		colNote:   "可不填，最多 200 字。不要写手机号或身份证号。",
	}
}

// example is the second row of the template; names that begin so are not imported.
func example() []string {
	return []string{"示例：王小明（导入时会跳过本行）", "", "", "正式党员", "宣传委员", "男", "", "13900000000", "1985-03-12", "2012-07-01", "2013-07-01", "", ""}
}

// Template makes the spreadsheet that an import takes, with remarks on the
// header, an example and text formats for the numbers.
func (s *Service) Template() ([]byte, error) {
	return s.workbook([][]string{example()}, true)
}

// workbook writes a sheet with the columns of a roster.
func (s *Service) workbook(rows [][]string, remarks bool) (out []byte, err error) {
	f := excelize.NewFile()
	defer f.Close() //nolint:errcheck // there are no temporary files
	const sheet = "党员名册"
	if err := f.SetSheetName("Sheet1", sheet); err != nil {
		return nil, err
	}
	if err := s.style(f, sheet, remarks); err != nil {
		return nil, err
	}
	for i, row := range append([][]string{columns()}, rows...) {
		cells := make([]any, len(row))
		for j, v := range row {
			cells[j] = v
		}
		if err := f.SetSheetRow(sheet, "A"+strconv.Itoa(i+1), &cells); err != nil {
			return nil, err
		}
	}
	var buf bytes.Buffer
	if err := f.Write(&buf); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

func (s *Service) style(f *excelize.File, sheet string, remarks bool) error {
	text, err := f.NewStyle(&excelize.Style{NumFmt: 49}) // 49 is text: numbers keep all their figures
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
	if err := f.SetColStyle(sheet, "A:"+last, text); err != nil {
		return err
	}
	if err := f.SetColWidth(sheet, "A", last, 15); err != nil {
		return err
	}
	if err := f.SetColWidth(sheet, "G", "G", 22); err != nil {
		return err
	}
	if err := f.SetCellStyle(sheet, "A1", last+"1", head); err != nil {
		return err
	}
	if err := f.SetPanes(sheet, &excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	if !remarks {
		return nil
	}
	return s.remarks(f, sheet)
}

func (s *Service) remarks(f *excelize.File, sheet string) error {
	hints := s.hints()
	for i, name := range columns() {
		col, err := excelize.ColumnNumberToName(i + 1)
		if err != nil {
			return err
		}
		if err := f.AddComment(sheet, excelize.Comment{Cell: col + "1", Author: "同心", Paragraph: []excelize.RichTextRun{{Text: hints[name]}}, Width: 260, Height: 90}); err != nil {
			return err
		}
		choices := map[string][]string{colKind: {"正式党员", "预备党员"}, colGender: {"男", "女"}}[name]
		if choices == nil {
			continue
		}
		v := excelize.NewDataValidation(true)
		v.SetSqref(col + "2:" + col + strconv.Itoa(MaxRows+1))
		if err := v.SetDropList(choices); err != nil {
			return err
		}
		if err := f.AddDataValidation(sheet, v); err != nil {
			return err
		}
	}
	return nil
}

// maxExport bounds an export in rows.
const maxExport = 50_000

// ExportRoster writes the members of an organisation and everything under it
// (none: of all the actor may read), numbers masked, and notes it in the audit.
func (s *Service) ExportRoster(ctx context.Context, actor *authz.Actor, ask Ask) ([]byte, error) {
	var rows [][]string
	for r := (page.Request{Limit: page.Max}); len(rows) < maxExport; {
		part, err := s.Members(ctx, actor, ask, r)
		if err != nil {
			return nil, err
		}
		for i := range part.Items {
			rows = append(rows, s.line(&part.Items[i]))
			r.After = part.Items[i].ID
		}
		if part.Next == "" {
			break
		}
	}
	out, err := s.workbook(rows, false)
	if err != nil {
		return nil, err
	}
	e := trail.Entry{Actor: actor, Action: "member.export", Object: "member", Detail: map[string]string{"rows": strconv.Itoa(len(rows))}}
	if ask.OrgID != 0 {
		o, err := s.org(ctx, actor, Read, ask.OrgID)
		if err != nil {
			return nil, err
		}
		e.OrgID, e.OrgPath = o.ID, o.Path
	}
	return out, s.cfg.Store.Record(ctx, e)
}

// line is a member as a row of a sheet.
func (s *Service) line(m *Member) []string {
	var posts []string
	for _, code := range m.Posts {
		if p, ok := s.rules.post(code); ok {
			posts = append(posts, p.Label)
		}
	}
	kind := map[Kind]string{Full: "正式党员", Probationary: "预备党员"}[m.Kind]
	gender := map[string]string{"male": "男", "female": "女"}[m.Gender]
	return []string{
		m.Name, m.OrgName, m.GroupName, kind, strings.Join(posts, "、"), gender, m.IDNumber, m.Phone, string(m.BirthDate),
		string(m.JoinedAt), string(m.FullAt), string(m.ExtendedTo), m.Note,
	}
}
