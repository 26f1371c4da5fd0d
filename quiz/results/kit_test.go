package results_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/typeset"
	"tongxin/quiz"
	"tongxin/quiz/results"
	"tongxin/storage"
	"tongxin/storage/storagetest"
)

// hall is results over the real bank, papers and attempts on a real database: a
// committee over the branches 东支部 and 西支部.
type hall struct {
	t         *testing.T
	db        *storage.DB
	clock     *clock.Manual
	bank      *quiz.Bank
	exams     *quiz.Exams
	svc       *results.Service
	orgs      map[string]quiz.Place
	boss      *authz.Actor // everything, on the committee
	questions []ids.ID
	off       map[ids.ID]bool // who switched rankings off
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func code(t *testing.T, err error, want errs.Code) {
	t.Helper()
	if errs.CodeOf(err) != want {
		t.Errorf("code %q, want %q: %v", errs.CodeOf(err), want, err)
	}
}

func (h *hall) place(_ context.Context, id ids.ID) (quiz.Place, error) {
	for _, o := range h.orgs {
		if o.ID == id {
			return o, nil
		}
	}
	return quiz.Place{}, errs.Missing("组织")
}

func open(t *testing.T) *hall {
	t.Helper()
	h := &hall{t: t, clock: clock.NewManual(time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)), orgs: map[string]quiz.Place{}, off: map[ids.ID]bool{}}
	h.db = storagetest.Open(t, storage.Options{DSN: t.TempDir() + "/test.db", Clock: h.clock})
	for _, o := range [][3]string{{"党委", "", "committee"}, {"东支部", "党委", "branch"}, {"西支部", "党委", "branch"}} {
		id := h.db.IDs().New()
		path := "/"
		if o[1] != "" {
			path = h.orgs[o[1]].Path
		}
		h.orgs[o[0]] = quiz.Place{ID: id, Path: path + id.String() + "/", Name: o[0]}
		h.exec(`INSERT INTO orgs (id, parent_id, path, kind, name, short_name, settings, archived_at, version, created_at, updated_at, updated_by)
			VALUES (?, ?, ?, ?, ?, ?, '{}', 0, 1, 0, 0, 't')`, id, h.orgs[o[1]].ID, h.orgs[o[0]].Path, o[2], o[0], o[0])
	}
	html := func(md string) string { return "<p>" + md + "</p>" }
	bank := storage.NewQuizBank(h.db)
	h.bank = quiz.NewBank(quiz.BankConfig{
		Store: bank, Clock: h.clock, IDs: h.db.IDs(), Place: h.place, HTML: html,
		Picture: func(context.Context, *authz.Actor, string) (bool, error) { return true, nil },
	})
	store := storage.NewExams(h.db)
	var err error
	h.exams, err = quiz.NewExams(quiz.ExamConfig{
		Store: store, Bank: bank, Clock: h.clock, IDs: h.db.IDs(), Org: h.place, HTML: html,
		Recommends: func(context.Context, ids.ID) (bool, error) { return true, nil },
	})
	check(t, err)
	setter, err := typeset.New()
	check(t, err)
	h.svc, err = results.New(results.Config{
		Store: storage.NewResults(h.db), Paper: store.Paper, Bank: bank, Clock: h.clock, IDs: h.db.IDs(), Random: rand.Reader, Setter: setter,
		PublicURL: "https://example.org", Org: h.place, HTML: html,
		Unlisted: func(context.Context, []ids.ID) (map[ids.ID]bool, error) { return h.off, nil },
	})
	check(t, err)
	h.boss = h.staff("党委", quiz.Read, quiz.Manage, quiz.Grade, quiz.Results)
	for i := range 4 {
		h.ask(quiz.Content{
			Kind: quiz.Single, Stem: fmt.Sprintf("第 %d 道题", i+1), Explanation: "机密解析", Topics: []string{[]string{"党章", "纪律"}[i%2]}, Difficulty: 1,
			Options: []quiz.Option{{Text: "对的", Right: true}, {Text: "错的一"}, {Text: "错的二"}, {Text: "错的三"}},
		})
	}
	return h
}

func (h *hall) exec(q string, args ...any) {
	h.t.Helper()
	check(h.t, h.db.Write(h.t.Context(), func(tx *storage.Tx) error {
		_, err := tx.Exec(q, args...)
		return err
	}))
}

func (h *hall) ask(c quiz.Content) {
	h.t.Helper()
	q, err := h.bank.Create(h.t.Context(), h.boss, quiz.QuestionInput{OrgID: h.orgs["党委"].ID, State: quiz.Active, Content: c})
	check(h.t, err)
	h.questions = append(h.questions, q.ID)
}

func (h *hall) staff(org string, rights ...authz.Right) *authz.Actor {
	o := h.orgs[org]
	return &authz.Actor{ID: h.db.IDs().New(), Kind: authz.Staff, Name: org + "管理人", Grants: []authz.Grant{{Role: "x", OrgID: o.ID, Path: o.Path, Rights: rights}}}
}

func (h *hall) member(org, name string) *authz.Actor {
	h.t.Helper()
	o, id := h.orgs[org], h.db.IDs().New()
	h.exec(`INSERT INTO members (id, org_id, group_id, name, kind, posts, gender, birth_date, joined_at, full_at, extended_to, state, left_at, left_why, note,
		phone_sealed, phone_index, phone_key, id_sealed, id_index, id_key, staff_id, staff_key, purged_at, version, created_at, updated_at, updated_by)
		VALUES (?, ?, 0, ?, 'full', '[]', '', '', '', '', '', 'active', '', '', '', '', '', ?, '', '', ?, 0, ?, 0, 1, 0, 0, 't')`,
		id, o.ID, name, "#"+id.String(), "#"+id.String(), "#"+id.String())
	return &authz.Actor{ID: id, Kind: authz.Member, Name: name, Grants: []authz.Grant{{Role: "member", OrgID: o.ID, Path: o.Path, Rights: []authz.Right{quiz.Take}}}}
}

// publish makes an exam of all questions, two points each, open for a week.
func (h *hall) publish(change func(*quiz.PaperInput)) *quiz.Paper {
	h.t.Helper()
	in := quiz.PaperInput{OrgID: h.orgs["党委"].ID, Kind: quiz.ExamPaper, Title: "党章考试", Rules: quiz.PaperRules{
		ClosesAt: h.clock.Now().AddDate(0, 0, 7), DurationSec: 1800, Attempts: 2, Counting: quiz.CountBest, PassPoints: 6,
		ShowScore: quiz.AfterSubmit, ShowKey: quiz.AfterClose, ShuffleQuestions: true, ShuffleOptions: true, Ranking: true, Certificate: "合格证书",
	}}
	for _, id := range h.questions {
		in.Items = append(in.Items, quiz.PaperItem{ID: id, Points: 2})
	}
	if change != nil {
		change(&in)
	}
	p, err := h.exams.CreatePaper(h.t.Context(), h.boss, in)
	check(h.t, err)
	p, err = h.exams.PublishPaper(h.t.Context(), h.boss, p.ID, p.Version)
	check(h.t, err)
	return p
}

// take answers the first right questions of a paper rightly and the others wrongly.
func (h *hall) take(p *quiz.Paper, m *authz.Actor, right int) ids.ID {
	h.t.Helper()
	ctx := h.t.Context()
	sh, err := h.exams.Start(ctx, m, p.ID)
	check(h.t, err)
	h.clock.Add(time.Minute)
	for _, q := range sh.Questions {
		var a quiz.Answer
		var n int
		_, err := fmt.Sscanf(q.Shown.Stem, "<p>第 %d 道题</p>", &n)
		check(h.t, err)
		for i, o := range q.Shown.Options {
			if strings.Contains(o, "对") == (n <= right) {
				a.Choice = []int{i}
			}
		}
		_, err = h.exams.SaveAnswer(ctx, m, sh.ID, quiz.AnswerIn{N: q.N, Seq: 1, Answer: a}, h.clock.Now())
		check(h.t, err)
	}
	_, err = h.exams.Submit(ctx, m, sh.ID)
	check(h.t, err)
	return sh.ID
}
