package contest_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/quiz/contest"
	"tongxin/storage/storagetest"
)

func code(t *testing.T, err error, want errs.Code) {
	t.Helper()
	if errs.CodeOf(err) != want {
		t.Fatalf("code %q, want %q: %v", errs.CodeOf(err), want, err)
	}
}

func TestLateAnswersAreRefusedAndRepeatedOnesAcknowledged(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		c := h.opened(contest.Input{Seconds: 10})
		a, b := h.join(c, 1, "root/a"), h.join(c, 2, "root/a")
		h.do(c, contest.Start)
		a.of("question", 1)
		a.answer(1, 0)
		first := a.of("ack", 1)["receivedAt"]
		time.Sleep(time.Second)
		a.answer(1, 3) // another option changes nothing
		synctest.Wait()
		time.Sleep(time.Second)
		acks := 0
		for _, f := range a.all() {
			if f.kind() == "ack" {
				acks++
				if f["receivedAt"] != first {
					t.Fatalf("another receipt: %v", f)
				}
			}
		}
		if acks != 2 {
			t.Fatalf("%d acknowledgements", acks)
		}
		time.Sleep(8 * time.Second) // exactly the end, the board is not out
		b.answer(1, 0)
		if f := b.of("refused", 1); f["code"] != "late" && f["code"] != "closed" {
			t.Fatalf("%v", f)
		}
		b.of("board", 1)
		b.answer(1, 0)
		b.answer(2, 0)
		b.say(`nonsense`)
		b.say(`{"type":"answer","n":1,"answer":{"choice":[17]}}`)
		b.of("refused", 2)
		time.Sleep(time.Second)
		players, totals, err := h.store.Results(t.Context(), c.ID)
		if err != nil || len(players) != 2 || len(totals) != 1 {
			t.Fatalf("%v %v %v", players, totals, err)
		}
	})
}

func TestPauseSkipAndEnd(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		c := h.opened(contest.Input{Seconds: 10, Questions: refs(3)})
		a := h.join(c, 1, "root/a")
		h.do(c, contest.Start)
		a.of("question", 1)
		time.Sleep(4 * time.Second)
		h.do(c, contest.Pause)
		if f := a.of("paused", 1); f.num("leftMs") != 6000 {
			t.Fatalf("%v", f)
		}
		a.answer(1, 0)
		if f := a.of("refused", 1); f["code"] != "paused" {
			t.Fatalf("%v", f)
		}
		time.Sleep(time.Minute)
		if _, err := h.svc.Command(t.Context(), h.host, c.ID, contest.Command{Verb: contest.Next}); errs.CodeOf(err) != errs.Conflict {
			t.Fatal(err)
		}
		h.do(c, contest.Resume)
		a.of("resumed", 1)
		time.Sleep(time.Second)
		a.answer(1, rightOption(c.Seed, 1))
		a.of("ack", 1)
		h.do(c, contest.Skip)
		a.of("skipped", 1)
		seen := 1
		_, err := h.svc.Command(t.Context(), h.host, c.ID, contest.Command{Verb: contest.Next, Seen: &seen})
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.svc.Command(t.Context(), h.host, c.ID, contest.Command{Verb: contest.Skip, Seen: &seen}) // pressed twice
		code(t, err, errs.Stale)
		a.of("question", 2)
		a.answer(2, rightOption(c.Seed, 2))
		time.Sleep(11 * time.Second)
		if f := a.of("board", 2); f.num("me", "score") != 1000 { // the skipped question counts for nobody
			t.Fatalf("%v", f)
		}
		h.do(c, contest.Next)
		a.of("question", 3)
		a.answer(3, rightOption(c.Seed, 3))
		a.of("ack", 3)
		h.do(c, contest.End) // in the middle of a question: it counts for nobody
		if f := a.of("finished", -1); f.num("me", "score") != 1000 {
			t.Fatalf("%v", f)
		}
		_, err = h.svc.Command(t.Context(), h.host, c.ID, contest.Command{Verb: contest.Next})
		code(t, err, errs.Conflict)
		_, err = h.svc.JoinByCode(t.Context(), h.member(5, "root/a"), c.Code, "")
		code(t, err, errs.Invalid) // the code died with the contest
	})
}

func TestReconnectIntoTheQuestion(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		c := h.opened(contest.Input{Seconds: 20})
		a, b := h.join(c, 1, "root/a"), h.join(c, 2, "root/a")
		h.do(c, contest.Start)
		a.of("question", 1)
		a.answer(1, 0)
		a.of("ack", 1)
		a.hang()
		b.of("question", 1)
		time.Sleep(3 * time.Second)
		again := h.join(c, 1, "root/a")
		q := again.of("question", 1)
		if q["endsAt"] == nil || again.of("ack", 1).num("n") != 1 {
			t.Fatalf("%v", again.kinds())
		}
		time.Sleep(18 * time.Second)
		again.of("board", 1)
		late := h.join(c, 3, "root/b") // in the middle: sees what is now
		if kinds := late.of("board", 1); kinds.num("of") < 2 {
			t.Fatalf("%v", kinds)
		}
		want := []string{"welcome", "reveal1", "board1"}
		time.Sleep(time.Second)
		if !slices.Equal(late.kinds(), want) {
			t.Fatalf("%v, want %v", late.kinds(), want)
		}
		late.say(`{"type":"hello"}`)
		late.say(`{"type":"ping"}`)
		late.of("pong", -1)
	})
}

func TestRemovedPlayersDoNotComeBack(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		c := h.opened(contest.Input{})
		a, b := h.join(c, 1, "root/a"), h.join(c, 2, "root/a")
		a.of("welcome", -1)
		in, err := h.svc.Join(t.Context(), h.member(1, "root/a"), c.ID, "") // a ticket from before
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.svc.Command(t.Context(), h.host, c.ID, contest.Command{Verb: contest.Remove, Player: 1001}); err != nil {
			t.Fatal(err)
		}
		a.of("removed", -1)
		<-a.done
		if a.code != contest.CloseRemoved {
			t.Fatalf("closed with %d", a.code)
		}
		code(t, h.phone().dial(in), errs.Forbidden)
		_, err = h.svc.Join(t.Context(), h.member(1, "root/a"), c.ID, "")
		code(t, err, errs.Forbidden)
		_, err = h.svc.JoinByCode(t.Context(), h.member(1, "root/a"), c.Code, "")
		code(t, err, errs.Forbidden)
		_, err = h.svc.Command(t.Context(), h.host, c.ID, contest.Command{Verb: contest.Remove, Player: 4711})
		code(t, err, errs.NotFound)
		h.do(c, contest.Lock)
		_, err = h.svc.Join(t.Context(), h.member(9, "root/a"), c.ID, "")
		code(t, err, errs.Conflict)
		b.hang()
		back := h.join(c, 2, "root/a") // who is in may come back
		h.do(c, contest.Start)
		if f := back.wait("question", func(f frame) bool { return f.kind() == "question" }); f.num("n") != 1 {
			t.Fatal(f)
		}
		out, err := h.svc.Results(t.Context(), h.host, c.ID)
		if err != nil || len(out.Places) != 1 || out.Contest.Players != 1 {
			t.Fatalf("%+v %v", out, err)
		}
	})
}

func TestSlowAndNoisyClientsCostThemselves(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		c := h.opened(contest.Input{Seconds: 5, Questions: refs(3)})
		slow := h.phone()
		slow.hold = make(chan struct{})
		in, err := h.svc.Join(t.Context(), h.member(1, "root/a"), c.ID, "")
		if err != nil {
			t.Fatal(err)
		}
		if err := slow.dial(in); err != nil {
			t.Fatal(err)
		}
		quick := h.join(c, 2, "root/a")
		noisy := h.join(c, 3, "root/a")
		h.do(c, contest.Start)
		quick.of("question", 1)
		for range 100 {
			noisy.say(`{"type":"ping"}`)
		}
		<-noisy.done
		if noisy.code != contest.CloseFlood {
			t.Fatalf("noisy: closed with %d", noisy.code)
		}
		for range 40 { // acknowledgements and refusals are never superseded
			slow.say(`{"type":"answer","n":9,"answer":{"choice":[0]}}`)
			time.Sleep(300 * time.Millisecond)
		}
		quick.of("board", 1) // the room never waited
		close(slow.hold)
		<-slow.done
		if slow.code != contest.CloseSlow {
			t.Fatalf("slow: closed with %d", slow.code)
		}
	})
}

func TestASlowClientSeesOnlyWhatIsNow(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		c := h.opened(contest.Input{Seconds: 5, Questions: refs(4)})
		slow := h.phone()
		in, err := h.svc.Join(t.Context(), h.member(1, "root/a"), c.ID, "")
		if err != nil {
			t.Fatal(err)
		}
		slow.hold = make(chan struct{})
		if err := slow.dial(in); err != nil {
			t.Fatal(err)
		}
		h.do(c, contest.Start)
		for range 3 {
			time.Sleep(6 * time.Second)
			h.do(c, contest.Next)
		}
		close(slow.hold)
		slow.of("question", 4)
		time.Sleep(time.Second)
		for _, k := range slow.kinds() {
			if k == "board2" || k == "question2" || k == "question3" || k == "reveal3" {
				t.Fatalf("superseded frames came: %v", slow.kinds())
			}
		}
	})
}

func TestEarlyCloseAndAutomaticHost(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		c := h.opened(contest.Input{Seconds: 60, Questions: refs(2), Early: true, Auto: true, Rest: 5, StartsAt: time.Now().Add(30 * time.Second)})
		a, b := h.join(c, 1, "root/a"), h.join(c, 2, "root/a")
		began := time.Now()
		a.of("question", 1)
		if d := time.Since(began); d < 29*time.Second || d > 31*time.Second {
			t.Fatalf("it began after %v", d)
		}
		b.of("question", 1)
		a.answer(1, 0)
		b.answer(1, 1)
		a.of("board", 1)
		if d := time.Since(began); d > 35*time.Second {
			t.Fatalf("it was not closed early: %v", d)
		}
		a.of("question", 2)
		b.hang() // who is gone is not waited for
		a.answer(2, 0)
		a.of("finished", -1)
		if d := time.Since(began); d > 60*time.Second {
			t.Fatalf("it took %v", d)
		}
	})
}

func TestMatches(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		in1, err := h.svc.Match(ctx, h.member(1, "root/a"), contest.MatchAsk{Size: 2})
		if err != nil {
			t.Fatal(err)
		}
		a := h.connect(in1)
		a.of("lobby", -1)
		stranger := actor(authz.Member, 77, "外人", h.orgs["other"], contest.Play)
		in, err := h.svc.Match(ctx, stranger, contest.MatchAsk{Size: 2})
		if err != nil || in.ContestID == in1.ContestID {
			t.Fatalf("opponents from another house: %v", err)
		}
		if in, err = h.svc.Match(ctx, h.member(1, "root/a"), contest.MatchAsk{Size: 2}); err != nil || in.ContestID != in1.ContestID {
			t.Fatalf("asking again must find the own seat: %v", err)
		}
		in2, err := h.svc.Match(ctx, h.member(2, "root/b"), contest.MatchAsk{Size: 2})
		if err != nil || in2.ContestID != in1.ContestID {
			t.Fatalf("%+v %v", in2, err)
		}
		b := h.connect(in2)
		if in3, err := h.svc.Match(ctx, h.member(3, "root/b"), contest.MatchAsk{Size: 2}); err != nil || in3.ContestID == in1.ContestID {
			t.Fatalf("a third seat in a match of two: %v", err)
		}
		c, err := h.store.Contest(ctx, in1.ContestID)
		if err != nil {
			t.Fatal(err)
		}
		for n := 1; n <= contest.MatchQuestions; n++ {
			a.of("question", n)
			b.of("question", n)
			a.answer(n, rightOption(c.Seed, 1)) // the bank of the test gives no other order to
			b.answer(n, 0)
			a.of("board", n)
		}
		a.of("finished", -1)
		if c, err = h.store.Contest(ctx, c.ID); err != nil || c.State != contest.Finished {
			t.Fatalf("%+v %v", c, err)
		}
		// By code, and only by code.
		mine, err := h.svc.Match(ctx, h.member(4, "root/a"), contest.MatchAsk{Size: 2, Private: true})
		if err != nil || mine.Code == "" {
			t.Fatalf("%+v %v", mine, err)
		}
		if in, err = h.svc.Match(ctx, h.member(5, "root/a"), contest.MatchAsk{Code: " " + strings.ToLower(mine.Code)}); err != nil || in.ContestID != mine.ContestID {
			t.Fatalf("%+v %v", in, err)
		}
		_, err = h.svc.Match(ctx, h.member(6, "root/a"), contest.MatchAsk{Size: 3})
		code(t, err, errs.Invalid)
	})
}

func TestAMatchWithoutOpponentEnds(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		in, err := h.svc.Match(t.Context(), h.member(1, "root/a"), contest.MatchAsk{Size: 4})
		if err != nil {
			t.Fatal(err)
		}
		a := h.connect(in)
		in2, err := h.svc.Match(t.Context(), h.member(2, "root/a"), contest.MatchAsk{Size: 4})
		if err != nil || in2.ContestID != in.ContestID {
			t.Fatal(err)
		}
		b := h.connect(in2)
		b.of("lobby", -1)
		b.hang()
		time.Sleep(20 * time.Second) // the seat is free again
		if c, err := h.store.Contest(t.Context(), in.ContestID); err != nil || c.Players != 1 || c.State != contest.Lobby {
			t.Fatalf("%+v %v", c, err)
		}
		time.Sleep(3 * time.Minute)
		a.of("finished", -1)
		// Two of four begin after half a minute.
		first, err := h.svc.Match(t.Context(), h.member(3, "root/a"), contest.MatchAsk{Size: 4})
		if err != nil {
			t.Fatal(err)
		}
		second, err := h.svc.Match(t.Context(), h.member(4, "root/a"), contest.MatchAsk{Size: 4})
		if err != nil {
			t.Fatal(err)
		}
		p, began := h.connect(first), time.Now()
		h.connect(second)
		p.of("question", 1)
		if d := time.Since(began); d < 29*time.Second || d > 32*time.Second {
			t.Fatalf("began after %v", d)
		}
	})
}

func TestTeamsBranchesAndHiddenPlayers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := storagetest.SQLite(t)
		h := newHouse(t, db, orgsIn(t, db), func(c *contest.Config) {
			c.Hidden = func(_ context.Context, id ids.ID) (bool, error) { return id == 1002, nil }
			c.Check = func(_ context.Context, _ *authz.Actor, text string) error {
				if strings.Contains(text, "坏") {
					return errs.Bad("team", "队名没有通过检查。")
				}
				return nil
			}
		})
		ctx := t.Context()
		c := h.opened(contest.Input{Mode: contest.Teams, BestOf: 2})
		for team, want := range map[string]errs.Code{"": errs.Invalid, strings.Repeat("长", 21): errs.Invalid, "坏队": errs.Invalid} {
			_, err := h.svc.Join(ctx, h.member(1, "root/a"), c.ID, team)
			code(t, err, want)
		}
		one, err := h.svc.Join(ctx, h.member(1, "root/a"), c.ID, "  红 队 ")
		if err != nil {
			t.Fatal(err)
		}
		two, err := h.svc.JoinByCode(ctx, h.member(2, "root/b"), c.Code, "蓝队")
		if err != nil {
			t.Fatal(err)
		}
		a, b := h.connect(one), h.connect(two)
		h.do(c, contest.Start)
		a.of("question", 1)
		b.of("question", 1)
		b.answer(1, rightOption(c.Seed, 1))
		b.of("ack", 1)
		f := a.of("board", 1)
		top := f["top"].([]any)
		if first := top[0].(map[string]any); first["name"] != contest.Anonymous || first["org"] != nil || first["team"] != nil {
			t.Fatalf("a hidden player is named: %v", first)
		}
		teams := f["teams"].([]any)
		if first := teams[0].(map[string]any); first["name"] != "蓝队" || first["score"] != 500.0 { // 1000 over two seats
			t.Fatalf("%v", teams)
		}
		if me := b.of("welcome", -1); me["me"].(map[string]any)["name"] != "党员2" {
			t.Fatalf("a hidden player sees the own name: %v", me)
		}
		fixed := h.opened(contest.Input{Mode: contest.Teams, Teams: []string{"甲队", "乙队"}})
		_, err = h.svc.Join(ctx, h.member(1, "root/a"), fixed.ID, "丙队")
		code(t, err, errs.Invalid)
		if _, err = h.svc.Join(ctx, h.member(1, "root/a"), fixed.ID, "乙队"); err != nil {
			t.Fatal(err)
		}
		branch := h.opened(contest.Input{Mode: contest.Branches})
		p := h.join(branch, 1, "root/a")
		if me := p.of("welcome", -1)["me"].(map[string]any); me["team"] != "root/a" {
			t.Fatalf("%v", me)
		}
	})
}

func TestWhoMayJoin(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		c := h.opened(contest.Input{OrgID: h.orgs["root/a"].ID})
		foreign := h.member(1, "root/b")
		_, err := h.svc.Join(ctx, foreign, c.ID, "")
		code(t, err, errs.NotFound) // not meant for this branch, and so not to be known
		if cards, err := h.svc.Cards(ctx, foreign, pageOf(10)); err != nil || len(cards.Items) != 0 {
			t.Fatalf("%v %v", cards, err)
		}
		if _, err = h.svc.JoinByCode(ctx, foreign, c.Code, ""); err != nil { // the code admits
			t.Fatal(err)
		}
		if _, err = h.svc.Join(ctx, foreign, c.ID, ""); err != nil { // and so does having joined
			t.Fatal(err)
		}
		cards, err := h.svc.Cards(ctx, foreign, pageOf(10))
		if err != nil || len(cards.Items) != 1 || !cards.Items[0].Joined {
			t.Fatalf("%+v %v", cards, err)
		}
		_, err = h.svc.Join(ctx, h.host, c.ID, "")
		code(t, err, errs.NotFound) // staff do not play
		draft, err := h.svc.Create(ctx, h.host, contest.Input{OrgID: h.orgs["root"].ID, Title: "未开放", Mode: contest.Solo, Seconds: 10, Questions: refs(1)})
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.svc.Join(ctx, h.member(2, "root/a"), draft.ID, "")
		code(t, err, errs.NotFound)
		_, err = h.svc.View(ctx, h.host, draft.ID, contest.RoleHost)
		code(t, err, errs.Conflict)
		other := actor(authz.Staff, 5, "外人", h.orgs["other"], contest.Host)
		for _, err := range []error{
			second(h.svc.Get(ctx, other, c.ID)), second(h.svc.Command(ctx, other, c.ID, contest.Command{Verb: contest.Start})),
			second(h.svc.View(ctx, other, c.ID, contest.RoleHost)), second(h.svc.Results(ctx, other, c.ID)), second(h.svc.Open(ctx, other, draft.ID)),
		} {
			code(t, err, errs.NotFound)
		}
		tries := 0
		for range 30 {
			if _, err := h.svc.JoinByCode(ctx, h.member(9, "root/a"), "222222", ""); errs.Is(err, errs.TooMany) {
				tries++
			}
		}
		if tries < 9 {
			t.Fatalf("codes may be tried without end")
		}
	})
}

func second[T any](_ T, err error) error { return err }

func TestTicketsOpenOneConnection(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		c := h.opened(contest.Input{})
		in, err := h.svc.Join(t.Context(), h.member(1, "root/a"), c.ID, "")
		if err != nil {
			t.Fatal(err)
		}
		h.connect(in)
		code(t, h.phone().dial(in), errs.Unauthorized)
		old, err := h.svc.Join(t.Context(), h.member(1, "root/a"), c.ID, "")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(61 * time.Second)
		code(t, h.phone().dial(old), errs.Unauthorized)
		h.join(c, 1, "root/a")
		h.join(c, 1, "root/a")
		in, err = h.svc.Join(t.Context(), h.member(1, "root/a"), c.ID, "")
		if err != nil {
			t.Fatal(err)
		}
		code(t, h.phone().dial(in), errs.TooMany) // a fourth device
		code(t, h.phone().dial(&contest.Entrance{Ticket: "x"}), errs.Unauthorized)
		if err := h.store.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestViewsShowWhatPlayersDoNotSee(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		c := h.opened(contest.Input{Seconds: 10})
		in, err := h.svc.View(t.Context(), h.host, c.ID, contest.RoleProjector)
		if err != nil {
			t.Fatal(err)
		}
		screen := h.connect(in)
		if f := screen.of("welcome", -1); f["code"] != c.Code || f["role"] != "projector" {
			t.Fatalf("%v", f)
		}
		a := h.join(c, 1, "root/a")
		if f := a.of("welcome", -1); f["code"] != nil {
			t.Fatalf("players are shown the code: %v", f)
		}
		h.do(c, contest.Start)
		screen.of("question", 1)
		a.answer(1, 0)
		screen.wait("count", func(f frame) bool { return f.kind() == "count" && f.num("answered") == 1 })
		screen.answer(1, 0)
		if f := screen.of("refused", 1); f["code"] != "stranger" {
			t.Fatalf("%v", f)
		}
		screen.of("board", 1)
		for _, f := range a.all() {
			if f.kind() == "count" {
				t.Fatal("a player is told how many answered")
			}
		}
		out, err := h.svc.Results(t.Context(), h.host, c.ID)
		if err != nil || len(out.Places) != 1 {
			t.Fatalf("a projector stands on the board: %+v %v", out, err)
		}
	})
}

// TestANodeThatGoesKeepsEverything stops a node in the middle of a question and
// starts another one on the same database.
func TestANodeThatGoesKeepsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := storagetest.SQLite(t)
		h := newHouse(t, db, orgsIn(t, db), nil)
		c := h.opened(contest.Input{Seconds: 20})
		a, b := h.join(c, 1, "root/a"), h.join(c, 2, "root/a")
		h.do(c, contest.Start)
		a.of("question", 1)
		a.answer(1, rightOption(c.Seed, 1))
		a.of("ack", 1)
		h.end()
		<-a.done
		if b.code != contest.CloseRestart {
			t.Fatalf("closed with %d", b.code)
		}
		time.Sleep(3 * time.Second)
		h2 := newHouse(t, db, h.orgs, nil)
		h2.host = h.host
		a2, b2 := h2.join(c, 1, "root/a"), h2.join(c, 2, "root/a")
		a2.of("ack", 1)
		b2.of("question", 1)
		b2.answer(1, 0)
		b2.of("ack", 1)
		if f := a2.of("board", 1); f.num("me", "score") != 1000 || f.num("of") != 2 {
			t.Fatalf("%v", f)
		}
	})
}

func pageOf(n int) page.Request { return page.Request{Limit: n} }
