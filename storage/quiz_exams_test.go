package storage_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/call"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/quiz"
	"tongxin/storage"
	"tongxin/storage/storagetest"
)

// examCrew is the store of exams on the tree of newCrew.
type examCrew struct {
	*crew
	x     *storage.Exams
	clock *clock.Manual
}

func eachExam(t *testing.T, fn func(t *testing.T, c *examCrew)) {
	t.Helper()
	clk := clock.NewManual(time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC))
	storagetest.EachOptions(t, storage.Options{Clock: clk}, func(t *testing.T, db *storage.DB) {
		fn(t, &examCrew{crew: newCrew(t, db), x: storage.NewExams(db), clock: clk})
	})
}

func (c *examCrew) paper(org string, edit func(*quiz.Paper)) *quiz.Paper {
	c.t.Helper()
	now := c.clock.Now()
	p := &quiz.Paper{
		ID: c.db.IDs().New(), OrgID: c.orgs[org].ID, Kind: quiz.ExamPaper, State: quiz.PaperPublished, Title: "考试", Version: 1, CreatedAt: now, UpdatedAt: now,
		Rules:     quiz.PaperRules{ClosesAt: now.Add(time.Hour), ShowKey: quiz.AfterClose},
		Questions: 3, Points: 6.5, Pinned: quiz.Pinned{Fixed: []quiz.Item{{Ref: quiz.Ref{ID: 7, Revision: 2}, Points: 2.5}}},
	}
	if edit != nil {
		edit(p)
	}
	_, err := c.x.CreatePaper(c.t.Context(), p, entry("paper.create"))
	ok(c.t, err)
	return p
}

func (c *examCrew) attempt(p *quiz.Paper, member ids.ID) *quiz.Attempt {
	return &quiz.Attempt{
		ID: c.db.IDs().New(), PaperID: p.ID, MemberID: member, OrgID: p.OrgID, Kind: p.Kind, Title: p.Title, State: quiz.AttemptOpen, Seed: 1 << 62,
		Items:   []quiz.Item{{Ref: quiz.Ref{ID: 7, Revision: 2}, Points: 2.5}, {Ref: quiz.Ref{ID: 8, Revision: 1}, Points: 2}, {Ref: quiz.Ref{ID: 9, Revision: 1}, Points: 2}},
		Started: c.clock.Now(), Due: p.Rules.ClosesAt, Points: 6.5, Addr: "203.0.113.9", Version: 1,
	}
}

func (c *examCrew) start(p *quiz.Paper, member ids.ID) *quiz.Attempt {
	c.t.Helper()
	a, err := c.x.Start(c.t.Context(), c.attempt(p, member), 0, entry("attempt.start"))
	ok(c.t, err)
	return a
}

func (c *examCrew) keep(a *quiz.Attempt, n int, seq int64, choice int) quiz.Keep {
	return quiz.Keep{Attempt: a.ID, N: n, Seq: seq, Answer: quiz.Answer{Choice: []int{choice}}, At: c.clock.Now()}
}

// graded gives every question its points and waits for a person at the third.
func graded(given []quiz.Given, _ time.Time) quiz.Graded {
	g := quiz.Graded{Score: 4.5, Pending: 1, Answered: len(given), KnownFrom: time.Date(2026, 3, 2, 2, 0, 0, 0, time.UTC)}
	for n := 1; n <= 3; n++ {
		g.Marks = append(g.Marks, quiz.Marked{N: n, Ref: quiz.Ref{ID: ids.ID(6 + n), Revision: 1}, Points: 2, Share: 1. / 3, Pending: n == 3, Given: true, Version: 1})
	}
	return g
}

func TestExams(t *testing.T) {
	eachExam(t, func(t *testing.T, c *examCrew) {
		ctx := t.Context()
		p := c.paper("root/a", nil)
		got, err := c.x.Paper(ctx, p.ID)
		ok(t, err)
		if got.OrgPath != c.orgs["root/a"].Path || got.Points != 6.5 || got.Pinned.Fixed[0].Revision != 2 || !got.Rules.ClosesAt.Equal(p.Rules.ClosesAt) {
			t.Fatalf("%+v", got)
		}
		draft := c.paper("root/c", func(p *quiz.Paper) { p.State = quiz.PaperDraft })
		list, err := c.x.Papers(ctx, quiz.PaperFilter{Scope: authz.Scope{Paths: []string{c.orgs["root/c"].Path}}}, page.Request{Limit: 9})
		ok(t, err)
		if len(list) != 1 || list[0].ID != draft.ID {
			t.Fatalf("%+v", list)
		}
		above := []ids.ID{c.orgs["root"].ID, c.orgs["root/a"].ID, c.orgs["root/c"].ID}
		open, err := c.x.Papers(ctx, quiz.PaperFilter{Orgs: above, Open: true, At: c.clock.Now()}, page.Request{Limit: 9})
		ok(t, err)
		past, err := c.x.Papers(ctx, quiz.PaperFilter{Orgs: above, Past: true, At: p.Rules.ClosesAt}, page.Request{Limit: 9})
		ok(t, err)
		if len(open) != 1 || open[0].ID != p.ID || len(past) != 1 {
			t.Fatalf("open %v, past %v", open, past)
		}
		code(t, c.x.SavePaper(ctx, p, 9, entry("paper.save")), errs.Stale)
		code(t, c.x.DeletePaper(ctx, p.ID, 1, entry("paper.delete")), errs.Stale) // published
		ok(t, c.x.DeletePaper(ctx, draft.ID, 1, entry("paper.delete")))
		reserved, err := c.x.Reserved(ctx, c.clock.Now())
		ok(t, err)
		if !slices.Equal(reserved, []ids.ID{7}) {
			t.Fatal(reserved)
		}
		a := c.start(p, 501)
		back, err := c.x.Attempt(ctx, a.ID)
		ok(t, err)
		if back.Seed != 1<<62 || len(back.Items) != 3 || back.Items[0].Points != 2.5 || back.Number != 1 || back.Addr == "" || !back.Due.Equal(a.Due) {
			t.Fatalf("%+v", back)
		}
		for i, w := range []struct {
			k     quiz.Keep
			taken bool
			seq   int64
		}{{c.keep(a, 1, 2, 0), true, 2}, {c.keep(a, 1, 2, 0), true, 2}, {c.keep(a, 1, 2, 1), false, 2}, {c.keep(a, 1, 1, 1), false, 2}, {c.keep(a, 1, 7, 3), true, 7}} {
			kept, err := c.x.Save(ctx, w.k)
			ok(t, err)
			if kept.Taken != w.taken || kept.Seq != w.seq || kept.Refused || (i < 4) != (kept.Answer.Choice[0] == 0) {
				t.Fatalf("%d: %+v", i, kept)
			}
		}
		final := c.keep(a, 1, 9, 1)
		final.Final = true
		kept, err := c.x.Save(ctx, final)
		ok(t, err)
		if kept.Taken || kept.Seq != 7 {
			t.Fatalf("a final answer was replaced: %+v", kept)
		}
		late := c.keep(a, 2, 1, 1)
		late.At = a.Due
		if kept, err = c.x.Save(ctx, late); err != nil || !kept.Refused || !kept.EndedAt.Equal(a.Due) {
			t.Fatalf("%+v %v", kept, err)
		}
		_, err = c.x.Save(ctx, quiz.Keep{Attempt: 77, N: 1, Seq: 1})
		code(t, err, errs.NotFound)
		if list, err := c.x.Overdue(ctx, a.Due.Add(-time.Millisecond), 9); err != nil || len(list) != 0 {
			t.Fatal(list, err)
		}
		if list, err := c.x.Overdue(ctx, a.Due, 9); err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		later := a.Due.Add(time.Hour)
		ok(t, c.x.Extend(ctx, a, later, entry("attempt.extend")))
		code(t, c.x.Extend(ctx, a, later, entry("attempt.extend")), errs.Conflict) // another version
		if got, err = c.x.Paper(ctx, p.ID); err != nil || !got.HeldTo.Equal(later) {
			t.Fatalf("%+v %v", got, err)
		}
		done, err := c.x.Finish(ctx, a.ID, quiz.Ending{State: quiz.AttemptExpired, DueBefore: a.Due}, graded, entry("attempt.expire"))
		ok(t, err)
		if done.State != quiz.AttemptOpen {
			t.Fatal("an extended attempt was ended")
		}
		done, err = c.x.Finish(ctx, a.ID, quiz.Ending{State: quiz.AttemptSubmitted, At: c.clock.Now()}, graded, entry("attempt.submit"))
		ok(t, err)
		again, err := c.x.Finish(ctx, a.ID, quiz.Ending{State: quiz.AttemptExpired}, graded, entry("attempt.expire"))
		ok(t, err)
		if done.State != quiz.AttemptSubmitted || again.State != quiz.AttemptSubmitted || done.Score != 4.5 || again.Answered != 1 || again.Pending != 1 {
			t.Fatalf("%+v %+v", done, again)
		}
		marks, err := c.x.Marks(ctx, a.ID)
		ok(t, err)
		if len(marks) != 3 || marks[0].Share != 0.333333 || !marks[2].Pending {
			t.Fatalf("%+v", marks)
		}
		seats, err := c.x.Seats(ctx, quiz.SeatFilter{Paper: p.ID, Scope: authz.Scope{All: true}}, page.Request{Limit: 9})
		ok(t, err)
		if len(seats) != 1 || seats[0].Answered != 1 || seats[0].Questions != 3 || seats[0].OrgPath != p.OrgPath && seats[0].OrgPath != c.orgs["root/a"].Path {
			t.Fatalf("%+v", seats)
		}
		waiting, err := c.x.Waiting(ctx, quiz.WaitingFilter{Scope: authz.Scope{All: true}, Paper: p.ID}, page.Request{Limit: 9})
		ok(t, err)
		if len(waiting) != 1 || waiting[0].N != 3 {
			t.Fatalf("%+v", waiting)
		}
		m := marks[2]
		m.Share, m.Pending, m.Version, m.Grader = 0.5, false, 2, "评卷人"
		ok(t, c.x.Mark(ctx, []quiz.Marked{m}, "评卷人", "评分", nil))
		code(t, c.x.Mark(ctx, []quiz.Marked{m}, "评卷人", "评分", nil), errs.Stale)
		if again, err = c.x.Attempt(ctx, a.ID); err != nil || again.State != quiz.AttemptGraded || again.Score != 2.33 || again.Pending != 0 {
			t.Fatalf("%+v %v", again, err)
		}
		facts, err := c.x.Facts(ctx, p.ID, authz.Scope{All: true}, 10)
		ok(t, err)
		if len(facts) != 1 || len(facts[0].Given) != 1 || len(facts[0].Wrong) != 0 {
			t.Fatalf("%+v", facts)
		}
	})
}

func TestExamCardsAndDailies(t *testing.T) {
	eachExam(t, func(t *testing.T, c *examCrew) {
		ctx := t.Context()
		d := &quiz.Daily{OrgID: c.orgs["root/a"].ID, DailyInput: quiz.DailyInput{Enabled: true, Count: 5, Topics: []string{"党章"}}, Version: 1}
		ok(t, c.x.SaveDaily(ctx, d, 0, entry("daily.save")))
		code(t, c.x.SaveDaily(ctx, d, 0, entry("daily.save")), errs.Stale)
		d.Version = 2
		ok(t, c.x.SaveDaily(ctx, d, 1, entry("daily.save")))
		got, err := c.x.Dailies(ctx, []ids.ID{d.OrgID, 4})
		ok(t, err)
		if len(got) != 1 || got[0].Version != 2 || got[0].Topics[0] != "党章" || got[0].OrgPath != c.orgs["root/a"].Path {
			t.Fatalf("%+v", got)
		}
		day := func(p *quiz.Paper) { p.Kind, p.Day, p.Rules.OpensAt = quiz.DailyPaper, "2026-03-02", c.clock.Now() }
		p := c.paper("root/a", day)
		twin := *p
		twin.ID = c.db.IDs().New()
		ok(t, c.x.AddDailyPaper(ctx, &twin, entry("daily.make")))
		one, err := c.x.DailyPaper(ctx, p.OrgID, p.Day)
		ok(t, err)
		recent, err := c.x.DailyRecent(ctx, p.OrgID, c.clock.Now())
		ok(t, err)
		if one.ID != p.ID || !slices.Equal(recent, []ids.ID{7}) {
			t.Fatal(one, recent)
		}
		a := c.start(p, 601)
		_, err = c.x.Finish(ctx, a.ID, quiz.Ending{State: quiz.AttemptSubmitted, At: c.clock.Now()}, graded, entry("attempt.submit"))
		ok(t, err)
		days, err := c.x.DailyDays(ctx, 601, 9)
		ok(t, err)
		todo, err := c.x.ToBook(ctx, time.Date(2026, 3, 2, 2, 0, 0, 0, time.UTC), 9)
		ok(t, err)
		if !slices.Equal(days, []string{"2026-03-02"}) || !slices.Equal(todo, []ids.ID{a.ID}) {
			t.Fatal(days, todo)
		}
		add := func(known map[ids.ID]quiz.Known) ([]quiz.Known, error) {
			k := known[7]
			k.MemberID, k.QuestionID, k.Revision, k.Book, k.Topics, k.Due = 601, 7, 1, true, []string{"党章"}, c.clock.Now()
			k.Wrong++
			k.Memory.Stability = 2.5
			return []quiz.Known{k}, nil
		}
		ok(t, c.x.Book(ctx, a.ID, 601, []ids.ID{7}, add))
		ok(t, c.x.Book(ctx, a.ID, 601, []ids.ID{7}, add)) // once only
		ok(t, c.x.Book(ctx, 0, 601, []ids.ID{7}, add))
		cards, err := c.x.Cards(ctx, quiz.CardFilter{Member: 601, Book: true, Topic: "党章", DueBy: c.clock.Now()}, 9)
		ok(t, err)
		if len(cards) != 1 || cards[0].Wrong != 2 || cards[0].Memory.Stability != 2.5 || cards[0].Topics[0] != "党章" {
			t.Fatalf("%+v", cards)
		}
		if none, err := c.x.Cards(ctx, quiz.CardFilter{Member: 601, Topic: "党"}, 9); err != nil || len(none) != 0 {
			t.Fatal(none, err)
		}
	})
}

// Whatever the order in which starts meet: one open attempt a member, one
// attempt a key, never more than allowed.
func TestExamStartsRace(t *testing.T) {
	eachExam(t, func(t *testing.T, c *examCrew) {
		p := c.paper("root", nil)
		for _, key := range []string{"", "key-00000001"} {
			member := c.db.IDs().New()
			for round := range 3 { // two are allowed
				var mu sync.Mutex
				seen := map[ids.ID]int{}
				var wg sync.WaitGroup
				for range 8 {
					wg.Go(func() {
						k := key
						if k != "" {
							k += fmt.Sprint(round)
						}
						ctx := call.With(t.Context(), call.Info{IdempotencyKey: k, BodyHash: "x"})
						e := entry("attempt.start")
						e.Actor = &authz.Actor{Kind: authz.Member, ID: member}
						a, err := c.x.Start(ctx, c.attempt(p, member), 2, e)
						mu.Lock()
						defer mu.Unlock()
						switch {
						case err == nil:
							seen[a.ID]++
						case round < 2 || errs.CodeOf(err) != errs.Conflict:
							t.Errorf("round %d: %v", round, err)
						}
					})
				}
				wg.Wait()
				if round < 2 && len(seen) != 1 || round == 2 && len(seen) != 0 {
					t.Fatalf("round %d made %v", round, slices.Collect(maps.Keys(seen)))
				}
				for id := range seen {
					_, err := c.x.Finish(t.Context(), id, quiz.Ending{State: quiz.AttemptSubmitted, At: c.clock.Now()}, graded, entry("attempt.submit"))
					ok(t, err)
				}
			}
		}
	})
}

// Answers race with each other and with the end: what was acknowledged was
// graded, what was refused was not, and the highest acknowledged seq stands.
func TestExamAnswersRaceWithTheEnd(t *testing.T) {
	eachExam(t, func(t *testing.T, c *examCrew) {
		p := c.paper("root", nil)
		for round := range 12 {
			a := c.start(p, c.db.IDs().New())
			var mu sync.Mutex
			acked, refused, tried := map[int]int64{}, 0, 0
			moment := make(chan struct{}) // when so many answers came back
			var wg sync.WaitGroup
			for w := range 6 {
				wg.Go(func() {
					rnd := rand.New(rand.NewPCG(uint64(round), uint64(w)))
					for i := range 15 {
						n, seq := 1+rnd.IntN(3), int64(1+i*6+w)
						kept, err := c.x.Save(t.Context(), c.keep(a, n, seq, int(seq%4)))
						if err != nil {
							t.Error(err)
							return
						}
						mu.Lock()
						if tried++; tried == 1+round*7 {
							close(moment)
						}
						if kept.Refused {
							refused++
						} else {
							acked[n] = max(acked[n], kept.Seq)
							if kept.Seq < seq {
								t.Errorf("seq %d was answered with %d", seq, kept.Seq)
							}
						}
						mu.Unlock()
					}
				})
			}
			var last []quiz.Given
			wg.Go(func() {
				<-moment
				_, err := c.x.Finish(t.Context(), a.ID, quiz.Ending{State: quiz.AttemptSubmitted, At: c.clock.Now()}, func(g []quiz.Given, at time.Time) quiz.Graded {
					last = g
					return graded(g, at)
				}, entry("attempt.submit"))
				if err != nil {
					t.Error(err)
				}
			})
			wg.Wait()
			now, err := c.x.Givens(t.Context(), a.ID)
			ok(t, err)
			if fmt.Sprint(now) != fmt.Sprint(last) {
				t.Fatalf("round %d: answers changed after the end:\n%v\n%v", round, now, last)
			}
			stored := map[int]int64{}
			for _, g := range last {
				stored[g.N] = g.Seq
				if g.Answer.Choice[0] != int(g.Seq%4) {
					t.Fatalf("an answer of another seq: %+v", g)
				}
			}
			if !maps.Equal(stored, acked) {
				t.Fatalf("round %d: acknowledged %v, graded %v (%d refused)", round, acked, stored, refused)
			}
		}
	})
}
