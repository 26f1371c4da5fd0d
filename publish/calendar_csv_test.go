package publish_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"

	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/publish"
)

const head = "图文编号,标题,发布时间,公众号,方式,状态\n"

func (h *house) importFile(data string, dry bool) *publish.ImportReport {
	h.t.Helper()
	rep, err := h.ImportCalendar(h.ctx, h.planner, []byte(data), dry)
	must(h.t, err)
	return rep
}

// wrong lists "line column" of everything that is wrong.
func wrong(rep *publish.ImportReport) []string {
	var out []string
	for _, r := range rep.Rows {
		for _, e := range r.Errors {
			out = append(out, fmt.Sprint(r.Line, " ", e.Column))
		}
	}
	return out
}

func TestExportComesBackUnchanged(t *testing.T) {
	h := newHouse(t)
	b := h.newAccount(1, "第二个号", publish.ModePublish)
	h.queued("=HYPERLINK(1)", 0) // published by now, at a time with seconds
	h.after(90 * time.Second)
	two := h.queued("两个,号\"引\"", 26*time.Hour, h.account, b)
	h.schedule(h.approved(3, "+群"), 30*time.Hour, publish.ModeMass)
	ready := h.approved(3, "@待排")
	data, err := h.ExportCalendar(h.ctx, h.planner, week())
	must(t, err)
	records, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff")))).ReadAll()
	must(t, err)
	if len(records) != 6 || !bytes.HasPrefix(data, []byte("\ufeff")) {
		t.Fatalf("%q", records)
	}
	for _, rec := range records {
		for _, cell := range rec {
			if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r\n") {
				t.Errorf("a spreadsheet would run %q", cell)
			}
		}
	}
	rep := h.importFile(string(data), false)
	if rep.Wrong != 0 || rep.Written != 0 || len(rep.Rows) != 5 {
		t.Fatalf("an unchanged file: %+v", rep)
	}
	// Move both lines of one post, and give the waiting one a time.
	text := string(data)
	at := start().Add(26 * time.Hour).Add(90 * time.Second).In(clock.Shanghai())
	text = strings.ReplaceAll(text, at.Format("2006-01-02 15:04"), "2026/3/6 8:05")
	text = strings.ReplaceAll(text, ",'@待排,,,", ",'@待排,2026/3/5 9:00:00,市委公众号；第二个号,")
	rep = h.importFile(text, true)
	if rep.Wrong != 0 || rep.Written != 0 || h.get(ready.ID).State != publish.Approved {
		t.Fatalf("dry: %+v", rep)
	}
	rep = h.importFile(text, false)
	if rep.Wrong != 0 || rep.Written != 2 {
		t.Fatalf("%+v", rep)
	}
	if got := h.get(two.ID); !got.DueAt.Equal(time.Date(2026, 3, 6, 0, 5, 0, 0, time.UTC)) || len(got.Deliveries) != 2 {
		t.Fatalf("%+v", got)
	}
	if got := h.get(ready.ID); got.State != publish.Queued || len(got.Deliveries) != 2 || !got.DueAt.Equal(time.Date(2026, 3, 5, 1, 0, 0, 0, time.UTC)) {
		t.Fatalf("%+v", got)
	}
	if rep = h.importFile(text, false); rep.Wrong != 0 || rep.Written != 0 {
		t.Fatalf("the same file again: %+v", rep)
	}
}

func TestImportMakesOnePlanOfSeveralLines(t *testing.T) {
	h := newHouse(t)
	h.newAccount(1, "第二个号", publish.ModePublish)
	p := h.approved(3, "文")
	line := func(due, acct, way string) string { return fmt.Sprintf("'%s,文,%s,%s,%s,\n", p.ID, due, acct, way) }
	rep := h.importFile(head+line("2026-03-05 09:00", "市委公众号", "")+line("2026-03-06 09:00", "第二个号", ""), false)
	if !slices.Equal(wrong(rep), []string{"3 发布时间"}) || h.get(p.ID).State != publish.Approved {
		t.Fatalf("%v", wrong(rep))
	}
	rep = h.importFile(head+line("2026-03-05 09:00", "市委公众号", "")+line("2026-03-05 09:00", "市委公众号", ""), false)
	if !slices.Equal(wrong(rep), []string{"3 公众号"}) {
		t.Fatalf("%v", wrong(rep))
	}
	rep = h.importFile(head+line("2026-03-05 09:00", "市委公众号", "群发")+line("2026-03-05 09:00", "第二个号", "仅存草稿"), false)
	got := h.get(p.ID)
	if rep.Wrong != 0 || rep.Written != 1 || len(got.Deliveries) != 2 || got.Deliveries[0].Mode != publish.ModeMass || got.Deliveries[1].Mode != publish.ModeDraft {
		t.Fatalf("%+v %+v", rep, got.Deliveries)
	}
}

func TestBadLinesAreNamed(t *testing.T) {
	h := newHouse(t)
	h.newAccount(1, "同名", publish.ModePublish)
	h.newAccount(1, "同名", publish.ModePublish)
	ok, draft := h.approved(3, "好"), h.draft(3, "没审")
	data := head +
		fmt.Sprintf("%s,好,2026-03-05 09:00,市委公众号,发布,\n", ok.ID) +
		"abc,x,2026-03-05 09:00,市委公众号,发布,\n" +
		",,,,,\n" +
		fmt.Sprintf("%s,没审,2026-03-05 09:00,市委公众号,发布,\n", draft.ID) +
		fmt.Sprintf("%s,好,明天,没有的号,推送,\n", ok.ID) +
		"\"9\",\"两\n行\",2026-03-01 09:00,同名,,\n" +
		fmt.Sprintf("%s,好,2026-03-05 09:00,,,\n", ok.ID)
	for _, dry := range []bool{true, false} {
		rep := h.importFile(data, dry)
		want := []string{"3 图文编号", "5 图文编号", "6 发布时间", "6 公众号", "6 方式", "7 图文编号", "7 发布时间", "7 公众号", "9 公众号"}
		got := wrong(rep)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) || rep.Wrong != 5 || rep.Written != 0 {
			t.Fatalf("%v (%d)", got, rep.Wrong)
		}
	}
	if h.get(ok.ID).State != publish.Approved {
		t.Fatal("a file with wrong lines was written in part")
	}
	// A stranger learns nothing of the post.
	rep, err := h.ImportCalendar(h.ctx, h.stranger, []byte(head+fmt.Sprintf("%s,,2026-03-05 09:00,市委公众号,,\n", ok.ID)), true)
	must(t, err)
	if rep.Rows[0].Title != "" || !slices.Equal(wrong(rep), []string{"2 图文编号", "2 公众号"}) {
		t.Fatalf("%+v", rep.Rows[0])
	}
}

func TestImportStopsInTheMiddleAndGoesOn(t *testing.T) {
	var h *house
	n := 0
	h = newHouse(t, withStore(func(s publish.Store) publish.Store {
		return &interloper{Store: s, commit: func() { n++ }}
	}))
	a, b := h.approved(3, "甲"), h.approved(3, "乙")
	data := head + fmt.Sprintf("%s,,2026-03-05 09:00,市委公众号,,\n%s,,2026-03-05 10:00,市委公众号,,\n", a.ID, b.ID)
	n = 0
	h.Config.Store.(*interloper).commit = func() {
		if n++; n == 2 {
			_, err := h.service(func(c *publish.Config) { c.Store = h.store }).Edit(h.ctx, h.editor, b.ID, b.Version, h.content("乙改"), false)
			must(t, err)
		}
	}
	rep, err := h.ImportCalendar(h.ctx, h.planner, []byte(data), false)
	e := want(t, err, errs.Stale)
	has(t, e.Msg, "第 3 行")
	if rep.Written != 1 || h.get(a.ID).State != publish.Queued {
		t.Fatalf("%+v", rep)
	}
	b = h.approve(&h.get(b.ID).Post)
	rep = h.importFile(data, false)
	if rep.Written != 1 || rep.Rows[0].Action != "skip" || h.get(b.ID).State != publish.Queued {
		t.Fatalf("%+v", rep)
	}
}

func TestParseCSVEncodings(t *testing.T) {
	text := head + "1,标题一,2026-03-05 09:00,市委公众号,发布,\n\n'2,'=1+1,2026/3/5 9:00,\"甲、乙\",,\n"
	gb, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(text))
	must(t, err)
	for name, data := range map[string][]byte{
		"plain": []byte(text), "bom": []byte("\ufeff" + text), "gb18030": gb,
		"crlf": []byte(strings.ReplaceAll(text, "\n", "\r\n")),
	} {
		rows, err := publish.ParseCSV(data)
		must(t, err)
		if len(rows) != 2 || rows[0] != (publish.ParsedRow{Line: 2, PostID: "1", Title: "标题一", Due: "2026-03-05 09:00", Acct: "市委公众号", Way: "发布"}) ||
			rows[1].PostID != "2" || rows[1].Title != "=1+1" || rows[1].Line != 4 || rows[1].Acct != "甲、乙" {
			t.Errorf("%s: %+v", name, rows)
		}
	}
	rows, err := publish.ParseCSV([]byte("公众号,图文编号,多余,发布时间\n号,7,x,2026-03-05 09:00\n短,8\n"))
	if err != nil || len(rows) != 2 || rows[0].PostID != "7" || rows[1].Due != "" || rows[1].PostID != "8" {
		t.Fatalf("other order: %+v %v", rows, err)
	}
	for name, c := range map[string]struct {
		data string
		code errs.Code
		says string
	}{
		"empty":     {"", errs.Invalid, "模板"},
		"no header": {"1,2,3\n", errs.Invalid, "图文编号"},
		"quotes":    {head + "1,a,b,c,d,e\n\n1,\"a\nb\",c,d,e,f\n2,x\"y,,,,\n", errs.Invalid, "第 6 行"},
		"binary":    {"\xff\xfe\x00\x01", errs.Invalid, ""},
		"big":       {strings.Repeat("x", 1<<20+1), errs.TooLarge, "1 MB"},
		"many":      {head + strings.Repeat("1,,2026-03-05 09:00,a,,\n", 1001), errs.TooLarge, "1000"},
	} {
		_, err := publish.ParseCSV([]byte(c.data))
		e := want(t, err, c.code)
		if !strings.Contains(e.Msg, c.says) {
			t.Errorf("%s: %s", name, e.Msg)
		}
	}
}

func FuzzParseCSV(f *testing.F) {
	gb, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(head + "1,题,2026-03-05 09:00,号,发布,\n"))
	must(f, err)
	for _, seed := range [][]byte{
		nil, gb, []byte(head), []byte("\ufeff" + head + "'1,\"a\nb\",2026/3/5 9:00,甲；乙,,\n"), []byte(head + "\"\n"),
		[]byte("图文编号,发布时间,公众号,公众号\n1\n,,,x\n"), []byte("图文编号,发布时间,公众号\n'','','\n"),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		rows, err := publish.ParseCSV(data)
		if err != nil {
			if c := errs.CodeOf(err); c != errs.Invalid && c != errs.TooLarge {
				t.Fatalf("%v", err)
			}
			return
		}
		if len(rows) > 1000 {
			t.Fatalf("%d rows", len(rows))
		}
		line := 1
		for _, r := range rows {
			if r.Line <= line || r == (publish.ParsedRow{Line: r.Line}) {
				t.Fatalf("line %d after %d: %+v", r.Line, line, r)
			}
			line = r.Line
			for _, cell := range []string{r.PostID, r.Title, r.Due, r.Acct, r.Way} {
				if !utf8.ValidString(cell) || strings.HasPrefix(cell, "'") {
					t.Fatalf("%q", cell)
				}
			}
		}
	})
}
