package moderate_test

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"tongxin/internal/errs"
	"tongxin/internal/page"
	"tongxin/moderate"
)

func TestTextIsJudgedAtOnce(t *testing.T) {
	h := open(t)
	r := h.hand(1, 1, "同意参加。")
	if r.State != moderate.Passed || h.last() != (moderate.Decision{Kind: "answer", ObjectID: 1, Revision: 1, Passed: true}) {
		t.Fatalf("%+v %+v", r, h.last())
	}
	if it := h.item(r.ID); strings.Contains(it.Sealed, "同意") || it.Sealed == "" || !it.NextAt.IsZero() {
		t.Fatalf("at rest: %+v", it)
	}
	h.says(moderate.Risky, 10001)
	if r = h.hand(2, 1, "买茶叶加我"); r.State != moderate.Refused || !strings.Contains(r.Say, "广告") || h.last().Passed || h.last().Reason == "" {
		t.Fatalf("%+v %+v", r, h.last())
	}
	h.says(moderate.Maybe, 20001)
	told := len(h.told)
	if r = h.hand(3, 1, "说不清的话"); r.State != moderate.InReview || r.Say != "已提交，审核通过后可见。" || len(h.told) != told {
		t.Fatalf("%+v", r)
	}
	h.says("something new", 0)
	if r = h.hand(4, 1, "x"); r.State != moderate.InReview {
		t.Fatalf("an answer that nobody knows: %+v", r)
	}
	asked := len(h.asked)
	if r = h.hand(5, 1, "这里有坏词。"); r.State != moderate.Refused || !strings.Contains(r.Say, "坏词") || len(h.asked) != asked {
		t.Fatalf("the house's list: %+v, WeChat asked %d times", r, len(h.asked)-asked)
	}
}

func TestOneCheckOfARevision(t *testing.T) {
	h := open(t)
	first := h.hand(1, 1, "同意")
	h.says(moderate.Risky, 20003)
	if again := h.hand(1, 1, "同意"); again.ID != first.ID || again.State != moderate.Passed || len(h.asked) != 1 || len(h.told) != 1 {
		t.Fatalf("%+v asked %d told %d", again, len(h.asked), len(h.told))
	}
	h.says(moderate.Maybe, 0)
	second := h.hand(1, 2, "同意，但是")
	h.says(moderate.Pass, 0)
	third := h.hand(1, 3, "同意。")
	if h.item(second.ID).State != moderate.Replaced || third.State != moderate.Passed || h.item(first.ID).State != moderate.Passed {
		t.Fatal("a new revision does not replace what was open")
	}
	_, err := h.svc.Decide(t.Context(), h.reviewer("东"), second.ID, h.item(second.ID).Version, moderate.Verdict{Pass: true})
	code(t, err, errs.Conflict)
}

func TestLongTextIsCut(t *testing.T) {
	h := open(t)
	h.set(func(a moderate.Ask) (moderate.Answer, error) {
		if n := utf8.RuneCountInString(a.Text); n > 2500 {
			t.Errorf("a piece of %d characters", n)
		}
		if strings.Contains(a.Text, "要紧的词") {
			return moderate.Answer{Suggest: moderate.Maybe, Label: 1}, nil
		}
		return moderate.Answer{Suggest: moderate.Pass}, nil
	})
	if r := h.hand(1, 1, strings.Repeat("字", 2500)); r.State != moderate.Passed || len(h.asked) != 1 {
		t.Fatalf("%+v after %d calls", r, len(h.asked))
	}
	// The word lies across the first border, then at the very end.
	if r := h.hand(2, 1, strings.Repeat("字", 2498)+"要紧的词"+strings.Repeat("字", 4000)); r.State != moderate.InReview {
		t.Fatalf("%+v", r)
	}
	if r := h.hand(3, 1, strings.Repeat("字", 7000)+"要紧的词"); r.State != moderate.InReview {
		t.Fatalf("%+v", r)
	}
	for _, bad := range []string{"", "  \n", strings.Repeat("字", 20001), "\xff"} {
		_, err := h.svc.Text(t.Context(), h.words(4, 1, bad))
		code(t, err, errs.Invalid)
	}
}

func TestDownThenRecovers(t *testing.T) {
	h := open(t)
	h.set(func(moderate.Ask) (moderate.Answer, error) { return moderate.Answer{}, errors.New("no route") })
	r := h.hand(1, 1, "同意")
	if r.State != moderate.Waiting || r.Say != "已提交，审核通过后可见。" || len(h.told) != 0 {
		t.Fatalf("%+v", r)
	}
	// While WeChat does not answer, the next caller is not kept waiting for it.
	if r := h.hand(2, 1, "同意"); r.State != moderate.Waiting || len(h.asked) != 1 {
		t.Fatalf("%+v asked %d", r, len(h.asked))
	}
	h.run()
	if len(h.asked) != 2 {
		t.Fatalf("asked %d times", len(h.asked))
	}
	for range 6 { // it backs off instead of hammering
		h.clock.Add(10 * time.Second)
		h.run()
	}
	if n := len(h.asked); n > 8 {
		t.Fatalf("asked %d times in a minute", n)
	}
	h.says(moderate.Pass, 100)
	h.clock.Add(10 * time.Minute)
	h.run()
	if it := h.item(r.ID); it.State != moderate.Passed || it.Hold != "" || len(h.told) != 2 {
		t.Fatalf("%+v told %d", it, len(h.told))
	}
	if strings.Contains(h.log.String(), "同意") {
		t.Fatal("what members write is in the log")
	}
}

func TestDownForLongGoesToPeople(t *testing.T) {
	h := open(t)
	h.fails(moderate.Down)
	r := h.hand(1, 1, "同意")
	for range 40 {
		h.clock.Add(10 * time.Minute)
		h.run()
	}
	if it := h.item(r.ID); it.State != moderate.InReview || it.Hold != moderate.Late {
		t.Fatalf("%+v", it)
	}
}

// Without a mini-program, without an openid and refused by WeChat: people.
func TestNobodyPassesUnseen(t *testing.T) {
	h := open(t)
	for i, why := range []moderate.Hold{moderate.NoProgram, moderate.NoOpenID, moderate.NotTaken} {
		h.fails(why)
		r := h.hand(1, int64(i+1), "同意")
		if it := h.item(r.ID); it.State != moderate.InReview || it.Hold != why {
			t.Fatalf("%s: %+v", why, it)
		}
	}
	if len(h.told) != 0 {
		t.Fatal("told")
	}
}

func TestInactiveAuthor(t *testing.T) {
	h := open(t)
	h.fails(moderate.Inactive)
	r, other := h.hand(1, 1, "同意"), h.hand(2, 1, "同意")
	if r.State != moderate.Waiting || h.item(r.ID).Hold != moderate.Inactive {
		t.Fatalf("%+v", h.item(r.ID))
	}
	n, err := h.svc.Open(t.Context(), h.reviewer("东"))
	if err != nil || n != 2 {
		t.Fatal("people may decide meanwhile", n, err)
	}
	h.says(moderate.Pass, 100)
	h.clock.Add(time.Hour)
	h.run()
	if len(h.asked) != 2 {
		t.Fatal("asked without a visit")
	}
	ok(t, h.svc.Visited(t.Context(), 8)) // somebody else
	h.run()
	if len(h.asked) != 2 {
		t.Fatal("asked for the visit of somebody else")
	}
	ok(t, h.svc.Visited(t.Context(), 9))
	h.run()
	if h.item(r.ID).State != moderate.Passed || h.item(other.ID).State != moderate.Passed {
		t.Fatalf("%+v", h.item(r.ID))
	}
	h.fails(moderate.Inactive)
	r = h.hand(3, 1, "同意")
	h.clock.Add(24 * time.Hour)
	h.run()
	if it := h.item(r.ID); it.State != moderate.InReview || it.Hold != moderate.Late {
		t.Fatalf("nobody came for a day: %+v", it)
	}
}

func picture(h *house) moderate.Image {
	return moderate.Image{Kind: "answer", ObjectID: 1, Revision: 1, OrgID: h.orgs["东"].OrgID, Author: 9, Scene: moderate.Profile, Ref: "abc"}
}

func TestPictureResultComesLater(t *testing.T) {
	for name, c := range map[string]struct {
		outcome moderate.Outcome
		state   moderate.State
		hold    moderate.Hold
	}{
		"pass":            {moderate.Outcome{Suggest: moderate.Pass, Label: 100, Signed: true}, moderate.Passed, ""},
		"risky":           {moderate.Outcome{Suggest: moderate.Risky, Label: 20002, Signed: true}, moderate.Refused, ""},
		"review":          {moderate.Outcome{Suggest: moderate.Maybe, Signed: true}, moderate.InReview, moderate.Unsure},
		"unsigned pass":   {moderate.Outcome{Suggest: moderate.Pass}, moderate.InReview, moderate.Unsigned},
		"unsigned risky":  {moderate.Outcome{Suggest: moderate.Risky}, moderate.Refused, ""},
		"not downloaded":  {moderate.Outcome{Signed: true}, moderate.InReview, moderate.NotTaken},
		"never":           {moderate.Outcome{}, moderate.InReview, moderate.Late},
		"before its name": {moderate.Outcome{Trace: "early", Suggest: moderate.Pass, Signed: true}, moderate.Passed, ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			h.check.picture = func(a moderate.Ask) (string, error) {
				if a.URL != "https://example.com/pictures/abc" {
					t.Errorf("address %q", a.URL)
				}
				if c.outcome.Trace != "" {
					ok(t, h.svc.TakeOutcome(t.Context(), c.outcome))
				}
				return "early", nil
			}
			r, err := h.svc.Picture(t.Context(), picture(h))
			ok(t, err)
			if r.State != moderate.Waiting || len(h.told) != 0 {
				t.Fatalf("%+v", r)
			}
			c.outcome.Trace = "early"
			switch name {
			case "never":
				h.clock.Add(6 * time.Second)
				h.run()
				h.clock.Add(29 * time.Minute)
				h.run()
				if h.item(r.ID).State != moderate.Waiting {
					t.Fatal("given up too early")
				}
				h.clock.Add(2 * time.Minute)
				h.run()
			case "before its name":
				h.clock.Add(6 * time.Second)
				h.run()
			default:
				ok(t, h.svc.TakeOutcome(t.Context(), c.outcome))
				ok(t, h.svc.TakeOutcome(t.Context(), c.outcome)) // pushed again
			}
			if it := h.item(r.ID); it.State != c.state || it.Hold != c.hold {
				t.Fatalf("%+v", it)
			}
			if len(h.asked) != 1 || len(h.told) > 1 {
				t.Fatalf("asked %d, told %d", len(h.asked), len(h.told))
			}
		})
	}
	h := open(t)
	ok(t, h.svc.TakeOutcome(t.Context(), moderate.Outcome{Trace: "of nobody", Suggest: moderate.Pass}))
	ok(t, h.svc.TakeOutcome(t.Context(), moderate.Outcome{}))
}

func TestPeopleDecide(t *testing.T) {
	h := open(t)
	h.says(moderate.Maybe, 20001)
	r := h.hand(1, 1, "说不清的话")
	east, west, boss := h.reviewer("东"), h.reviewer("西"), h.reviewer("党委")
	_, err := h.svc.Get(t.Context(), west, r.ID)
	code(t, err, errs.NotFound)
	_, err = h.svc.Decide(t.Context(), west, r.ID, 2, moderate.Verdict{Pass: true})
	code(t, err, errs.NotFound)
	_, err = h.svc.Decide(t.Context(), nil, r.ID, 2, moderate.Verdict{Pass: true})
	code(t, err, errs.NotFound)
	list, err := h.svc.List(t.Context(), west, moderate.Query{}, page.Request{Limit: 10})
	if err != nil || len(list.Items) != 0 {
		t.Fatal(list, err)
	}
	list, err = h.svc.List(t.Context(), boss, moderate.Query{State: moderate.AwaitsAny, OrgID: h.orgs["东"].OrgID}, page.Request{Limit: 10})
	ok(t, err)
	if len(list.Items) != 1 || list.Items[0].Text != "说不清的话" || list.Items[0].KindName != "通知回复" || list.Items[0].LabelText != "时政" || list.Items[0].HoldText == "" {
		t.Fatalf("%+v", list.Items)
	}
	it, err := h.svc.Get(t.Context(), east, r.ID)
	ok(t, err)
	_, err = h.svc.Decide(t.Context(), east, r.ID, it.Version+1, moderate.Verdict{Pass: true})
	code(t, err, errs.Stale)
	for _, reason := range []string{"", "  ", strings.Repeat("长", 201)} {
		_, err = h.svc.Decide(t.Context(), east, r.ID, it.Version, moderate.Verdict{Reason: reason})
		code(t, err, errs.Invalid)
	}
	it, err = h.svc.Decide(t.Context(), east, r.ID, it.Version, moderate.Verdict{Reason: "请不要点名"})
	ok(t, err)
	if it.State != moderate.Refused || it.DecidedBy != east.Name || h.last().Passed || h.last().Reason != "请不要点名" {
		t.Fatalf("%+v %+v", it, h.last())
	}
	// Somebody above corrects it, and the domain hears of that too.
	it, err = h.svc.Decide(t.Context(), boss, r.ID, it.Version, moderate.Verdict{Pass: true})
	ok(t, err)
	if !h.last().Passed || it.Reason != "" || len(h.told) != 2 {
		t.Fatalf("%+v %+v", it, h.told)
	}
	// The author's own staff account does not count.
	own := *it
	if n, err := h.svc.About(t.Context(), 9, 10); err != nil || len(n) != 1 || n[0].Text != own.Text {
		t.Fatal(n, err)
	}
}

// A verdict that the domain could not take comes again, also from another node.
func TestToldUntilItIsHeard(t *testing.T) {
	h := open(t)
	h.deaf = true
	r := h.hand(1, 1, "同意")
	if r.State != moderate.Passed || len(h.told) != 0 {
		t.Fatalf("%+v", r)
	}
	h.clock.Add(time.Minute)
	h.run()
	h.deaf = false
	h.svc = h.node()
	h.clock.Add(time.Hour)
	h.run()
	h.clock.Add(time.Hour)
	h.run()
	if len(h.told) != 1 || !h.told[0].Passed {
		t.Fatalf("%+v", h.told)
	}
}

func TestTextsAreErased(t *testing.T) {
	h := open(t)
	passed := h.hand(1, 1, "同意")
	h.says(moderate.Maybe, 0)
	pending := h.hand(2, 1, "待定")
	h.clock.Add(181 * 24 * time.Hour)
	ok(t, h.svc.Sweep(t.Context()))
	it, err := h.svc.Get(t.Context(), h.reviewer("东"), passed.ID)
	ok(t, err)
	if it.Text != "" || it.ErasedAt.IsZero() || it.State != moderate.Passed {
		t.Fatalf("%+v", it)
	}
	if it, err = h.svc.Get(t.Context(), h.reviewer("东"), pending.ID); err != nil || it.Text != "待定" {
		t.Fatal(it, err)
	}
}

func TestUnknownKindIsRefused(t *testing.T) {
	h := open(t)
	w := h.words(1, 1, "x")
	w.Kind = "nobody"
	_, err := h.svc.Text(t.Context(), w)
	code(t, err, errs.Internal)
}
