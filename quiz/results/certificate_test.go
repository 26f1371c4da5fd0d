package results_test

import (
	"bytes"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"tongxin/internal/errs"
	"tongxin/quiz"
	"tongxin/quiz/results"
)

func TestCertificateFromPassToRevoke(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	p := h.publish(nil)
	m, other := h.member("东支部", "张小明"), h.member("东支部", "王五")
	h.take(p, m, 2) // 4 points: not yet
	if list, err := h.svc.OwnCertificates(ctx, m, first()); err != nil || len(list.Items) != 0 {
		t.Fatalf("%+v %v", list, err)
	}
	h.take(p, m, 3)
	h.take(p, other, 2)
	for range 2 { // asking again makes no second one
		list, err := h.svc.OwnCertificates(ctx, m, first())
		check(t, err)
		if len(list.Items) != 1 || list.Items[0].Number != "2026-000001" || list.Items[0].Name != "张小明" || list.Items[0].Issuer != "党委" {
			t.Fatalf("%+v", list.Items)
		}
	}
	if list, err := h.svc.OwnCertificates(ctx, other, first()); err != nil || len(list.Items) != 0 {
		t.Errorf("%+v %v", list, err)
	}
	east, west := h.staff("东支部", quiz.Results), h.staff("西支部", quiz.Results)
	list, err := h.svc.PaperCertificates(ctx, east, p.ID, 0, first())
	check(t, err)
	if len(list.Items) != 1 {
		t.Fatalf("%+v", list.Items)
	}
	if none, err := h.svc.PaperCertificates(ctx, west, p.ID, 0, first()); err != nil || len(none.Items) != 0 {
		t.Errorf("%+v %v", none, err)
	}
	c := list.Items[0]

	v, err := h.svc.Verify(ctx, strings.ToLower(c.Code))
	check(t, err)
	if !v.Valid || v.Name != "张*明" || v.PaperTitle != "党章考试" || v.Code != c.Code {
		t.Errorf("%+v", v)
	}
	wrong := []byte(c.Code)
	wrong[0] = map[bool]byte{true: 'C', false: 'A'}[wrong[0] == 'A']
	for _, s := range []string{"", "x", string(wrong)} {
		_, err := h.svc.Verify(ctx, s)
		code(t, err, errs.NotFound)
	}

	pdf, err := h.svc.CertificatePDF(ctx, m, c.ID)
	check(t, err)
	same, err := h.svc.CertificatePDF(ctx, east, c.ID)
	check(t, err)
	if !bytes.Equal(pdf.Data, same.Data) {
		t.Error("the same certificate gave two files")
	}
	for _, want := range []string{"合格证书", "张小明", "党章考试", "2026-000001", c.Code, "党委"} {
		if text := readPDF(t, pdf.Data); !strings.Contains(text, want) {
			t.Errorf("%q is not in %q", want, text)
		}
	}
	pic, err := h.svc.CertificatePNG(ctx, m, c.ID)
	check(t, err)
	if img, err := png.Decode(bytes.NewReader(pic.Data)); err != nil || img.Bounds().Dx() != 1754 {
		t.Errorf("%v %v", img.Bounds(), err)
	}
	_, err = h.svc.CertificatePDF(ctx, other, c.ID)
	code(t, err, errs.NotFound)
	_, err = h.svc.CertificatePNG(ctx, west, c.ID)
	code(t, err, errs.NotFound)

	_, err = h.svc.Revoke(ctx, west, c.ID, c.Version, "替考")
	code(t, err, errs.NotFound)
	_, err = h.svc.Revoke(ctx, east, c.ID, c.Version, "替考") // issued above
	code(t, err, errs.Forbidden)
	_, err = h.svc.Revoke(ctx, m, c.ID, c.Version, "替考")
	code(t, err, errs.Forbidden)
	_, err = h.svc.Revoke(ctx, h.boss, c.ID, c.Version, " ")
	code(t, err, errs.Invalid)
	_, err = h.svc.Revoke(ctx, h.boss, c.ID, c.Version+1, "替考")
	code(t, err, errs.Stale)
	_, err = h.svc.Revoke(ctx, h.boss, c.ID, c.Version, "查实替考")
	check(t, err)
	_, err = h.svc.Revoke(ctx, h.boss, c.ID, c.Version+1, "再撤一次")
	code(t, err, errs.Conflict)
	if v, err = h.svc.Verify(ctx, c.Code); err != nil || v.Valid || v.RevokedAt.IsZero() {
		t.Errorf("%+v %v", v, err)
	}
	_, err = h.svc.CertificatePDF(ctx, m, c.ID)
	code(t, err, errs.Conflict)
	if again, err := h.svc.OwnCertificates(ctx, m, first()); err != nil || len(again.Items) != 1 || !again.Items[0].Revoked() {
		t.Errorf("%+v %v", again, err)
	}
}

func readPDF(t *testing.T, data []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "a.pdf")
	check(t, os.WriteFile(file, data, 0o600))
	out, err := exec.CommandContext(t.Context(), "pdftotext", file, "-").Output()
	if err != nil {
		t.Fatalf("pdftotext (Debian: poppler-utils): %v", err)
	}
	return strings.NewReplacer(" ", "", "\n", "").Replace(string(out))
}

// A certificate tells that somebody passed: not before scores may be known.
func TestNoCertificateBeforeTheScore(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	m := h.member("东支部", "张小明")
	later := h.publish(func(in *quiz.PaperInput) { in.Rules.ShowScore = quiz.AfterClose })
	last := h.publish(func(in *quiz.PaperInput) { in.Rules.Counting = quiz.CountLast })
	none := h.publish(func(in *quiz.PaperInput) { in.Rules.Certificate = "" })
	for _, p := range []*quiz.Paper{later, last, none} {
		h.take(p, m, 4)
		if list, err := h.svc.PaperCertificates(ctx, h.boss, p.ID, 0, first()); err != nil || len(list.Items) != 0 {
			t.Errorf("%+v %v", list, err)
		}
	}
	if list, err := h.svc.OwnCertificates(ctx, m, first()); err != nil || len(list.Items) != 0 {
		t.Errorf("%+v %v", list, err)
	}
	h.take(last, m, 0) // the last attempt counts, and it fails
	h.clock.Add(8 * 24 * time.Hour)
	list, err := h.svc.OwnCertificates(ctx, m, first())
	check(t, err)
	if len(list.Items) != 1 || list.Items[0].PaperID != later.ID {
		t.Errorf("%+v", list.Items)
	}
	_, err = h.exams.CreatePaper(ctx, h.boss, quiz.PaperInput{
		OrgID: h.orgs["党委"].ID, Kind: quiz.ExamPaper, Title: "x",
		Rules: quiz.PaperRules{Certificate: "证书", ShowScore: quiz.Never, ShowKey: quiz.Never, Counting: quiz.CountBest},
	})
	code(t, err, errs.Invalid)
	if err == nil || !strings.Contains(err.Error(), "rules.passPoints") || !strings.Contains(err.Error(), "rules.showScore") {
		t.Error(err)
	}
}

func TestExport(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	p := h.publish(nil)
	h.take(p, h.member("东支部", "=HYPERLINK(\"x\")"), 4)
	h.take(p, h.member("西支部", "李四"), 2)
	file, err := h.svc.Export(ctx, h.boss, p.ID, 0)
	check(t, err)
	rows := sheet(t, file, "成绩")
	if len(rows) != 3 || rows[1][0] != "1" || rows[1][1] != "'=HYPERLINK(\"x\")" || rows[1][3] != "8" || rows[1][4] != "合格" || rows[1][5] != "1:00" || rows[2][2] != "西支部" {
		t.Errorf("%q", rows)
	}
	if rows = sheet(t, file, "参加情况"); len(rows) != 3 || rows[1][1] != "1" {
		t.Errorf("%q", rows)
	}
	if rows = sheet(t, file, "题目分析"); len(rows) != 5 || rows[1][2] != "第 1 道题" || rows[1][6] != "100" || strings.Contains(strings.Join(rows[1], ""), "机密") {
		t.Errorf("%q", rows)
	}
	if rows = sheet(t, file, "试卷分析"); rows[1][1] != "2" {
		t.Errorf("%q", rows)
	}
	east := h.staff("东支部", quiz.Results)
	if file, err = h.svc.Export(ctx, east, p.ID, 0); err != nil {
		t.Fatal(err)
	}
	if rows = sheet(t, file, "成绩"); len(rows) != 2 {
		t.Errorf("%q", rows)
	}
	f, err := excelize.OpenReader(bytes.NewReader(file.Data))
	check(t, err)
	if i, err := f.GetSheetIndex("题目分析"); err != nil || i >= 0 { // the paper is still open
		t.Errorf("%d %v", i, err)
	}
	n, err := storageCount(h, `SELECT COUNT(*) FROM audit WHERE action = 'results.export'`)
	if err != nil || n != 2 {
		t.Errorf("%d exports in the audit, %v", n, err)
	}
}

func storageCount(h *hall, q string) (n int, err error) {
	err = h.db.QueryRow(h.t.Context(), q).Scan(&n)
	return n, err
}

func sheet(t *testing.T, f *results.File, name string) [][]string {
	t.Helper()
	x, err := excelize.OpenReader(bytes.NewReader(f.Data))
	check(t, err)
	rows, err := x.GetRows(name)
	check(t, err)
	return rows
}
