package contest_test

import (
	"strings"
	"testing"
	"time"

	"tongxin/quiz/contest"
)

func TestAContestFromLobbyToEnd(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		c := h.opened(contest.Input{Questions: refs(2), Seconds: 10})
		if len(c.Code) != contest.CodeLength || c.State != contest.Lobby {
			t.Fatalf("%+v", c)
		}
		a, b := h.join(c, 1, "root/a"), h.join(c, 2, "root/b")
		a.of("welcome", -1)
		b.of("lobby", -1)
		h.do(c, contest.Start)
		q := a.of("question", 1)
		if q.num("total") != 2 || q.num("limitSec") != 10 || q.num("points") != 1000 {
			t.Fatalf("%v", q)
		}
		for _, raw := range a.raw {
			if strings.Contains(raw, "解析") || strings.Contains(raw, `"key"`) || strings.Contains(raw, "right\":true") {
				t.Fatalf("the key is out before the end: %s", raw)
			}
		}
		b.of("question", 1)
		right := rightOption(c.Seed, 1)
		time.Sleep(4 * time.Second)
		a.answer(1, right)
		a.of("ack", 1)
		b.answer(1, (right+1)%4)
		b.of("ack", 1)
		mine := a.of("reveal", 1)
		if mine.num("mine", "points") != 800 || mine.num("answered") != 2 || mine.num("right") != 1 {
			t.Fatalf("%v", mine)
		}
		if other := b.of("reveal", 1); other.num("mine", "points") != 0 {
			t.Fatalf("%v", other)
		}
		if me := a.of("board", 1); me.num("me", "rank") != 1 || me.num("me", "score") != 800 {
			t.Fatalf("%v", me)
		}
		if me := b.of("board", 1); me.num("me", "rank") != 2 || me.num("me", "score") != 0 {
			t.Fatalf("%v", me)
		}
		h.do(c, contest.Next)
		a.of("question", 2)
		time.Sleep(11 * time.Second)
		b.of("board", 2)
		now := h.do(c, contest.Next)
		if now.State != contest.Finished {
			t.Fatalf("%+v", now)
		}
		if f := a.of("finished", -1); f.num("me", "rank") != 1 {
			t.Fatalf("%v", f)
		}
		out, err := h.svc.Results(t.Context(), h.host, c.ID)
		if err != nil || len(out.Places) != 2 || out.Places[0].Score != 800 || out.Contest.Code != "" {
			t.Fatalf("%+v %v", out, err)
		}
	})
}
