package publish

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/publish/render"
)

// poll asks what became of an accepted submit. The platform allows few look-ups
// a day (Account.Limits), so the pauses double and the event usually wins.
func (w *worker) poll(ctx context.Context, p Platform, a Account) error {
	if done, err := w.s.tryStoredEvents(ctx, w.d); err != nil || done {
		return err
	}
	if w.now().After(w.d.SubmitAt.Add(pollPatience)) {
		return w.unsure(ctx, "平台三天内没有给出发布结果，请到公众平台查看后在这里确认。")
	}
	w.d.Polls++
	next := w.now().Add(doubling(w.timing().PollAfter, w.d.Polls, 6*time.Hour))
	ok, err := w.spend(ctx, a, "poll", a.Limits.PollsPerDay)
	if err != nil {
		return err
	}
	if !ok {
		w.release(nextMidnight(w.now()))
		return w.save(ctx, "今天查询结果的次数已用完，等待平台通知，明天继续查询。", nil)
	}
	callCtx, cancel := context.WithTimeout(ctx, w.timing().Lease/3)
	out, err := p.Result(callCtx, a, w.d.Receipt, w.d.Mode)
	cancel()
	if err != nil {
		pe := AsPlatformError(err)
		if pe.NotBefore.After(next) {
			next = pe.NotBefore
		}
		w.s.Log.Warn("queue: result look-up failed", "delivery", w.d.ID, "kind", pe.Kind, "code", pe.Code, "err", pe.Cause)
		w.release(next)
		return w.save(ctx, "", nil)
	}
	if out.State == OutcomeRunning {
		w.release(next)
		return w.save(ctx, "", nil)
	}
	return w.s.applyOutcome(ctx, w.d, out, Receipt{})
}

func (w *worker) spend(ctx context.Context, a Account, call string, limit int) (bool, error) {
	return w.s.Store.Spend(ctx, a.ID, shanghaiDay(w.now()), call, limit)
}

// look resolves a submit of unknown outcome by reading only: the platform's
// events, its published list, and whether the draft is still in the box.
func (w *worker) look(ctx context.Context, p Platform, a Account) error {
	if done, err := w.s.tryStoredEvents(ctx, w.d); err != nil || done {
		return err
	}
	w.d.Polls++
	if done, err := w.bySingleEvent(ctx); err != nil || done {
		return err
	}
	found, complete, err := w.publishedSince(ctx, p, a, w.timing().PollAfter/6)
	if err != nil {
		return w.lookLater(ctx, a, notRead(err), err)
	}
	match, err := w.match(ctx, a, found)
	if err != nil {
		return err
	}
	if len(match) > 1 {
		return w.lookLater(ctx, a, "平台上有多篇内容相同的文章，无法自动判断是哪一篇，请人工确认。", nil)
	}
	callCtx, cancel := context.WithTimeout(ctx, w.timing().Lease/3)
	inBox, err := p.DraftExists(callCtx, a, w.d.DraftID)
	cancel()
	if err != nil {
		return w.lookLater(ctx, a, notRead(err), err)
	}
	waited := w.now().Sub(w.d.SubmitAt)
	switch {
	case len(match) == 1 && inBox: // an accepted draft leaves the box: this one is another's
		return w.lookLater(ctx, a, "平台上有一篇内容相同的文章，但这次的草稿仍在草稿箱，可能不是这次发布的，继续核对；也可以人工确认。", nil)
	case len(match) == 1:
		return w.s.applyOutcome(ctx, w.d, Outcome{State: OutcomePublished, ArticleID: match[0].ArticleID, URLs: match[0].URLs}, Receipt{})
	case inBox && complete && w.d.Mode == ModePublish && waited > w.timing().Settle:
		return w.fail(ctx, KindUnknown, w.d.ErrCode, "已核对：平台没有收到这次提交，草稿仍在草稿箱，已发布列表中也没有。可以重新安排发布。")
	case inBox:
		return w.lookLater(ctx, a, "草稿仍在草稿箱，暂未出现在已发布列表中，继续核对。", nil)
	default:
		return w.lookLater(ctx, a, "草稿已不在草稿箱，但还没有出现在已发布列表中，继续核对；也可以到公众平台查看后人工确认。", nil)
	}
}

// notRead says why the platform could not be asked.
func notRead(err error) string {
	if pe := AsPlatformError(err); pe.Kind == KindQuota || pe.Kind == KindAuth {
		return pe.Msg + "暂时无法核对，稍后继续。"
	}
	return "核对时平台没有答复，稍后继续核对。"
}

func (w *worker) lookLater(ctx context.Context, _ Account, note string, cause error) error {
	if cause != nil {
		w.s.Log.Warn("queue: looking failed", "delivery", w.d.ID, "err", cause)
	}
	event := ""
	if note != w.d.Note {
		event, w.d.Note = note, note
	}
	next := w.now().Add(doubling(w.timing().PollAfter/2, w.d.Polls-1, 6*time.Hour))
	if pe := AsPlatformError(cause); cause != nil && pe.NotBefore.After(next) {
		next = pe.NotBefore
	}
	w.release(next)
	return w.save(ctx, event, nil)
}

// bySingleEvent resolves a mass send whose receipt was lost: the account's only
// unclaimed event since the intent, and no other delivery it could belong to.
func (w *worker) bySingleEvent(ctx context.Context) (bool, error) {
	if w.d.Mode != ModeMass || w.d.Receipt != (Receipt{}) {
		return false, nil
	}
	events, err := w.s.Store.PlatformEvents(ctx, w.d.AccountID, w.d.SubmitAt.Add(-time.Minute))
	if err != nil {
		return false, err
	}
	events = slices.DeleteFunc(events, func(e PlatformEvent) bool { return e.Receipt.MsgID == "" })
	others, err := w.s.Store.UnknownMass(ctx, w.d.AccountID)
	if err != nil || len(events) != 1 || others != 1 {
		return false, err
	}
	// Its owner may just have stored the receipt and not yet read the event.
	_, err = w.s.Store.DeliveryByReceipt(ctx, w.d.AccountID, events[0].Receipt)
	if !errs.Is(err, errs.NotFound) {
		return false, err
	}
	return true, w.s.applyEvent(ctx, w.d, events[0])
}

// clockSkew is how far the platform's clock may be behind ours.
const clockSkew = 5 * time.Minute

// publishedSince lists what the account published since the intent, newest
// first, from a reading no older than fresh. complete says that the list reached
// back that far.
func (w *worker) publishedSince(ctx context.Context, p Platform, a Account, fresh time.Duration) (found []listed, complete bool, err error) {
	since := w.d.SubmitAt.Add(-clockSkew)
	ctx, cancel := context.WithTimeout(ctx, w.timing().Lease/3)
	defer cancel()
	return w.recent.list(ctx, a.ID, w.now(), fresh, since, func(ctx context.Context, offset int) ([]Found, bool, error) {
		ok, err := w.spend(ctx, a, "read", a.Limits.ReadsPerDay)
		if err != nil {
			return nil, false, err
		}
		if !ok {
			return nil, false, &PlatformError{Kind: KindQuota, Msg: "今天读取已发布列表的次数已用完。", NotBefore: nextMidnight(w.now())}
		}
		return p.Recent(ctx, a, offset)
	})
}

// match returns the listed articles that can only be this delivery: same titles
// and covers in order, published since the intent, and claimed by no other.
func (w *worker) match(ctx context.Context, a Account, found []listed) ([]listed, error) {
	rev, err := w.s.Store.Revision(ctx, w.d.PostID, w.d.PostVersion)
	if err != nil {
		return nil, err
	}
	keys, err := uploadKeys(rev.Content)
	if err != nil {
		return nil, err
	}
	refs, err := w.s.Store.Uploads(ctx, a.ID, keys)
	if err != nil {
		return nil, err
	}
	var out []listed
	for _, f := range found {
		if slices.ContainsFunc(out, func(o listed) bool { return o.ArticleID == f.ArticleID }) {
			continue // on two pages: something was published between their readings
		}
		if !f.Updated.Before(w.d.SubmitAt.Add(-clockSkew)) && sameArticles(rev.Content, refs, a.Platform == Feed, f) {
			out = append(out, f)
		}
	}
	return w.s.unclaimed(ctx, a.ID, out)
}

func (s *Service) unclaimed(ctx context.Context, account ids.ID, found []listed) ([]listed, error) {
	if len(found) == 0 {
		return nil, nil
	}
	names := make([]string, len(found))
	for i, f := range found {
		names[i] = f.ArticleID
	}
	claimed, err := s.Store.ClaimedArticles(ctx, account, names)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(found, func(f listed) bool { return claimed[f.ArticleID] }), nil
}

// textDistance is how many bits two fingerprints of the same article may differ
// after the platform rewrote its HTML.
const textDistance = 6

func sameArticles(c Content, refs map[string]string, keepLinks bool, f listed) bool {
	if len(f.Titles) != len(c.Articles) {
		return false
	}
	for i, a := range c.Articles {
		if strings.TrimSpace(f.Titles[i]) != strings.TrimSpace(a.Title) {
			return false
		}
		if cover := refs[coverKey+a.Cover.Asset]; i < len(f.CoverIDs) && f.CoverIDs[i] != "" && cover != "" && f.CoverIDs[i] != cover {
			return false
		}
		if i >= len(f.prints) || !f.prints[i].shown || a.Kind == Pictures {
			continue
		}
		res, err := render.Render(render.Source{Format: a.Format, Text: a.Body}, render.Options{Theme: a.Theme, KeepLinks: keepLinks, Picture: pictureOf(refs)})
		if err != nil {
			return false
		}
		if render.Distance(render.SimHash(wording(res.HTML)), f.prints[i].sum) > textDistance {
			return false
		}
	}
	return true
}

// wording is the text of an article as its readers see it, from HTML on both
// sides: captions are text there. Pictures are left out, since the platform
// rewrites their attributes.
func wording(html string) string {
	return render.PlainText(regexp.MustCompile(`(?i)<img[^>]*>`).ReplaceAllString(html, ""))
}
