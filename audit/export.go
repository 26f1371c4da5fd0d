package audit

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/trail"
)

// Format of an export.
type Format string

// Formats.
const (
	CSV       Format = "csv"   // for spreadsheets: UTF-8 with BOM, local time
	JSONLines Format = "jsonl" // every column and hash, for checking elsewhere
)

const exportStep = 500 // rows read at once

// Begin checks and notes an export; write then produces it. They are two steps
// because the answer's status is fixed before the first row is written.
func (s *Service) Begin(ctx context.Context, actor *authz.Actor, f Filter, format Format) (write func(context.Context, io.Writer) error, err error) {
	if f.Scope, err = scope(actor); err != nil {
		return nil, err
	}
	if format != CSV && format != JSONLines {
		return nil, errs.Bad("format", "导出格式只能是 csv 或 jsonl。")
	}
	if f.To.IsZero() {
		// What is written while the export runs is not in it.
		f.To = s.clock.Now().Add(time.Millisecond)
	}
	e := trail.Entry{Actor: actor, Action: "audit.export", Object: "audit", Detail: map[string]string{
		"format": string(format), "from": f.From.Format("2006-01-02T15:04:05Z"), "to": f.To.Format("2006-01-02T15:04:05Z"),
	}}
	if err := s.store.Record(ctx, e); err != nil {
		return nil, err
	}
	return func(ctx context.Context, w io.Writer) error { return s.export(ctx, w, f, format) }, nil
}

func (s *Service) export(ctx context.Context, w io.Writer, f Filter, format Format) error {
	put, broken := jsonLines(w)
	if format == CSV {
		var err error
		if put, broken, err = csvLines(w); err != nil {
			return err
		}
	}
	var after Cursor
	for {
		rows, err := s.store.Rows(ctx, f, after, exportStep)
		if err != nil {
			broken()
			return err
		}
		for i := range rows {
			if err := put(&rows[i]); err != nil {
				return err // nobody is reading any more
			}
		}
		if len(rows) < exportStep {
			return nil
		}
		after = rows[len(rows)-1].cursor()
	}
}

func jsonLines(w io.Writer) (put func(*Row) error, broken func()) {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return func(r *Row) error { return enc.Encode(r) },
		func() { _ = enc.Encode(map[string]string{"error": "导出中断，内容不完整"}) }
}

func csvLines(w io.Writer) (put func(*Row) error, broken func(), err error) {
	if _, err := w.Write([]byte("\xef\xbb\xbf")); err != nil { // spreadsheets guess wrong without it
		return nil, nil, err
	}
	c := csv.NewWriter(w)
	line := func(cells ...string) error {
		for i := range cells {
			cells[i] = plainCell(cells[i])
		}
		if err := c.Write(cells); err != nil {
			return err
		}
		c.Flush()
		return c.Error()
	}
	err = line("时间", "操作人", "操作人编号", "动作", "对象", "对象编号", "组织编号", "结果", "地址", "设备", "请求编号", "详情", "链", "序号", "校验值")
	put = func(r *Row) error {
		detail, err := detailText(r.Detail)
		if err != nil {
			return err
		}
		return line(r.At.In(clock.Shanghai()).Format("2006-01-02 15:04:05.000"), r.ActorName, r.ActorID.String(), r.Action, r.Object,
			r.ObjectID.String(), r.OrgID.String(), r.Result, r.Addr, r.UserAgent, r.RequestID, detail,
			strconv.FormatInt(r.Chain, 10), strconv.FormatInt(r.Seq, 10), r.Hash)
	}
	return put, func() { _ = line("（导出中断，内容不完整）") }, err
}

func detailText(d map[string]string) (string, error) {
	if len(d) == 0 {
		return "", nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(d)
	return strings.TrimSpace(b.String()), err
}

// plainCell keeps a spreadsheet from running a cell as a formula
// (OWASP CSV Injection): names and user agents are written by strangers.
func plainCell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}
