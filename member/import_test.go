package member_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/page"
	"tongxin/member"
)

const csvHead = "姓名,所在党支部,党小组,党员类别,职务,性别,身份证号,手机号,出生日期,入党日期,转正日期,延长预备期至,备注\n"

func (p *place) run(actor *authz.Actor, text string, ask member.ImportAsk) *member.ImportReport {
	p.t.Helper()
	if ask.Format == "" {
		ask.Format = member.CSV
	}
	rep, err := p.svc.Import(p.t.Context(), actor, []byte(text), ask)
	check(p.t, err)
	return rep
}

func (p *place) count(actor *authz.Actor) int {
	p.t.Helper()
	list, err := p.svc.Members(p.t.Context(), actor, member.Ask{}, page.Request{Limit: 200})
	check(p.t, err)
	return len(list.Items)
}

func want(t *testing.T, r *member.ImportReport, created, updated, same, wrong int, written bool) {
	t.Helper()
	if r.Created != created || r.Updated != updated || r.Same != same || r.Wrong != wrong || r.Written != written {
		t.Fatalf("created %d updated %d same %d wrong %d written %v: %+v", r.Created, r.Updated, r.Same, r.Wrong, r.Written, r.Rows)
	}
}

func TestImportUpdatesAndNeverDuplicates(t *testing.T) {
	p := open(t)
	good := csvHead +
		"甲,东支部,一组,正式党员,书记,," + number("19850312", 17) + ",13812345678,,2010-07-01,2011-07-01,,\n" +
		"乙,东支部,,预备党员,,女,,13900000002,,2025/10/1,,,\n"
	want(t, p.run(p.east, good, member.ImportAsk{DryRun: true}), 2, 0, 0, 0, false)
	if p.count(p.boss) != 0 {
		t.Fatal("a dry run wrote")
	}
	want(t, p.run(p.east, good, member.ImportAsk{}), 2, 0, 0, 0, true)
	want(t, p.run(p.east, good, member.ImportAsk{}), 0, 0, 2, 0, true)
	// A new phone is matched by the ID number; empty cells keep what stands.
	next := csvHead + "甲,东支部,,正式党员,,," + number("19850312", 17) + ",13812345679,,,,,\n"
	rep := p.run(p.east, next, member.ImportAsk{})
	want(t, rep, 0, 1, 0, 0, true)
	if fmt.Sprint(rep.Rows[0].Changes) != "[手机号]" {
		t.Fatal(rep.Rows[0].Changes)
	}
	found, err := p.svc.Find(t.Context(), p.east, "13812345679")
	check(t, err)
	m := found.Items[0]
	if m.GroupName != "一组" || len(m.Posts) != 1 || m.JoinedAt != "2010-07-01" || m.Gender != "male" {
		t.Fatalf("an empty cell changed something: %+v", m)
	}
	want(t, p.run(p.east, csvHead+"甲,东支部,-,正式党员,-,,"+number("19850312", 17)+",,,,,,\n", member.ImportAsk{}), 0, 1, 0, 0, true)
	if p.count(p.boss) != 2 {
		t.Fatal("duplicates")
	}
}

func TestImportNamesEveryWrongCell(t *testing.T) {
	p := open(t)
	p.create(p.west, member.Input{OrgID: p.orgs["西支部"].ID, Name: "西边的人", Kind: member.Full, Phone: "13700000000"})
	p.create(p.east, p.input("占用", "13700000001"))
	bad := csvHead +
		"甲,东支部,,正式党员,,,,13812345678,,,,,\n" +
		",东支部,,正式党员,,,,13812345670,,,,,\n" +
		"乙,西支部,,正式党员,,,,13812345671,,,,,\n" +
		"丙,东支部,二组,什么,皇帝,它,1101,123,昨天,2030-01-01,,,\n" +
		"丁,东支部,,正式党员,,,,13812345678,,,,,\n" +
		"戊,东支部,,正式党员,,,,13700000000,,,,,\n" +
		"己,东支部,,正式党员,,,,13700000001,,,,,\n" +
		"庚,东支部,,正式党员,,,1.10101199001011E+17,,,,,,\n" +
		"辛,东支部,,预备党员,,,,13812345679,,,,,\n"
	rep := p.run(p.east, bad, member.ImportAsk{})
	want(t, rep, 1, 0, 0, 8, false)
	if p.count(p.east) != 1 {
		t.Fatal("written although rows are wrong")
	}
	at := map[int]string{}
	for _, r := range rep.Rows {
		for _, e := range r.Errors {
			at[r.Line] += e.Column + "|"
			if strings.Contains(e.Message, "1370") || strings.Contains(e.Message, "1381") || strings.Contains(e.Message, "西边") || strings.Contains(e.Message, "占用") {
				t.Errorf("row %d tells: %s", r.Line, e.Message)
			}
		}
	}
	for line, columns := range map[int][]string{
		3: {"姓名"}, 4: {"所在党支部"}, 5: {"党员类别", "性别", "出生日期", "党小组", "职务", "手机号", "身份证号", "入党日期"},
		6: {"手机号"}, 7: {"手机号"}, 8: {"手机号"}, 9: {"身份证号"}, 10: {"入党日期"},
	} {
		for _, c := range columns {
			if !strings.Contains(at[line], c+"|") {
				t.Errorf("line %d: %s is not named: %s", line, c, at[line])
			}
		}
	}
	want(t, p.run(p.east, bad, member.ImportAsk{SkipWrong: true}), 1, 0, 0, 8, true)
	if p.count(p.east) != 2 || p.count(p.west) != 1 {
		t.Fatal("skip wrong rows")
	}
}

func TestImportReadsWhatPeopleSave(t *testing.T) {
	p := open(t)
	row := "赵甲,,,正式,组织委员,男,,138 1234 5678,,,,,\n"
	gbk, err := simplifiedchinese.GB18030.NewEncoder().String(csvHead + row)
	check(t, err)
	ask := member.ImportAsk{DryRun: true, OrgID: p.orgs["东支部"].ID}
	for _, text := range []string{csvHead + row, "\ufeff" + csvHead + row, gbk, "\n" + csvHead + "\n\n" + row} {
		want(t, p.run(p.east, text, ask), 1, 0, 0, 0, false)
	}
	ask.OrgID = p.orgs["西支部"].ID // not east's to fill
	want(t, p.run(p.east, csvHead+row, ask), 0, 0, 0, 1, false)

	template, err := p.svc.Template()
	check(t, err)
	f, err := excelize.OpenReader(bytes.NewReader(template))
	check(t, err)
	comments, err := f.GetComments("党员名册")
	check(t, err)
	if len(comments) != len(member.Columns()) {
		t.Fatalf("%d remarks", len(comments))
	}
	_, err = p.svc.Import(t.Context(), p.east, template, member.ImportAsk{Format: member.XLSX, DryRun: true})
	code(t, err, errs.Invalid) // the example is no member
	check(t, f.SetCellValue("党员名册", "A3", "钱乙"))
	check(t, f.SetCellValue("党员名册", "B3", "东支部"))
	check(t, f.SetCellValue("党员名册", "D3", "预备党员"))
	check(t, f.SetCellValue("党员名册", "H3", 13812345678)) // a number cell, as people type it
	check(t, f.SetCellValue("党员名册", "J3", 45931.0))     // a date cell: 2025-10-01
	var buf bytes.Buffer
	check(t, f.Write(&buf))
	want(t, p.run(p.east, buf.String(), member.ImportAsk{Format: member.XLSX}), 1, 0, 0, 0, true)
	found, err := p.svc.Find(t.Context(), p.east, "13812345678")
	check(t, err)
	if len(found.Items) != 1 || found.Items[0].JoinedAt != "2025-10-01" || found.Items[0].ProbationDue != "2026-10-01" {
		t.Fatalf("%+v", found.Items)
	}
	out, err := p.svc.ExportRoster(t.Context(), p.east, member.Ask{})
	check(t, err)
	rows, err := member.ParseRoster(out, member.XLSX)
	check(t, err)
	if len(rows) != 1 || rows[0].Cells["手机号"] != "138****5678" {
		t.Fatalf("export: %v", rows)
	}
}

func TestImportNumbersMayBeExchanged(t *testing.T) {
	p := open(t)
	line := func(name, id, phone string) string {
		return name + ",东支部,,正式党员,,," + id + "," + phone + ",,,,,\n"
	}
	a, b := number("19850312", 17), number("19850312", 18)
	want(t, p.run(p.east, csvHead+line("甲", a, "13812345678")+line("乙", b, "13812345679"), member.ImportAsk{}), 2, 0, 0, 0, true)
	rep := p.run(p.east, csvHead+line("甲", a, "13812345679")+line("乙", b, "13812345678"), member.ImportAsk{})
	if rep.Wrong != 2 { // one by one a person must free a number first
		t.Fatalf("%+v", rep)
	}
}

// bomb is a spreadsheet of a few kilobytes that unpacks to much.
func bomb(t testing.TB, size int) []byte {
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	w, err := z.Create("xl/worksheets/sheet1.xml")
	check(t, err)
	_, err = w.Write(bytes.Repeat([]byte{' '}, size))
	check(t, err)
	check(t, z.Close())
	return buf.Bytes()
}

func TestImportIsBounded(t *testing.T) {
	big := bomb(t, 60<<20)
	_, err := member.ParseRoster(big, member.XLSX)
	code(t, err, errs.TooLarge)
	// The same with headers that say it is small.
	size, small := []byte{0, 0, 0xc0, 3}, []byte{0, 4, 0, 0} // 60<<20 and 1<<10, little endian
	lying := bytes.ReplaceAll(big, size, small)
	if bytes.Equal(lying, big) {
		t.Fatal("the header was not found")
	}
	_, err = member.ParseRoster(lying, member.XLSX)
	code(t, err, errs.Invalid)
	_, err = member.ParseRoster(make([]byte, member.MaxFile+1), member.CSV)
	code(t, err, errs.TooLarge)
	_, err = member.ParseRoster([]byte("姓名,党员类别,手机号\n"+strings.Repeat("甲,正式,1\n", member.MaxRows+1)), member.CSV)
	code(t, err, errs.TooLarge)
	rows, err := member.ParseRoster([]byte("姓名,党员类别,手机号\n"+strings.Repeat("甲,正式,1\n", member.MaxRows)), member.CSV)
	if err != nil || len(rows) != member.MaxRows {
		t.Fatal(len(rows), err)
	}
	for _, bad := range []string{"", "\n\n", "甲,乙\n", "姓名,党员类别\n", "a\"b,c\n", strings.Repeat("x,", 200) + "\n"} {
		_, err := member.ParseRoster([]byte(bad), member.CSV)
		code(t, err, errs.Invalid)
	}
	_, err = member.ParseRoster([]byte("not a zip"), member.XLSX)
	code(t, err, errs.Invalid)
	_, err = member.ParseRoster([]byte("x"), "pdf")
	code(t, err, errs.Unsupported)
	// A cell far out: neither the rows before it nor sixteen thousand columns.
	f := excelize.NewFile()
	for i, name := range member.Columns() {
		cell, err := excelize.CoordinatesToCellName(i+1, 1)
		check(t, err)
		check(t, f.SetCellValue("Sheet1", cell, name))
	}
	check(t, f.SetCellValue("Sheet1", "A50000", "远"))
	var far bytes.Buffer
	check(t, f.Write(&far))
	rows, err = member.ParseRoster(far.Bytes(), member.XLSX)
	if err != nil || len(rows) != 0 {
		t.Fatal(len(rows), err)
	}
	check(t, f.SetCellValue("Sheet1", "XFD2", "宽"))
	far.Reset()
	check(t, f.Write(&far))
	_, err = member.ParseRoster(far.Bytes(), member.XLSX)
	code(t, err, errs.Invalid)
}

func TestImportOfAFullFile(t *testing.T) {
	p := open(t)
	var text strings.Builder
	text.WriteString(csvHead)
	for i := range member.MaxRows {
		fmt.Fprintf(&text, "张三,东支部,,正式党员,,,,139%08d,,,,,\n", i)
	}
	want(t, p.run(p.east, text.String(), member.ImportAsk{}), member.MaxRows, 0, 0, 0, true)
	want(t, p.run(p.east, text.String(), member.ImportAsk{}), 0, 0, member.MaxRows, 0, true)
}

func FuzzImport(f *testing.F) {
	f.Add([]byte(csvHead+"甲,东支部,一组,正式党员,书记,男,,13812345678,,2010-07-01,,,\n"), false)
	f.Add([]byte("姓名,党员类别,手机号\n\"甲\n乙\",正式,1\n"), false)
	f.Add([]byte("\xd0\xd5\xc3\xfb,x\n"), false)
	f.Add(bomb(f, 1<<10), true)
	x := excelize.NewFile()
	var buf bytes.Buffer
	head := member.Columns()
	check(f, x.SetSheetRow("Sheet1", "A1", &head))
	check(f, x.SetSheetRow("Sheet1", "A2", &[]any{"甲", "东支部", "", "正式党员"}))
	check(f, x.Write(&buf))
	f.Add(buf.Bytes(), true)
	f.Fuzz(func(t *testing.T, data []byte, xlsx bool) {
		format := member.CSV
		if xlsx {
			format = member.XLSX
		}
		rows, err := member.ParseRoster(data, format)
		if err != nil && (errs.CodeOf(err) == errs.Internal || len(rows) > 0 && format == member.XLSX) {
			t.Fatalf("%v", err)
		}
		if len(rows) > member.MaxRows {
			t.Fatal("too many rows")
		}
		for _, r := range rows {
			for name, cell := range r.Cells {
				if len([]rune(cell)) > 500 || name == "" {
					t.Fatalf("a cell of %d characters under %q", len(cell), name)
				}
			}
		}
	})
}
