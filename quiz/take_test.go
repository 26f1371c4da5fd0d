package quiz_test

import (
	"strings"
	"testing"
	"time"

	"tongxin/internal/call"
	"tongxin/internal/errs"
	"tongxin/internal/page"
	"tongxin/quiz"
)

func TestExamFromStartToKey(t *testing.T) {
	h := openHall(t)
	ctx := t.Context()
	m, other, stranger := h.member("东支部"), h.member("西支部"), h.staff("西支部", quiz.Read)
	p := h.publish(h.input())
	if p.Questions != 8 || p.Points != 16 {
		t.Fatalf("%+v", p)
	}
	cards, err := h.svc.Cards(ctx, m, false, page.Request{Limit: 10})
	check(t, err)
	if len(cards.Items) != 1 || cards.Items[0].AttemptsUsed != 0 {
		t.Fatalf("%+v", cards)
	}
	leaks(t, "a list", cards)
	sh := h.start(m, p)
	leaks(t, "an attempt", sh)
	if len(sh.Questions) != 8 || sh.DueAt.Sub(sh.StartedAt) != 30*time.Minute || sh.Feedback != "after" || sh.Number != 1 {
		t.Fatalf("%+v", sh)
	}
	if again := h.start(m, p); again.ID != sh.ID {
		t.Fatal("a second start made another attempt")
	}
	saved, err := h.answer(m, sh, 1, 5, right(sh.Questions[0].Shown))
	check(t, err)
	if saved.Seq != 5 || saved.Answer != nil || saved.Result != nil {
		t.Fatalf("%+v", saved)
	}
	older, err := h.answer(m, sh, 1, 3, wrong(sh.Questions[0].Shown))
	check(t, err)
	if older.Seq != 5 || older.Answer == nil {
		t.Fatalf("an older answer replaced a newer one: %+v", older)
	}
	leaks(t, "an older answer", older.Seq)
	_, err = h.svc.Sheet(ctx, other, sh.ID)
	code(t, err, errs.NotFound)
	_, err = h.svc.SaveAnswer(ctx, other, sh.ID, quiz.AnswerIn{N: 1, Seq: 9}, h.clock.Now())
	code(t, err, errs.NotFound)
	_, err = h.svc.Paper(ctx, stranger, p.ID)
	code(t, err, errs.NotFound)
	_, err = h.svc.Result(ctx, m, sh.ID)
	code(t, err, errs.Conflict)

	resumed, err := h.service().Sheet(ctx, m, sh.ID) // another node, another device
	check(t, err)
	leaks(t, "a resumed attempt", strings.ReplaceAll(resumed.Questions[0].Shown.Stem, secret, ""))
	if resumed.Questions[0].Answer == nil || resumed.Questions[0].Seq != 5 || resumed.Questions[1].Answer != nil {
		t.Fatalf("%+v", resumed.Questions[:2])
	}
	var list []quiz.AnswerIn
	for _, q := range sh.Questions[1:] {
		list = append(list, quiz.AnswerIn{N: q.N, Seq: 1, Answer: right(q.Shown)})
	}
	all, err := h.svc.SaveAnswers(ctx, m, sh.ID, list, h.clock.Now())
	check(t, err)
	if len(all) != 7 {
		t.Fatal(all)
	}
	res, err := h.svc.Submit(ctx, m, sh.ID)
	check(t, err)
	leaks(t, "a result before the close", res)
	if res.Score == nil || *res.Score != 16 || res.Passed == nil || !*res.Passed || res.State != quiz.AttemptGraded || !strings.Contains(res.Hidden, "公布") {
		t.Fatalf("%+v", res)
	}
	again, err := h.svc.Submit(ctx, m, sh.ID)
	check(t, err)
	if *again.Score != 16 || !again.SubmittedAt.Equal(res.SubmittedAt) {
		t.Fatalf("%+v", again)
	}
	_, err = h.answer(m, sh, 2, 7, quiz.Answer{})
	code(t, err, errs.Conflict)
	if !strings.Contains(err.Error(), "交卷") {
		t.Fatal(err)
	}
	if repeat, err := h.svc.Start(ctx, m, p.ID); err == nil {
		t.Fatalf("a second attempt: %+v", repeat)
	}
	h.clock.Add(8 * 24 * time.Hour)
	open, err := h.svc.Result(ctx, m, sh.ID)
	check(t, err)
	if open.Hidden != "" || len(open.Questions) != 8 || open.Questions[0].Key == nil || !open.Questions[0].Mark.Right || open.Questions[0].Answer == nil {
		t.Fatalf("%+v", open)
	}
	past, err := h.svc.Cards(ctx, m, true, page.Request{Limit: 10})
	check(t, err)
	if len(past.Items) != 1 || past.Items[0].Best == nil || past.Items[0].Best.Score != 16 {
		t.Fatalf("%+v", past)
	}
}

func TestLateAnswersAreRefused(t *testing.T) {
	h := openHall(t)
	ctx := t.Context()
	m := h.member("东支部")
	sh := h.start(m, h.publish(h.input()))
	_, err := h.answer(m, sh, 1, 1, right(sh.Questions[0].Shown))
	check(t, err)
	h.clock.Add(30*time.Minute - time.Millisecond)
	just := h.clock.Now()
	h.clock.Add(1500 * time.Millisecond) // the request waited, but it had arrived in time
	_, err = h.svc.SaveAnswer(ctx, m, sh.ID, quiz.AnswerIn{N: 2, Seq: 1, Answer: right(sh.Questions[1].Shown)}, just)
	check(t, err)
	_, err = h.answer(m, sh, 3, 1, right(sh.Questions[2].Shown))
	code(t, err, errs.Conflict)
	if !strings.Contains(err.Error(), "已于3月2日 09:30:00结束") {
		t.Fatal(err)
	}
	n, err := h.svc.CloseOverdue(ctx)
	check(t, err)
	if n != 0 {
		t.Fatal("closed while answers may be on their way")
	}
	h.clock.Add(2 * time.Second)
	n, err = h.svc.CloseOverdue(ctx)
	check(t, err)
	if n != 1 {
		t.Fatalf("closed %d", n)
	}
	res, err := h.svc.Result(ctx, m, sh.ID)
	check(t, err)
	if res.State != quiz.AttemptGraded || *res.Score != 4 || !res.SubmittedAt.Equal(sh.DueAt) {
		t.Fatalf("%+v", res)
	}
}

func TestOverdueAttemptIsEndedWhenRead(t *testing.T) {
	h := openHall(t)
	m := h.member("东支部")
	sh := h.start(m, h.publish(h.input()))
	h.clock.Add(31 * time.Minute)
	got, err := h.svc.Sheet(t.Context(), m, sh.ID)
	check(t, err)
	if got.State != quiz.AttemptGraded {
		t.Fatal(got.State)
	}
}

func TestStartIsIdempotent(t *testing.T) {
	h := openHall(t)
	m := h.member("东支部")
	in := h.input()
	in.Rules.Attempts, in.Rules.ShowKey = 2, quiz.Never
	p := h.publish(in)
	ctx := call.With(t.Context(), call.Info{IdempotencyKey: "12345678", BodyHash: "x", Addr: "203.0.113.9"})
	one, err := h.svc.Start(ctx, m, p.ID)
	check(t, err)
	_, err = h.svc.Submit(ctx, m, one.ID)
	check(t, err)
	again, err := h.svc.Start(ctx, m, p.ID)
	check(t, err)
	if again.ID != one.ID {
		t.Fatal("a repeated start used up an attempt")
	}
	two := h.start(m, p)
	if two.Number != 2 {
		t.Fatal(two.Number)
	}
	_, err = h.svc.Submit(ctx, m, two.ID)
	check(t, err)
	_, err = h.svc.Start(t.Context(), m, p.ID)
	code(t, err, errs.Conflict)
}

func TestClosingCutsAttempts(t *testing.T) {
	h := openHall(t)
	ctx := t.Context()
	m := h.member("东支部")
	p := h.publish(h.input())
	sh := h.start(m, p)
	_, err := h.answer(m, sh, 1, 1, right(sh.Questions[0].Shown))
	check(t, err)
	p, err = h.svc.ClosePaper(ctx, h.boss, p.ID, p.Version)
	check(t, err)
	_, err = h.answer(m, sh, 2, 1, right(sh.Questions[1].Shown))
	code(t, err, errs.Conflict)
	_, err = h.svc.Start(ctx, h.member("东支部"), p.ID)
	code(t, err, errs.Conflict)
	h.clock.Add(3 * time.Second)
	res, err := h.svc.Result(ctx, m, sh.ID)
	check(t, err)
	if *res.Score != 2 || len(res.Questions) != 8 {
		t.Fatalf("%+v", res)
	}
}

func TestPracticePaperAnswersAtOnce(t *testing.T) {
	h := openHall(t)
	m := h.member("东支部")
	in := h.input()
	in.Kind, in.Rules.ShowKey, in.Rules.ShowScore, in.Rules.Attempts = quiz.PracticePaper, quiz.AtOnce, quiz.AtOnce, 0
	sh := h.start(m, h.publish(in))
	leaks(t, "questions not yet answered", sh.Questions)
	got, err := h.answer(m, sh, 1, 1, wrong(sh.Questions[0].Shown))
	check(t, err)
	if got.Result == nil || got.Result.Right || got.Result.Key == nil {
		t.Fatalf("%+v", got)
	}
	second, err := h.answer(m, sh, 1, 2, right(sh.Questions[0].Shown))
	check(t, err)
	if second.Seq != 1 || second.Answer == nil || second.Result.Right {
		t.Fatalf("an answer was changed after its key was shown: %+v", second)
	}
}
