package publish

import (
	"context"
	"slices"
	"strings"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/publish/render"
)

// mayUse refuses a content that refers to pictures of libraries the actor may
// not see: publishing would show them to everybody, whoever came by a hash.
// What earlier contents of the post hold already may stay. A picture that no
// library has is lint's business, so that unfinished work can be saved.
func (s *Service) mayUse(ctx context.Context, actor *authz.Actor, c Content, had ...Content) error {
	known := map[string]bool{}
	for _, h := range had {
		for _, a := range h.Articles {
			for _, r := range references(a) {
				known[r.hash] = true
			}
		}
	}
	scope := actor.Scope(MediaRead)
	var f errs.Fields
	for i, a := range c.Articles {
		for _, r := range references(a) {
			if known[r.hash] {
				continue
			}
			known[r.hash] = true
			foreign, err := s.foreign(ctx, scope, r.hash)
			if err != nil {
				return err
			}
			if foreign {
				f.Add("articles["+itoa(i)+"]."+r.field, "第 %d 条内容用了其他组织素材库里的图片，请从自己的素材库选择，或重新上传。", i+1)
			}
		}
	}
	return f.Err()
}

// foreign says that a picture is in some library, but in none of the scope.
func (s *Service) foreign(ctx context.Context, scope authz.Scope, hash string) (bool, error) {
	_, err := s.Store.Asset(ctx, scope, hash)
	if !errs.Is(err, errs.NotFound) {
		return false, err
	}
	_, err = s.Store.Asset(ctx, authz.Scope{All: true}, hash)
	if errs.Is(err, errs.NotFound) {
		return false, nil
	}
	return err == nil, err
}

// Library lists the library pictures of the content as publishing will find
// them, once each.
func (c Content) Library() []string {
	var out []string
	for _, a := range c.Articles {
		for _, r := range references(a) {
			if !slices.Contains(out, r.hash) {
				out = append(out, r.hash)
			}
		}
	}
	return out
}

type reference struct{ field, hash string }

// references lists the library pictures of an article as publishing will find
// them. Markdown has many ways to write an address, so it is rendered; what
// cannot be rendered cannot be published.
func references(a Article) []reference {
	var out []reference
	if a.Cover.Asset != "" {
		out = append(out, reference{"cover", a.Cover.Asset})
	}
	if a.Kind == Pictures {
		for _, hash := range a.Images {
			out = append(out, reference{"images", hash})
		}
		return out
	}
	if !strings.Contains(a.Body, render.AssetPrefix) && (a.Format != "markdown" || !strings.ContainsAny(a.Body, "!<")) {
		return out
	}
	res, err := render.Render(render.Source{Format: a.Format, Text: a.Body}, render.Options{})
	if err != nil {
		return out
	}
	for _, hash := range res.Pictures {
		out = append(out, reference{"body", hash})
	}
	return out
}
