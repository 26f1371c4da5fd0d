package results_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/page"
	"tongxin/quiz"
	"tongxin/quiz/results"
)

func first() page.Request { return page.Request{Limit: 50} }

func lines(list []results.Standing) string {
	var out []string
	for _, s := range list {
		out = append(out, fmt.Sprintf("%d %s %g", s.Rank, s.Name, s.Score))
	}
	return strings.Join(out, ", ")
}

func TestStaffSeeTheirOwnPeople(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	p := h.publish(nil)
	h.take(p, h.member("东支部", "张小明"), 4)
	h.take(p, h.member("西支部", "李四"), 2)
	h.take(p, h.member("东支部", "王五"), 2)
	h.member("东支部", "没有参加")
	east, west := h.staff("东支部", quiz.Results), h.staff("西支部", quiz.Results)

	all, err := h.svc.Sheet(ctx, h.boss, p.ID, 0, first())
	check(t, err)
	if got := lines(all.Items); got != "1 张小明 8, 2 李四 4, 2 王五 4" || !all.Whole || all.Summary.Should != 4 || all.Summary.Took != 3 || all.Summary.Passed != 1 {
		t.Errorf("%s %+v", got, all.Summary)
	}
	mine, err := h.svc.Sheet(ctx, east, p.ID, 0, first())
	check(t, err)
	if got := lines(mine.Items); got != "1 张小明 8, 2 王五 4" || mine.Whole || mine.Summary.Should != 3 || mine.Summary.Took != 2 {
		t.Errorf("%s %+v", got, mine.Summary)
	}
	theirs, err := h.svc.Turnout(ctx, west, p.ID, 0)
	check(t, err)
	if len(theirs.Items) != 1 || theirs.Items[0].OrgName != "西支部" || theirs.Items[0].Took != 1 || theirs.Items[0].Passed != 0 {
		t.Errorf("%+v", theirs)
	}
	narrow, err := h.svc.Sheet(ctx, h.boss, p.ID, h.orgs["西支部"].ID, first())
	check(t, err)
	if got := lines(narrow.Items); got != "1 李四 4" || narrow.Whole {
		t.Error(got)
	}
	_, err = h.svc.Sheet(ctx, east, p.ID, h.orgs["西支部"].ID, first())
	code(t, err, errs.NotFound)

	// A page after the first goes on where it ended.
	one, err := h.svc.Sheet(ctx, h.boss, p.ID, 0, page.Request{Limit: 2})
	check(t, err)
	r, err := page.Parse(one.Next, 2)
	check(t, err)
	two, err := h.svc.Sheet(ctx, h.boss, p.ID, 0, r)
	check(t, err)
	if lines(two.Items) != "2 王五 4" || two.Next != "" {
		t.Errorf("%s %q", lines(two.Items), two.Next)
	}

	// A paper of the eastern branch is none of the western secretary's business,
	// nor is any paper of who holds no right.
	own := h.publish(func(in *quiz.PaperInput) { in.OrgID = h.orgs["东支部"].ID })
	for _, actor := range []*authz.Actor{west, h.staff("东支部", quiz.Read, quiz.Manage), h.member("东支部", "党员")} {
		_, err := h.svc.Sheet(ctx, actor, own.ID, 0, first())
		code(t, err, errs.NotFound)
		_, err = h.svc.Turnout(ctx, actor, own.ID, 0)
		code(t, err, errs.NotFound)
		_, err = h.svc.Analyse(ctx, actor, own.ID, 0)
		code(t, err, errs.NotFound)
		_, err = h.svc.Item(ctx, actor, own.ID, h.questions[0], 0)
		code(t, err, errs.NotFound)
		_, err = h.svc.Export(ctx, actor, own.ID, 0)
		code(t, err, errs.NotFound)
		_, err = h.svc.PaperCertificates(ctx, actor, own.ID, 0, first())
		code(t, err, errs.NotFound)
	}
	held, err := h.svc.Papers(ctx, west, first())
	check(t, err)
	if len(held.Items) != 1 || held.Items[0].ID != p.ID || held.Items[0].Took != 1 {
		t.Errorf("%+v", held.Items)
	}
	if held, err = h.svc.Papers(ctx, h.member("东支部", "党员"), first()); err != nil || len(held.Items) != 0 {
		t.Errorf("%+v %v", held, err)
	}
}

func TestAnalysisOfAPaper(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	p := h.publish(nil)
	for i := range 12 {
		h.take(p, h.member("东支部", fmt.Sprint("人", i)), i%5)
	}
	again := h.member("西支部", "再来")
	h.take(p, again, 0)
	h.take(p, again, 4) // the second attempt plays no part
	a, err := h.svc.Analyse(ctx, h.boss, p.ID, 0)
	check(t, err)
	if a.Test.Attempts != 13 || len(a.Items) != 4 || a.Drawn || a.Test.Alpha == nil {
		t.Fatalf("%+v", a)
	}
	// i%5 right answers of 12 people: 0 1 2 3 4 0 1 2 3 4 0 1, and one 0.
	want := []float64{100 * 9.0 / 13, 100 * 6.0 / 13, 100 * 4.0 / 13, 100 * 2.0 / 13}
	for i, it := range a.Items {
		if it.N != i+1 || it.Points != 2 || *it.Figures.Guess != 25 || *it.Figures.Intended != 25 || *it.Figures.Facility != want[i] || it.Stem == "" {
			t.Errorf("question %d: %+v", i+1, it)
		}
	}
	item, err := h.svc.Item(ctx, h.boss, p.ID, h.questions[0], 0)
	check(t, err)
	if item.Key == nil || len(item.Options) != 4 || item.Answers[0].Count != 9 || item.Answers[0].Share != 100 {
		t.Errorf("%+v", item)
	}

	// A secretary below sees nothing of the questions while people can answer
	// them, and later everything but the key.
	east := h.staff("东支部", quiz.Results)
	_, err = h.svc.Analyse(ctx, east, p.ID, 0)
	code(t, err, errs.Conflict)
	_, err = h.svc.Item(ctx, east, p.ID, h.questions[0], 0)
	code(t, err, errs.Conflict)
	h.clock.Add(8 * 24 * time.Hour)
	b, err := h.svc.Analyse(ctx, east, p.ID, 0)
	check(t, err)
	if b.Test.Attempts != 12 || b.Whole {
		t.Errorf("%+v", b.Test)
	}
	if item, err = h.svc.Item(ctx, east, p.ID, h.questions[0], 0); err != nil || item.Key != nil {
		t.Errorf("%+v %v", item, err)
	}
	_, err = h.svc.Item(ctx, h.boss, p.ID, 12345, 0)
	code(t, err, errs.NotFound)
}

func TestAnalysisOfADrawnPaper(t *testing.T) {
	h := open(t)
	p := h.publish(func(in *quiz.PaperInput) {
		in.Items, in.Draws = nil, []quiz.DrawRule{{Topic: "党章", Count: 1, Points: 4}, {Topic: "纪律", Count: 1, Points: 4}}
	})
	for i := range 6 {
		h.take(p, h.member("东支部", fmt.Sprint("人", i)), i%3)
	}
	a, err := h.svc.Analyse(t.Context(), h.boss, p.ID, 0)
	check(t, err)
	n := 0
	for _, it := range a.Items {
		n += it.Figures.Answered
		if it.N != 0 || it.Figures.Effective != nil || *it.Figures.Intended != 50 {
			t.Errorf("%+v", it)
		}
	}
	if !a.Drawn || a.Test.Alpha != nil || n != 12 {
		t.Errorf("%d %+v", n, a)
	}
}

func TestRanking(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	p := h.publish(nil)
	zhang, li, wang, shy := h.member("东支部", "张小明"), h.member("西支部", "李四"), h.member("东支部", "王五"), h.member("西支部", "不愿上榜")
	h.take(p, zhang, 4)
	h.take(p, shy, 3)
	h.take(p, li, 2)
	h.off[shy.ID] = true
	show := func(a *authz.Actor) (string, string, string) {
		t.Helper()
		r, err := h.svc.Ranking(ctx, a, p.ID)
		check(t, err)
		var out []string
		for _, x := range r.Items {
			out = append(out, fmt.Sprintf("%d %s %v", x.Rank, x.Name, x.Me))
		}
		mine := ""
		if r.Mine != nil {
			mine = fmt.Sprintf("%d %s", r.Mine.Rank, r.Mine.Name)
		}
		return strings.Join(out, ", "), mine, r.Hidden
	}
	if list, mine, hidden := show(li); list != "1 张小明 false, 3 李四 true" || mine != "3 李四" || hidden != "" {
		t.Errorf("%q %q %q", list, mine, hidden)
	}
	if list, mine, _ := show(shy); strings.Contains(list, "不愿上榜") || mine != "2 不愿上榜" {
		t.Errorf("%q %q", list, mine)
	}
	if list, _, hidden := show(wang); list != "" || hidden == "" { // took no part
		t.Errorf("%q %q", list, hidden)
	}
	h.clock.Add(8 * 24 * time.Hour)
	if list, mine, _ := show(wang); list == "" || mine != "" {
		t.Errorf("%q %q", list, mine)
	}

	none := h.publish(func(in *quiz.PaperInput) { in.Rules.Ranking = false })
	h.take(none, zhang, 4)
	if r, err := h.svc.Ranking(ctx, zhang, none.ID); err != nil || len(r.Items) != 0 || r.Mine != nil || r.Hidden == "" {
		t.Errorf("%+v %v", r, err)
	}
	later := h.publish(func(in *quiz.PaperInput) { in.Rules.ShowScore = quiz.AfterClose })
	h.take(later, zhang, 4)
	if r, err := h.svc.Ranking(ctx, zhang, later.ID); err != nil || len(r.Items) != 0 || r.Mine != nil || r.Hidden == "" {
		t.Errorf("%+v %v", r, err)
	}
	branch := h.publish(func(in *quiz.PaperInput) { in.OrgID = h.orgs["东支部"].ID })
	_, err := h.svc.Ranking(ctx, li, branch.ID)
	code(t, err, errs.NotFound)
}

func TestOwnResults(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	p := h.publish(func(in *quiz.PaperInput) { in.Rules.ShowScore = quiz.AfterClose })
	m := h.member("东支部", "张小明")
	h.take(p, m, 3)
	h.take(h.publish(nil), m, 1)
	h.take(p, h.member("东支部", "别人"), 4)
	list, err := h.svc.OwnResults(ctx, m, first())
	check(t, err)
	if len(list.Items) != 2 || *list.Items[0].Score != 2 || *list.Items[0].Passed || list.Items[1].Score != nil || list.Items[1].Hidden == "" || list.Items[1].Ranking {
		t.Errorf("%+v", list.Items)
	}
	h.clock.Add(8 * 24 * time.Hour)
	if list, err = h.svc.OwnResults(ctx, m, first()); err != nil || *list.Items[1].Score != 6 || !*list.Items[1].Passed || list.Items[1].UsedSec != 60 {
		t.Errorf("%+v %v", list, err)
	}
	one, err := h.svc.OwnResults(ctx, m, page.Request{Limit: 1})
	if err != nil || len(one.Items) != 1 || one.Next == "" {
		t.Errorf("%+v %v", one, err)
	}
}

func TestTopics(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	p := h.publish(nil)
	for i := range 12 { // two questions on each topic; the first of each is right
		h.take(p, h.member("东支部", fmt.Sprint("人", i)), 2)
	}
	east := h.staff("东支部", quiz.Results)
	if open, err := h.svc.Topics(ctx, east, 0); err != nil || len(open.Items) != 0 {
		t.Errorf("an open paper: %+v %v", open, err)
	}
	h.clock.Add(8 * 24 * time.Hour)
	list, err := h.svc.Topics(ctx, east, 0)
	check(t, err)
	if len(list.Items) != 2 || list.Items[0].Verdict != results.Gap || list.Items[0].Share != 50 || list.Items[0].Answered != 24 {
		t.Fatalf("%+v", list.Items)
	}
	if q := list.Items[0].Questions; len(q) != 2 || q[0].Share != 0 || q[1].Share != 100 || q[0].Stem == "" || strings.Contains(fmt.Sprint(list), "机密") {
		t.Errorf("%+v", q)
	}
	west := h.staff("西支部", quiz.Results)
	if none, err := h.svc.Topics(ctx, west, 0); err != nil || len(none.Items) != 0 {
		t.Errorf("another branch: %+v %v", none, err)
	}
	_, err = h.svc.Topics(ctx, west, h.orgs["东支部"].ID)
	code(t, err, errs.NotFound)

	m := h.member("东支部", "张小明")
	for i, id := range h.questions {
		h.exec(`INSERT INTO quiz_cards (member_id, question_id, revision, in_book, right_times, wrong_times, last_answer, last_right, last_at, due_at, memory, topics)
			VALUES (?, ?, 1, 1, ?, ?, '{}', 1, 5, 0, '', '')`, m.ID, id, 3*(i%2), 1+i/2)
	}
	own, err := h.svc.OwnTopics(ctx, m) // 党章: 0 of 1, 0 of 2; 纪律: 3 of 4, 3 of 5
	check(t, err)
	var got []string
	for _, x := range own.Items {
		got = append(got, fmt.Sprintf("%s %d %.0f %s %d", x.Topic, x.Answered, x.Share, x.Verdict, len(x.Questions)))
	}
	if s := strings.Join(got, ", "); s != "纪律 9 67 ok 2, 党章 3 0 few 2" {
		t.Error(s)
	}
	if other, err := h.svc.OwnTopics(ctx, h.member("东支部", "别人")); err != nil || len(other.Items) != 0 {
		t.Errorf("%+v %v", other, err)
	}
}
