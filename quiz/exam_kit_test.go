package quiz_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/quiz"
	"tongxin/storage"
	"tongxin/storage/storagetest"
)

// shelf is a bank in memory: questions of the committee with ids from 1.
type shelf struct {
	list  []quiz.Content
	later map[quiz.Ref]quiz.Content // revisions after the first
}

func (b *shelf) Contents(_ context.Context, refs []quiz.Ref) ([]quiz.Content, error) {
	out := make([]quiz.Content, len(refs))
	for i, r := range refs {
		if r.ID < 1 || int(r.ID) > len(b.list) {
			return nil, errs.Missing("题目")
		}
		out[i] = b.list[r.ID-1]
		if c, ok := b.later[r]; ok {
			out[i] = c
		}
	}
	return out, nil
}

func (b *shelf) Pool(_ context.Context, q quiz.DrawQuery) (out []quiz.Ref, err error) {
	for i, c := range b.list {
		if q.Topic != "" && !slices.Contains(c.Topics, q.Topic) || q.Difficulty != 0 && c.Difficulty != q.Difficulty || q.Kind != "" && c.Kind != q.Kind {
			continue
		}
		out = append(out, quiz.Ref{ID: ids.ID(i + 1), Revision: 1})
	}
	return out, nil
}

// secret marks everything that is key: no member may see it early.
const secret = "机密"

// questions are n questions of every kind but short, in turn, on two topics.
func questions(n int) (out []quiz.Content) {
	for i := range n {
		c := quiz.Content{
			Stem: fmt.Sprintf("第 %d 道题", i+1), Topics: []string{"党章"}, Difficulty: 1 + i%3,
			Explanation: secret + "解析", Source: secret + "出处",
		}
		if i%2 == 1 {
			c.Topics = []string{"纪律"}
		}
		switch i % 4 {
		case 0:
			c.Kind = quiz.Single
			c.Options = []quiz.Option{{Text: "对的", Right: true}, {Text: "错的一"}, {Text: "错的二"}, {Text: "错的三"}}
		case 1:
			c.Kind = quiz.Multiple
			c.Options = []quiz.Option{{Text: "对一", Right: true}, {Text: "对二", Right: true}, {Text: "错一"}, {Text: "错二"}}
		case 2:
			c.Kind, c.Stem = quiz.Fill, c.Stem+" ___"
			c.Blanks = []quiz.Blank{{Accept: []string{secret + "词"}}}
		case 3:
			c.Kind, c.True = quiz.TrueFalse, true
		}
		out = append(out, c)
	}
	return out
}

// hall is papers and attempts on a real database: a committee over the branches
// east and west, each with members.
type hall struct {
	// written is what the content check was handed, screened what it says of all.
	written  []quiz.Written
	screened quiz.Screened
	t        *testing.T
	db       *storage.DB
	clock    *clock.Manual
	bank     *shelf
	store    *storage.Exams
	svc      *quiz.Exams
	orgs     map[string]quiz.Place
	boss     *authz.Actor
	no       map[ids.ID]bool // members who switched recommendations off
}

func openHall(t *testing.T) *hall {
	t.Helper()
	h := &hall{t: t, clock: clock.NewManual(time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)), bank: &shelf{list: questions(24)}, orgs: map[string]quiz.Place{}, no: map[ids.ID]bool{}}
	h.db = storagetest.Open(t, storage.Options{DSN: t.TempDir() + "/test.db", Clock: h.clock})
	for _, o := range [][2]string{{"党委", ""}, {"东支部", "党委"}, {"西支部", "党委"}} {
		id := h.db.IDs().New()
		path := h.orgs[o[1]].Path
		if path == "" {
			path = "/"
		}
		h.orgs[o[0]] = quiz.Place{ID: id, Path: path + id.String() + "/", Name: o[0]}
		check(t, h.db.Write(t.Context(), func(tx *storage.Tx) error {
			_, err := tx.Exec(`INSERT INTO orgs (id, parent_id, path, kind, name, short_name, settings, archived_at, version, created_at, updated_at, updated_by)
				VALUES (?, ?, ?, 'branch', ?, ?, '{}', 0, 1, 0, 0, 't')`, id, h.orgs[o[1]].ID, h.orgs[o[0]].Path, o[0], o[0])
			return err
		}))
	}
	h.screened.Shown = true
	h.store = storage.NewExams(h.db)
	h.svc = h.service()
	h.boss = h.staff("党委", quiz.Read, quiz.Manage, quiz.Grade, quiz.Results)
	return h
}

// service is another node on the same database.
func (h *hall) service() *quiz.Exams {
	h.t.Helper()
	svc, err := quiz.NewExams(quiz.ExamConfig{
		Store: storage.NewExams(h.db), Bank: h.bank, Clock: h.clock, IDs: h.db.IDs(),
		Org: func(_ context.Context, id ids.ID) (quiz.Place, error) {
			for _, o := range h.orgs {
				if o.ID == id {
					return o, nil
				}
			}
			return quiz.Place{}, errs.Missing("组织")
		},
		HTML:       func(md string) string { return "<p>" + md + "</p>" },
		Recommends: func(_ context.Context, m ids.ID) (bool, error) { return !h.no[m], nil },
		Screen: func(_ context.Context, list []quiz.Written) ([]quiz.Screened, error) {
			h.written = append(h.written, list...)
			out := make([]quiz.Screened, len(list))
			for i := range out {
				out[i] = h.screened
			}
			return out, nil
		},
	})
	check(h.t, err)
	return svc
}

func (h *hall) staff(org string, rights ...authz.Right) *authz.Actor {
	o := h.orgs[org]
	return &authz.Actor{ID: h.db.IDs().New(), Kind: authz.Staff, Name: org + "管理人", Grants: []authz.Grant{{Role: "x", OrgID: o.ID, Path: o.Path, Rights: rights}}}
}

// member enters somebody into the roster of a branch.
func (h *hall) member(org string) *authz.Actor {
	h.t.Helper()
	o, id := h.orgs[org], h.db.IDs().New()
	name := "党员" + id.String()[12:]
	check(h.t, h.db.Write(h.t.Context(), func(tx *storage.Tx) error {
		_, err := tx.Exec(`INSERT INTO members (id, org_id, group_id, name, kind, posts, gender, birth_date, joined_at, full_at, extended_to, state, left_at, left_why, note,
			phone_sealed, phone_index, phone_key, id_sealed, id_index, id_key, staff_id, staff_key, purged_at, version, created_at, updated_at, updated_by)
			VALUES (?, ?, 0, ?, 'full', '[]', '', '', '', '', '', 'active', '', '', '', '', '', ?, '', '', ?, 0, ?, 0, 1, 0, 0, 't')`,
			id, o.ID, name, "#"+id.String(), "#"+id.String(), "#"+id.String())
		return err
	}))
	return &authz.Actor{ID: id, Kind: authz.Member, Name: name, Grants: []authz.Grant{{Role: "member", OrgID: o.ID, Path: o.Path, Rights: []authz.Right{quiz.Take}}}}
}

// input is an exam of eight fixed questions, two points each, open for a week.
func (h *hall) input() quiz.PaperInput {
	in := quiz.PaperInput{OrgID: h.orgs["党委"].ID, Kind: quiz.ExamPaper, Title: "党章考试", Rules: quiz.PaperRules{
		OpensAt: h.clock.Now().Add(-time.Hour), ClosesAt: h.clock.Now().AddDate(0, 0, 7), DurationSec: 1800, Attempts: 1, Counting: quiz.CountBest,
		PassPoints: 10, Partial: true, ShowScore: quiz.AfterSubmit, ShowKey: quiz.AfterClose, ShuffleQuestions: true, ShuffleOptions: true,
	}}
	for i := range 8 {
		in.Items = append(in.Items, quiz.PaperItem{ID: ids.ID(i + 1), Points: 2})
	}
	return in
}

func (h *hall) publish(in quiz.PaperInput) *quiz.Paper {
	h.t.Helper()
	p, err := h.svc.CreatePaper(h.t.Context(), h.boss, in)
	check(h.t, err)
	p, err = h.svc.PublishPaper(h.t.Context(), h.boss, p.ID, p.Version)
	check(h.t, err)
	return p
}

func (h *hall) start(m *authz.Actor, p *quiz.Paper) *quiz.Sheet {
	h.t.Helper()
	sh, err := h.svc.Start(h.t.Context(), m, p.ID)
	check(h.t, err)
	return sh
}

func (h *hall) answer(m *authz.Actor, sh *quiz.Sheet, n int, seq int64, a quiz.Answer) (quiz.Saved, error) {
	return h.svc.SaveAnswer(h.t.Context(), m, sh.ID, quiz.AnswerIn{N: n, Seq: seq, Answer: a}, h.clock.Now())
}

// right is the right answer to a shown question, wrong one that earns nothing.
func right(q quiz.Shown) quiz.Answer {
	var a quiz.Answer
	switch q.Kind {
	case quiz.Single, quiz.Multiple:
		for i, o := range q.Options {
			if strings.Contains(o, "对") {
				a.Choice = append(a.Choice, i)
			}
		}
	case quiz.TrueFalse:
		a.Choice = []int{1}
	case quiz.Fill:
		a.Blanks = []string{secret + "词"}
	case quiz.Short:
		a.Text = "我的看法"
	}
	return a
}

func wrong(q quiz.Shown) quiz.Answer {
	var a quiz.Answer
	switch q.Kind {
	case quiz.Single, quiz.Multiple:
		for i, o := range q.Options {
			if strings.Contains(o, "错") {
				return quiz.Answer{Choice: []int{i}}
			}
		}
	case quiz.TrueFalse:
		a.Choice = []int{0}
	case quiz.Fill:
		a.Blanks = []string{"别的"}
	}
	return a
}

// take answers a whole attempt, the first rights of it rightly, and submits.
func (h *hall) take(m *authz.Actor, p *quiz.Paper, rights int) *quiz.Result {
	h.t.Helper()
	sh := h.start(m, p)
	for i, q := range sh.Questions {
		a := wrong(q.Shown)
		if i < rights {
			a = right(q.Shown)
		}
		_, err := h.answer(m, sh, q.N, 1, a)
		check(h.t, err)
	}
	res, err := h.svc.Submit(h.t.Context(), m, sh.ID)
	check(h.t, err)
	return res
}

// leaks reports key text in what a member gets.
func leaks(t *testing.T, what string, v any) {
	t.Helper()
	b, err := json.Marshal(v)
	check(t, err)
	for _, word := range []string{secret, `"right":true`, `"key"`, `"explanation"`, `"share"`} {
		if strings.Contains(string(b), word) {
			t.Errorf("%s tells %q before it may be known: %s", what, word, b)
		}
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func code(t testing.TB, err error, want errs.Code) {
	t.Helper()
	if errs.CodeOf(err) != want {
		t.Fatalf("code %q, want %q: %v", errs.CodeOf(err), want, err)
	}
}
