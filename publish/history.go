package publish

import (
	"context"
	"strconv"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/publish/render"
)

func itoa(n int) string { return strconv.Itoa(n) }

// FieldChange is one difference that a refused edit tells of.
type FieldChange struct {
	Field  string `json:"field"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// Stale is the detail of a lost update: what is stored now, who stored it and
// what changed since the version the editor had seen.
type Stale struct {
	Current   Post          `json:"current"`
	UpdatedBy string        `json:"updatedBy"`
	UpdatedAt time.Time     `json:"updatedAt"`
	Changes   []FieldChange `json:"changes"`
}

// stale builds the refusal of an edit that was made on an older version.
func (s *Service) stale(ctx context.Context, p *Post, seen int64) error {
	d := Stale{Current: *p, UpdatedBy: p.UpdatedBy, UpdatedAt: p.UpdatedAt, Changes: []FieldChange{}}
	if rev, err := s.Store.Revision(ctx, p.ID, seen); err == nil {
		d.Changes = compareContent(rev.Content, p.Content)
	}
	return &errs.Error{
		Code: errs.Stale, Details: d,
		Msg: "这篇图文在您打开之后被“" + p.UpdatedBy + "”修改过，您的修改没有保存。请比较两个版本后再保存。",
	}
}

// explainStale turns the store's bare refusal into one that says what changed.
func (s *Service) explainStale(ctx context.Context, id ids.ID, seen int64, err error) error {
	if !errs.Is(err, errs.Stale) {
		return err
	}
	p, readErr := s.Store.Post(ctx, id)
	if readErr != nil {
		return err
	}
	return s.stale(ctx, p, seen)
}

// compareContent names the fields that differ, article by article.
func compareContent(before, after Content) []FieldChange {
	out := []FieldChange{}
	n := max(len(before.Articles), len(after.Articles))
	for i := range n {
		var a, b Article
		if i < len(before.Articles) {
			a = before.Articles[i]
		}
		if i < len(after.Articles) {
			b = after.Articles[i]
		}
		for _, f := range []FieldChange{
			{"title", a.Title, b.Title},
			{"author", a.Author, b.Author},
			{"digest", a.Digest, b.Digest},
			{"body", sourceText(a), sourceText(b)},
			{"theme", a.Theme, b.Theme},
			{"cover", a.Cover.Asset, b.Cover.Asset},
			{"sourceUrl", a.SourceURL, b.SourceURL},
		} {
			if f.Before != f.After {
				f.Field = "articles[" + itoa(i) + "]." + f.Field
				out = append(out, f)
			}
		}
	}
	return out
}

// sourceText is the readable text of an article's source.
func sourceText(a Article) string {
	if a.Format == "markdown" {
		return a.Body
	}
	return render.PlainText(a.Body)
}

// ArticleDiff compares one article of two revisions word by word.
type ArticleDiff struct {
	Index  int           `json:"index"`
	Title  []render.Span `json:"title"`
	Digest []render.Span `json:"digest"`
	Body   []render.Span `json:"body"`
}

// Diff compares two stored versions of a post.
func (s *Service) Diff(ctx context.Context, actor *authz.Actor, id ids.ID, from, to int64) ([]ArticleDiff, error) {
	a, err := s.RevisionContent(ctx, actor, id, from)
	if err != nil {
		return nil, err
	}
	b, err := s.RevisionContent(ctx, actor, id, to)
	if err != nil {
		return nil, err
	}
	var out []ArticleDiff
	for i := range max(len(a.Content.Articles), len(b.Content.Articles)) {
		var x, y Article
		if i < len(a.Content.Articles) {
			x = a.Content.Articles[i]
		}
		if i < len(b.Content.Articles) {
			y = b.Content.Articles[i]
		}
		out = append(out, ArticleDiff{
			Index: i,
			Title: render.Compare(x.Title, y.Title), Digest: render.Compare(x.Digest, y.Digest),
			Body: render.Compare(sourceText(x), sourceText(y)),
		})
	}
	return out, nil
}

// Revisions lists a post's history, newest first.
func (s *Service) Revisions(ctx context.Context, actor *authz.Actor, id ids.ID, r page.Request) (page.Result[Revision], error) {
	if _, _, err := s.headFor(ctx, actor, id, PostRead); err != nil {
		return page.Result[Revision]{}, err
	}
	rows, err := s.Store.Revisions(ctx, id, r)
	if err != nil {
		return page.Result[Revision]{}, err
	}
	return page.Of(rows, r.Limit, func(v Revision) ids.ID { return ids.ID(v.Version) }), nil
}

// RevisionContent returns one stored version with its content.
func (s *Service) RevisionContent(ctx context.Context, actor *authz.Actor, id ids.ID, version int64) (*Revision, error) {
	if _, _, err := s.headFor(ctx, actor, id, PostRead); err != nil {
		return nil, err
	}
	return s.Store.Revision(ctx, id, version)
}

// Restore brings back the content of an older version as a new version.
func (s *Service) Restore(ctx context.Context, actor *authz.Actor, id ids.ID, expect, version int64) (*Post, error) {
	rev, err := s.RevisionContent(ctx, actor, id, version)
	if err != nil {
		return nil, err
	}
	return s.edit(ctx, actor, id, expect, rev.Content, false, rev.Content)
}
