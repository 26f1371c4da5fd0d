package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"tongxin/internal/clock"
	"tongxin/publish"
	"tongxin/wechat"
)

// wechatPlatform makes the WeChat client a publish.Platform: it translates
// words and errors, and decides nothing.
type wechatPlatform struct {
	client *wechat.Client
	clock  clock.Clock
}

var _ publish.Platform = wechatPlatform{}

func credentials(a publish.Account) wechat.Credentials {
	return wechat.Credentials{AppID: a.AppID, Secret: a.Secrets.AppSecret, Token: a.Secrets.Token, AESKey: a.Secrets.AESKey}
}

func (p wechatPlatform) account(a publish.Account) *wechat.Account {
	return p.client.Account(credentials(a))
}

// platformError translates a failed call. submitting is true for the call whose
// repetition readers would notice: there, and only there, "may have been
// accepted" must stay visible.
func platformError(err error, submitting bool) error {
	if err == nil {
		return nil
	}
	out := &publish.PlatformError{Code: wechat.CodeOf(err), Msg: wechat.Sentence(err), Kind: publish.KindTransient, Cause: err}
	switch wechat.KindOf(err) {
	case wechat.Permanent, wechat.Content:
		out.Kind = publish.KindPermanent
	case wechat.Auth:
		out.Kind = publish.KindAuth
	case wechat.Quota:
		out.Kind = publish.KindQuota
	}
	var we *wechat.Error
	if errors.As(err, &we) {
		out.NotBefore = we.RetryAt
	}
	if submitting && wechat.OutcomeUnknown(err) {
		out.Kind = publish.KindUnknown
	}
	// A draft that is gone at its submit was published, sent or deleted by
	// somebody: that must be looked up, not failed.
	if submitting && (out.Code == 40007 || out.Code == 53502) {
		out.Kind = publish.KindUnknown
	}
	return out
}

func (p wechatPlatform) UploadPicture(ctx context.Context, a publish.Account, data []byte, _ string) (string, error) {
	url, err := p.account(a).UploadImage(ctx, data)
	return url, platformError(err, false)
}

func (p wechatPlatform) UploadCover(ctx context.Context, a publish.Account, data []byte, _ string) (string, error) {
	m, err := p.account(a).AddMaterial(ctx, wechat.ImageMaterial, data)
	return m.MediaID, platformError(err, false)
}

func (p wechatPlatform) SaveDraft(ctx context.Context, a publish.Account, articles []publish.Rendered) (string, error) {
	list := make([]wechat.Article, 0, len(articles))
	for _, r := range articles {
		w := wechat.Article{
			Type: wechat.News, Title: r.Title, Author: r.Author, Digest: r.Digest, Content: r.HTML,
			ContentSourceURL: r.SourceURL, ThumbMediaID: r.CoverID, NeedOpenComment: wechat.Flag(r.OpenComment),
			OnlyFansComment: wechat.Flag(r.FansOnly), Crop235: r.CropWide, Crop11: r.CropSquare,
		}
		if r.Kind == publish.Pictures {
			w = wechat.Article{
				Type: wechat.NewsPic, Title: r.Title, Content: r.Text, Images: &wechat.ImageInfo{},
				NeedOpenComment: wechat.Flag(r.OpenComment), OnlyFansComment: wechat.Flag(r.FansOnly),
			}
			for _, id := range r.ImageIDs {
				w.Images.List = append(w.Images.List, wechat.ImageRef{MediaID: id})
			}
		}
		list = append(list, w)
	}
	id, err := p.account(a).AddDraft(ctx, list)
	return id, platformError(err, false)
}

func (p wechatPlatform) DropDraft(ctx context.Context, a publish.Account, draftID string) error {
	err := p.account(a).DeleteDraft(ctx, draftID)
	if wechat.CodeOf(err) == 40007 {
		return nil
	}
	return platformError(err, false)
}

func (p wechatPlatform) DraftExists(ctx context.Context, a publish.Account, draftID string) (bool, error) {
	_, err := p.account(a).GetDraft(ctx, draftID)
	if wechat.CodeOf(err) == 40007 {
		return false, nil
	}
	return err == nil, platformError(err, false)
}

func (p wechatPlatform) Submit(ctx context.Context, a publish.Account, draftID string, mode publish.Mode, clientID string) (publish.Receipt, error) {
	if mode == publish.ModeMass {
		sent, err := p.account(a).MassSendAll(ctx, draftID, clientID, true)
		return publish.Receipt{MsgID: sent.MsgID, MsgDataID: sent.MsgDataID}, platformError(err, true)
	}
	sent, err := p.account(a).SubmitPublish(ctx, draftID)
	return publish.Receipt{PublishID: sent.PublishID, MsgDataID: sent.MsgDataID}, platformError(err, true)
}

func (p wechatPlatform) Result(ctx context.Context, a publish.Account, r publish.Receipt, mode publish.Mode) (publish.Outcome, error) {
	if mode == publish.ModeMass {
		status, err := p.account(a).MassStatus(ctx, r.MsgID)
		if err != nil {
			return publish.Outcome{}, platformError(err, false)
		}
		return massOutcome(status), nil
	}
	res, err := p.account(a).PublishStatus(ctx, r.PublishID)
	if err != nil {
		return publish.Outcome{}, platformError(err, false)
	}
	return publishOutcome(res), nil
}

func publishOutcome(res wechat.PublishResult) publish.Outcome {
	out := publish.Outcome{ArticleID: res.ArticleID, Code: int(res.State), URLs: urls(res.URLs)}
	out.State, out.Msg = publish.OutcomeFailed, "平台发布失败，没有说明原因，请到公众平台查看。"
	switch res.State {
	case wechat.PublishOK:
		out.State, out.Msg = publish.OutcomePublished, ""
	case wechat.PublishRunning:
		out.State, out.Msg = publish.OutcomeRunning, ""
	case wechat.PublishOriginal:
		out.Msg = "平台原创校验未通过，请修改内容后重新提交审核。"
	case wechat.PublishRefused:
		out.Msg = "平台审核未通过，请修改内容后重新提交审核。"
	case wechat.PublishDeleted:
		out.State, out.Msg = publish.OutcomeRemoved, "文章在公众平台被删除。"
	case wechat.PublishBanned:
		out.State, out.Msg = publish.OutcomeRemoved, "文章被平台下架，请到公众平台查看原因。"
	}
	return out
}

func massOutcome(status string) publish.Outcome {
	switch status {
	case "SEND_SUCCESS":
		return publish.Outcome{State: publish.OutcomePublished}
	case "SENDING":
		return publish.Outcome{State: publish.OutcomeRunning}
	case "DELETE":
		return publish.Outcome{State: publish.OutcomeRemoved, Msg: "这次群发在公众平台被删除。"}
	default:
		return publish.Outcome{State: publish.OutcomeFailed, Msg: "平台群发失败，请到公众平台查看原因。"}
	}
}

func urls(list []wechat.PublishedURL) []string {
	var out []string
	for _, u := range list {
		out = append(out, u.URL)
	}
	return out
}

func (p wechatPlatform) Recent(ctx context.Context, a publish.Account, offset int) ([]publish.Found, bool, error) {
	const pageSize = 20 // the platform's maximum
	res, err := p.account(a).ListPublished(ctx, offset, pageSize, false)
	if err != nil {
		return nil, false, platformError(err, false)
	}
	out := make([]publish.Found, 0, len(res.Messages))
	for _, m := range res.Messages {
		f := publish.Found{ArticleID: m.ArticleID, Updated: time.Unix(m.Updated, 0).UTC()}
		for _, art := range m.Articles {
			f.Titles = append(f.Titles, art.Title)
			f.Digests = append(f.Digests, art.Digest)
			f.CoverIDs = append(f.CoverIDs, art.ThumbMediaID)
			f.Texts = append(f.Texts, art.Content)
			f.URLs = append(f.URLs, art.URL)
		}
		out = append(out, f)
	}
	return out, offset+len(out) < res.Total, nil
}

func (p wechatPlatform) Retract(ctx context.Context, a publish.Account, d publish.Delivery) error {
	if d.Mode == publish.ModeMass {
		return platformError(p.account(a).MassDelete(ctx, d.Receipt.MsgID, wechat.All), false)
	}
	return platformError(p.account(a).DeletePublished(ctx, d.ArticleID, wechat.All), false)
}

func (p wechatPlatform) Figures(ctx context.Context, a publish.Account, d publish.Delivery, day time.Time) ([]publish.Figures, error) {
	rows, err := p.account(a).ArticleSummary(ctx, day)
	if err != nil {
		return nil, platformError(err, false)
	}
	rows = slices.DeleteFunc(rows, func(r wechat.Reading) bool { return r.MsgDataID == "" || r.MsgDataID != d.Receipt.MsgDataID })
	var out []publish.Figures
	for _, r := range rows { // one row an article; a post's figures are their sum
		i := slices.IndexFunc(out, func(f publish.Figures) bool { return f.Day == r.Day })
		if i < 0 {
			i, out = len(out), append(out, publish.Figures{Day: r.Day})
		}
		f := &out[i]
		f.Reads, f.People, f.Shares, f.Likes = f.Reads+r.Reads, f.People+r.Users, f.Shares+r.Shares, f.Likes+r.Favorites
	}
	return out, nil
}

func (p wechatPlatform) Health(ctx context.Context, a publish.Account) ([]publish.Check, error) {
	h := p.account(a).CheckHealth(ctx)
	var out []publish.Check
	for _, c := range h.Checks {
		out = append(out, publish.Check{Name: c.Key, OK: c.State == wechat.CheckOK, Note: c.Why})
	}
	for _, q := range h.Quotas {
		out = append(out, publish.Check{Name: "quota", OK: q.State != wechat.CheckBad, Note: q.Name + "：" + q.Why, Used: q.Used, Left: q.Left})
	}
	return out, nil
}

// event translates a callback about a submit; false when it is about something
// else.
func (p wechatPlatform) event(a publish.Account, ev *wechat.Event) (publish.PlatformEvent, bool) {
	out := publish.PlatformEvent{AccountID: a.ID, Dedupe: ev.DedupeKey()}
	switch {
	case ev.Kind == wechat.EventPublish && ev.Publish != nil:
		out.Receipt.PublishID = ev.Publish.PublishID
		out.Outcome = publishOutcome(*ev.Publish)
	case ev.Kind == wechat.EventMass && ev.Mass != nil:
		out.Receipt.MsgID = ev.Mass.MsgID
		out.Outcome = publish.Outcome{State: publish.OutcomePublished, URLs: urls(ev.Mass.URLs)}
		if !ev.Mass.OK() {
			out.Outcome = publish.Outcome{State: publish.OutcomeFailed, Msg: "平台群发失败（" + ev.Mass.Status + "），请到公众平台查看原因。"}
		}
	default:
		return out, false
	}
	return out, true
}
