package publish

import (
	"context"
	"net/url"
	"strings"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
)

// What a person does with deliveries.

// deliveryFor loads a delivery the actor may read and asks for a right on it.
func (s *Service) deliveryFor(ctx context.Context, actor *authz.Actor, id ids.ID, right authz.Right) (*Delivery, error) {
	d, err := s.Store.Delivery(ctx, id)
	if err != nil {
		return nil, err
	}
	if !actor.Can(PostRead, d.OrgPath) {
		return nil, errs.Missing("发布记录")
	}
	if !actor.Can(right, d.OrgPath) {
		return nil, errs.New(errs.Forbidden, "您可以查看这条发布记录，但没有权限这样操作，请联系管理员。")
	}
	return d, nil
}

// DeliveryDetail is a delivery with its timeline and, in words, what is known.
type DeliveryDetail struct {
	Delivery
	Events  []Event   `json:"events"`
	Known   []string  `json:"known" doc:"the facts, for the person who decides on an unknown outcome"`
	Figures []Figures `json:"figures"`
}

// Delivery returns a delivery with its timeline.
func (s *Service) Delivery(ctx context.Context, actor *authz.Actor, id ids.ID) (*DeliveryDetail, error) {
	d, err := s.deliveryFor(ctx, actor, id, PostRead)
	if err != nil {
		return nil, err
	}
	out := &DeliveryDetail{Delivery: *d, Known: known(d)}
	if out.Events, err = s.Store.DeliveryEvents(ctx, id); err != nil {
		return nil, err
	}
	out.Figures, err = s.Store.FiguresOf(ctx, id)
	return out, err
}

func known(d *Delivery) []string {
	out := []string{}
	at := func(t time.Time) string { return t.In(clock.Shanghai()).Format("2006年1月2日 15:04:05") }
	if d.DraftID != "" {
		out = append(out, "草稿已保存到平台。")
	}
	if !d.SubmitAt.IsZero() {
		out = append(out, "系统在 "+at(d.SubmitAt)+" 准备提交，之后没有再提交过。")
	}
	if d.Receipt != (Receipt{}) {
		out = append(out, "平台已接收提交。")
	} else if d.State == Unknown {
		out = append(out, "没有收到平台的接收回执。")
	}
	if d.Polls > 0 {
		out = append(out, "已核对 "+itoa(d.Polls)+" 次。")
	}
	if d.State == Unknown && !d.NextAt.IsZero() {
		out = append(out, "下次核对时间："+at(d.NextAt)+"。")
	}
	return out
}

// Deliveries lists what the queue has done and will do.
func (s *Service) Deliveries(ctx context.Context, actor *authz.Actor, f DeliveryFilter, r page.Request) (page.Result[Delivery], error) {
	f.Scope = actor.Scope(PostRead)
	rows, err := s.Store.ListDeliveries(ctx, f, r)
	if err != nil {
		return page.Result[Delivery]{}, err
	}
	return page.Of(rows, r.Limit, func(d Delivery) ids.ID { return d.ID }), nil
}

// Answer of a person about an unknown outcome.
type Answer string

const (
	SaidPublished    Answer = "published"
	SaidNotPublished Answer = "not_published"
	LookAgain        Answer = "look_again"
)

// Resolve stores what a person found out about an unknown outcome.
func (s *Service) Resolve(ctx context.Context, actor *authz.Actor, id ids.ID, answer Answer, articleURL, reason string) (*Delivery, error) {
	d, err := s.deliveryFor(ctx, actor, id, PostSchedule)
	if err != nil {
		return nil, err
	}
	if d.State != Unknown {
		return nil, errs.New(errs.Conflict, "这条发布记录的结果已经明确，请刷新页面。")
	}
	now := s.Clock.Now()
	reason, articleURL = strings.TrimSpace(reason), strings.TrimSpace(articleURL)
	switch answer {
	case LookAgain:
		d.NextAt = now
	case SaidPublished:
		if err := checkArticleURL(articleURL); err != nil {
			return nil, err
		}
		d.State, d.URLs, d.DoneAt, d.NextAt, d.Note, d.ErrKind = Published, []string{articleURL}, now, time.Time{}, "由"+actor.Name+"确认已发布。", ""
	case SaidNotPublished:
		if reason == "" {
			return nil, errs.Bad("reason", "请写明您是怎样核实没有发布的，这会记入审计。")
		}
		d.State, d.DoneAt, d.NextAt, d.Note = Failed, now, time.Time{}, "由"+actor.Name+"确认没有发布："+reason
	default:
		return nil, errs.Bad("answer", "请选择：已发布、没有发布，或再核对一次。")
	}
	d.LeaseOwner, d.LeaseUntil = "", time.Time{}
	err = s.Store.SaveDelivery(ctx, d, d.Version, d.Note, deliveryEntry(actor, "delivery.resolve", d, map[string]string{"answer": string(answer), "reason": reason}))
	if err != nil {
		return nil, err
	}
	s.queue.Wake()
	return d, nil
}

// checkArticleURL accepts only links that WeChat gives to articles.
func checkArticleURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Host != "mp.weixin.qq.com" || u.Scheme != "https" && u.Scheme != "http" || len(u.Path) < 2 {
		return errs.Bad("articleUrl", "请粘贴文章链接，以 https://mp.weixin.qq.com/ 开头。")
	}
	return nil
}

// ConfirmByHand finds the article that a person published from the draft box;
// where the account may not read its list, the person gives the link.
func (s *Service) ConfirmByHand(ctx context.Context, actor *authz.Actor, id ids.ID, articleURL string) (*Delivery, error) {
	d, err := s.deliveryFor(ctx, actor, id, PostSchedule)
	if err != nil {
		return nil, err
	}
	if d.State != ByHand {
		return nil, errs.New(errs.Conflict, "这条记录不需要手动发布确认，请刷新页面。")
	}
	out := Outcome{State: OutcomePublished}
	if articleURL = strings.TrimSpace(articleURL); articleURL != "" {
		if err := checkArticleURL(articleURL); err != nil {
			return nil, err
		}
		out.URLs = []string{articleURL}
	} else if out, err = s.findByHand(ctx, d); err != nil {
		return nil, err
	}
	d.State, d.ArticleID, d.URLs, d.DoneAt, d.Note = Published, out.ArticleID, out.URLs, s.Clock.Now(), "已手动发布，由"+actor.Name+"确认。"
	d.NextAt = nextFigures(d.DoneAt)
	err = s.Store.SaveDelivery(ctx, d, d.Version, d.Note, deliveryEntry(actor, "delivery.confirm_by_hand", d, nil))
	return d, err
}

func (s *Service) findByHand(ctx context.Context, d *Delivery) (Outcome, error) {
	a, err := s.Store.Account(ctx, d.AccountID)
	if err != nil {
		return Outcome{}, err
	}
	p, ok := s.Platforms[a.Platform]
	if !ok {
		return Outcome{}, errs.New(errs.Unsupported, "这个平台没有启用，请联系管理员。")
	}
	w := worker{Queue: s.queue, d: d}
	probe := *d
	probe.SubmitAt = d.DueAt.Add(-lead)
	w.d = &probe
	found, _, err := w.publishedSince(ctx, p, *a, 0) // a person knows of something that the last reading may not have seen
	if err != nil {
		pe := AsPlatformError(err)
		return Outcome{}, errs.Wrap(err, errs.Upstream, "没能读取公众号的已发布列表（%s）请把文章链接粘贴到这里。", pe.Msg)
	}
	match, err := w.match(ctx, *a, found)
	if err != nil {
		return Outcome{}, err
	}
	if len(match) != 1 {
		return Outcome{}, errs.New(errs.Conflict, "没有在公众号已发布列表中找到这篇文章。如果已经发布，请把文章链接粘贴到这里。")
	}
	return Outcome{State: OutcomePublished, ArticleID: match[0].ArticleID, URLs: match[0].URLs}, nil
}

// Retract takes a published message back from readers. confirm must repeat the
// post's title: it cannot be undone.
func (s *Service) Retract(ctx context.Context, actor *authz.Actor, id ids.ID, confirm, reason string) (*Delivery, error) {
	d, err := s.deliveryFor(ctx, actor, id, PostRetract)
	if err != nil {
		return nil, err
	}
	var f errs.Fields
	if strings.TrimSpace(confirm) != strings.TrimSpace(d.PostTitle) {
		f.Add("confirm", "请完整输入图文标题以确认撤下。")
	}
	if reason = strings.TrimSpace(reason); reason == "" {
		f.Add("reason", "请写明撤下的原因，这会记入审计。")
	}
	if err := f.Err(); err != nil {
		return nil, err
	}
	if d.State != Published {
		return nil, errs.New(errs.Conflict, "只有已发布的文章可以撤下。")
	}
	a, err := s.Store.Account(ctx, d.AccountID)
	if err != nil {
		return nil, err
	}
	p, ok := s.Platforms[a.Platform]
	if !ok {
		return nil, errs.New(errs.Unsupported, "这个平台没有启用，请联系管理员。")
	}
	if err := p.Retract(ctx, *a, *d); err != nil {
		pe := AsPlatformError(err)
		return nil, errs.Wrap(err, errs.Upstream, "平台没有撤下这篇文章：%s", pe.Msg)
	}
	return d, s.storeRetract(ctx, actor, d, reason)
}

// storeRetract stores what the platform has done already, also over a worker
// that read figures meanwhile.
func (s *Service) storeRetract(ctx context.Context, actor *authz.Actor, d *Delivery, reason string) error {
	for {
		d.State, d.NextAt, d.Note = Retracted, time.Time{}, "由"+actor.Name+"撤下："+reason
		d.LeaseOwner, d.LeaseUntil = "", time.Time{}
		err := s.Store.SaveDelivery(ctx, d, d.Version, d.Note, deliveryEntry(actor, "delivery.retract", d, map[string]string{"reason": reason}))
		if !errs.Is(err, errs.Stale) {
			return err
		}
		fresh, err := s.Store.Delivery(ctx, d.ID)
		if err != nil {
			return err
		}
		*d = *fresh
	}
}

// Retry makes a new delivery of a failed one. The failed one stays as it is.
func (s *Service) Retry(ctx context.Context, actor *authz.Actor, id ids.ID) (*Detail, error) {
	d, err := s.deliveryFor(ctx, actor, id, PostSchedule)
	if err != nil {
		return nil, err
	}
	p, err := s.Store.Post(ctx, d.PostID)
	if err != nil {
		return nil, err
	}
	if p.ApprovedHash == "" || p.ApprovedHash != p.Hash || p.Hash != d.Hash {
		return nil, errs.New(errs.Conflict, "内容修改过，请重新提交审核，通过后再安排发布。")
	}
	if d.State != Failed {
		return nil, errs.New(errs.Conflict, "只有发布失败的记录可以重新发布。")
	}
	now := s.Clock.Now()
	again, err := s.deliveriesFor(ctx, actor, p, now, []Target{{AccountID: d.AccountID, Mode: d.Mode}})
	if err != nil {
		return nil, err
	}
	next := *p
	next.State, next.DueAt, next.Version, next.UpdatedAt, next.UpdatedBy = Queued, now, p.Version+1, now, actor.Name
	err = s.Store.Commit(ctx, Change{
		Post: &next, Expect: p.Version, Add: again,
		Entry: s.entry(actor, "post.retry", p, map[string]string{"accountId": d.AccountID.String()}),
	})
	if err != nil {
		return nil, err
	}
	s.queue.Wake()
	return s.detail(ctx, actor, &next)
}
