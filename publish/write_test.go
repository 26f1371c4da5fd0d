package publish_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/call"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/publish"
)

func TestCreateStartsAnEmptyDraft(t *testing.T) {
	h := newHouse(t)
	p, err := h.Create(h.ctx, h.editor, 1, publish.Content{})
	must(t, err)
	if p.State != publish.Draft || p.Version != 1 || len(p.Content.Articles) != 1 || p.Title != "（未命名）" || p.AuthorID != h.editor.ID ||
		!slices.Equal(p.Editors, []ids.ID{h.editor.ID}) || p.Level != 0 || p.ApprovedHash != "" {
		t.Fatalf("%+v", p)
	}
	d := h.get(p.ID)
	if d.Hash != p.Hash || len(d.Deliveries) != 0 || len(d.Reviews) != 0 {
		t.Fatalf("%+v", d)
	}
	revs, err := h.Revisions(h.ctx, h.reader, p.ID, first(9))
	if err != nil || len(revs.Items) != 1 || revs.Items[0].Version != 1 {
		t.Fatalf("%v %v", revs, err)
	}
}

func TestCreateWithTheSameKeyIsOnePost(t *testing.T) {
	h := newHouse(t)
	ctx := call.With(h.ctx, call.Info{IdempotencyKey: "k", BodyHash: "b"})
	a, err := h.Create(ctx, h.editor, 1, h.content("甲"))
	must(t, err)
	b, err := h.Create(ctx, h.editor, 1, h.content("甲"))
	must(t, err)
	if a.ID != b.ID || b.Title != "甲" {
		t.Fatalf("%v and %v", a.ID, b.ID)
	}
	_, err = h.Create(call.With(h.ctx, call.Info{IdempotencyKey: "k", BodyHash: "other"}), h.editor, 1, h.content("乙"))
	if err == nil {
		t.Fatal("the key of another body was taken")
	}
	c, err := h.Create(ctx, h.editor2, 1, h.content("甲")) // keys belong to a person
	must(t, err)
	list, err := h.List(h.ctx, h.editor, publish.PostFilter{}, first(10))
	must(t, err)
	if c.ID == a.ID || len(list.Items) != 2 || h.audits("post.create") != 2 {
		t.Fatalf("%d posts, %d entries", len(list.Items), h.audits("post.create"))
	}
}

func TestContentThatCannotBeStored(t *testing.T) {
	h := newHouse(t)
	many := publish.Content{Articles: make([]publish.Article, 9)}
	crop := h.content("甲")
	crop.Articles[0].Cover.Wide = [4]float64{0, 0, math.NaN(), 1}
	outside := h.content("甲")
	outside.Articles[0].Cover.Square = [4]float64{0, 0, 1.5, 1}
	p := h.draft(1, "甲")
	for name, c := range map[string]publish.Content{"nine": many, "nan": crop, "outside": outside, "none": {}} {
		_, err := h.Edit(h.ctx, h.editor, p.ID, 1, c, false)
		if e := want(t, err, errs.Invalid); len(e.Fields) == 0 || !strings.HasPrefix(e.Fields[0].Name, "articles") {
			t.Errorf("%s: %+v", name, e)
		}
	}
	if got := h.get(p.ID); got.Version != 1 || got.Title != "甲" {
		t.Fatalf("%+v", got.Post)
	}
}

func TestEditKeepsVersionsAndEditors(t *testing.T) {
	h := newHouse(t)
	p := h.draft(1, "一")
	same, err := h.Edit(h.ctx, h.editor2, p.ID, 1, h.content("一"), true)
	if err != nil || same.Version != 1 || len(same.Editors) != 1 {
		t.Fatalf("the same content: %+v, %v", same, err)
	}
	h.clock.Add(time.Hour)
	q, err := h.Edit(h.ctx, h.editor2, p.ID, 1, h.content("二"), true)
	must(t, err)
	if q.Version != 2 || q.Title != "二" || q.UpdatedBy != h.editor2.Name || !slices.Equal(q.Editors, []ids.ID{h.editor.ID, h.editor2.ID}) ||
		q.AuthorID != h.editor.ID || !q.UpdatedAt.Equal(start().Add(time.Hour)) {
		t.Fatalf("%+v", q)
	}
	q, err = h.Edit(h.ctx, h.editor2, p.ID, 2, h.content("三"), false)
	must(t, err)
	if len(q.Editors) != 2 {
		t.Fatalf("editors %v", q.Editors)
	}
	revs, err := h.Revisions(h.ctx, h.reader, p.ID, first(2))
	if err != nil || len(revs.Items) != 2 || revs.Items[0].Title != "三" || revs.Items[0].Auto || !revs.Items[1].Auto || revs.Next == "" {
		t.Fatalf("%+v %v", revs, err)
	}
}

func TestLostUpdateSaysWhatChanged(t *testing.T) {
	h := newHouse(t)
	p := h.draft(1, "一")
	next := h.content("二")
	next.Articles[0].Digest = "摘要"
	_, err := h.Edit(h.ctx, h.editor2, p.ID, 1, next, false)
	must(t, err)
	_, err = h.Edit(h.ctx, h.editor, p.ID, 1, h.content("我的"), false)
	e := want(t, err, errs.Stale)
	has(t, e.Msg, h.editor2.Name)
	d, ok := e.Details.(publish.Stale)
	if !ok || d.Current.Version != 2 || d.Current.Title != "二" || d.UpdatedBy != h.editor2.Name {
		t.Fatalf("%+v", e.Details)
	}
	var fields []string
	for _, c := range d.Changes {
		fields = append(fields, c.Field+":"+c.Before+">"+c.After)
	}
	if len(fields) != 3 || fields[0] != "articles[0].title:一>二" || fields[1] != "articles[0].digest:>摘要" {
		t.Fatalf("%q", fields)
	}
	if got := h.get(p.ID); got.Title != "二" || got.Hash != next.Hash() {
		t.Fatalf("%+v", got.Content)
	}
	for name, act := range map[string]func() error{
		"submit":   func() error { _, err := h.Submit(h.ctx, h.editor, p.ID, 1); return err },
		"schedule": func() error { _, err := h.Schedule(h.ctx, h.root, p.ID, 1, start(), nil); return err },
		"restore":  func() error { _, err := h.Restore(h.ctx, h.editor, p.ID, 1, 1); return err },
		"delete":   func() error { return h.Service.Delete(h.ctx, h.editor, p.ID, 1) },
	} {
		if e := want(t, act(), errs.Stale); e.Details == nil {
			t.Errorf("%s: nothing is said of the change", name)
		}
	}
}

// A post may change between the look and the write: the store refuses, and the
// refusal still says what changed.
func TestLostUpdateInTheStore(t *testing.T) {
	var h *house
	var id ids.ID
	h = newHouse(t, withStore(func(s publish.Store) publish.Store {
		return &interloper{Store: s, commit: func() {
			if id != 0 {
				other := id
				id = 0
				_, err := h.Edit(h.ctx, h.editor2, other, 1, h.content("抢先"), false)
				must(t, err)
			}
		}}
	}))
	p := h.draft(1, "一")
	id = p.ID
	_, err := h.Edit(h.ctx, h.editor, p.ID, 1, h.content("慢了"), false)
	if d, ok := want(t, err, errs.Stale).Details.(publish.Stale); !ok || d.Current.Title != "抢先" || len(d.Changes) == 0 {
		t.Fatalf("%+v", d)
	}
	if got := h.get(p.ID); got.Title != "抢先" || got.Version != 2 {
		t.Fatalf("%+v", got.Post)
	}
}

// interloper acts just before a commit.
type interloper struct {
	publish.Store
	commit func()
}

func (i *interloper) Commit(ctx context.Context, c publish.Change) error {
	i.commit()
	return i.Store.Commit(ctx, c)
}

func TestEditInEveryState(t *testing.T) {
	h := newHouse(t)
	p := h.draft(1, "审")
	p, err := h.Submit(h.ctx, h.editor, p.ID, p.Version)
	must(t, err)
	_, err = h.Edit(h.ctx, h.editor, p.ID, p.Version, h.content("改"), false)
	want(t, err, errs.Conflict)
	if got, err := h.Edit(h.ctx, h.editor, p.ID, p.Version, p.Content, true); err != nil || got.State != publish.InReview {
		t.Fatalf("an autosave without change: %v", err)
	}

	a := h.approved(1, "批")
	a, err = h.Edit(h.ctx, h.editor2, a.ID, a.Version, h.content("批后改"), false)
	must(t, err)
	if a.State != publish.Draft || a.ApprovedHash != "" || a.Level != 0 {
		t.Fatalf("approved and edited: %+v", a)
	}
	_, err = h.Schedule(h.ctx, h.planner, a.ID, a.Version, start(), []publish.Target{{AccountID: h.account.ID}})
	want(t, err, errs.Conflict)

	q := h.queued("排", 24*time.Hour)
	e, err := h.Edit(h.ctx, h.editor, q.ID, q.Version, h.content("排后改"), false)
	must(t, err)
	got := h.get(q.ID)
	if e.State != publish.Draft || got.State != publish.Draft || got.ApprovedHash != "" || got.Deliveries[0].State != publish.Cancelled {
		t.Fatalf("queued and edited: %+v", got)
	}
	h.after(48 * time.Hour)
	if h.sim.submits() != 0 || h.sim.count("draft") != 0 {
		t.Fatal("the queue went on with an edited post")
	}

	f := h.queued("发", 0)
	h.after(time.Hour)
	h.wantState(f.ID, publish.Published)
	cur := h.get(f.ID)
	if cur.State != publish.Finished {
		t.Fatalf("state %s", cur.State)
	}
	_, err = h.Edit(h.ctx, h.editor, f.ID, cur.Version, h.content("发后改"), false)
	want(t, err, errs.Conflict)
}

func TestEditTooLate(t *testing.T) {
	h := newHouse(t)
	h.sim.failing("submit", 1, lost())
	q := h.queued("晚", 0)
	h.drain()
	h.wantState(q.ID, publish.Unknown)
	_, err := h.Edit(h.ctx, h.editor, q.ID, h.get(q.ID).Version, h.content("改"), false)
	want(t, err, errs.Conflict)
	if got := h.get(q.ID); got.State != publish.Queued || got.Title != "晚" {
		t.Fatalf("%+v", got.Post)
	}
}

func TestDelete(t *testing.T) {
	h := newHouse(t)
	d := h.draft(1, "草")
	must(t, h.Service.Delete(h.ctx, h.editor, d.ID, 1))
	_, err := h.Get(h.ctx, h.editor, d.ID)
	want(t, err, errs.NotFound)
	want(t, h.Service.Delete(h.ctx, h.editor, d.ID, 1), errs.NotFound)

	r := h.draft(1, "审")
	r, err = h.Submit(h.ctx, h.editor, r.ID, 1)
	must(t, err)
	want(t, h.Service.Delete(h.ctx, h.editor, r.ID, r.Version), errs.Conflict)
	if slices.Contains(h.get(r.ID).Can, "delete") {
		t.Fatal("delete is offered in review")
	}

	q := h.queued("排", time.Hour)
	want(t, h.Service.Delete(h.ctx, h.root, q.ID, q.Version), errs.Conflict)
	c, err := h.Service.Cancel(h.ctx, h.root, q.ID)
	must(t, err)
	want(t, h.Service.Delete(h.ctx, h.root, q.ID, c.Version), errs.Conflict) // its delivery is history
	if slices.Contains(c.Can, "delete") || h.get(q.ID).Title != "排" {
		t.Fatalf("can %v", c.Can)
	}
	if n := h.audits("post.delete"); n != 1 {
		t.Fatalf("%d entries", n)
	}
}

func TestCopyRestoreDiff(t *testing.T) {
	h := newHouse(t)
	p := h.approved(1, "原文")
	c, err := h.Copy(h.ctx, h.editor2, p.ID)
	must(t, err)
	if c.ID == p.ID || c.Hash != p.Hash || c.State != publish.Draft || c.ApprovedHash != "" || c.AuthorID != h.editor2.ID || c.Version != 1 {
		t.Fatalf("%+v", c)
	}
	if d := h.get(c.ID); len(d.Reviews) != 0 {
		t.Fatal("a copy took the reviews along")
	}

	c, err = h.Edit(h.ctx, h.editor2, c.ID, 1, h.content("新文"), false)
	must(t, err)
	diff, err := h.Diff(h.ctx, h.reader, c.ID, 1, 2)
	must(t, err)
	if len(diff) != 1 || len(diff[0].Title) == 0 || len(diff[0].Body) == 0 || diff[0].Title[0].Op == "" {
		t.Fatalf("%+v", diff)
	}
	r, err := h.Restore(h.ctx, h.editor, c.ID, 2, 1)
	must(t, err)
	if r.Version != 3 || r.Hash != p.Hash || r.Title != "原文" {
		t.Fatalf("%+v", r)
	}
	_, err = h.Restore(h.ctx, h.editor, c.ID, 3, 0)
	want(t, err, errs.NotFound)
	_, err = h.Diff(h.ctx, h.stranger, c.ID, 1, 2)
	want(t, err, errs.NotFound)
}

func TestRightsOfWriting(t *testing.T) {
	h := newHouse(t)
	p := h.draft(2, "东")
	east := h.person(201, "东区编辑", "/1/2/", publish.PostRead, publish.PostWrite)
	west := h.person(202, "西区编辑", "/1/3/", publish.PostRead, publish.PostWrite)
	if _, err := h.Edit(h.ctx, east, p.ID, 1, h.content("改"), false); err != nil {
		t.Fatal(err)
	}
	type act func(a *publish.Post) error
	for name, who := range map[string]struct {
		person *authz.Actor
		err    errs.Code
		fine   bool
	}{"stranger": {h.stranger, errs.NotFound, false}, "west": {west, errs.NotFound, false}, "reader": {h.reader, errs.Forbidden, true}} {
		person := who.person
		for what, do := range map[string]act{
			"edit":     func(p *publish.Post) error { _, e := h.Edit(h.ctx, person, p.ID, 2, h.content("x"), false); return e },
			"submit":   func(p *publish.Post) error { _, e := h.Submit(h.ctx, person, p.ID, 2); return e },
			"withdraw": func(p *publish.Post) error { _, e := h.Withdraw(h.ctx, person, p.ID); return e },
			"delete":   func(p *publish.Post) error { return h.Service.Delete(h.ctx, person, p.ID, 2) },
			"copy":     func(p *publish.Post) error { _, e := h.Copy(h.ctx, person, p.ID); return e },
			"restore":  func(p *publish.Post) error { _, e := h.Restore(h.ctx, person, p.ID, 2, 1); return e },
			"schedule": func(p *publish.Post) error { _, e := h.Schedule(h.ctx, person, p.ID, 2, start(), nil); return e },
			"cancel":   func(p *publish.Post) error { _, e := h.Service.Cancel(h.ctx, person, p.ID); return e },
			"create":   func(p *publish.Post) error { _, e := h.Create(h.ctx, person, 2, h.content("x")); return e },
		} {
			if got := errs.CodeOf(do(p)); got != who.err {
				t.Errorf("%s by %s: %q", what, name, got)
			}
		}
		for what, do := range map[string]act{
			"get":       func(p *publish.Post) error { _, e := h.Get(h.ctx, person, p.ID); return e },
			"comments":  func(p *publish.Post) error { _, e := h.Comments(h.ctx, person, p.ID); return e },
			"revisions": func(p *publish.Post) error { _, e := h.Revisions(h.ctx, person, p.ID, first(5)); return e },
			"sheet":     func(p *publish.Post) error { _, e := h.Sheet(h.ctx, person, p.ID); return e },
		} {
			if err := do(p); who.fine != (err == nil) || !who.fine && !errs.Is(err, errs.NotFound) {
				t.Errorf("%s by %s: %v", what, name, err)
			}
		}
		list, err := h.List(h.ctx, person, publish.PostFilter{}, first(9))
		if err != nil || (len(list.Items) == 1) != who.fine {
			t.Errorf("list of %s: %v, %v", name, list.Items, err)
		}
	}
	// An organisation's name is not told to those outside it.
	_, err := h.Create(h.ctx, h.stranger, 2, h.content("x"))
	if e := want(t, err, errs.NotFound); strings.Contains(e.Msg, "东区") {
		t.Fatal(e.Msg)
	}
	if got := h.get(p.ID); got.Version != 2 || got.Title != "改" {
		t.Fatalf("%+v", got.Post)
	}
}

func TestComments(t *testing.T) {
	h := newHouse(t)
	p, other := h.draft(1, "文"), h.draft(1, "另")
	c, err := h.AddComment(h.ctx, h.reader, publish.Comment{PostID: p.ID, Quote: "党员", Body: " 请核对 ", ResolvedBy: "我", ResolvedAt: start()})
	must(t, err)
	if c.Body != "请核对" || c.Version != 1 || c.AuthorID != h.reader.ID || !c.ResolvedAt.IsZero() || c.ResolvedBy != "" {
		t.Fatalf("%+v", c)
	}
	for name, bad := range map[string]publish.Comment{
		"body":     {PostID: p.ID, Body: " "},
		"article":  {PostID: p.ID, Body: "x", Article: 1},
		"parentId": {PostID: other.ID, Body: "x", ParentID: c.ID},
	} {
		_, err := h.AddComment(h.ctx, h.reader, bad)
		if e := want(t, err, errs.Invalid); e.Fields[0].Name != name {
			t.Errorf("%s: %+v", name, e.Fields)
		}
	}
	_, err = h.AddComment(h.ctx, h.reader, publish.Comment{PostID: p.ID, Body: "x", ParentID: 12345})
	want(t, err, errs.Invalid)
	_, err = h.AddComment(h.ctx, h.editor, publish.Comment{PostID: p.ID, Body: "已改", ParentID: c.ID})
	must(t, err)
	_, err = h.AddComment(h.ctx, h.stranger, publish.Comment{PostID: p.ID, Body: "x"})
	want(t, err, errs.NotFound)

	_, err = h.ResolveComment(h.ctx, h.planner, c.ID) // neither writer nor author
	want(t, err, errs.Forbidden)
	_, err = h.ResolveComment(h.ctx, h.stranger, c.ID)
	want(t, err, errs.NotFound)
	done, err := h.ResolveComment(h.ctx, h.reader, c.ID)
	must(t, err)
	list, err := h.Comments(h.ctx, h.reader, p.ID)
	must(t, err)
	if len(list) != 2 || list[0].ResolvedBy != h.reader.Name || !list[0].ResolvedAt.Equal(done.ResolvedAt) || list[1].ResolvedBy != "" {
		t.Fatalf("%+v", list)
	}
}
