package publish

import (
	"context"

	"tongxin/internal/errs"
)

// mayGoAgain looks once more, before a post is sent to an account again, for an
// earlier submit of it that was taken for lost: a platform may have shown it
// later than anybody waited. What is found is stored, and the post refused.
func (s *Service) mayGoAgain(ctx context.Context, a *Account, earlier []Delivery) error {
	for i := range earlier {
		d := &earlier[i]
		if d.AccountID != a.ID || d.State != Failed || d.ErrKind != KindUnknown || d.SubmitAt.IsZero() {
			continue
		}
		if err := s.lookOnceMore(ctx, a, d); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) lookOnceMore(ctx context.Context, a *Account, d *Delivery) error {
	p, ok := s.Platforms[a.Platform]
	if !ok {
		return errs.New(errs.Unsupported, "这个平台没有启用，请联系管理员。")
	}
	w := worker{Queue: s.queue, d: d}
	found, _, err := w.publishedSince(ctx, p, *a, 0)
	if err != nil {
		pe := AsPlatformError(err)
		if pe.Kind == KindAuth || pe.Kind == KindPermanent {
			return nil // it may not read its list: then a person said that it is not there
		}
		return errs.Wrap(err, errs.Upstream, "上一次提交曾经结果不明，重新发布前需要先核对公众号“%s”的已发布列表，但现在无法读取，请稍后再试。", a.Name)
	}
	match, err := w.match(ctx, *a, found)
	if err != nil || len(match) == 0 {
		return err
	}
	if len(match) > 1 {
		return errs.New(errs.Conflict, "公众号“%s”的已发布列表中有多篇内容相同的文章，可能包含上一次提交的，没有重新发布。请到公众平台核对；确需再发请复制一份。", a.Name)
	}
	out := Outcome{State: OutcomePublished, ArticleID: match[0].ArticleID, URLs: match[0].URLs}
	if err := s.applyOutcome(ctx, d, out, Receipt{}); err != nil {
		return err
	}
	return errs.New(errs.Conflict, "公众号“%s”的已发布列表中已经有这篇文章：上一次提交其实成功了，记录已改为“已发布”，没有重新发布。", a.Name)
}
