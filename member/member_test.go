package member_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/member"
	"tongxin/storage"
)

func TestIdentityNumbers(t *testing.T) {
	// Published examples of GB 11643-1999.
	for _, good := range []string{"11010519491231002X", "440524188001010014"} {
		_, ok := member.IDNumberOf(good, "2026-03-02")
		if ok != (good[6:8] == "19") { // the second was born before 1900: the rule of this program
			t.Errorf("%s: %v", good, ok)
		}
	}
	if got, ok := member.IDNumberOf(" 110105 19491231 002x ", "2026-03-02"); !ok || got != "11010519491231002X" {
		t.Errorf("blanks and a small x: %q %v", got, ok)
	}
	for _, bad := range []string{"", "110105194912310021", "11010519491331002X", "1101051949123100", "11010519491231002Y", "110105２0491231002"} {
		if _, ok := member.IDNumberOf(bad, "2026-03-02"); ok {
			t.Errorf("%q passed", bad)
		}
	}
	if _, ok := member.IDNumberOf(number("20270101", 1), "2026-03-02"); ok {
		t.Error("born tomorrow")
	}
}

// A wrong figure, or two neighbours swapped, never passes: that is what the
// check character is for.
func TestCheckCharacterFindsMistakes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		good := number("19850312", rapid.IntRange(0, 999).Draw(t, "n"))
		at := rapid.IntRange(0, 16).Draw(t, "at")
		wrong := []byte(good)
		wrong[at] = byte('0' + rapid.IntRange(0, 9).Draw(t, "figure"))
		if string(wrong) != good {
			if _, ok := member.IDNumberOf(string(wrong), "2026-03-02"); ok {
				t.Fatalf("%s passed for %s", wrong, good)
			}
		}
		if at < 16 && good[at] != good[at+1] {
			swapped := []byte(good)
			swapped[at], swapped[at+1] = good[at+1], good[at]
			if _, ok := member.IDNumberOf(string(swapped), "2026-03-02"); ok {
				t.Fatalf("%s passed for %s", swapped, good)
			}
		}
	})
}

func TestPhonesMasksAndDates(t *testing.T) {
	for in, want := range map[string]string{"138 1234 5678": "13812345678", "+86-138-1234-5678": "13812345678", "12812345678": "", "1381234567": "", "138123456789": "", "abcdefghijk": ""} {
		if got, _ := member.PhoneOf(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if m := member.Mask("13812345678"); m != "138****5678" {
		t.Error(m)
	}
	if m := member.Mask("11010519491231002X"); m != "110***********002X" {
		t.Error(m)
	}
	for in, want := range map[string]member.Date{
		"2024-07-01": "2024-07-01", "2024/7/1": "2024-07-01", "2024.7.1": "2024-07-01", "2024年7月1日": "2024-07-01",
		"20240701": "2024-07-01", "45474": "2024-07-01", "2024-07-01 00:00:00": "2024-07-01", "": "",
	} {
		if got, ok := member.ParseDate(in); !ok || got != want {
			t.Errorf("%q: %q %v", in, got, ok)
		}
	}
	for _, bad := range []string{"2024-02-30", "1/7/2024", "昨天", "1899-01-01", "1e4"} {
		if got, ok := member.ParseDate(bad); ok {
			t.Errorf("%q read as %q", bad, got)
		}
	}
	if d := member.Date("2024-02-29").Plus(1, 0); d != "2025-02-28" {
		t.Error("a leap day after a year:", d)
	}
	if !member.TellsNumber("电话 138-1234-5678") || member.TellsNumber("2024 年 7 月 1 日第 3 次") {
		t.Error("numbers in free text")
	}
}

func TestLifeOfAMember(t *testing.T) {
	p := open(t)
	ctx := t.Context()
	in := p.input("王小明", "13812345678")
	in.IDNumber, in.Posts, in.GroupID = number("19850312", 17), []string{"宣传委员", "publicity"}, p.orgs["一组"].ID
	m := p.create(p.east, in)
	if m.Phone != "138****5678" || m.BirthDate != "1985-03-12" || m.Gender != "male" || len(m.Posts) != 1 || m.GroupName != "一组" || m.State != member.Active {
		t.Fatalf("%+v", m)
	}
	if strings.Contains(fmt.Sprintf("%+v", m), "13812345678") || strings.Contains(fmt.Sprintf("%+v", m), in.IDNumber) {
		t.Fatal("a number in full")
	}
	in.Phone, in.IDNumber, in.Name = "", "", "王晓明"
	saved, err := p.svc.Save(ctx, p.east, m.ID, 1, in)
	check(t, err)
	if saved.Version != 2 || saved.Phone != m.Phone || saved.IDNumber != m.IDNumber || saved.Name != "王晓明" {
		t.Fatalf("%+v", saved)
	}
	again, err := p.svc.Save(ctx, p.east, m.ID, 2, in)
	check(t, err)
	if again.Version != 2 {
		t.Fatal("an edit that changes nothing made a version")
	}
	_, err = p.svc.Save(ctx, p.east, m.ID, 1, in)
	code(t, err, errs.Stale)
	in.Phone = "-"
	saved, err = p.svc.Save(ctx, p.east, m.ID, 2, in)
	check(t, err)
	if saved.Phone != "" {
		t.Fatal("the phone was not removed")
	}
	_, err = p.svc.Leave(ctx, p.east, m.ID, 3, member.Leaving{State: member.Left, Date: "2026-03-03"})
	code(t, err, errs.Invalid)
	left, err := p.svc.Leave(ctx, p.east, m.ID, 3, member.Leaving{State: member.TransferredOut, Date: "2026-03-01", Why: "转往外省"})
	check(t, err)
	_, err = p.svc.Leave(ctx, p.east, m.ID, left.Version, member.Leaving{State: member.Left, Date: "2026-03-01"})
	code(t, err, errs.Conflict)
	back, err := p.svc.Return(ctx, p.east, m.ID, left.Version)
	check(t, err)
	if back.State != member.Active || back.LeftAt != "" {
		t.Fatalf("%+v", back)
	}
}

func TestWrongInputsAreAllNamed(t *testing.T) {
	p := open(t)
	in := member.Input{
		OrgID: p.orgs["东支部"].ID, Name: "王1", Kind: member.Probationary, Posts: []string{"皇帝"}, Phone: "123", IDNumber: "1",
		Gender: "x", JoinedAt: "2026-01-01", FullAt: "2026-02-01", ExtendedTo: "2030-01-01", Note: "他的电话 13812345678",
	}
	_, err := p.svc.Create(t.Context(), p.east, in)
	code(t, err, errs.Invalid)
	for _, part := range []string{"name", "posts", "phone", "idNumber", "gender", "fullAt", "extendedTo", "note"} {
		if !strings.Contains(err.Error(), part+": ") {
			t.Errorf("%s is not named: %v", part, err)
		}
	}
	if strings.Contains(err.Error(), "13812345678") {
		t.Error("the error tells a number")
	}
	in = p.input("无号码", "")
	_, err = p.svc.Create(t.Context(), p.east, in)
	code(t, err, errs.Invalid)
	in = p.input("在党委", "13812345678")
	in.OrgID = p.orgs["党委"].ID
	_, err = p.svc.Create(t.Context(), p.boss, in)
	code(t, err, errs.Invalid)
}

func TestNumbersBelongToOne(t *testing.T) {
	p := open(t)
	ctx := t.Context()
	first := p.create(p.east, p.input("甲", "13812345678"))
	in := p.input("乙", "13812345678")
	in.OrgID = p.orgs["西支部"].ID
	_, err := p.svc.Create(ctx, p.west, in)
	code(t, err, errs.Conflict)
	if strings.Contains(err.Error(), "甲") || strings.Contains(err.Error(), "东支部") {
		t.Fatalf("tells west about east: %v", err)
	}
	left, err := p.svc.Leave(ctx, p.east, first.ID, 1, member.Leaving{State: member.Left, Date: "2026-03-01"})
	check(t, err)
	p.create(p.west, in) // free again
	_, err = p.svc.Return(ctx, p.east, first.ID, left.Version)
	code(t, err, errs.Conflict)
}

// Another branch: nothing of east can be seen, found, changed or counted.
func TestForeignBranchSeesNothing(t *testing.T) {
	p := open(t)
	ctx := t.Context()
	in := p.input("东边的人", "13812345678")
	in.IDNumber = number("19850312", 17)
	m := p.create(p.east, in)
	q, err := p.svc.AskFor(ctx, p.east, m.ID, member.RequestInput{Kind: member.Correction, Text: "改名字"})
	check(t, err)
	list, err := p.svc.Members(ctx, p.west, member.Ask{}, page.Request{Limit: 10})
	check(t, err)
	found, err := p.svc.Find(ctx, p.west, "13812345678")
	check(t, err)
	byID, err := p.svc.Find(ctx, p.west, in.IDNumber)
	check(t, err)
	asked, err := p.svc.Requests(ctx, p.west, 0, "", page.Request{Limit: 10})
	check(t, err)
	alarms, err := p.svc.Alarms(ctx, p.west, 0)
	check(t, err)
	if len(list.Items)+len(found.Items)+len(byID.Items)+len(asked.Items) != 0 || len(alarms.Items) != 1 || alarms.Items[0].OrgName != "西支部" {
		t.Fatalf("west sees %v %v %v %v %v", list, found, byID, asked, alarms)
	}
	_, e1 := p.svc.Member(ctx, p.west, m.ID)
	_, e2 := p.svc.Save(ctx, p.west, m.ID, 1, in)
	_, e3 := p.svc.RevealNumbers(ctx, p.west, m.ID, "核对身份信息")
	_, e4 := p.svc.Leave(ctx, p.west, m.ID, 1, member.Leaving{State: member.Left, Date: "2026-03-01"})
	_, e5 := p.svc.Personal(ctx, p.west, m.ID, "核对身份信息")
	_, e6 := p.svc.Decide(ctx, p.west, q.ID, 1, member.Verdict{State: member.Refused, Answer: "不"})
	_, e7 := p.svc.AskFor(ctx, p.west, m.ID, member.RequestInput{Kind: member.Deletion, Text: "删"})
	_, e8 := p.svc.Members(ctx, p.west, member.Ask{OrgID: p.orgs["东支部"].ID}, page.Request{Limit: 10})
	_, e9 := p.svc.Alarms(ctx, p.west, p.orgs["东支部"].ID)
	_, e10 := p.svc.Create(ctx, p.west, p.input("插进来", "13900000001"))
	for i, err := range []error{e1, e2, e3, e4, e5, e6, e7, e8, e9, e10} {
		if !errs.Is(err, errs.NotFound) {
			t.Errorf("%d: %v", i+1, err)
		}
	}
	// The right to read is not the right to change or to reveal.
	reader := &authz.Actor{ID: 5, Kind: authz.Staff, Name: "看", Grants: []authz.Grant{{Path: p.orgs["党委"].Path, Rights: []authz.Right{member.Read}}}}
	_, err = p.svc.RevealNumbers(ctx, reader, m.ID, "核对身份信息")
	code(t, err, errs.Forbidden)
	_, err = p.svc.Save(ctx, reader, m.ID, 1, in)
	code(t, err, errs.Forbidden)
}

func TestRevealNeedsAReasonAndIsAudited(t *testing.T) {
	p := open(t)
	ctx := t.Context()
	m := p.create(p.east, p.input("甲", "13812345678"))
	for _, bad := range []string{"", "看", "他是 13812345678 吗请核对"} {
		_, err := p.svc.RevealNumbers(ctx, p.east, m.ID, bad)
		code(t, err, errs.Invalid)
	}
	n, err := p.svc.RevealNumbers(ctx, p.east, m.ID, "通知本人参加会议")
	check(t, err)
	if n.Phone != "13812345678" || n.IDNumber != "" {
		t.Fatalf("%+v", n)
	}
	var text strings.Builder
	rows, err := p.db.Query(ctx, `SELECT action, detail FROM audit`)
	check(t, err)
	defer rows.Close()
	for rows.Next() {
		var action, detail string
		check(t, rows.Scan(&action, &detail))
		text.WriteString(action + " " + detail + "\n")
	}
	check(t, rows.Err())
	if !strings.Contains(text.String(), "member.reveal") || !strings.Contains(text.String(), "通知本人参加会议") || strings.Contains(text.String(), "13812345678") {
		t.Fatal(text.String())
	}
}

func TestRequestsAndPersonalData(t *testing.T) {
	p := open(t)
	ctx := t.Context()
	in := p.input("甲", "13812345678")
	in.IDNumber = number("19850312", 17)
	m := p.create(p.east, in)
	self := &authz.Actor{ID: m.ID, Kind: authz.Member, Name: "甲"}
	other := &authz.Actor{ID: 99, Kind: authz.Member, Name: "乙"}
	q, err := p.svc.AskFor(ctx, self, m.ID, member.RequestInput{Kind: member.Deletion, Text: "请删除我的旧号码 13812345678"})
	check(t, err)
	_, err = p.svc.AskFor(ctx, other, m.ID, member.RequestInput{Kind: member.Deletion, Text: "删掉他"})
	code(t, err, errs.NotFound)
	_, err = p.svc.Personal(ctx, other, m.ID, "随便看一看")
	code(t, err, errs.NotFound)
	data, err := p.svc.Personal(ctx, self, m.ID, "")
	check(t, err)
	if data.Numbers.Phone != "13812345678" || data.Numbers.IDNumber != in.IDNumber || len(data.Requests) != 1 || len(data.Rules) == 0 {
		t.Fatalf("%+v", data)
	}
	stored := dump(t, p.db, "members", "member_requests", "audit")
	if strings.Contains(stored, "13812345678") || strings.Contains(stored, in.IDNumber) || strings.Contains(stored, "旧号码") {
		t.Fatal("a number or the text of a request is stored in clear")
	}
	done, err := p.svc.Decide(ctx, p.east, q.ID, q.Version, member.Verdict{State: member.Done, Answer: "已删除"})
	check(t, err)
	if done.State != member.Done || done.Answer != "已删除" {
		t.Fatalf("%+v", done)
	}
	_, err = p.svc.Decide(ctx, p.east, q.ID, q.Version, member.Verdict{State: member.Refused, Answer: "改主意"})
	code(t, err, errs.Stale)
	now, err := p.svc.Member(ctx, p.east, m.ID)
	check(t, err)
	if now.Phone != "" || now.IDNumber != "" || now.BirthDate != "" || now.PurgedAt.IsZero() || now.Name != "甲" {
		t.Fatalf("%+v", now)
	}
	if found, err := p.svc.Find(ctx, p.east, "13812345678"); err != nil || len(found.Items) != 0 {
		t.Fatal("still found by the deleted number")
	}
}

func dump(t *testing.T, db *storage.DB, tables ...string) string {
	t.Helper()
	var out strings.Builder
	for _, table := range tables {
		rows, err := db.Query(t.Context(), "SELECT * FROM "+table)
		check(t, err)
		cols, err := rows.Columns()
		check(t, err)
		for rows.Next() {
			cells, into := make([]any, len(cols)), make([]any, len(cols))
			for i := range cells {
				into[i] = &cells[i]
			}
			check(t, rows.Scan(into...))
			fmt.Fprintln(&out, cells...)
		}
		check(t, rows.Err())
		check(t, rows.Close())
	}
	return out.String()
}

func TestAlarms(t *testing.T) {
	p := open(t)
	ctx := t.Context()
	codes := func() map[string]int {
		a, err := p.svc.Alarms(ctx, p.east, 0)
		check(t, err)
		out := map[string]int{}
		for _, one := range a.Items {
			out[one.Code]++
			if one.Source == "" || one.Date == "" || one.Text == "" {
				t.Errorf("%s has no source", one.Code)
			}
		}
		return out
	}
	if c := codes(); c[member.RosterEmpty] != 1 || len(c) != 1 {
		t.Fatal(c)
	}
	add := func(i int, joined member.Date) *member.Member {
		in := p.input("人", fmt.Sprintf("139%08d", i))
		if joined != "" {
			in.Kind, in.JoinedAt, in.FullAt = member.Probationary, joined, ""
		}
		return p.create(p.east, in)
	}
	add(1, "")
	add(2, "")
	if c := codes(); c[member.BranchSmall] != 1 || len(c) != 1 {
		t.Fatal(c)
	}
	add(3, "")
	if c := codes(); len(c) != 0 {
		t.Fatal(c)
	}
	// Today is 2026-03-02: the last day of a probation is not overdue.
	add(4, "2025-03-02")
	add(5, "2025-03-01")
	add(6, "2025-04-01") // 30 days left
	add(7, "2025-04-02") // 31
	if c := codes(); c[member.ProbationSoon] != 2 || c[member.ProbationOverdue] != 1 || len(c) != 2 {
		t.Fatal(c)
	}
	ext := p.input("延", "13900000008")
	ext.Kind, ext.JoinedAt, ext.FullAt, ext.ExtendedTo = member.Probationary, "2025-01-01", "", "2026-07-01"
	p.create(p.east, ext)
	if c := codes(); c[member.ProbationOverdue] != 1 {
		t.Fatal("an extended probation is overdue")
	}
	var last *member.Member
	for i := 9; i <= 51; i++ {
		last = add(i, "")
	}
	if c := codes(); c[member.BranchLarge] != 1 {
		t.Fatal("51 members:", c)
	}
	_, err := p.svc.Leave(ctx, p.east, last.ID, 1, member.Leaving{State: member.Deceased, Date: "2026-03-01"})
	check(t, err)
	if c := codes(); c[member.BranchLarge] != 0 {
		t.Fatal("50 members are not too many:", c)
	}
}

func TestRetention(t *testing.T) {
	p := open(t)
	ctx := t.Context()
	var who []ids.ID
	for i := range 3 {
		m := p.create(p.east, p.input("人", fmt.Sprintf("1390000000%d", i)))
		who = append(who, m.ID)
	}
	_, err := p.svc.Leave(ctx, p.east, who[0], 1, member.Leaving{State: member.Left, Date: "2023-03-02"})
	check(t, err)
	_, err = p.svc.Leave(ctx, p.east, who[1], 1, member.Leaving{State: member.Left, Date: "2023-03-03"})
	check(t, err)
	sweep := func(want int) {
		t.Helper()
		if n, err := p.svc.Sweep(ctx); err != nil || n != want {
			t.Fatalf("%d, %v; want %d", n, err, want)
		}
	}
	sweep(1)
	sweep(0)
	p.clock.Add(24 * time.Hour)
	sweep(1)
	kept, err := p.svc.Member(ctx, p.east, who[2])
	check(t, err)
	gone, err := p.svc.Member(ctx, p.east, who[0])
	check(t, err)
	if kept.Phone == "" || gone.Phone != "" || gone.Name != "人" || gone.PurgedAt.IsZero() {
		t.Fatalf("%+v %+v", kept, gone)
	}
}
