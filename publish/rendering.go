package publish

import (
	"context"
	"slices"
	"strings"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/publish/lint"
	"tongxin/publish/render"
)

// Preview is one article as a phone would show it, with what lint says of it.
type Preview struct {
	HTML     string         `json:"html" doc:"inline styles only; pictures by address of this program"`
	Text     string         `json:"text"`
	Chars    int            `json:"chars" doc:"visible characters"`
	Pictures []string       `json:"pictures"`
	Digest   string         `json:"digest" doc:"the digest, or what the platform takes when it is empty"`
	Dropped  []string       `json:"dropped" doc:"what the platform would not show, and what to do"`
	Findings []lint.Finding `json:"findings"`
}

// Theme is one look of articles.
type Theme struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Themes lists the looks, the default first.
func (s *Service) Themes() []Theme {
	var out []Theme
	for _, t := range render.Themes() {
		out = append(out, Theme{ID: t.ID, Name: t.Name})
	}
	return out
}

// previewPath is where the console reads pictures; a preview never leaves it.
const previewPath = "/api/staff/v1/media/"

// Preview renders one article for its author.
func (s *Service) Preview(ctx context.Context, actor *authz.Actor, a Article) (*Preview, error) {
	content := Content{Articles: []Article{a}}
	if err := checkContent(&content); err != nil {
		return nil, err
	}
	a = content.Articles[0]
	scope := actor.Scope(MediaRead)
	res, err := s.renderArticle(ctx, scope, a)
	if err != nil {
		return nil, err
	}
	words, err := s.matcher(ctx)
	if err != nil {
		return nil, err
	}
	p := &Preview{HTML: res.HTML, Text: res.Text, Chars: res.Chars, Pictures: nonNil(res.Pictures), Digest: a.Digest, Dropped: nonNil(res.Dropped)}
	if p.Digest == "" {
		p.Digest = render.Digest(res.Text)
	}
	p.Findings = s.findings(lint.Post{Articles: []lint.Article{s.lintArticle(ctx, scope, a, res)}, Words: words})
	return p, nil
}

func nonNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// renderArticle renders with the library's alternative texts and the console's
// picture addresses.
func (s *Service) renderArticle(ctx context.Context, scope authz.Scope, a Article) (render.Result, error) {
	if a.Kind == Pictures {
		res := render.Result{Text: sourceText(a), Pictures: a.Images}
		for _, hash := range a.Images {
			if _, err := s.Store.Asset(ctx, scope, hash); errs.Is(err, errs.NotFound) {
				res.Missing = append(res.Missing, hash)
			} else if err != nil {
				return render.Result{}, err
			}
		}
		return res, nil
	}
	return render.Render(render.Source{Format: a.Format, Text: a.Body}, render.Options{
		Theme: a.Theme,
		Picture: func(ref string) (string, string, bool) {
			hash, ours := strings.CutPrefix(ref, "asset:")
			if !ours {
				return "", "", false
			}
			asset, err := s.Store.Asset(ctx, scope, hash)
			if err != nil {
				return "", "", false
			}
			return previewPath + hash + "?size=800", asset.Alt, true
		},
	})
}

func (s *Service) lintArticle(ctx context.Context, scope authz.Scope, a Article, res render.Result) lint.Article {
	out := lint.Article{
		PicturePost: a.Kind == Pictures, Title: a.Title, Author: a.Author, Digest: a.Digest, SourceURL: a.SourceURL,
		Text: res.Text, Pictures: len(a.Images), Rendered: res,
		Cover: lint.Cover{Present: a.Cover.Asset != "", Wide: a.Cover.Wide, Square: a.Cover.Square},
	}
	if asset, err := s.Store.Asset(ctx, scope, a.Cover.Asset); err == nil {
		out.Cover.W, out.Cover.H = asset.Width, asset.Height
	} else if errs.Is(err, errs.NotFound) {
		out.Cover.Present = false
	}
	return out
}

func (s *Service) findings(p lint.Post) []lint.Finding { return nonNil(lint.Check(p, s.rules)) }

// Lint checks a post as a submission would.
func (s *Service) Lint(ctx context.Context, actor *authz.Actor, id ids.ID) ([]lint.Finding, error) {
	p, err := s.postFor(ctx, actor, id, PostRead)
	if err != nil {
		return nil, err
	}
	return s.lint(ctx, actor, p)
}

// lint checks a post for its reader, with links and similar posts. The queue,
// which is nobody, leaves those out: people decided on them when they submitted.
func (s *Service) lint(ctx context.Context, reader *authz.Actor, p *Post) ([]lint.Finding, error) {
	words, err := s.matcher(ctx)
	if err != nil {
		return nil, err
	}
	in := lint.Post{Words: words}
	// The organisation's own library counts, whoever looks at the post.
	scope := authz.Scope{All: true}
	var links []string
	for _, a := range p.Content.Articles {
		res, err := s.renderArticle(ctx, scope, a)
		if err != nil {
			return nil, err
		}
		in.Articles = append(in.Articles, s.lintArticle(ctx, scope, a, res))
		for _, l := range res.Links {
			links = append(links, l.Href)
		}
		if a.SourceURL != "" {
			links = append(links, a.SourceURL)
		}
	}
	if reader == nil {
		return s.findings(in), nil
	}
	if in.Similar, err = s.similar(ctx, reader, p); err != nil {
		return nil, err
	}
	if s.DeadLinks != nil && len(links) > 0 {
		dead := s.DeadLinks(ctx, links)
		in.Dead = func(url string) bool { return slices.Contains(dead, url) }
	}
	return s.findings(in), nil
}

// similar finds posts of the same organisations' tree that say much the same.
// Of a post the reader may not see, it says no more than that there is one.
func (s *Service) similar(ctx context.Context, reader *authz.Actor, p *Post) ([]lint.Similar, error) {
	scope := authz.Scope{Paths: []string{rootOf(p.OrgPath)}}
	prints, err := s.Store.Fingerprints(ctx, scope, s.Clock.Now().Add(-180*24*time.Hour))
	if err != nil {
		return nil, err
	}
	sim := fingerprint(p.Content)
	var out []lint.Similar
	for _, f := range prints {
		if f.PostID == p.ID || f.Sim == 0 || render.Distance(sim, f.Sim) > nearDuplicate {
			continue
		}
		like := lint.Similar{Same: f.Hash == p.Hash}
		if reader.Can(PostRead, f.OrgPath) {
			like.Title, like.When = f.Title, f.PostID.Time().In(clock.Shanghai()).Format("1月2日")+"创建"
		}
		out = append(out, like)
		if len(out) == 3 { // more would only bury the rest
			break
		}
	}
	return out, nil
}

// rootOf is the path of the whole tree that an organisation belongs to.
func rootOf(path string) string {
	if i := strings.Index(strings.TrimPrefix(path, "/"), "/"); i >= 0 {
		return path[:i+2]
	}
	return path
}

func onlyErrors(list []lint.Finding) []lint.Finding {
	return slices.DeleteFunc(slices.Clone(list), func(f lint.Finding) bool { return f.Severity != lint.Error })
}
