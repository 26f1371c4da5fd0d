package publish_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/publish"
)

func (h *house) submitted(org ids.ID, title string) *publish.Post {
	h.t.Helper()
	p := h.draft(org, title)
	p, err := h.Submit(h.ctx, h.editor, p.ID, p.Version)
	must(h.t, err)
	return p
}

func (h *house) sendBack(judge *authz.Actor, p *publish.Post) *publish.Post {
	h.t.Helper()
	p, err := h.Decide(h.ctx, judge, p.ID, publish.Verdict{Level: p.Level, Decision: publish.Return, Hash: p.Hash, Reason: "标题不妥"})
	must(h.t, err)
	return p
}

// refused asserts that a verdict is refused and leaves nothing behind.
func (h *house) refused(judge *authz.Actor, p *publish.Post, v publish.Verdict, code errs.Code) {
	h.t.Helper()
	before := h.get(p.ID)
	_, err := h.Decide(h.ctx, judge, p.ID, v)
	want(h.t, err, code)
	if after := h.get(p.ID); after.Version != before.Version || len(after.Reviews) != len(before.Reviews) {
		h.t.Fatalf("a refused verdict left something: %+v", after)
	}
}

func passing(p *publish.Post) publish.Verdict {
	return publish.Verdict{Level: p.Level, Decision: publish.Pass, Hash: p.Hash}
}

func TestChainsOfEveryLength(t *testing.T) {
	h := newHouse(t)
	for levels := range 4 {
		h.orgs[1] = publish.Org{ID: 1, Path: "/1/", Name: "市委", ReviewLevels: levels}
		p := h.submitted(1, fmt.Sprintf("%d 级", levels))
		for level := 1; level <= levels; level++ {
			if p.State != publish.InReview || p.Level != level || p.Levels != levels || p.ApprovedHash != "" {
				t.Fatalf("level %d of %d: %+v", level, levels, p)
			}
			p = h.pass(h.judges[level], p)
		}
		if p.State != publish.Approved || p.Level != 0 || p.ApprovedHash != p.Hash || len(h.get(p.ID).Reviews) != levels {
			t.Fatalf("%d levels: %+v", levels, p)
		}
	}
	h.orgs[1] = publish.Org{ID: 1, Path: "/1/", ReviewLevels: 9}
	if p := h.submitted(1, "过长"); p.Levels != publish.MaxLevels {
		t.Fatalf("%d levels", p.Levels)
	}
}

func TestWhoMayNotReview(t *testing.T) {
	h := newHouse(t)
	p, err := h.Create(h.ctx, h.judges[0], 1, h.content("自己写"))
	must(t, err)
	p, err = h.Edit(h.ctx, h.judges[1], p.ID, 1, h.content("改过"), false)
	must(t, err)
	p, err = h.Edit(h.ctx, h.judges[1], p.ID, 2, h.content("自己写"), false) // back again: still an editor
	must(t, err)
	p, err = h.Submit(h.ctx, h.judges[0], p.ID, p.Version)
	must(t, err)
	h.refused(h.judges[0], p, passing(p), errs.Forbidden)
	h.refused(h.judges[1], p, passing(p), errs.Forbidden)
	h.refused(h.editor, p, passing(p), errs.Forbidden) // without the right
	h.refused(h.stranger, p, passing(p), errs.NotFound)
	p = h.pass(h.judges[2], p)
	h.refused(h.judges[2], p, passing(p), errs.Forbidden) // one person, one level
	first := passing(p)
	first.Level = 1
	h.refused(h.judges[3], p, first, errs.Conflict)
	p = h.pass(h.judges[3], p)
	level3 := h.person(120, "终审员", "/1/", publish.PostRead, publish.ReviewRight(3))
	level1 := h.person(121, "初审员", "/1/", publish.PostRead, publish.ReviewRight(1))
	east := h.person(122, "东区终审", "/1/2/", publish.PostRead, publish.ReviewRight(3))
	h.refused(level1, p, passing(p), errs.Forbidden)
	h.refused(east, p, passing(p), errs.NotFound)
	p = h.pass(level3, p)
	if p.State != publish.Approved {
		t.Fatalf("%+v", p)
	}
	h.refused(h.judges[3], p, passing(p), errs.Conflict)
}

func TestVerdictsThatAreNone(t *testing.T) {
	h := newHouse(t)
	p := h.submitted(1, "文")
	v := passing(p)
	v.Hash = h.draft(1, "别的").Hash
	h.refused(h.judges[1], p, v, errs.Stale)
	v = passing(p)
	v.Decision = "maybe"
	h.refused(h.judges[1], p, v, errs.Invalid)
	v.Decision, v.Reason = publish.Return, " \n"
	h.refused(h.judges[1], p, v, errs.Invalid)
	h.refused(h.judges[1], h.draft(1, "没提交"), passing(p), errs.Conflict)
}

func TestReturnAndSecondRound(t *testing.T) {
	h := newHouse(t)
	p := h.submitted(1, "文")
	p = h.pass(h.judges[1], p)
	p = h.pass(h.judges[2], p)
	p = h.sendBack(h.judges[3], p)
	if p.State != publish.Returned || p.Level != 0 || p.ApprovedHash != "" {
		t.Fatalf("%+v", p)
	}
	// The same content again: everybody is asked again at the old level.
	p, err := h.Submit(h.ctx, h.editor, p.ID, p.Version)
	must(t, err)
	sheet, err := h.Sheet(h.ctx, h.reader, p.ID)
	must(t, err)
	for _, l := range sheet.Levels {
		if l.Review != nil {
			t.Fatalf("level %d counts as passed from the round before", l.Level)
		}
	}
	h.refused(h.judges[2], p, passing(p), errs.Forbidden) // he passed another level of this content
	p = h.pass(h.judges[1], p)
	p = h.pass(h.judges[2], p)
	p = h.pass(h.judges[3], p)
	if p.State != publish.Approved || len(h.get(p.ID).Reviews) != 6 {
		t.Fatalf("%+v", p)
	}
	// After an edit the reviewers may take any level: it is another content.
	p, err = h.Edit(h.ctx, h.editor, p.ID, p.Version, h.content("新"), false)
	must(t, err)
	if p.ApprovedHash != "" {
		t.Fatal("the approval outlived an edit")
	}
	p, err = h.Submit(h.ctx, h.editor, p.ID, p.Version)
	must(t, err)
	p = h.pass(h.judges[3], p)
	if p.Level != 2 {
		t.Fatalf("%+v", p)
	}
}

func TestWithdraw(t *testing.T) {
	h := newHouse(t)
	p := h.submitted(2, "文")
	p = h.pass(h.judges[1], p)
	_, err := h.Withdraw(h.ctx, h.reader, p.ID)
	want(t, err, errs.Forbidden)
	p, err = h.Withdraw(h.ctx, h.editor2, p.ID)
	must(t, err)
	if p.State != publish.Draft || p.Level != 0 || !p.ReviewDue.IsZero() || p.ApprovedHash != "" {
		t.Fatalf("%+v", p)
	}
	_, err = h.Withdraw(h.ctx, h.editor, p.ID)
	want(t, err, errs.Conflict)
	p, err = h.Submit(h.ctx, h.editor, p.ID, p.Version)
	must(t, err)
	if p.Level != 1 {
		t.Fatal("a withdrawn post goes on at its old level")
	}
}

func TestDeadlineOfEveryLevel(t *testing.T) {
	h := newHouse(t)
	p := h.submitted(2, "文")
	if !p.ReviewDue.Equal(start().Add(72 * time.Hour)) {
		t.Fatalf("due %v", p.ReviewDue)
	}
	h.clock.Add(5 * time.Hour)
	p = h.pass(h.judges[1], p)
	if !p.ReviewDue.Equal(start().Add(77 * time.Hour)) {
		t.Fatalf("due %v", p.ReviewDue)
	}
	p = h.pass(h.judges[2], p)
	if !p.ReviewDue.IsZero() || !h.get(p.ID).ReviewDue.IsZero() {
		t.Fatalf("an approved post has a deadline: %v", p.ReviewDue)
	}
	if p := h.submitted(1, "无期限"); !p.ReviewDue.IsZero() {
		t.Fatalf("due %v", p.ReviewDue)
	}
}

func TestSheet(t *testing.T) {
	h := newHouse(t)
	p := h.draft(1, "文")
	s, err := h.Sheet(h.ctx, h.reader, p.ID)
	if err != nil || s.Levels == nil || len(s.Levels) != 0 || s.History == nil {
		t.Fatalf("%+v %v", s, err)
	}
	p, err = h.Submit(h.ctx, h.editor, p.ID, 1)
	must(t, err)
	p = h.sendBack(h.judges[1], p)
	p, err = h.Submit(h.ctx, h.editor, p.ID, p.Version)
	must(t, err)
	for level := 1; level <= 3; level++ {
		p = h.pass(h.judges[level], p)
	}
	s, err = h.Sheet(h.ctx, h.reader, p.ID)
	must(t, err)
	names := ""
	for i, l := range s.Levels {
		names += l.Name
		if l.Review == nil || l.Review.ReviewerID != h.judges[i+1].ID || l.Review.Hash != p.Hash || l.Review.Decision != publish.Pass {
			t.Fatalf("level %d: %+v", i+1, l.Review)
		}
	}
	if names != "初审复审终审" || len(s.History) != 4 || s.History[0].Reason != "标题不妥" {
		t.Fatalf("%s, %+v", names, s.History)
	}
}

func TestAwaitingReview(t *testing.T) {
	h := newHouse(t)
	titles := func(a *authz.Actor, n int) (list []string, next string) {
		res, err := h.AwaitingReview(h.ctx, a, first(n))
		must(t, err)
		for _, p := range res.Items {
			list = append(list, p.Title)
		}
		return list, res.Next
	}
	h.submitted(1, "初")
	second := h.submitted(1, "复")
	h.pass(h.judges[1], second)
	own, err := h.Create(h.ctx, h.judges[1], 1, h.content("自己的"))
	must(t, err)
	_, err = h.Submit(h.ctx, h.judges[1], own.ID, 1)
	must(t, err)
	h.submitted(2, "东")
	h.draft(1, "草稿")
	h.approved(2, "完成")
	returned := h.submitted(1, "退回")
	h.sendBack(h.judges[2], returned)

	if got, _ := titles(h.judges[1], 9); !slices.Equal(got, []string{"东", "初"}) {
		t.Errorf("who passed one and wrote one: %v", got)
	}
	if got, _ := titles(h.judges[2], 9); !slices.Equal(got, []string{"东", "自己的", "复", "初"}) {
		t.Errorf("another: %v", got)
	}
	if got, _ := titles(h.person(130, "复审员", "/1/", publish.PostRead, publish.ReviewRight(2)), 9); !slices.Equal(got, []string{"复"}) {
		t.Errorf("second level only: %v", got)
	}
	if got, _ := titles(h.person(131, "东区", "/1/2/", publish.PostRead, publish.ReviewRight(1)), 9); !slices.Equal(got, []string{"东"}) {
		t.Errorf("east only: %v", got)
	}
	for _, a := range []*authz.Actor{h.editor, h.reader, h.stranger} {
		if got, _ := titles(a, 9); len(got) != 0 {
			t.Errorf("%s: %v", a.Name, got)
		}
	}
	d, err := h.Dashboard(h.ctx, h.judges[1])
	if err != nil || len(d.Review) != 2 {
		t.Errorf("dashboard: %+v, %v", d, err)
	}
}

// What a reviewer passed himself must not hide what stands behind it, on no
// size of page.
func TestAwaitingReviewReadsOn(t *testing.T) {
	h := newHouse(t)
	var open []string
	for i := range 9 {
		p := h.submitted(1, fmt.Sprint("文", i))
		if i%4 == 0 { // for others at the second level
			h.pass(h.judges[2], p)
			open = append([]string{p.Title}, open...)
		} else { // passed by the one who looks
			h.pass(h.judges[1], p)
		}
	}
	for size := 1; size < 5; size++ {
		var got []string
		for r := first(size); ; {
			res, err := h.AwaitingReview(h.ctx, h.judges[1], r)
			must(t, err)
			for _, p := range res.Items {
				got = append(got, p.Title)
			}
			if res.Next == "" {
				break
			}
			r, err = parsePage(res.Next, size)
			must(t, err)
		}
		if !slices.Equal(got, open) {
			t.Fatalf("pages of %d: %v, want %v", size, got, open)
		}
	}
}

func TestWhatIsOffered(t *testing.T) {
	h := newHouse(t)
	p := h.draft(1, "文")
	offered := func(a *authz.Actor, want ...string) {
		t.Helper()
		d, err := h.Get(h.ctx, a, p.ID)
		must(t, err)
		if !slices.Equal(d.Can, want) {
			t.Errorf("%s in %s: %v, want %v", a.Name, d.State, d.Can, want)
		}
	}
	offered(h.editor, "edit", "delete", "submit")
	offered(h.reader)
	p, err := h.Submit(h.ctx, h.editor, p.ID, 1)
	must(t, err)
	offered(h.editor, "withdraw")
	offered(h.judges[1], "withdraw", "review")
	p = h.pass(h.judges[1], p)
	offered(h.judges[1], "withdraw")
	p = h.pass(h.judges[2], p)
	p = h.pass(h.judges[3], p)
	offered(h.planner, "schedule")
	offered(h.editor, "edit", "delete")
	h.schedule(p, time.Hour, "")
	offered(h.planner, "cancel")
	offered(h.editor, "edit")
	h.after(2 * time.Hour)
	offered(h.planner, "retract")
	offered(h.editor)
}

// A copy has the words of those who wrote its source: none of them reviews it.
func TestCopyKeepsItsWritersOut(t *testing.T) {
	h := newHouse(t)
	p, err := h.Create(h.ctx, h.judges[1], 1, h.content("原文"))
	must(t, err)
	p, err = h.Edit(h.ctx, h.judges[2], p.ID, p.Version, h.content("改过"), false)
	must(t, err)
	c, err := h.Copy(h.ctx, h.editor, p.ID)
	must(t, err)
	c, err = h.Submit(h.ctx, h.editor, c.ID, c.Version)
	must(t, err)
	for _, writer := range []*authz.Actor{h.judges[1], h.judges[2]} {
		_, err = h.Decide(h.ctx, writer, c.ID, publish.Verdict{Level: 1, Decision: publish.Pass, Hash: c.Hash})
		want(t, err, errs.Forbidden)
	}
	c = h.pass(h.judges[0], c)
	if c.Level != 2 || c.AuthorID != h.editor.ID || len(c.Editors) != 3 {
		t.Fatalf("%+v", c)
	}
}
