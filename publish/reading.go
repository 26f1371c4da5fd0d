package publish

import (
	"context"
	"fmt"
	"strings"
	"time"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/publish/render"
)

// Reading is a published post as its readers see it, whatever it was published
// on. It is there from the first successful delivery until the last one that
// stands was taken back.
type Reading struct {
	PostID      ids.ID
	Key         ids.ID // of this row in a list: the cursor
	OrgID       ids.ID
	OrgName     string
	PublishedAt time.Time
	Content     Content
	URLs        []string // where the platform shows the articles, in their order
}

// ReadingFilter narrows a list of readings.
type ReadingFilter struct {
	Orgs  []ids.ID // whose posts; none: nothing
	Post  ids.ID
	Since time.Time
	// Like finds text anywhere in the stored content: more than what really
	// holds it, never less.
	Like string
}

// ReadingStore finds what is published.
type ReadingStore interface {
	// Readings are newest first, up to Limit+1; the cursor is a Key.
	Readings(ctx context.Context, f ReadingFilter, r page.Request) ([]Reading, error)
}

// ReadArticle is an article as a reader sees it.
type ReadArticle struct {
	Title, Author, Digest string
	Cover                 string // asset hash
	HTML                  string
	URL                   string
}

// Bounds of a search: rows looked at for one page, and at once.
const (
	maxSearch  = 600
	searchStep = 100
)

// Readings lists published posts of organisations, newest first. A query is
// looked for in titles, digests and texts. It asks for no right: the caller
// says whose posts a reader may see.
func (s *Service) Readings(ctx context.Context, orgs []ids.ID, query string, r page.Request) (*page.Result[Reading], error) {
	key := func(x Reading) ids.ID { return x.Key }
	f, query := ReadingFilter{Orgs: orgs}, strings.TrimSpace(query)
	if query == "" {
		rows, err := s.Store.Readings(ctx, f, r)
		if err != nil {
			return nil, err
		}
		res := page.Of(rows, r.Limit, key)
		return &res, nil
	}
	if !strings.ContainsAny(query, "<>&\"\\") { // JSON writes those in another way
		f.Like = query
	}
	var found []Reading
	for seen, step := 0, (page.Request{After: r.After, Limit: searchStep}); ; seen += searchStep {
		rows, err := s.Store.Readings(ctx, f, step)
		if err != nil {
			return nil, err
		}
		more := len(rows) > searchStep
		rows = rows[:min(len(rows), searchStep)]
		for _, x := range rows {
			if x.holds(query) {
				found = append(found, x)
			}
		}
		res := page.Of(found, r.Limit, key)
		if !more || res.Next != "" {
			return &res, nil
		}
		last := rows[len(rows)-1]
		if step.After = last.Key; seen+searchStep >= maxSearch { // the reader may ask for the rest
			res.Next = page.Of([]Reading{last, last}, 1, key).Next
			return &res, nil
		}
	}
}

// holds looks for text in what a reader sees.
func (x Reading) holds(text string) bool {
	text = strings.ToLower(text)
	for _, a := range x.Content.Articles {
		if strings.Contains(strings.ToLower(a.Title), text) || strings.Contains(strings.ToLower(a.Digest), text) ||
			strings.Contains(strings.ToLower(sourceText(a)), text) {
			return true
		}
	}
	return false
}

// Reading returns one published post of the organisations; errs.NotFound when
// there is none, or none any more.
func (s *Service) Reading(ctx context.Context, orgs []ids.ID, post ids.ID) (*Reading, error) {
	rows, err := s.Store.Readings(ctx, ReadingFilter{Orgs: orgs, Post: post}, page.Request{Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, errs.Missing("文章")
	}
	return &rows[0], nil
}

// Articles renders a reading; picture gives the address of a library picture.
func (x Reading) Articles(picture func(hash string) string) ([]ReadArticle, error) {
	var out []ReadArticle
	for i, a := range x.Content.Articles {
		r := ReadArticle{Title: a.Title, Author: a.Author, Digest: a.Digest, Cover: strings.TrimPrefix(a.Cover.Asset, render.AssetPrefix)}
		if i < len(x.URLs) {
			r.URL = x.URLs[i]
		}
		res, err := render.Render(readSource(a), render.Options{Theme: a.Theme, KeepLinks: true, Picture: PictureLink(picture)})
		if err != nil {
			return nil, err
		}
		if r.HTML = res.HTML; r.Digest == "" {
			r.Digest = render.Digest(res.Text)
		}
		if r.Cover == "" && len(a.Images) > 0 {
			r.Cover = strings.TrimPrefix(a.Images[0], render.AssetPrefix)
		}
		out = append(out, r)
	}
	return out, nil
}

// Digest of the first article: its own, or what the platform would take.
func (x Reading) Digest() string {
	if len(x.Content.Articles) == 0 {
		return ""
	}
	a := x.Content.Articles[0]
	if a.Digest != "" {
		return a.Digest
	}
	res, err := render.Render(readSource(a), render.Options{})
	if err != nil {
		return ""
	}
	return render.Digest(res.Text)
}

// Cover is the asset that stands for the post in a list; may be empty.
func (x Reading) Cover() string {
	if len(x.Content.Articles) == 0 {
		return ""
	}
	a := x.Content.Articles[0]
	if a.Cover.Asset == "" && len(a.Images) > 0 {
		return strings.TrimPrefix(a.Images[0], render.AssetPrefix)
	}
	return strings.TrimPrefix(a.Cover.Asset, render.AssetPrefix)
}

// readSource lays a picture post out as pictures over its text.
func readSource(a Article) render.Source {
	if a.Kind != Pictures {
		return render.Source{Format: a.Format, Text: a.Body}
	}
	var b strings.Builder
	for _, hash := range a.Images {
		fmt.Fprintf(&b, "![](%s%s)\n\n", render.AssetPrefix, strings.TrimPrefix(hash, render.AssetPrefix))
	}
	b.WriteString(sourceText(a))
	return render.Source{Format: "markdown", Text: b.String()}
}

// PictureLink makes the Picture option of a rendering that shows pictures of
// the library only: others would tell their servers who reads.
func PictureLink(link func(hash string) string) func(ref string) (url, alt string, ok bool) {
	return func(ref string) (string, string, bool) {
		hash, ours := strings.CutPrefix(ref, render.AssetPrefix)
		if !ours || len(hash) != 64 {
			return "", "", false
		}
		return link(hash), "", true
	}
}

// OpenPicture opens a picture of the library in one of its sizes for whoever
// was given a link to it.
func (s *Service) OpenPicture(ctx context.Context, hash string, size int) (*MediaFile, error) {
	if size != SizeOriginal && size != SizeSmall && size != SizeMedium {
		return nil, errs.Missing("图片")
	}
	copies, err := s.Store.AssetCopies(ctx, hash)
	if err != nil {
		return nil, err
	}
	if len(copies) == 0 {
		return nil, errs.Missing("图片")
	}
	return s.openAsset(ctx, &copies[0], size)
}
