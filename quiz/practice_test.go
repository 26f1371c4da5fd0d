package quiz_test

import (
	"strings"
	"testing"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/page"
	"tongxin/quiz"
	"tongxin/storage"
)

func (h *hall) daily(org string, in quiz.DailyInput) {
	h.t.Helper()
	_, err := h.svc.SaveDaily(h.t.Context(), h.boss, h.orgs[org].ID, 0, in)
	check(h.t, err)
}

// practise answers n questions of a practice, all rightly or all wrongly.
func (h *hall) practise(m *authz.Actor, in quiz.PracticeInput, good bool) *quiz.Sheet {
	h.t.Helper()
	sh, err := h.svc.Practice(h.t.Context(), m, in)
	check(h.t, err)
	for _, q := range sh.Questions {
		a := wrong(q.Shown)
		if good {
			a = right(q.Shown)
		}
		got, err := h.answer(m, sh, q.N, 1, a)
		check(h.t, err)
		if got.Result == nil || got.Result.Right != good {
			h.t.Fatalf("%+v", got)
		}
	}
	_, err = h.svc.Submit(h.t.Context(), m, sh.ID)
	check(h.t, err)
	return sh
}

func TestDailyQuiz(t *testing.T) {
	h := openHall(t)
	ctx := t.Context()
	m, n := h.member("东支部"), h.member("西支部")
	none, err := h.svc.Today(ctx, m)
	check(t, err)
	if none.State != "none" || none.Paper != nil {
		t.Fatalf("%+v", none)
	}
	_, err = h.svc.SaveDaily(ctx, h.boss, h.orgs["党委"].ID, 0, quiz.DailyInput{Enabled: true, Count: 20, Topics: []string{"没有的"}})
	code(t, err, errs.Invalid)
	h.daily("党委", quiz.DailyInput{Enabled: true, Count: 4})
	h.daily("西支部", quiz.DailyInput{Count: 4}) // switched off below
	off, err := h.svc.Today(ctx, n)
	check(t, err)
	if off.State != "none" {
		t.Fatalf("%+v", off)
	}
	day, err := h.svc.Today(ctx, m)
	check(t, err)
	leaks(t, "the daily quiz", day)
	if day.State != "open" || day.Paper.Questions != 4 || day.Streak != 0 || day.Paper.Title != "每日答题 2026-03-02" {
		t.Fatalf("%+v", day)
	}
	again, err := h.service().Today(ctx, h.member("东支部"))
	check(t, err)
	if again.Paper.ID != day.Paper.ID {
		t.Fatal("two papers for one day")
	}
	seen := map[string]bool{}
	for d := range 3 {
		day, err = h.svc.Today(ctx, m)
		check(t, err)
		sh, err := h.svc.Start(ctx, m, day.Paper.ID)
		check(t, err)
		for _, q := range sh.Questions {
			if seen[q.Shown.Stem] {
				t.Errorf("%q came twice within %d days", q.Shown.Stem, d+1)
			}
			seen[q.Shown.Stem] = true
			_, err := h.answer(m, sh, q.N, 1, right(q.Shown))
			check(t, err)
		}
		res, err := h.svc.Submit(ctx, m, sh.ID)
		check(t, err)
		if len(res.Questions) != 4 || *res.Score != 4 {
			t.Fatalf("%+v", res)
		}
		done, err := h.svc.Today(ctx, m)
		check(t, err)
		if done.State != "done" || done.Streak != d+1 || done.Today.Right != 4 || done.Today.Total != 4 {
			t.Fatalf("%+v", done)
		}
		_, err = h.svc.Start(ctx, m, day.Paper.ID)
		code(t, err, errs.Conflict)
		h.clock.Add(24 * time.Hour)
	}
	next, err := h.svc.Today(ctx, m)
	check(t, err)
	if next.Streak != 3 || next.State != "open" {
		t.Fatalf("%+v", next)
	}
	h.clock.Add(24 * time.Hour)
	if next, err = h.svc.Today(ctx, m); err != nil || next.Streak != 0 {
		t.Fatalf("%+v %v", next, err)
	}
}

func TestWrongBookAndGaps(t *testing.T) {
	h := openHall(t)
	ctx := t.Context()
	m := h.member("东支部")
	_, err := h.svc.Practice(ctx, m, quiz.PracticeInput{Source: "wrong"})
	code(t, err, errs.Conflict)
	_, err = h.svc.Practice(ctx, m, quiz.PracticeInput{Source: "gaps"})
	code(t, err, errs.Conflict)
	h.practise(m, quiz.PracticeInput{Source: "topic", Topic: "纪律", Count: 5}, false)
	h.practise(m, quiz.PracticeInput{Source: "topic", Topic: "党章", Count: 5}, true)
	book, err := h.svc.Wrong(ctx, m, "", false, page.Request{Limit: 3})
	check(t, err)
	if len(book.Items) != 3 || book.Next == "" || book.Items[0].WrongTimes != 1 || book.Items[0].LastAnswer == nil || book.Items[0].Topics[0] != "纪律" {
		t.Fatalf("%+v", book)
	}
	if none, err := h.svc.Wrong(ctx, m, "党章", false, page.Request{Limit: 9}); err != nil || len(none.Items) != 0 {
		t.Fatal(none, err)
	}
	if other, err := h.svc.Wrong(ctx, h.member("东支部"), "", false, page.Request{Limit: 9}); err != nil || len(other.Items) != 0 {
		t.Fatal("another's book", other, err)
	}
	h.clock.Add(time.Hour)
	due, err := h.svc.Wrong(ctx, m, "", true, page.Request{Limit: 9})
	check(t, err)
	if len(due.Items) != 5 || due.Due != 5 {
		t.Fatalf("%+v", due)
	}
	check(t, h.svc.Rate(ctx, m, due.Items[0].QuestionID, "easy"))
	check(t, h.svc.Forget(ctx, m, due.Items[1].QuestionID))
	code(t, h.svc.Forget(ctx, m, due.Items[1].QuestionID), errs.NotFound)
	code(t, h.svc.Rate(ctx, m, 9999, "good"), errs.NotFound)
	due, err = h.svc.Wrong(ctx, m, "", true, page.Request{Limit: 9})
	check(t, err)
	if len(due.Items) != 3 {
		t.Fatalf("%+v", due)
	}
	if again := h.practise(m, quiz.PracticeInput{Source: "wrong"}, true); len(again.Questions) != 4 {
		t.Fatal(len(again.Questions))
	}
	if due, err = h.svc.Wrong(ctx, m, "", true, page.Request{Limit: 9}); err != nil || len(due.Items) != 0 {
		t.Fatalf("right answers did not move the cards on: %+v %v", due, err)
	}
	gaps, err := h.svc.Practice(ctx, m, quiz.PracticeInput{Source: "gaps", Count: 3})
	check(t, err)
	if len(gaps.Questions) != 3 {
		t.Fatal(gaps)
	}
	topics, err := h.svc.TopicShares(ctx, m)
	check(t, err)
	if len(topics) != 2 || topics[0].Questions != 12 || topics[0].RightShare+topics[1].RightShare < 1 {
		t.Fatalf("%+v", topics)
	}
	h.no[m.ID] = true
	_, err = h.svc.Practice(ctx, m, quiz.PracticeInput{Source: "gaps"})
	code(t, err, errs.Conflict)
	if !strings.Contains(err.Error(), "推荐") {
		t.Fatal(err)
	}
}

// What an exam asks is not shown with its key before the exam allows.
func TestExamsKeepTheirQuestions(t *testing.T) {
	h := openHall(t)
	ctx := t.Context()
	m := h.member("东支部")
	in := h.input()
	in.Items = in.Items[:0]
	in.Rules.PassPoints = 4
	in.Draws = []quiz.DrawRule{{Topic: "党章", Count: 4, Points: 2}} // pins all twelve of the topic
	p := h.publish(in)
	_, err := h.svc.Practice(ctx, m, quiz.PracticeInput{Source: "topic", Topic: "党章"})
	code(t, err, errs.Conflict)
	_, err = h.svc.SaveDaily(ctx, h.boss, h.orgs["党委"].ID, 0, quiz.DailyInput{Enabled: true, Count: 4, Topics: []string{"党章"}})
	code(t, err, errs.Invalid)
	res := h.take(m, p, 0)
	if res.Questions != nil {
		t.Fatal("key before the close")
	}
	n, err := h.svc.BookKnown(ctx)
	check(t, err)
	book, err := h.svc.Wrong(ctx, m, "", false, page.Request{Limit: 9})
	check(t, err)
	if n != 0 || len(book.Items) != 0 {
		t.Fatalf("the wrong-answer book tells keys early: %d %+v", n, book)
	}
	h.clock.Add(8 * 24 * time.Hour)
	if n, err = h.svc.BookKnown(ctx); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	if n, err = h.svc.BookKnown(ctx); err != nil || n != 0 {
		t.Fatal("booked twice", n, err)
	}
	if book, err = h.svc.Wrong(ctx, m, "", false, page.Request{Limit: 9}); err != nil || len(book.Items) != 4 {
		t.Fatalf("%+v %v", book, err)
	}
	if _, err := h.svc.Practice(ctx, m, quiz.PracticeInput{Source: "topic", Topic: "党章"}); err != nil {
		t.Fatal(err)
	}
}

func TestExtensionHoldsTheKeys(t *testing.T) {
	h := openHall(t)
	ctx := t.Context()
	m, slow := h.member("东支部"), h.member("西支部")
	in := h.input()
	in.Rules.DurationSec = 0
	p := h.publish(in)
	sh := h.start(slow, p)
	first := h.take(m, p, 8)
	h.clock.Add(7*24*time.Hour - 5*time.Minute)
	_, err := h.svc.Extend(ctx, h.staff("西支部", quiz.Read, quiz.Manage), sh.ID, quiz.Extension{Minutes: 30, Reason: "断电"})
	code(t, err, errs.NotFound) // the paper is the committee's
	_, err = h.svc.Extend(ctx, h.boss, sh.ID, quiz.Extension{Minutes: 30})
	code(t, err, errs.Invalid)
	seat, err := h.svc.Extend(ctx, h.boss, sh.ID, quiz.Extension{Minutes: 30, Reason: "断电"})
	check(t, err)
	if !seat.DueAt.Equal(in.Rules.ClosesAt.Add(30 * time.Minute)) {
		t.Fatal(seat.DueAt)
	}
	h.clock.Add(10 * time.Minute) // the paper is closed
	_, err = h.answer(slow, sh, 1, 1, right(sh.Questions[0].Shown))
	check(t, err)
	res, err := h.svc.Result(ctx, m, first.AttemptID)
	check(t, err)
	leaks(t, "a result while somebody still answers", res)
	h.clock.Add(30 * time.Minute)
	res, err = h.svc.Result(ctx, m, first.AttemptID)
	check(t, err)
	if len(res.Questions) != 8 {
		t.Fatalf("%+v", res)
	}
	_, err = h.svc.Extend(ctx, h.boss, sh.ID, quiz.Extension{Minutes: 30, Reason: "断电"})
	code(t, err, errs.Conflict)
}

func TestGradingByPeopleAndByACorrectedKey(t *testing.T) {
	h := openHall(t)
	ctx := t.Context()
	h.bank.list = append(h.bank.list, quiz.Content{
		Kind: quiz.Short, Stem: "谈谈看法", Topics: []string{"党章"}, Difficulty: 1, Rubric: []quiz.Criterion{{Text: secret + "要点", Share: 1}},
	})
	m := h.member("东支部")
	in := h.input()
	in.Rules.ShowKey = quiz.AfterSubmit
	in.Items = []quiz.PaperItem{{ID: 1, Points: 2}, {ID: 25, Points: 10}}
	p := h.publish(in)
	res := h.take(m, p, 2)
	if res.State != quiz.AttemptSubmitted || res.Score != nil || !strings.Contains(res.Hidden, "评分") {
		t.Fatalf("%+v", res)
	}
	queue, err := h.svc.Queue(ctx, h.boss, 0, false, page.Request{Limit: 10})
	check(t, err)
	if len(queue.Items) != 1 || queue.Items[0].Text != "我的看法" || queue.Items[0].MemberName != "" || len(queue.Items[0].Key.Rubric) != 1 {
		t.Fatalf("%+v", queue)
	}
	if named, err := h.svc.Queue(ctx, h.boss, p.ID, true, page.Request{Limit: 10}); err != nil || named.Items[0].MemberName != m.Name {
		t.Fatal(named, err)
	}
	if foreign, err := h.svc.Queue(ctx, h.staff("西支部", quiz.Grade), 0, false, page.Request{Limit: 10}); err != nil || len(foreign.Items) != 0 {
		t.Fatal(foreign, err)
	}
	w := queue.Items[0]
	_, err = h.svc.GradeAnswer(ctx, h.staff("西支部", quiz.Grade), w.AttemptID, w.N, w.Version, quiz.GradeInput{Points: 8})
	code(t, err, errs.NotFound)
	_, err = h.svc.GradeAnswer(ctx, h.boss, w.AttemptID, w.N, w.Version, quiz.GradeInput{Points: 11})
	code(t, err, errs.Invalid)
	_, err = h.svc.GradeAnswer(ctx, h.boss, w.AttemptID, w.N, w.Version, quiz.GradeInput{Points: 8, Comment: "有见解"})
	check(t, err)
	_, err = h.svc.GradeAnswer(ctx, h.boss, w.AttemptID, w.N, w.Version, quiz.GradeInput{Points: 9})
	code(t, err, errs.Stale)
	res, err = h.svc.Result(ctx, m, w.AttemptID)
	check(t, err)
	if res.State != quiz.AttemptGraded || *res.Score != 10 || res.Questions[w.N-1].Mark.Comment != "有见解" {
		t.Fatalf("%+v", res)
	}

	// The key of question 1 was wrong: what everybody took for right is not.
	fixed := h.bank.list[0]
	fixed.Options = []quiz.Option{{Text: "对的"}, {Text: "错的一", Right: true}, {Text: "错的二"}, {Text: "错的三"}}
	moved := fixed
	moved.Options = []quiz.Option{{Text: "错的一", Right: true}, {Text: "对的"}, {Text: "错的二"}, {Text: "错的三"}}
	h.bank.later = map[quiz.Ref]quiz.Content{{ID: 1, Revision: 2}: fixed, {ID: 1, Revision: 3}: moved}
	_, err = h.svc.Regrade(ctx, h.boss, p.ID, quiz.RegradeInput{QuestionID: 1, Revision: 2})
	code(t, err, errs.Invalid)
	_, err = h.svc.Regrade(ctx, h.boss, p.ID, quiz.RegradeInput{QuestionID: 1, Revision: 3, Reason: "答案有误"})
	code(t, err, errs.Invalid)
	// A dry run counts and touches nothing.
	out, err := h.service().Regrade(ctx, h.boss, p.ID, quiz.RegradeInput{QuestionID: 1, Revision: 2, Reason: "答案有误", DryRun: true})
	check(t, err)
	res, err = h.service().Result(ctx, m, w.AttemptID)
	check(t, err)
	if out.Attempts != 1 || out.Changed != 1 || *res.Score != 10 {
		t.Fatalf("%+v %+v", out, res)
	}
	out, err = h.service().Regrade(ctx, h.boss, p.ID, quiz.RegradeInput{QuestionID: 1, Revision: 2, Reason: "答案有误"})
	check(t, err)
	res, resErr := h.service().Result(ctx, m, w.AttemptID)
	check(t, resErr)
	q := res.Questions[2-w.N]
	if out.Attempts != 1 || out.Changed != 1 || *res.Score != 8 || q.Mark.Right || q.Answer.Choice[0] == q.Key.Answer.Choice[0] {
		t.Fatalf("%+v %+v", out, res)
	}
	old, err := storage.All(ctx, h.db, storage.ScanInt64, `SELECT share_ppm FROM quiz_marks_old ORDER BY id`)
	check(t, err)
	if len(old) != 2 || old[0] != 0 || old[1] != 1_000_000 {
		t.Fatalf("old marks: %v", old)
	}
}

func TestFlags(t *testing.T) {
	h := openHall(t)
	p := h.publish(h.input())
	for i := range 12 {
		m := h.member("东支部")
		sh := h.start(m, p)
		for _, q := range sh.Questions {
			h.clock.Add(30 * time.Second)
			a := right(q.Shown)
			if q.N%3 == i%3 {
				a = wrong(q.Shown)
			}
			_, err := h.answer(m, sh, q.N, 1, a)
			check(t, err)
		}
		_, err := h.svc.Submit(t.Context(), m, sh.ID)
		check(t, err)
	}
	quick := h.member("西支部")
	h.take(quick, p, 8)
	got, err := h.svc.Flags(t.Context(), h.boss, p.ID)
	check(t, err)
	fast := 0
	for _, f := range got.Items {
		if f.Kind == "too_fast" {
			fast++
			if f.Seats[0].MemberName != quick.Name {
				t.Errorf("%+v", f)
			}
		}
	}
	if fast != 1 || got.Rules.Version == "" {
		t.Fatalf("%+v", got.Items)
	}
	res, err := h.svc.Flags(t.Context(), h.staff("西支部", quiz.Results), p.ID)
	check(t, err)
	for _, f := range res.Items {
		for _, s := range f.Seats {
			if s.MemberName != quick.Name {
				t.Errorf("another branch's member is shown: %+v", f)
			}
		}
	}
	seats, err := h.svc.Seats(t.Context(), h.boss, p.ID, "", page.Request{Limit: 50})
	check(t, err)
	if len(seats.Items) != 13 || seats.Items[0].Answered != 8 || seats.Items[0].MemberName != quick.Name || *seats.Items[0].Score != 16 {
		t.Fatalf("%+v", seats.Items[0])
	}
}
