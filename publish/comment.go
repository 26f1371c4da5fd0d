package publish

import (
	"context"
	"strings"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
)

// Comments lists the remarks on a post, oldest first.
func (s *Service) Comments(ctx context.Context, actor *authz.Actor, post ids.ID) ([]Comment, error) {
	if _, _, err := s.headFor(ctx, actor, post, PostRead); err != nil {
		return nil, err
	}
	return s.Store.Comments(ctx, post)
}

// AddComment stores a remark of anyone who may read the post.
func (s *Service) AddComment(ctx context.Context, actor *authz.Actor, c Comment) (*Comment, error) {
	p, articles, err := s.headFor(ctx, actor, c.PostID, PostRead)
	if err != nil {
		return nil, err
	}
	c.Body = strings.TrimSpace(c.Body)
	var f errs.Fields
	if c.Body == "" {
		f.Add("body", "请写下批注内容。")
	}
	if c.Article < 0 || c.Article >= articles {
		f.Add("article", "没有第 %d 条内容，请刷新页面。", c.Article+1)
	}
	if c.ParentID != 0 {
		parent, err := s.Store.Comment(ctx, c.ParentID)
		if err != nil && !errs.Is(err, errs.NotFound) {
			return nil, err
		}
		if err != nil || parent.PostID != p.ID {
			f.Add("parentId", "没有找到要回复的批注，请刷新页面。")
		}
	}
	if err := f.Err(); err != nil {
		return nil, err
	}
	c.ID, c.Version, c.At = s.IDs.New(), p.Version, s.Clock.Now()
	c.AuthorID, c.AuthorName = actor.ID, actor.Name
	c.ResolvedAt, c.ResolvedBy = time.Time{}, ""
	id, err := s.Store.AddComment(ctx, &c, s.entry(actor, "post.comment", p, nil))
	if err != nil {
		return nil, err
	}
	if id != c.ID {
		return s.Store.Comment(ctx, id)
	}
	return &c, nil
}

// ResolveComment marks a remark as dealt with.
func (s *Service) ResolveComment(ctx context.Context, actor *authz.Actor, id ids.ID) (*Comment, error) {
	c, err := s.Store.Comment(ctx, id)
	if err != nil {
		return nil, err
	}
	p, err := s.postFor(ctx, actor, c.PostID, PostRead)
	if err != nil {
		return nil, errs.Missing("批注")
	}
	if !actor.Can(PostWrite, p.OrgPath) && c.AuthorID != actor.ID {
		return nil, errs.New(errs.Forbidden, "只有作者或写批注的人可以标记为已处理。")
	}
	now := s.Clock.Now()
	e := s.entry(actor, "post.comment.resolve", p, nil)
	if err := s.Store.ResolveComment(ctx, id, actor.Name, now, e); err != nil {
		return nil, err
	}
	c.ResolvedAt, c.ResolvedBy = now, actor.Name
	return c, nil
}
