package contest

import (
	"bytes"
	"context"
	"errors"

	"github.com/xuri/excelize/v2"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
)

// Sheet is the results as a spreadsheet: a sheet of players and, with teams, one
// of teams. It returns a name for the file.
func (s *Service) Sheet(ctx context.Context, actor *authz.Actor, id ids.ID) (name string, body []byte, err error) {
	out, err := s.Results(ctx, actor, id)
	if err != nil {
		return "", nil, err
	}
	f := excelize.NewFile()
	defer func() { err = errors.Join(err, f.Close()) }()
	rows := make([][]any, len(out.Places))
	for i, p := range out.Places {
		rows[i] = []any{p.Rank, p.Name, p.Org, p.Team, p.Score, p.Right}
	}
	if err := f.SetSheetName("Sheet1", "个人成绩"); err != nil {
		return "", nil, err
	}
	if err := fillSheet(f, "个人成绩", []any{"名次", "姓名", "党支部", "团队", "得分", "答对题数"}, rows); err != nil {
		return "", nil, err
	}
	if len(out.Teams) > 0 {
		rows = rows[:0]
		for _, t := range out.Teams {
			rows = append(rows, []any{t.Rank, t.Name, t.Players, t.Score})
		}
		if _, err := f.NewSheet("团队成绩"); err != nil {
			return "", nil, err
		}
		if err := fillSheet(f, "团队成绩", []any{"名次", "团队", "人数", "得分"}, rows); err != nil {
			return "", nil, err
		}
	}
	var buf bytes.Buffer
	if err := f.Write(&buf); err != nil {
		return "", nil, err
	}
	return out.Contest.Title + "-成绩.xlsx", buf.Bytes(), nil
}

func fillSheet(f *excelize.File, sheet string, head []any, rows [][]any) error {
	w, err := f.NewStreamWriter(sheet)
	if err != nil {
		return err
	}
	if err := w.SetColWidth(1, len(head), 16); err != nil {
		return err
	}
	for i, row := range append([][]any{head}, rows...) {
		cell, err := excelize.CoordinatesToCellName(1, i+1)
		if err != nil {
			return err
		}
		if err := w.SetRow(cell, row); err != nil {
			return err
		}
	}
	return w.Flush()
}
