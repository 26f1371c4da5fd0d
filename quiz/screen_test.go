package quiz_test

import (
	"testing"

	"tongxin/internal/errs"
	"tongxin/internal/page"
	"tongxin/quiz"
)

// Graders read a short answer, and grade it, only once the content check is
// through; one that it refused is graded unread. It is handed in as the attempt
// ends, while its author is there.
func TestShortAnswersAreScreened(t *testing.T) {
	h := openHall(t)
	ctx := t.Context()
	h.bank.list = append(h.bank.list, quiz.Content{
		Kind: quiz.Short, Stem: "谈谈看法", Topics: []string{"党章"}, Difficulty: 1, Rubric: []quiz.Criterion{{Text: "要点", Share: 1}},
	})
	m := h.member("东支部")
	in := h.input()
	in.Items = []quiz.PaperItem{{ID: 1, Points: 2}, {ID: 25, Points: 10}}
	h.screened = quiz.Screened{Note: "正在审核"}
	h.take(m, h.publish(in), 2)
	if len(h.written) != 1 || h.written[0].Text != "我的看法" || h.written[0].Member != m.ID || h.written[0].Org != h.orgs["东支部"].ID {
		t.Fatalf("handed in: %+v", h.written)
	}
	look := func() quiz.Waiting {
		t.Helper()
		queue, err := h.svc.Queue(ctx, h.boss, 0, false, page.Request{Limit: 10})
		check(t, err)
		if len(queue.Items) != 1 {
			t.Fatalf("%+v", queue)
		}
		return queue.Items[0]
	}
	w := look()
	if w.Text != "" || w.Note != "正在审核" {
		t.Fatalf("%+v", w)
	}
	_, err := h.svc.GradeAnswer(ctx, h.boss, w.AttemptID, w.N, w.Version, quiz.GradeInput{Points: 8})
	code(t, err, errs.Conflict)
	h.screened = quiz.Screened{Refused: true, Note: "未通过"}
	if w = look(); w.Text != "" || w.Note != "未通过" {
		t.Fatalf("%+v", w)
	}
	h.screened = quiz.Screened{Shown: true}
	if w = look(); w.Text != "我的看法" || w.Note != "" {
		t.Fatalf("%+v", w)
	}
	h.screened = quiz.Screened{Refused: true, Note: "未通过"}
	got, err := h.svc.GradeAnswer(ctx, h.boss, w.AttemptID, w.N, w.Version, quiz.GradeInput{Points: 0})
	check(t, err)
	if got.Text != "" {
		t.Fatalf("%+v", got)
	}
}
