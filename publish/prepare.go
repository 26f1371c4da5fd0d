package publish

import (
	"context"
	"io"
	"strings"
	"time"

	"tongxin/internal/errs"
	"tongxin/publish/picture"
	"tongxin/publish/render"
)

// prepare uploads what the account does not hold yet and saves the draft. Its
// steps are harmless to repeat: a picture is kept once per account by its hash,
// and a second draft in the box is seen by no reader.
func (w *worker) prepare(ctx context.Context, p Platform, a Account) error {
	rev, err := w.s.Store.Revision(ctx, w.d.PostID, w.d.PostVersion)
	if err != nil {
		return err
	}
	if rev.Hash != w.d.Hash || rev.Content.Hash() != w.d.Hash {
		return &PlatformError{Kind: KindPermanent, Msg: "内容与审核通过的版本不一致，已停止发布，请重新提交审核。"}
	}
	post := Post{ID: w.d.PostID, OrgID: w.d.OrgID, OrgPath: w.d.OrgPath, Content: rev.Content, Hash: rev.Hash}
	findings, err := w.s.lint(ctx, nil, &post)
	if err != nil {
		return err
	}
	if bad := onlyErrors(findings); len(bad) > 0 {
		return &PlatformError{Kind: KindPermanent, Msg: "发布前检查未通过：" + bad[0].Msg}
	}
	refs, err := w.upload(ctx, p, a, rev.Content)
	if err != nil {
		return err
	}
	articles, err := w.s.platformArticles(rev.Content, refs, a.Platform == Feed)
	if err != nil {
		return err
	}
	w.d.Step = StepDraft
	w.hold()
	if err := w.save(ctx, "", nil); err != nil {
		return err
	}
	callCtx, cancel := context.WithTimeout(ctx, w.timing().Lease/3)
	draft, err := p.SaveDraft(callCtx, a, articles)
	cancel()
	if err != nil {
		return err
	}
	w.d.DraftID, w.d.Step = draft, StepReady
	w.clearError()
	w.hold()
	if err := w.save(ctx, "", nil); err != nil {
		if errs.Is(err, errs.Stale) { // cancelled or edited meanwhile: nobody else knows this draft
			dropCtx, cancel := context.WithTimeout(ctx, w.timing().Lease/3)
			defer cancel()
			if dropErr := p.DropDraft(dropCtx, a, draft); dropErr != nil {
				w.s.Log.Warn("queue: an unused draft stays in the box", "delivery", w.d.ID, "draft", draft, "err", dropErr)
			}
		}
		return err
	}
	return nil
}

// Keys of uploads: the same bytes are one thing in a body and another as a cover.
const (
	contentKey = "content:"
	coverKey   = "cover:"
)

// uploadKeys lists what the content needs on the platform, each once, in order.
func uploadKeys(c Content) ([]string, error) {
	var keys []string
	seen := map[string]bool{}
	add := func(key string) {
		if !seen[key] {
			seen[key] = true
			keys = append(keys, key)
		}
	}
	for _, a := range c.Articles {
		if a.Cover.Asset != "" {
			add(coverKey + a.Cover.Asset)
		}
		if a.Kind == Pictures {
			for _, hash := range a.Images {
				add(coverKey + hash)
			}
			continue
		}
		res, err := render.Render(render.Source{Format: a.Format, Text: a.Body}, render.Options{})
		if err != nil {
			return nil, err
		}
		for _, hash := range append(res.Pictures, res.Missing...) {
			add(contentKey + hash)
		}
	}
	return keys, nil
}

// upload brings missing pictures to the account and returns key → reference.
func (w *worker) upload(ctx context.Context, p Platform, a Account, c Content) (map[string]string, error) {
	keys, err := uploadKeys(c)
	if err != nil || len(keys) == 0 {
		return nil, err
	}
	refs, err := w.s.Store.Uploads(ctx, a.ID, keys)
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		if refs[key] != "" {
			continue
		}
		w.d.Step = StepUpload
		w.hold()
		if err := w.save(ctx, "", nil); err != nil {
			return nil, err
		}
		refs[key], err = w.uploads.do(a.ID.String()+"/"+key, func() (string, error) { return w.uploadOne(ctx, p, a, key) })
		if err != nil {
			return nil, err
		}
	}
	return refs, nil
}

func (w *worker) uploadOne(ctx context.Context, p Platform, a Account, key string) (string, error) {
	// Another worker may have stored it between our look and our turn.
	if known, err := w.s.Store.Uploads(ctx, a.ID, []string{key}); err != nil || known[key] != "" {
		return known[key], err
	}
	kind, hash, _ := strings.Cut(key, ":")
	data, mime, err := w.s.converted(ctx, kind+":" == coverKey, hash)
	if err != nil {
		return "", err
	}
	callCtx, cancel := context.WithTimeout(ctx, w.timing().Lease/3)
	defer cancel()
	var ref string
	if kind+":" == coverKey {
		ref, err = p.UploadCover(callCtx, a, data, mime)
	} else {
		ref, err = p.UploadPicture(callCtx, a, data, mime)
	}
	if err != nil {
		return "", err
	}
	if err := w.s.Store.SaveUpload(ctx, a.ID, key, ref); err != nil {
		return "", err
	}
	// Another node may have been first: all drafts must name the same picture,
	// or an article of unknown outcome is not recognised by its cover.
	known, err := w.s.Store.Uploads(ctx, a.ID, []string{key})
	return known[key], err
}

// maxPicture bounds a stored picture, in bytes.
const maxPicture = 30 << 20

// converted reads a picture and makes what platforms take of it.
func (s *Service) converted(ctx context.Context, cover bool, hash string) ([]byte, string, error) {
	rc, size, err := s.Blobs.Open(ctx, hash)
	if errs.Is(err, errs.NotFound) {
		return nil, "", errs.Wrap(err, errs.NotFound, "素材库中找不到一张图片，请在编辑页重新上传。")
	}
	if err != nil { // a disk or an object store that does not answer: worth another try
		return nil, "", err
	}
	defer rc.Close()
	if size > maxPicture {
		return nil, "", errs.New(errs.TooLarge, "有一张图片超过 30 MB，请换一张小一些的图片。")
	}
	data, err := io.ReadAll(io.LimitReader(rc, maxPicture))
	if err != nil {
		return nil, "", err
	}
	select {
	case s.pics <- struct{}{}:
		defer func() { <-s.pics }()
	case <-ctx.Done():
		return nil, "", ctx.Err()
	}
	if cover {
		return picture.ForCover(data)
	}
	return picture.ForContent(data)
}

// platformArticles renders the content with the account's own picture
// references. Links live on where the platform lets them (a feed); in WeChat
// they become footnotes.
func (s *Service) platformArticles(c Content, refs map[string]string, keepLinks bool) ([]Rendered, error) {
	out := make([]Rendered, 0, len(c.Articles))
	for _, a := range c.Articles {
		r := Rendered{
			Kind: a.Kind, Title: a.Title, Author: a.Author, Digest: a.Digest, CoverID: refs[coverKey+a.Cover.Asset],
			CropWide: cropText(a.Cover.Wide), CropSquare: cropText(a.Cover.Square),
			SourceURL: a.SourceURL, OpenComment: a.OpenComment, FansOnly: a.FansOnly,
		}
		if a.Kind == Pictures {
			for _, hash := range a.Images {
				r.ImageIDs = append(r.ImageIDs, refs[coverKey+hash])
			}
			r.Text = sourceText(a)
			out = append(out, r)
			continue
		}
		res, err := render.Render(render.Source{Format: a.Format, Text: a.Body}, render.Options{Theme: a.Theme, KeepLinks: keepLinks, Picture: pictureOf(refs)})
		if err != nil {
			return nil, err
		}
		if len(res.Missing) > 0 { // a reader must never see a post that lost a picture
			return nil, errs.New(errs.Invalid, "《%s》有图片没有上传成功，已停止发布，请在编辑页检查图片。", a.Title)
		}
		r.HTML, r.Text = res.HTML, res.Text
		if r.Digest == "" {
			r.Digest = render.Digest(res.Text)
		}
		out = append(out, r)
	}
	return out, nil
}

// pictureOf finds a body's pictures among the account's references.
func pictureOf(refs map[string]string) func(ref string) (url, alt string, ok bool) {
	return func(ref string) (string, string, bool) {
		url := refs[contentKey+strings.TrimPrefix(ref, "asset:")]
		return url, "", url != ""
	}
}

// cropText is the platform's form of a crop, empty for a centred one.
func cropText(c [4]float64) string {
	if c == [4]float64{} {
		return ""
	}
	return picture.CropText(c)
}

// figures reads the numbers of a published article once a day for a week.
func (w *worker) figures(ctx context.Context, p Platform, a Account) error {
	day := w.now().Add(-24 * time.Hour)
	callCtx, cancel := context.WithTimeout(ctx, w.timing().Lease/3)
	rows, err := p.Figures(callCtx, a, *w.d, day)
	cancel()
	if err == nil {
		err = w.s.Store.SaveFigures(ctx, w.d.ID, rows)
	}
	if err != nil { // many accounts have no right to figures: that is no failure of the post
		w.s.Log.Info("queue: no figures", "delivery", w.d.ID, "err", err)
	}
	next := nextFigures(w.now())
	if next.Sub(w.d.DoneAt) > 8*24*time.Hour {
		next = time.Time{}
	}
	w.release(next)
	return w.save(ctx, "", nil)
}

// nextFigures is 09:00 of the next day in Asia/Shanghai: the platform counts a
// day's readings by 08:00 of the next. Source: data cube documentation, 2025.
func nextFigures(now time.Time) time.Time { return nextMidnight(now).Add(8*time.Hour + 55*time.Minute) }
