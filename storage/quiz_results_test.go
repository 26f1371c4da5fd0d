package storage_test

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/trail"
	"tongxin/quiz"
	"tongxin/quiz/analysis"
	"tongxin/quiz/results"
	"tongxin/storage"
	"tongxin/storage/storagetest"
)

// marksheet writes attempts as the exam store leaves them: what is read here is
// the tables, whoever filled them.
type marksheet struct {
	*roster
	store  *storage.Results
	paper  ids.ID
	people map[string]ids.ID
}

var day0 = time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)

func (m *marksheet) exec(q string, args ...any) {
	m.t.Helper()
	ok(m.t, m.db.Write(m.t.Context(), func(tx *storage.Tx) error {
		_, err := tx.Exec(q, args...)
		return err
	}))
}

func newMarksheet(t *testing.T, db *storage.DB) *marksheet {
	m := &marksheet{roster: newRoster(t, db), store: storage.NewResults(db), people: map[string]ids.ID{}}
	m.paper = m.addPaper("root", "closed", "合格证书")
	return m
}

func (m *marksheet) addPaper(org, state, certificate string) ids.ID {
	m.t.Helper()
	p := &quiz.Paper{
		ID: m.db.IDs().New(), OrgID: m.orgs[org].ID, OrgPath: m.orgs[org].Path, Kind: quiz.ExamPaper, State: quiz.PaperState(state), Title: "党章测试", Points: 10, Version: 1,
		Rules: quiz.PaperRules{PassPoints: 6, Counting: quiz.CountBest, ClosesAt: day0.Add(time.Hour), Certificate: certificate},
	}
	_, err := storage.NewExams(m.db).CreatePaper(m.t.Context(), p, entry("paper.create"))
	ok(m.t, err)
	return p.ID
}

func (m *marksheet) personIn(name, org string) ids.ID {
	m.t.Helper()
	if id := m.people[name]; id != 0 {
		return id
	}
	p := m.person(org, "")
	p.Name = name
	_, err := m.m.Create(m.t.Context(), m.put(p), entry("member.create"))
	ok(m.t, err)
	m.people[name] = p.ID
	return p.ID
}

// sat stores one ended attempt; marks are question → share, in turn.
func (m *marksheet) sat(paper ids.ID, name, org string, number int, score float64, used time.Duration, pending int, marks ...float64) ids.ID {
	m.t.Helper()
	id, member := m.db.IDs().New(), m.personIn(name, org)
	state := quiz.AttemptGraded
	if pending > 0 {
		state = quiz.AttemptSubmitted
	}
	m.exec(`INSERT INTO quiz_attempts (id, paper_id, member_id, org_id, kind, number, title, state, expired, seed, items, started_at, due_at, ended_at, score_milli,
		points_milli, pending, answered, addr, todo, todo_at, version) VALUES (?, ?, ?, ?, 'exam', ?, 't', ?, 0, 1, '', ?, 0, ?, ?, 10000, ?, 0, '', '', 0, 1)`,
		id, paper, member, m.orgs[org].ID, number, state, storage.Millis(day0), storage.Millis(day0.Add(used)), int64(score*1000), pending)
	for i, share := range marks {
		m.exec(`INSERT INTO quiz_marks (attempt_id, n, paper_id, question_id, revision, points_milli, share_ppm, given, pending, comment, grader, graded_at, version)
			VALUES (?, ?, ?, ?, 1, 5000, ?, 1, 0, '', '', 0, 1)`, id, i+1, paper, 100+i, int64(share*1e6))
		m.exec(`INSERT INTO quiz_answers (attempt_id, n, seq, answer, saved_at) VALUES (?, ?, 1, ?, 0)`, id, i+1, fmt.Sprintf(`{"choice":[%d]}`, int(share)))
	}
	return id
}

func (m *marksheet) choice(counting quiz.Counting, orgs ...string) results.Choice {
	c := results.Choice{Paper: m.paper, Counting: counting, Pass: 6, Area: authz.Scope{All: len(orgs) == 0}}
	for _, o := range orgs {
		c.Area.Paths = append(c.Area.Paths, m.orgs[o].Path)
	}
	return c
}

// places is "rank name score" of each standing.
func places(list []results.Standing) string {
	var out []string
	for _, s := range list {
		out = append(out, fmt.Sprintf("%d %s %g", s.Rank, s.Name, s.Score))
	}
	return strings.Join(out, ", ")
}

func TestStandings(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		m := newMarksheet(t, db)
		m.sat(m.paper, "甲", "root/a", 1, 4, 10*time.Minute, 0)
		m.sat(m.paper, "甲", "root/a", 2, 9, 20*time.Minute, 0)
		m.sat(m.paper, "甲", "root/a", 3, 5, 5*time.Minute, 0)
		m.sat(m.paper, "乙", "root/a/b", 1, 8, 9*time.Minute, 0)
		m.sat(m.paper, "丙", "root/c", 1, 8, 7*time.Minute, 0)
		m.sat(m.paper, "丁", "root/c", 1, 3, 7*time.Minute, 0)
		m.sat(m.paper, "戊", "root/c", 1, 2, 7*time.Minute, 2) // waits for grading
		m.sat(m.addPaper("root", "closed", ""), "己", "root/c", 1, 10, time.Minute, 0)
		m.personIn("庚", "root/c")
		m.exec(`INSERT INTO quiz_attempts (id, paper_id, member_id, org_id, kind, number, title, state, expired, seed, items, started_at, due_at, ended_at, score_milli,
			points_milli, pending, answered, addr, todo, todo_at, version) VALUES (1, ?, ?, 1, 'exam', 1, 't', 'open', 0, 1, '', 0, 0, 0, 0, 0, 0, 0, '', '', 0, 1)`, m.paper, m.people["庚"])
		for _, c := range []struct {
			what        string
			c           results.Choice
			skip, limit int
			want        string
		}{
			{"best", m.choice(quiz.CountBest), 0, 10, "1 甲 9, 2 丙 8, 2 乙 8, 4 丁 3, 0 戊 0"},
			{"last", m.choice(quiz.CountLast), 0, 10, "1 丙 8, 1 乙 8, 3 甲 5, 4 丁 3, 0 戊 0"},
			{"page", m.choice(quiz.CountBest), 2, 2, "2 乙 8, 4 丁 3"},
			{"subtree", m.choice(quiz.CountBest, "root/a"), 0, 10, "1 甲 9, 2 乙 8"},
			{"branch", m.choice(quiz.CountBest, "root/c"), 0, 10, "1 丙 8, 2 丁 3, 0 戊 0"},
			{"nowhere", results.Choice{Paper: m.paper}, 0, 10, ""},
			{"one member among all", results.Choice{Paper: m.paper, Area: authz.Scope{All: true}, Member: m.people["丁"]}, 0, 10, "4 丁 3"},
		} {
			list, err := m.store.Standings(t.Context(), c.c, c.skip, c.limit)
			ok(t, err)
			if got := places(list); got != c.want {
				t.Errorf("%s: %s, want %s", c.what, got, c.want)
			}
		}
		list, err := m.store.Standings(t.Context(), m.choice(quiz.CountBest), 0, 1)
		ok(t, err)
		if s := list[0]; s.Attempts != 3 || s.UsedSec != 1200 || !s.Passed || s.OrgName != "root/a" || !s.EndedAt.Equal(day0.Add(20*time.Minute)) {
			t.Errorf("%+v", s)
		}
		sum, err := m.store.Summary(t.Context(), m.choice(quiz.CountBest))
		ok(t, err)
		if sum.Took != 5 || sum.Graded != 4 || sum.Passed != 3 || *sum.Mean != 7 || *sum.Highest != 9 || *sum.Lowest != 3 {
			t.Errorf("%+v", sum)
		}
		none, err := m.store.Summary(t.Context(), m.choice(quiz.CountBest, "root/a/b"))
		if err != nil || none.Took != 1 {
			t.Errorf("%+v %v", none, err)
		}
		empty, err := m.store.Summary(t.Context(), results.Choice{Paper: 1, Area: authz.Scope{All: true}})
		if err != nil || empty.Took != 0 || empty.Mean != nil || empty.Highest != nil {
			t.Errorf("%+v %v", empty, err)
		}
	})
}

func TestTurnoutAndPapers(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		m := newMarksheet(t, db)
		m.sat(m.paper, "甲", "root/a", 1, 9, time.Minute, 0)
		m.sat(m.paper, "乙", "root/c", 1, 2, time.Minute, 0)
		m.personIn("丙", "root/c")
		left := m.personIn("丁", "root/c")
		m.exec(`UPDATE members SET state = 'left' WHERE id = ?`, left)
		list, err := m.store.Turnout(t.Context(), m.choice(quiz.CountBest), m.orgs["root"].Path)
		ok(t, err)
		var got []string
		for _, o := range list {
			mean := -1.0
			if o.Mean != nil {
				mean = *o.Mean
			}
			got = append(got, fmt.Sprintf("%s %d %d %d %g", o.OrgName, o.Should, o.Took, o.Passed, mean))
		}
		if want := []string{"root 0 0 0 -1", "root/a 1 1 1 9", "root/a/b 0 0 0 -1", "root/c 2 1 0 2"}; !reflect.DeepEqual(got, want) {
			t.Errorf("%q", got)
		}
		if list, err = m.store.Turnout(t.Context(), m.choice(quiz.CountBest, "root/c"), m.orgs["root"].Path); err != nil || len(list) != 1 {
			t.Errorf("%v %v", list, err)
		}
		if list, err = m.store.Turnout(t.Context(), m.choice(quiz.CountBest), m.orgs["root/a"].Path); err != nil || len(list) != 2 {
			t.Errorf("under the paper: %v %v", list, err)
		}

		other := m.addPaper("root/a", "closed", "")
		m.addPaper("root", "draft", "")
		c := authz.Scope{Paths: []string{m.orgs["root/c"].Path}}
		held, err := m.store.Held(t.Context(), c, authz.Ancestors(m.orgs["root/c"].Path), page.Request{Limit: 5})
		ok(t, err)
		if len(held) != 1 || held[0].ID != m.paper || held[0].Took != 1 || !held[0].LastAt.Equal(day0.Add(time.Minute)) {
			t.Errorf("%+v", held)
		}
		if held, err = m.store.Held(t.Context(), authz.Scope{All: true}, nil, page.Request{Limit: 1}); err != nil || len(held) != 2 || held[0].ID != other || held[1].Took != 2 {
			t.Errorf("%+v %v", held, err)
		}
		if held, err = m.store.Held(t.Context(), authz.Scope{All: true}, nil, page.Request{Limit: 1, After: other}); err != nil || len(held) != 1 {
			t.Errorf("%+v %v", held, err)
		}
	})
}

func TestCellsForTheAnalysis(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		m := newMarksheet(t, db)
		m.sat(m.paper, "甲", "root/a", 1, 10, time.Minute, 0, 1, 1)
		m.sat(m.paper, "甲", "root/a", 2, 0, time.Minute, 0, 0, 0) // not the first
		m.sat(m.paper, "乙", "root/a", 1, 5, time.Minute, 0, 1, 0)
		m.sat(m.paper, "丙", "root/c", 1, 5, time.Minute, 0, 1, 0)
		m.sat(m.paper, "丁", "root/c", 1, 5, time.Minute, 1, 1, 0) // not graded
		all, c := authz.Scope{All: true}, m.choice("", "root/c").Area
		totals, err := m.store.Totals(t.Context(), m.paper, all)
		ok(t, err)
		if want := []analysis.Count{{Total: 5, N: 2}, {Total: 10, N: 1}}; !reflect.DeepEqual(totals, want) {
			t.Errorf("%+v", totals)
		}
		cells, err := m.store.Cells(t.Context(), m.paper, all)
		ok(t, err)
		cell := func(q ids.ID, share, total float64, n int) results.Cell {
			return results.Cell{Question: q, Revision: 1, Points: 5, Share: share, Total: total, N: n}
		}
		want := []results.Cell{cell(100, 1, 5, 2), cell(100, 1, 10, 1), cell(101, 0, 5, 2), cell(101, 1, 10, 1)}
		if !reflect.DeepEqual(cells, want) {
			t.Errorf("%+v", cells)
		}
		if cells, err = m.store.Cells(t.Context(), m.paper, c); err != nil || len(cells) != 2 || cells[0].N != 1 {
			t.Errorf("%+v %v", cells, err)
		}
		answers, err := m.store.Answers(t.Context(), m.paper, 101, all, 5)
		ok(t, err)
		if len(answers) != 2 || answers[0].N != 2 || answers[0].Answer.Choice[0] != 0 || answers[1].N != 1 {
			t.Errorf("%+v", answers)
		}

		asked, err := m.store.Asked(t.Context(), all, day0, day0.Add(2*time.Hour))
		ok(t, err)
		if len(asked) != 2 || asked[0].Answered != 5 || asked[0].Right != 4 || asked[0].People != 4 || asked[1].Right != 1 {
			t.Errorf("%+v", asked)
		}
		for what, list := range map[string]func() ([]results.Asked, error){
			"later": func() ([]results.Asked, error) {
				return m.store.Asked(t.Context(), all, day0.Add(time.Hour), day0.Add(2*time.Hour))
			},
			"nowhere": func() ([]results.Asked, error) {
				return m.store.Asked(t.Context(), authz.Scope{}, day0, day0.Add(2*time.Hour))
			},
		} {
			if got, err := list(); err != nil || len(got) != 0 {
				t.Errorf("%s: %+v %v", what, got, err)
			}
		}
		// A paper that people can still take plays no part.
		m.exec(`UPDATE quiz_papers SET state = 'published' WHERE id = ?`, m.paper)
		if got, err := m.store.Asked(t.Context(), all, day0, day0); err != nil || len(got) != 0 {
			t.Errorf("open: %+v %v", got, err)
		}

		m.exec(`INSERT INTO question_topics (question_id, topic) VALUES (100, '党章')`)
		m.exec(`INSERT INTO question_topics (question_id, topic) VALUES (100, '纪律')`)
		topics, err := m.store.TopicsOf(t.Context(), []ids.ID{100, 101})
		if err != nil || !reflect.DeepEqual(topics, map[ids.ID][]string{100: {"党章", "纪律"}}) {
			t.Errorf("%v %v", topics, err)
		}
		if topics, err = m.store.TopicsOf(t.Context(), nil); err != nil || len(topics) != 0 {
			t.Errorf("%v %v", topics, err)
		}
		m.exec(`INSERT INTO member_settings (member_id, text_size, high_contrast, recommendations, rankings, updated_at) VALUES (?, 'normal', 0, 1, 0, 0)`, m.people["甲"])
		m.exec(`INSERT INTO member_settings (member_id, text_size, high_contrast, recommendations, rankings, updated_at) VALUES (?, 'normal', 0, 1, 1, 0)`, m.people["乙"])
		off, err := m.store.RankingsOff(t.Context(), []ids.ID{m.people["甲"], m.people["乙"], m.people["丙"]})
		if err != nil || !reflect.DeepEqual(off, map[ids.ID]bool{m.people["甲"]: true}) {
			t.Errorf("%v %v", off, err)
		}
		m.exec(`INSERT INTO quiz_cards (member_id, question_id, revision, in_book, right_times, wrong_times, last_answer, last_right, last_at, due_at, memory, topics)
			VALUES (?, 100, 2, 1, 3, 1, '{}', 1, 5, 0, '', '')`, m.people["甲"])
		known, err := m.store.Known(t.Context(), m.people["甲"])
		if err != nil || len(known) != 1 || known[0].Answered != 4 || known[0].Right != 3 || known[0].Revision != 2 {
			t.Errorf("%+v %v", known, err)
		}
	})
}

func certificate(m *marksheet, name string) results.Certificate {
	return results.Certificate{
		ID: m.db.IDs().New(), Code: "CODE" + name, IssuerID: m.orgs["root"].ID, Issuer: "党委", Year: 2026, Title: "合格证书", PaperID: m.paper, PaperTitle: "党章测试",
		AttemptID: 7, MemberID: m.people[name], Name: name, OrgName: "支部", EarnedAt: day0, IssuedAt: day0, Version: 1,
	}
}

func TestCertificates(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		m := newMarksheet(t, db)
		ctx := t.Context()
		first := m.sat(m.paper, "甲", "root/a", 1, 9, time.Minute, 0)
		m.sat(m.paper, "乙", "root/c", 1, 6, time.Minute, 0)
		m.sat(m.paper, "丙", "root/c", 1, 5, time.Minute, 0) // failed
		m.sat(m.paper, "丁", "root/c", 1, 9, time.Minute, 1) // not graded
		if got, err := m.store.Promised(ctx, m.people["甲"]); err != nil || len(got) != 1 || got[0] != m.paper {
			t.Fatalf("%v %v", got, err)
		}
		due, err := m.store.Unissued(ctx, m.choice(quiz.CountBest), 10)
		ok(t, err)
		if got := places(due); got != "1 甲 9, 2 乙 6" {
			t.Fatal(got)
		}
		issue := func(names ...string) {
			t.Helper()
			var list []results.Certificate
			for _, n := range names {
				list = append(list, certificate(m, n))
			}
			ok(t, m.store.Issue(ctx, list, func(c results.Certificate) trail.Entry {
				if c.Number == "" {
					t.Error("no number in the audit")
				}
				return entry("certificate.issue")
			}))
		}
		issue("甲", "乙")
		issue("甲") // has one
		if due, err = m.store.Unissued(ctx, m.choice(quiz.CountBest), 10); err != nil || len(due) != 0 {
			t.Errorf("%v %v", due, err)
		}
		if got, err := m.store.Promised(ctx, m.people["甲"]); err != nil || len(got) != 0 {
			t.Errorf("%v %v", got, err)
		}
		list, err := m.store.CertificateList(ctx, results.CertificateFilter{Paper: m.paper, Area: authz.Scope{All: true}}, page.Request{Limit: 5})
		ok(t, err)
		if len(list) != 2 || list[1].Number != "2026-000001" || list[0].Number != "2026-000002" || list[1].Name != "甲" || list[1].MemberPath != m.orgs["root/a"].Path {
			t.Fatalf("%+v", list)
		}
		if list, err = m.store.CertificateList(ctx, results.CertificateFilter{Paper: m.paper, Area: m.choice("", "root/c").Area}, page.Request{Limit: 5}); err != nil || len(list) != 1 || list[0].Name != "乙" {
			t.Errorf("%+v %v", list, err)
		}
		c, err := m.store.CertificateByCode(ctx, "CODE甲")
		ok(t, err)
		own, err := m.store.Own(ctx, m.people["甲"], page.Request{Limit: 5})
		if err != nil || len(own) != 1 || own[0].AttemptID != first || own[0].Certificate != 0 { // earned by another attempt
			t.Errorf("%+v %v", own, err)
		}
		c.RevokedAt, c.RevokedBy, c.Reason, c.Version = day0, "书记", "替考", 2
		code(t, m.store.Revoke(ctx, c, 5, entry("certificate.revoke")), errs.Stale)
		ok(t, m.store.Revoke(ctx, c, 1, entry("certificate.revoke")))
		again, err := m.store.Certificate(ctx, c.ID)
		ok(t, err)
		if !again.Revoked() || again.Reason != "替考" || again.Version != 2 {
			t.Errorf("%+v", again)
		}
		issue("甲") // revoked stays revoked
		if mine, err := m.store.CertificateList(ctx, results.CertificateFilter{Member: m.people["甲"]}, page.Request{Limit: 5}); err != nil || len(mine) != 1 || !mine[0].Revoked() {
			t.Errorf("%+v %v", mine, err)
		}
		_, err = m.store.CertificateByCode(ctx, "CODE无")
		code(t, err, errs.NotFound)
		_, err = m.store.Certificate(ctx, 5)
		code(t, err, errs.NotFound)
	})
}

// Whoever issues at the same time: each member gets one, and the numbers have
// no gap and no double.
func TestCertificatesIssuedAtOnce(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		m := newMarksheet(t, db)
		var names []string
		for i := range 12 {
			names = append(names, fmt.Sprint("人", i))
			m.personIn(names[i], "root/a")
		}
		var wg sync.WaitGroup
		for w := range 6 {
			wg.Go(func() {
				for i := range names {
					c := certificate(m, names[(i+w*2)%len(names)])
					c.Code += fmt.Sprint(w)
					if err := m.store.Issue(t.Context(), []results.Certificate{c}, func(results.Certificate) trail.Entry { return entry("certificate.issue") }); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		list, err := m.store.CertificateList(t.Context(), results.CertificateFilter{Paper: m.paper, Area: authz.Scope{All: true}}, page.Request{Limit: 50})
		ok(t, err)
		seen := map[string]bool{}
		for _, c := range list {
			seen[c.Number] = true
		}
		for i := range names {
			if !seen[fmt.Sprintf("2026-%06d", i+1)] {
				t.Errorf("number %d is missing", i+1)
			}
		}
		if len(list) != len(names) {
			t.Errorf("%d certificates for %d people", len(list), len(names))
		}
	})
}
