package publish_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	ics "github.com/arran4/golang-ical"

	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/publish"
)

func week() publish.CalendarFilter {
	return publish.CalendarFilter{From: start().Add(-24 * time.Hour), To: start().Add(7 * 24 * time.Hour)}
}

func TestCalendarWarns(t *testing.T) {
	h := newHouse(t)
	b := h.newAccount(1, "第二个号", publish.ModePublish)
	different := func(title, body string, after time.Duration, a *publish.Account) *publish.Detail {
		c := h.content(title)
		c.Articles[0].Body = "<p>" + strings.Repeat(body, 30) + "</p>"
		p, err := h.Create(h.ctx, h.editor, 3, c)
		must(t, err)
		return h.schedule(h.approve(p), after, "", a)
	}
	one := different("天气预报", "今天晴转多云，气温下降，请注意保暖。", 24*time.Hour, h.account)
	two := different("读书分享", "本月我们一起读一本历史书，欢迎报名参加座谈会。", 24*time.Hour+30*time.Minute, h.account)
	three := different("食堂菜单", "红烧肉、清蒸鱼、炒青菜，周五供应水饺。", 24*time.Hour+40*time.Minute, b)
	twin := different("天气预报", "今天晴转多云，气温下降，请注意保暖。", 72*time.Hour, b)
	gone := different("足球比赛", "职工足球联赛决赛在体育中心举行，凭工作证入场。", 24*time.Hour+10*time.Minute, h.account)
	_, err := h.Service.Cancel(h.ctx, h.planner, gone.ID)
	must(t, err)

	cal, err := h.CalendarOf(h.ctx, h.planner, week())
	must(t, err)
	warnings := map[ids.ID]string{}
	for i, it := range cal.Items {
		warnings[it.PostID] = strings.Join(it.Warnings, "|")
		if !it.Movable || i > 0 && it.DueAt.Before(cal.Items[i-1].DueAt) {
			t.Errorf("%+v", it)
		}
	}
	if len(cal.Items) != 4 || warnings[one.ID] != "同一公众号一小时内还有《读书分享》。" || warnings[two.ID] != "同一公众号一小时内还有《天气预报》。" ||
		warnings[three.ID] != "" || warnings[twin.ID] != "与《天气预报》内容相近。" {
		t.Fatalf("%d items, %q", len(cal.Items), warnings)
	}
	if len(cal.Ready) != 1 || cal.Ready[0].ID != gone.ID {
		t.Fatalf("ready %+v", cal.Ready)
	}
	cal, err = h.CalendarOf(h.ctx, h.reader, publish.CalendarFilter{From: week().From, To: week().To, AccountID: b.ID})
	if err != nil || len(cal.Items) != 2 || cal.Items[0].Movable {
		t.Fatalf("%+v %v", cal, err)
	}
	cal, err = h.CalendarOf(h.ctx, h.planner, publish.CalendarFilter{From: week().From, To: week().To, States: []publish.DeliveryState{publish.Cancelled}})
	if err != nil || len(cal.Items) != 1 || cal.Items[0].PostID != gone.ID || len(cal.Items[0].Warnings) != 0 {
		t.Fatalf("%+v %v", cal, err)
	}
	cal, err = h.CalendarOf(h.ctx, h.stranger, week())
	if err != nil || len(cal.Items)+len(cal.Ready)+len(cal.Quotas) != 0 {
		t.Fatalf("%+v %v", cal, err)
	}
	for _, f := range []publish.CalendarFilter{{}, {From: week().To, To: week().From}, {From: start(), To: start().Add(101 * 24 * time.Hour)}} {
		_, err := h.CalendarOf(h.ctx, h.planner, f)
		want(t, err, errs.Invalid)
	}
}

func TestWarningsStayFew(t *testing.T) {
	h := newHouse(t)
	for i := range 12 {
		h.queued(fmt.Sprint("同时", i), time.Hour)
	}
	cal, err := h.CalendarOf(h.ctx, h.planner, week())
	must(t, err)
	for _, it := range cal.Items {
		if len(it.Warnings) == 0 || len(it.Warnings) > 5 {
			t.Fatalf("%d warnings", len(it.Warnings))
		}
	}
}

// Days are Shanghai's: 16:30 UTC is the next day there.
func TestQuotasByDay(t *testing.T) {
	h := newHouse(t)
	for i, after := range []time.Duration{time.Hour, 2 * time.Hour, 8*time.Hour + 30*time.Minute} {
		h.queued(fmt.Sprint("文", i), after)
	}
	h.schedule(h.approved(3, "群"), time.Hour, publish.ModeMass)
	h.schedule(h.approved(3, "草稿"), time.Hour, publish.ModeDraft)
	cal, err := h.CalendarOf(h.ctx, h.planner, week())
	must(t, err)
	got := map[string]string{}
	for _, q := range cal.Quotas {
		got[q.Day+" "+string(q.Mode)] = fmt.Sprintf("%d/%d", q.Planned, q.Limit)
	}
	if len(got) != 3 || got["2026-03-02 publish"] != "2/100" || got["2026-03-02 mass"] != "1/1" || got["2026-03-03 publish"] != "1/100" {
		t.Fatalf("%v", got)
	}
}

func TestSlots(t *testing.T) {
	h := newHouse(t)
	_, err := h.NextSlot(h.ctx, h.planner, h.account.ID)
	want(t, err, errs.NotFound)
	for _, bad := range []publish.Slot{{AccountID: h.account.ID, Weekday: 8}, {AccountID: h.account.ID, Weekday: 1, Minute: 1440}, {AccountID: h.account.ID}, {AccountID: 5, Weekday: 1}} {
		_, err := h.AddSlot(h.ctx, h.planner, bad)
		want(t, err, errs.Invalid)
	}
	_, err = h.AddSlot(h.ctx, h.editor, publish.Slot{AccountID: h.account.ID, Weekday: 1, Minute: 540})
	want(t, err, errs.Invalid)
	add := func(weekday, hour int) *publish.Slot {
		s, err := h.AddSlot(h.ctx, h.planner, publish.Slot{AccountID: h.account.ID, Weekday: weekday, Minute: hour * 60})
		must(t, err)
		return s
	}
	next := func() string {
		at, err := h.NextSlot(h.ctx, h.planner, h.account.ID)
		must(t, err)
		return at.In(clock.Shanghai()).Format("01-02 15:04")
	}
	monday := add(1, 9) // it is Monday 16:00: next week
	if got := next(); got != "03-09 09:00" {
		t.Fatal(got)
	}
	add(7, 9)
	if got := next(); got != "03-08 09:00" {
		t.Fatal(got)
	}
	h.queued("占", time.Date(2026, 3, 8, 1, 0, 0, 0, time.UTC).Sub(start()))
	if got := next(); got != "03-09 09:00" {
		t.Fatalf("a taken slot was offered: %s", got)
	}
	evening := add(1, 20)
	if got := next(); got != "03-02 20:00" {
		t.Fatal(got)
	}
	_, err = h.AddSlot(h.ctx, h.planner, publish.Slot{AccountID: h.account.ID, Weekday: 1, Minute: 9 * 60})
	want(t, err, errs.Conflict)
	want(t, h.DeleteSlot(h.ctx, h.reader, monday.ID), errs.NotFound)
	must(t, h.DeleteSlot(h.ctx, h.planner, evening.ID))
	list, err := h.Slots(h.ctx, h.reader)
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v %v", list, err)
	}
	if list, err := h.Slots(h.ctx, h.stranger); err != nil || len(list) != 0 {
		t.Fatalf("%+v %v", list, err)
	}
}

func TestCalendarLink(t *testing.T) {
	h := newHouse(t)
	q := h.queued("换行，逗号;BEGIN:VEVENT", 24*time.Hour)
	c := h.queued("取消的", 24*time.Hour)
	_, err := h.Service.Cancel(h.ctx, h.planner, c.ID)
	must(t, err)
	old, err := h.NewCalendarLink(h.ctx, h.planner)
	must(t, err)
	token, err := h.NewCalendarLink(h.ctx, h.planner)
	must(t, err)
	_, err = h.ICS(h.ctx, old)
	want(t, err, errs.NotFound)
	_, err = h.ICS(h.ctx, "")
	want(t, err, errs.NotFound)
	text, err := h.ICS(h.ctx, token)
	must(t, err)
	cal, err := ics.ParseCalendar(strings.NewReader(string(text)))
	must(t, err)
	evs := cal.Events()
	if len(evs) != 1 || evs[0].Id() != q.Deliveries[0].ID.String()+"@tongxin" {
		t.Fatalf("%s", text)
	}
	at, err := evs[0].GetStartAt()
	if err != nil || !at.Equal(start().Add(24*time.Hour)) {
		t.Fatalf("%v %v", at, err)
	}
	if strings.Contains(string(text), "取消的") || strings.Count(string(text), "\nBEGIN:VEVENT") != 1 {
		t.Fatalf("%s", text)
	}
	// The link shows what its owner may see now.
	h.planner.Grants = nil
	text, err = h.ICS(h.ctx, token)
	if err != nil || strings.Contains(string(text), "BEGIN:VEVENT\r") {
		t.Fatalf("%s %v", text, err)
	}
	delete(h.actors, h.planner.ID)
	_, err = h.ICS(h.ctx, token)
	want(t, err, errs.NotFound)
}

func TestDashboard(t *testing.T) {
	h := newHouse(t)
	h.draft(1, "草")
	h.approved(1, "待排")
	r := h.submitted(1, "退")
	h.sendBack(h.judges[1], r)
	h.unknownPost("不明", publish.ModePublish)
	h.queued("今天", time.Hour)
	h.queued("明天", 24*time.Hour)
	d, err := h.Dashboard(h.ctx, h.editor)
	must(t, err)
	if len(d.Drafts) != 1 || len(d.Returned) != 1 || len(d.Ready) != 1 || len(d.Attend) != 1 || len(d.Today) != 2 || len(d.Accounts) != 0 ||
		d.Queue.Waiting != 2 || d.Queue.Unknown != 1 || len(d.Review) != 0 {
		t.Fatalf("%+v", d)
	}
	d, err = h.Dashboard(h.ctx, h.planner)
	if err != nil || len(d.Drafts) != 0 || len(d.Returned) != 0 || len(d.Accounts) != 1 || !d.Accounts[0].OK {
		t.Fatalf("%+v %v", d, err)
	}
	d, err = h.Dashboard(h.ctx, h.stranger)
	if err != nil || len(d.Ready)+len(d.Attend)+len(d.Today)+len(d.Accounts) != 0 || d.Queue != (publish.QueueState{}) {
		t.Fatalf("%+v %v", d, err)
	}
}
