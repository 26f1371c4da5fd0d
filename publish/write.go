package publish

import (
	"context"
	"math"
	"slices"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/trail"
	"tongxin/publish/render"
)

// Create starts a post in an organisation. content may be empty.
func (s *Service) Create(ctx context.Context, actor *authz.Actor, orgID ids.ID, content Content) (*Post, error) {
	return s.create(ctx, actor, orgID, content, nil)
}

// create is Create, of a copy when there is a source: its pictures may be used
// besides the actor's, and whoever wrote it may not review the copy either.
func (s *Service) create(ctx context.Context, actor *authz.Actor, orgID ids.ID, content Content, source *Post) (*Post, error) {
	org, err := s.orgFor(ctx, actor, orgID, PostWrite)
	if err != nil {
		return nil, err
	}
	if len(content.Articles) == 0 {
		content.Articles = []Article{{Kind: News, Format: "html"}}
	}
	if err := checkContent(&content); err != nil {
		return nil, err
	}
	editors := []ids.ID{actor.ID}
	var had []Content
	if source != nil {
		had = append(had, source.Content)
		for _, id := range append([]ids.ID{source.AuthorID}, source.Editors...) {
			if !slices.Contains(editors, id) {
				editors = append(editors, id)
			}
		}
	}
	if err := s.mayUse(ctx, actor, content, had...); err != nil {
		return nil, err
	}
	now := s.Clock.Now()
	p := &Post{
		ID: s.IDs.New(), OrgID: org.ID, OrgPath: org.Path, OrgName: org.Name, State: Draft, Version: 1,
		AuthorID: actor.ID, AuthorName: actor.Name, Editors: editors,
		CreatedAt: now, UpdatedAt: now, UpdatedBy: actor.Name,
	}
	p.setContent(content)
	id, err := s.Store.CreatePost(ctx, p, s.entry(actor, "post.create", p, map[string]string{"title": p.Title}))
	if err != nil {
		return nil, err
	}
	if id != p.ID { // the same request came before: answer with what it made
		return s.Store.Post(ctx, id)
	}
	return p, nil
}

func (p *Post) setContent(c Content) {
	p.Content, p.Hash, p.Title, p.Sim = c, c.Hash(), c.Title(), fingerprint(c)
}

// Edit stores new content when the post still has the version the editor saw.
// A content that was approved or submitted goes back to draft: approvals are
// bound to the hash. Waiting deliveries are taken out of the queue.
func (s *Service) Edit(ctx context.Context, actor *authz.Actor, id ids.ID, expect int64, content Content, auto bool) (*Post, error) {
	return s.edit(ctx, actor, id, expect, content, auto)
}

// edit is Edit with contents whose pictures may be used besides the post's and
// the actor's.
func (s *Service) edit(ctx context.Context, actor *authz.Actor, id ids.ID, expect int64, content Content, auto bool, had ...Content) (*Post, error) {
	p, err := s.postFor(ctx, actor, id, PostWrite)
	if err != nil {
		return nil, err
	}
	if err := checkContent(&content); err != nil {
		return nil, err
	}
	if p.Version != expect {
		return nil, s.stale(ctx, p, expect)
	}
	if content.Hash() == p.Hash {
		return p, nil
	}
	if p.State == InReview {
		return nil, errs.New(errs.Conflict, "这篇图文正在审核，请先撤回再修改。")
	}
	if p.State == Finished {
		if err := s.reopenable(ctx, id); err != nil {
			return nil, err
		}
	}
	if err := s.mayUse(ctx, actor, content, append(had, p.Content)...); err != nil {
		return nil, err
	}
	change := Change{Expect: expect, Cancel: p.State == Queued}
	next := *p
	next.setContent(content)
	next.State, next.Level, next.ApprovedHash, next.DueAt = Draft, 0, "", time.Time{}
	next.Version, next.UpdatedAt, next.UpdatedBy = expect+1, s.Clock.Now(), actor.Name
	if !slices.Contains(next.Editors, actor.ID) {
		next.Editors = append(slices.Clone(next.Editors), actor.ID)
	}
	change.Post = &next
	change.Revision = &Revision{
		PostID: id, Version: next.Version, Hash: next.Hash, Title: next.Title,
		Content: content, Auto: auto, AuthorName: actor.Name, At: next.UpdatedAt,
	}
	change.Fingerprint = next.Sim
	change.Entry = s.entry(actor, "post.edit", &next, map[string]string{"title": next.Title, "hash": next.Hash})
	if err := s.Store.Commit(ctx, change); err != nil {
		return nil, s.explainStale(ctx, id, expect, err)
	}
	if change.Cancel {
		s.queue.Wake()
	}
	return &next, nil
}

// reopenable refuses a finished post that readers have seen. One that failed
// everywhere may be mended.
func (s *Service) reopenable(ctx context.Context, id ids.ID) error {
	deliveries, err := s.Store.DeliveriesOf(ctx, id)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(deliveries, Delivery.seen) {
		return errs.New(errs.Conflict, "这篇图文已经发布完毕，如需再用请复制一份。")
	}
	return nil
}

// seen reports a delivery that reached readers, now or once.
func (d Delivery) seen() bool { return d.State == Published || d.State == Retracted }

// checkContent refuses what could not be stored or hashed; everything else is
// lint's business.
func checkContent(c *Content) error {
	var f errs.Fields
	if n := len(c.Articles); n < 1 || n > 8 {
		f.Add("articles", "一篇图文包含 1 到 8 条内容，现在是 %d 条。", n)
	}
	for i := range c.Articles {
		a := &c.Articles[i]
		if a.Kind == "" {
			a.Kind = News
		}
		if a.Format == "" {
			a.Format = "html"
		}
		if a.Format == "html" {
			a.Body = render.Clean(a.Body)
		}
		for _, crop := range [][4]float64{a.Cover.Wide, a.Cover.Square} {
			for _, v := range crop {
				if math.IsNaN(v) || v < 0 || v > 1 {
					f.Add("articles["+itoa(i)+"].cover", "封面裁剪范围无效，请重新裁剪。")
				}
			}
		}
	}
	return f.Err()
}

// Delete removes a post that never reached the queue.
func (s *Service) Delete(ctx context.Context, actor *authz.Actor, id ids.ID, expect int64) error {
	p, err := s.postFor(ctx, actor, id, PostWrite)
	if err != nil {
		return err
	}
	if p.Version != expect {
		return s.stale(ctx, p, expect)
	}
	switch p.State {
	case Queued, Finished:
		return errs.New(errs.Conflict, "这篇图文已经进入发布流程，不能删除，可以取消发布。")
	case InReview:
		return errs.New(errs.Conflict, "这篇图文正在审核，请先撤回再删除。")
	}
	err = s.Store.DeletePost(ctx, id, expect, s.entry(actor, "post.delete", p, map[string]string{"title": p.Title}))
	return s.explainStale(ctx, id, expect, err)
}

// Copy makes a new draft from a post's content.
func (s *Service) Copy(ctx context.Context, actor *authz.Actor, id ids.ID) (*Post, error) {
	p, err := s.postFor(ctx, actor, id, PostWrite)
	if err != nil {
		return nil, err
	}
	return s.create(ctx, actor, p.OrgID, p.Content, p)
}

// Detail is a post with everything its page shows.
type Detail struct {
	Post
	Deliveries []Delivery `json:"deliveries"`
	Reviews    []Review   `json:"reviews"`
	Can        []string   `json:"can" doc:"what the present actor may do now: edit, delete, submit, withdraw, review, schedule, cancel, retract"`
}

// Get returns a post with its deliveries and reviews.
func (s *Service) Get(ctx context.Context, actor *authz.Actor, id ids.ID) (*Detail, error) {
	p, err := s.postFor(ctx, actor, id, PostRead)
	if err != nil {
		return nil, err
	}
	return s.detail(ctx, actor, p)
}

func (s *Service) detail(ctx context.Context, actor *authz.Actor, p *Post) (*Detail, error) {
	d := &Detail{Post: *p}
	var err error
	if d.Deliveries, err = s.Store.DeliveriesOf(ctx, p.ID); err != nil {
		return nil, err
	}
	if d.Reviews, err = s.Store.Reviews(ctx, p.ID); err != nil {
		return nil, err
	}
	d.Can = can(actor, d)
	return d, nil
}

// can lists what the actor may do with the post as it stands.
func can(actor *authz.Actor, d *Detail) []string {
	out := []string{}
	add := func(name string, ok bool) {
		if ok {
			out = append(out, name)
		}
	}
	writer := actor.Can(PostWrite, d.OrgPath)
	open := d.State == Draft || d.State == Returned
	waiting, shown := false, false
	for _, v := range d.Deliveries {
		waiting = waiting || v.State == Waiting || v.State == ByHand
		shown = shown || v.State == Published
	}
	add("edit", writer && (open || d.State == Approved || d.State == Queued && waiting ||
		d.State == Finished && !slices.ContainsFunc(d.Deliveries, Delivery.seen)))
	add("delete", writer && (open || d.State == Approved) && len(d.Deliveries) == 0)
	add("submit", writer && open)
	add("withdraw", writer && d.State == InReview)
	add("review", d.State == InReview && reviewBar(actor, &d.Post, d.Reviews) == nil)
	add("schedule", actor.Can(PostSchedule, d.OrgPath) && (d.State == Approved || d.State == Finished && !shown && d.ApprovedHash == d.Hash))
	add("cancel", actor.Can(PostSchedule, d.OrgPath) && waiting)
	add("retract", actor.Can(PostRetract, d.OrgPath) && shown)
	return out
}

// List returns posts of the actor's organisations.
func (s *Service) List(ctx context.Context, actor *authz.Actor, f PostFilter, r page.Request) (page.Result[Summary], error) {
	f.Scope = actor.Scope(PostRead)
	rows, err := s.Store.ListPosts(ctx, f, r)
	if err != nil {
		return page.Result[Summary]{}, err
	}
	return page.Of(rows, r.Limit, func(p Summary) ids.ID { return p.ID }), nil
}

// entry is the audit entry of an action on a post.
func (s *Service) entry(actor *authz.Actor, action string, p *Post, detail map[string]string) trail.Entry {
	return trail.Entry{Actor: actor, Action: action, Object: "post", ID: p.ID, OrgID: p.OrgID, OrgPath: p.OrgPath, Detail: detail}
}

// fingerprint of all texts of the content, for near-duplicate search.
func fingerprint(c Content) uint64 {
	text := ""
	for _, a := range c.Articles {
		text += a.Title + "\n" + sourceText(a) + "\n"
	}
	return render.SimHash(text)
}
