package publish

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
)

// Submit asks for review. It is refused with lint's findings when the content
// breaks a rule of the platform. With a chain of length 0 the post is approved
// at once.
func (s *Service) Submit(ctx context.Context, actor *authz.Actor, id ids.ID, expect int64) (*Post, error) {
	p, err := s.postFor(ctx, actor, id, PostWrite)
	if err != nil {
		return nil, err
	}
	if p.Version != expect {
		return nil, s.stale(ctx, p, expect)
	}
	if p.State != Draft && p.State != Returned {
		return nil, errs.New(errs.Conflict, "这篇图文当前状态不能提交审核，请刷新页面查看。")
	}
	findings, err := s.lint(ctx, actor, p)
	if err != nil {
		return nil, err
	}
	if bad := onlyErrors(findings); len(bad) > 0 {
		return nil, &errs.Error{
			Code: errs.Invalid, Details: bad,
			Msg: "还有 " + itoa(len(bad)) + " 处不符合平台要求，请先修改：" + bad[0].Msg,
		}
	}
	org, err := s.Org(ctx, p.OrgID)
	if err != nil {
		return nil, err
	}
	next := *p
	next.Version, next.UpdatedAt, next.UpdatedBy = expect+1, s.Clock.Now(), actor.Name
	next.Levels = min(max(org.ReviewLevels, 0), MaxLevels)
	next.State, next.Level = InReview, 1
	if next.Levels == 0 {
		next.State, next.Level, next.ApprovedHash = Approved, 0, p.Hash
	}
	next.ReviewDue = reviewDue(next, org)
	err = s.Store.Commit(ctx, Change{
		Post: &next, Expect: expect,
		Entry: s.entry(actor, "post.submit", p, map[string]string{"title": p.Title, "hash": p.Hash, "levels": itoa(next.Levels)}),
	})
	if err != nil {
		return nil, s.explainStale(ctx, id, expect, err)
	}
	s.remindSoon()
	return &next, nil
}

func reviewDue(p Post, org Org) time.Time {
	if p.State != InReview || org.ReviewTime <= 0 {
		return time.Time{}
	}
	return p.UpdatedAt.Add(org.ReviewTime)
}

// Withdraw takes a post back from review, for its writers.
func (s *Service) Withdraw(ctx context.Context, actor *authz.Actor, id ids.ID) (*Post, error) {
	p, err := s.postFor(ctx, actor, id, PostWrite)
	if err != nil {
		return nil, err
	}
	if p.State != InReview {
		return nil, errs.New(errs.Conflict, "这篇图文不在审核中，无需撤回。")
	}
	next := *p
	next.Version, next.UpdatedAt, next.UpdatedBy = p.Version+1, s.Clock.Now(), actor.Name
	next.State, next.Level, next.ReviewDue = Draft, 0, time.Time{}
	err = s.Store.Commit(ctx, Change{Post: &next, Expect: p.Version, Entry: s.entry(actor, "post.withdraw", p, nil)})
	return &next, err
}

// Verdict is what a reviewer says of a content.
type Verdict struct {
	Level    int      `json:"level" minimum:"1" maximum:"3"`
	Decision Decision `json:"decision" enum:"pass,return"`
	Reason   string   `json:"reason,omitempty" maxLength:"1000" doc:"required when returning"`
	Hash     string   `json:"hash" doc:"hash of the content that was read"`
}

// Decide passes or returns the level that is asked now. The verdict must name
// the hash that the reviewer read: a content that moved on is refused.
func (s *Service) Decide(ctx context.Context, actor *authz.Actor, id ids.ID, v Verdict) (*Post, error) {
	p, err := s.postFor(ctx, actor, id, PostRead)
	if err != nil {
		return nil, err
	}
	reviews, err := s.Store.Reviews(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := reviewBar(actor, p, reviews); err != nil {
		return nil, err
	}
	v.Reason = strings.TrimSpace(v.Reason)
	switch {
	case v.Level != p.Level:
		return nil, errs.New(errs.Conflict, "这一级审核已经完成，请刷新页面查看最新进度。")
	case v.Hash != p.Hash:
		return nil, errs.New(errs.Stale, "内容在您阅读之后有修改，请重新阅读后再审核。")
	case v.Decision != Pass && v.Decision != Return:
		return nil, errs.Bad("decision", "请选择通过或退回。")
	case v.Decision == Return && v.Reason == "":
		return nil, errs.Bad("reason", "退回时请写明原因，方便作者修改。")
	}
	org, err := s.Org(ctx, p.OrgID)
	if err != nil {
		return nil, err
	}
	next := *p
	next.Version, next.UpdatedAt, next.UpdatedBy = p.Version+1, s.Clock.Now(), actor.Name
	switch {
	case v.Decision == Return:
		next.State, next.Level = Returned, 0
	case p.Level < p.Levels:
		next.Level = p.Level + 1
	default:
		next.State, next.Level, next.ApprovedHash = Approved, 0, p.Hash
	}
	next.ReviewDue = reviewDue(next, org)
	review := &Review{
		ID: s.IDs.New(), PostID: id, Version: p.Version, Hash: p.Hash, Level: v.Level, Decision: v.Decision,
		Reason: v.Reason, ReviewerID: actor.ID, ReviewerName: actor.Name, At: next.UpdatedAt,
	}
	err = s.Store.Commit(ctx, Change{
		Post: &next, Expect: p.Version, Review: review,
		Entry: s.entry(actor, "post.review."+string(v.Decision), p, map[string]string{"level": itoa(v.Level), "hash": p.Hash, "reason": v.Reason}),
	})
	if err != nil {
		return nil, err
	}
	s.remindSoon()
	return &next, nil
}

// reviewBar says why the actor may not decide on the post now; nil when free.
// The rules of 三审三校: who wrote never reviews, and one person passes one
// level only of the same content.
func reviewBar(actor *authz.Actor, p *Post, reviews []Review) error {
	if p.State != InReview || p.Level < 1 || p.Level > MaxLevels {
		return errs.New(errs.Conflict, "这篇图文现在不需要审核。")
	}
	if !actor.Can(ReviewRight(p.Level), p.OrgPath) {
		return errs.New(errs.Forbidden, "您没有%s的权限。", levelName(p.Level))
	}
	if p.AuthorID == actor.ID || slices.Contains(p.Editors, actor.ID) {
		return errs.New(errs.Forbidden, "作者和修改过内容的人不能审核这篇图文，请由其他同志审核。")
	}
	for _, r := range reviews {
		if r.Decision == Pass && r.Hash == p.Hash && r.ReviewerID == actor.ID && r.Level != p.Level {
			return errs.New(errs.Forbidden, "您已经通过了%s，同一人只能通过其中一级。", levelName(r.Level))
		}
	}
	return nil
}

func levelName(level int) string { return [...]string{"", "初审", "复审", "终审"}[level] }

// AwaitingReview lists posts that the actor could decide on now. Rights differ
// by level and by organisation, so each level is asked with its own scope.
func (s *Service) AwaitingReview(ctx context.Context, actor *authz.Actor, r page.Request) (page.Result[Summary], error) {
	var all []Summary
	for level := 1; level <= MaxLevels; level++ {
		scope := actor.Scope(ReviewRight(level))
		if scope.Empty() {
			continue
		}
		rows, err := s.awaiting(ctx, actor, PostFilter{Scope: scope, State: InReview, Level: level, NotEditor: actor.ID}, r)
		if err != nil {
			return page.Result[Summary]{}, err
		}
		all = append(all, rows...)
	}
	slices.SortFunc(all, func(a, b Summary) int { return cmp.Compare(b.ID, a.ID) })
	return page.Of(all, r.Limit, func(p Summary) ids.ID { return p.ID }), nil
}

// awaiting reads on until a page is full: what dropPassed leaves out must not
// hide what stands behind it.
func (s *Service) awaiting(ctx context.Context, actor *authz.Actor, f PostFilter, r page.Request) ([]Summary, error) {
	var out []Summary
	for {
		rows, err := s.Store.ListPosts(ctx, f, r)
		if err != nil {
			return nil, err
		}
		free, err := s.dropPassed(ctx, actor, rows)
		if err != nil {
			return nil, err
		}
		out = append(out, free...)
		if len(rows) <= r.Limit || len(out) > r.Limit {
			return out, nil
		}
		r.After = rows[len(rows)-1].ID
	}
}

// dropPassed leaves out posts whose earlier level this person passed already.
func (s *Service) dropPassed(ctx context.Context, actor *authz.Actor, posts []Summary) ([]Summary, error) {
	var out []Summary
	for _, sum := range posts {
		if sum.Level > 1 {
			p, err := s.Store.Post(ctx, sum.ID)
			if err != nil {
				return nil, err
			}
			reviews, err := s.Store.Reviews(ctx, sum.ID)
			if err != nil {
				return nil, err
			}
			if reviewBar(actor, p, reviews) != nil {
				continue
			}
		}
		out = append(out, sum)
	}
	return out, nil
}

// Sheet is the printable review sheet (审核单) of a post.
type Sheet struct {
	Post   Post        `json:"post"`
	Levels []SheetLine `json:"levels"`
	// History holds every decision, also of contents that were changed since.
	History []Review `json:"history"`
}

// SheetLine is one level of the chain for the present content.
type SheetLine struct {
	Level  int     `json:"level"`
	Name   string  `json:"name"`
	Review *Review `json:"review,omitempty"`
}

// Sheet returns the review sheet.
func (s *Service) Sheet(ctx context.Context, actor *authz.Actor, id ids.ID) (*Sheet, error) {
	p, err := s.postFor(ctx, actor, id, PostRead)
	if err != nil {
		return nil, err
	}
	reviews, err := s.Store.Reviews(ctx, id)
	if err != nil {
		return nil, err
	}
	sh := &Sheet{Post: *p, Levels: []SheetLine{}, History: nonNil(reviews)}
	for level := 1; level <= p.Levels; level++ {
		line := SheetLine{Level: level, Name: levelName(level)}
		for i, r := range reviews {
			if p.passed(level) && r.Level == level && r.Hash == p.Hash && r.Decision == Pass {
				line.Review = &reviews[i]
			}
		}
		sh.Levels = append(sh.Levels, line)
	}
	return sh, nil
}

// passed reports whether the present round of review is past the level: what
// was passed before a return or a withdrawal has to be passed again.
func (p *Post) passed(level int) bool {
	return p.State == InReview && level < p.Level || p.ApprovedHash != "" && p.ApprovedHash == p.Hash
}
