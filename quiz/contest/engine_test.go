package contest_test

import (
	"context"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tongxin/internal/ids"
	"tongxin/quiz"
	"tongxin/quiz/contest"
)

func itemsOf(n int) []contest.Item {
	list, err := bankOf(60).Contents(context.Background(), refs(n))
	if err != nil {
		panic(err)
	}
	out := make([]contest.Item, n)
	for i := range list {
		s := quiz.NewShuffle(&list[i], 7, i+1, true)
		out[i] = contest.Item{Content: list[i], Shuffle: s, Shown: s.Show(&list[i], plain), Key: s.Key(&list[i], plain)}
	}
	return out
}

// ledger is what a test knows of a contest: what an auditor would count.
type ledger struct {
	first  map[int]map[ids.ID]contest.Given // by question and player
	closed map[int]bool
}

// TestEngine plays random commands and answers against a ledger. Now and then
// the engine is thrown away and rebuilt from what was stored.
func TestEngine(t *testing.T) {
	const questions, seconds = 3, 10
	items := itemsOf(questions)
	rules, err := contest.Rules()
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(1_800_000_000, 0)
		c := contest.Contest{ID: 1, State: contest.Lobby, Mode: contest.Solo, Plan: contest.Plan{Seconds: seconds}, Rule: 1, CreatedAt: now}
		players := make([]contest.Player, rapid.IntRange(1, 5).Draw(t, "players"))
		for i := range players {
			players[i] = contest.Player{ID: ids.ID(i + 1), Name: "党员", EnteredAt: now}
		}
		e := contest.NewEngine(contest.Saved{Contest: c, Players: players}, rules[0], items)
		l := ledger{first: map[int]map[ids.ID]contest.Given{}, closed: map[int]bool{}}
		var pending []contest.Given
		t.Repeat(map[string]func(*rapid.T){
			"time passes": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(1, 4000).Draw(t, "ms")) * time.Millisecond)
			},
			"command": func(t *rapid.T) {
				verb := rapid.SampledFrom([]contest.Verb{
					contest.Start, contest.Next, contest.Next, contest.Skip, contest.Pause, contest.Resume, contest.Lock, contest.Close, contest.Recover,
				}).Draw(t, "verb")
				if verb == contest.Close && len(pending) > 0 {
					return // a room closes once everything is stored
				}
				before := e.Contest()
				s, err := e.Decide(contest.Command{Verb: verb, Lost: time.Second}, now)
				if e.Contest().N != before.N || e.Contest().State != before.State || e.Contest().Phase != before.Phase {
					t.Fatal("deciding changed the engine")
				}
				if err != nil {
					return
				}
				e.Apply(s)
				after := e.Contest()
				if after.N < before.N || after.N > before.N+1 {
					t.Fatalf("from question %d to %d", before.N, after.N)
				}
				if verb == contest.Close {
					l.closed[after.N] = true
				}
				if after.N != before.N {
					pending = nil // of a skipped question: stored or not, they count for nobody
				}
				if after.Phase == contest.Open && after.EndsAt.Sub(now) > seconds*time.Second {
					t.Fatal("more than a whole question is left")
				}
			},
			"answer": func(t *rapid.T) {
				p := ids.ID(rapid.IntRange(1, len(players)+1).Draw(t, "player"))
				n := rapid.IntRange(0, questions+1).Draw(t, "n")
				c := e.Contest()
				g, what, no := e.Take(p, n, quiz.Answer{Choice: []int{rapid.IntRange(-1, 4).Draw(t, "option")}}, now)
				_, had := l.first[n][p]
				open := c.State == contest.Running && c.Phase == contest.Open && !now.After(c.EndsAt)
				switch {
				case no != nil:
					if had && n == c.N {
						t.Fatalf("an answer that is stored is refused when it comes again: %v", no)
					}
				case what == contest.Fresh:
					if had || !open || n != c.N || int(p) > len(players) {
						t.Fatal("an answer that must not be taken")
					}
					if g.Right != (g.Points > 0) || g.Right && (g.Points < 500 || g.Points > 1000) {
						t.Fatalf("%+v", g)
					}
					pending = append(pending, g)
				case what == contest.Known && (!had || g.ReceivedAt != l.first[n][p].ReceivedAt):
					t.Fatal("another receipt than the first")
				}
			},
			"stored": func(t *rapid.T) {
				for _, g := range pending {
					if l.first[g.N] == nil {
						l.first[g.N] = map[ids.ID]contest.Given{}
					}
					l.first[g.N][g.Player] = g
				}
				e.Stored(pending)
				pending = nil
			},
			"the node dies": func(t *rapid.T) {
				pending = nil // was not acknowledged
				saved := contest.Saved{Contest: e.Contest(), Players: players, Totals: map[ids.ID]*contest.Total{}}
				for n, given := range l.first {
					for id, g := range given {
						if n == saved.Contest.N {
							saved.Given = append(saved.Given, g)
						}
						if !l.closed[n] {
							continue
						}
						if saved.Totals[id] == nil {
							saved.Totals[id] = &contest.Total{}
						}
						saved.Totals[id].Score += g.Points
					}
				}
				e = contest.NewEngine(saved, rules[0], items)
			},
			"": func(t *rapid.T) {
				want := map[ids.ID]int{}
				for n, given := range l.first {
					for id, g := range given {
						if l.closed[n] {
							want[id] += g.Points
						}
					}
				}
				list, _ := e.Board()
				for _, p := range list {
					if p.Score != want[p.Player] {
						t.Fatalf("player %d has %d points, the ledger says %d", p.Player, p.Score, want[p.Player])
					}
				}
			},
		})
	})
}

func FuzzDecodeFrame(f *testing.F) {
	for _, s := range []string{
		`{"type":"ping"}`, `{"type":"hello","resume":"x"}`, `{"type":"answer","n":3,"answer":{"choice":[2]}}`, `{"type":"answer","n":-1}`,
		`{"type":"answer","n":1,"answer":{"order":[1,0],"match":[-1],"blanks":["a"],"text":"b"}}`, `[]`, `null`, `{"type":"do"}`, `{"type":"answer","n":1e300}`,
	} {
		f.Add([]byte(s))
	}
	items := itemsOf(1)
	rules, err := contest.Rules()
	if err != nil {
		f.Fatal(err)
	}
	now := time.Unix(1_800_000_000, 0)
	f.Fuzz(func(t *testing.T, b []byte) {
		fr, no := contest.DecodeFrame(b)
		if no != nil {
			return
		}
		switch fr.Type {
		case "ping", "hello":
			return
		case "answer":
		default:
			t.Fatalf("type %q", fr.Type)
		}
		c := contest.Contest{State: contest.Running, Phase: contest.Open, N: 1, EndsAt: now.Add(time.Second), Plan: contest.Plan{Seconds: 10}}
		e := contest.NewEngine(contest.Saved{Contest: c, Players: []contest.Player{{ID: 1, EnteredAt: now}}}, rules[0], items)
		if g, _, no := e.Take(1, fr.N, fr.Answer, now); no == nil && (len(g.Answer.Choice) != 1 || g.Answer.Choice[0] < 0 || g.Answer.Choice[0] > 3) {
			t.Fatalf("a stored answer out of range: %+v", g)
		}
	})
}
