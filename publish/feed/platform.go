package feed

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/publish"
)

// maxPicture bounds one stored picture, in bytes.
const maxPicture = 10 << 20

// pageSize of Recent, as the interface promises.
const pageSize = 20

// UploadPicture implements publish.Platform: the address is stable, and public
// only while a published item shows the picture.
func (s *Service) UploadPicture(ctx context.Context, a publish.Account, data []byte, mime string) (string, error) {
	hash, err := s.keep(ctx, a, data, mime)
	if err != nil {
		return "", err
	}
	return s.pictureBase(a.ID) + hash + extension(mime), nil
}

// UploadCover implements publish.Platform: the id is the picture's hash.
func (s *Service) UploadCover(ctx context.Context, a publish.Account, data []byte, mime string) (string, error) {
	return s.keep(ctx, a, data, mime)
}

func (s *Service) keep(ctx context.Context, a publish.Account, data []byte, mime string) (string, error) {
	if extension(mime) == "" || len(data) == 0 || len(data) > maxPicture {
		return "", permanent("图片格式或大小不适合订阅源，请使用 10 MB 以内的 JPG、PNG、GIF 或 WebP 图片。", nil)
	}
	hash, _, err := s.Blobs.Put(ctx, bytes.NewReader(data), maxPicture)
	if err == nil {
		err = s.Store.SavePicture(ctx, a.ID, Picture{Hash: hash, Mime: mime})
	}
	if err != nil {
		return "", transient(err)
	}
	return hash, nil
}

// extension of the picture types that a feed serves; "" for any other.
func extension(mime string) string {
	switch mime {
	case "image/jpeg":
		return ".jpg"
	case "image/png":
		return ".png"
	case "image/gif":
		return ".gif"
	case "image/webp":
		return ".webp"
	}
	return ""
}

// SaveDraft implements publish.Platform.
func (s *Service) SaveDraft(ctx context.Context, a publish.Account, articles []publish.Rendered) (string, error) {
	if len(articles) == 0 {
		return "", permanent("没有可以发布的文章。", nil)
	}
	d := &Draft{ID: s.IDs.New(), AccountID: a.ID, Articles: articles, CreatedAt: s.Clock.Now()}
	if err := s.Store.AddDraft(ctx, d); err != nil {
		return "", transient(err)
	}
	return d.ID.String(), nil
}

// DropDraft implements publish.Platform.
func (s *Service) DropDraft(ctx context.Context, a publish.Account, draftID string) error {
	id, err := ids.Parse(draftID)
	if err != nil || id == 0 {
		return nil // never one of ours
	}
	if err := s.Store.DropDraft(ctx, a.ID, id); err != nil {
		return transient(err)
	}
	return nil
}

// DraftExists implements publish.Platform.
func (s *Service) DraftExists(ctx context.Context, a publish.Account, draftID string) (bool, error) {
	id, err := ids.Parse(draftID)
	if err != nil || id == 0 {
		return false, nil
	}
	_, err = s.Store.Draft(ctx, a.ID, id)
	if errs.Is(err, errs.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, transient(err)
	}
	return true, nil
}

// Submit implements publish.Platform: exactly once by clientID. Once the store
// was asked to publish, a failure is of kind unknown, because the commit itself
// may have been what failed.
func (s *Service) Submit(ctx context.Context, a publish.Account, draftID string, mode publish.Mode, clientID string) (publish.Receipt, error) {
	if mode != publish.ModePublish {
		return publish.Receipt{}, permanent("订阅源只支持“发布”，请修改账号的发布方式。", nil)
	}
	if clientID == "" || len(clientID) > 32 {
		return publish.Receipt{}, permanent("投递编号无效。", fmt.Errorf("client id of %d characters", len(clientID)))
	}
	draft, err := ids.Parse(draftID)
	if err != nil {
		return publish.Receipt{}, permanent("草稿编号无效。", err)
	}
	done, err := s.Store.MessageByClient(ctx, a.ID, clientID)
	if err == nil {
		s.record(ctx, done)
		return receipt(done), nil
	}
	if !errs.Is(err, errs.NotFound) {
		return publish.Receipt{}, transient(err)
	}
	m, err := s.build(ctx, a, draft, clientID)
	if err != nil {
		return publish.Receipt{}, err
	}
	m, err = s.Store.Publish(ctx, m, draft, s.event(EventPublished, a, m))
	switch {
	case errs.Is(err, errs.NotFound):
		return publish.Receipt{}, permanent("草稿已不存在，请重新生成草稿。", err)
	case err != nil:
		return publish.Receipt{}, &publish.PlatformError{Kind: publish.KindUnknown, Msg: "保存时中断，暂时不能确认是否已经发布。", Cause: err}
	}
	s.record(ctx, m)
	s.Wake()
	return receipt(m), nil
}

// record tells the outcome before the queue stores the receipt; it looks for
// it then. Failing costs only time, since the queue asks for results anyway.
func (s *Service) record(ctx context.Context, m *Message) {
	if s.Record == nil {
		return
	}
	ev := publish.PlatformEvent{
		ID: s.IDs.New(), AccountID: m.AccountID, Dedupe: "feed:" + m.ID.String(), Receipt: receipt(m), Outcome: s.outcome(m), At: s.Clock.Now(),
	}
	if _, err := s.Record(ctx, ev); err != nil {
		s.Log.Warn("feed: outcome not recorded", "message", m.ID, "err", err)
	}
}

func (s *Service) build(ctx context.Context, a publish.Account, draft ids.ID, clientID string) (*Message, error) {
	d, err := s.Store.Draft(ctx, a.ID, draft)
	if errs.Is(err, errs.NotFound) {
		return nil, permanent("草稿已不存在，请重新生成草稿。", err)
	}
	if err != nil {
		return nil, transient(err)
	}
	m := &Message{ID: s.IDs.New(), AccountID: a.ID, ClientID: clientID, PublishedAt: s.Clock.Now()}
	for i, art := range d.Articles {
		it, err := s.item(m, i, art)
		if err != nil {
			return nil, permanent("文章内容无法解析，请检查后重新提交。", err)
		}
		m.Items = append(m.Items, it)
	}
	return m, nil
}

func receipt(m *Message) publish.Receipt { return publish.Receipt{PublishID: m.ID.String()} }

// Result implements publish.Platform: a feed publishes at once.
func (s *Service) Result(ctx context.Context, a publish.Account, r publish.Receipt, _ publish.Mode) (publish.Outcome, error) {
	m, err := s.message(ctx, a, r.PublishID)
	if err != nil {
		return publish.Outcome{}, err
	}
	return s.outcome(m), nil
}

func (s *Service) outcome(m *Message) publish.Outcome {
	out := publish.Outcome{State: publish.OutcomePublished, ArticleID: m.ID.String(), URLs: s.urls(m), Msg: "已在订阅源公开。"}
	if !m.RemovedAt.IsZero() {
		out.State, out.Msg = publish.OutcomeRemoved, "已从订阅源撤回。"
	}
	return out
}

func (s *Service) message(ctx context.Context, a publish.Account, publishID string) (*Message, error) {
	id, err := ids.Parse(publishID)
	if err != nil || id == 0 {
		return nil, permanent("发布编号无效。", err)
	}
	m, err := s.Store.Message(ctx, a.ID, id)
	if errs.Is(err, errs.NotFound) {
		return nil, permanent("订阅源里没有这次发布的记录。", err)
	}
	if err != nil {
		return nil, transient(err)
	}
	return m, nil
}

func (s *Service) urls(m *Message) []string {
	out := make([]string, len(m.Items))
	for i, it := range m.Items {
		out[i] = s.itemURL(m.AccountID, it.ID)
	}
	return out
}

// Recent implements publish.Platform.
func (s *Service) Recent(ctx context.Context, a publish.Account, offset int) ([]publish.Found, bool, error) {
	ms, err := s.Store.Messages(ctx, a.ID, max(0, offset), pageSize+1)
	if err != nil {
		return nil, false, transient(err)
	}
	more := len(ms) > pageSize
	if more {
		ms = ms[:pageSize]
	}
	out := make([]publish.Found, len(ms))
	for i, m := range ms {
		f := publish.Found{ArticleID: m.ID.String(), URLs: s.urls(&m), Updated: m.PublishedAt}
		for _, it := range m.Items {
			f.Titles = append(f.Titles, it.Title)
			f.Digests = append(f.Digests, it.Digest)
			f.CoverIDs = append(f.CoverIDs, it.Cover)
			f.Texts = append(f.Texts, it.HTML)
		}
		out[i] = f
	}
	return out, more, nil
}

// Retract implements publish.Platform. Feed readers that fetched the item keep
// their copy; webhooks are told, so that receivers can remove theirs.
func (s *Service) Retract(ctx context.Context, a publish.Account, d publish.Delivery) error {
	publishID := d.Receipt.PublishID
	if publishID == "" {
		publishID = d.ArticleID
	}
	m, err := s.message(ctx, a, publishID)
	if err != nil {
		return err
	}
	if err := s.Store.Remove(ctx, a.ID, m.ID, s.event(EventRetracted, a, m)); err != nil {
		return transient(err)
	}
	s.Wake()
	return nil
}

// Figures implements publish.Platform: a feed counts no readers.
func (s *Service) Figures(context.Context, publish.Account, publish.Delivery, time.Time) ([]publish.Figures, error) {
	return nil, nil
}

// Health implements publish.Platform.
func (s *Service) Health(ctx context.Context, a publish.Account) ([]publish.Check, error) {
	hooks, disabled, failed, err := s.Store.HookHealth(ctx, a.ID, s.Clock.Now().Add(-7*24*time.Hour))
	if err != nil {
		return nil, transient(err)
	}
	feed := publish.Check{Name: "feed", OK: true, Note: "订阅地址：" + s.Links(a.ID).RSS}
	if s.base.Scheme != "https" {
		feed.Note += "。公开访问地址不是 https，部分阅读器会拒绝。"
	}
	hook := publish.Check{Name: "webhooks", OK: disabled == 0 && failed == 0, Note: fmt.Sprintf("共 %d 个推送地址，运行正常。", hooks)}
	switch {
	case hooks == 0:
		hook.Note = "没有设置推送地址，需要时可以添加。"
	case !hook.OK:
		hook.Note = fmt.Sprintf("有 %d 个推送地址已停用，近七天有 %d 次推送最终失败，请检查接收方并查看推送记录。", disabled, failed)
	}
	return []publish.Check{feed, hook}, nil
}

func permanent(msg string, cause error) error {
	return &publish.PlatformError{Kind: publish.KindPermanent, Msg: msg, Cause: cause}
}

func transient(cause error) error {
	return &publish.PlatformError{Kind: publish.KindTransient, Msg: "订阅源暂时不可用，系统会自动重试。", Cause: cause}
}
