package wechat_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"tongxin/wechat"
	"tongxin/wechat/sandbox"
)

func TestPublishFromPictureToRetraction(t *testing.T) {
	w := start(t, nil)
	ctx := t.Context()
	url, err := w.acc.UploadImage(ctx, pic(t, "png", 1))
	if err != nil {
		t.Fatal(err)
	}
	cover, err := w.acc.AddMaterial(ctx, wechat.ImageMaterial, pic(t, "jpg", 2))
	if err != nil {
		t.Fatal(err)
	}
	id, err := w.acc.AddDraft(ctx, []wechat.Article{{
		Title: "清明祭扫 & 志愿服务 <报名>", Author: "宣传科", ThumbMediaID: cover.MediaID, NeedOpenComment: true,
		Content:          `<p style="color:red">第一段` + "\u2028" + `</p><p><img src="` + url + `"><img src="https://elsewhere.example/x.png"></p>`,
		ContentSourceURL: "https://example.org/a?b=1&c=2", Crop235: "0_0.1_1_0.9",
	}})
	if err != nil {
		t.Fatal(err)
	}
	stored, err := w.acc.GetDraft(ctx, id)
	if err != nil || len(stored) != 1 {
		t.Fatal(stored, err)
	}
	a := stored[0]
	if a.Title != "清明祭扫 & 志愿服务 <报名>" || a.Digest != "第一段" || a.ContentSourceURL != "https://example.org/a?b=1&c=2" || !bool(a.NeedOpenComment) {
		t.Errorf("stored %+v", a)
	}
	if !strings.Contains(a.Content, url) || strings.Contains(a.Content, "elsewhere") {
		t.Errorf("pictures: %s", a.Content)
	}
	if n, err := w.acc.CountDraft(ctx); n != 1 || err != nil {
		t.Errorf("drafts: %d, %v", n, err)
	}
	a.Title = "清明祭扫"
	if err := w.acc.UpdateDraft(ctx, id, 0, a); err != nil {
		t.Fatal(err)
	}

	sub, err := w.acc.SubmitPublish(ctx, id)
	if err != nil || sub.PublishID == "" || sub.MsgDataID == "" {
		t.Fatal(sub, err)
	}
	if _, err := w.acc.SubmitPublish(ctx, id); wechat.CodeOf(err) != 40007 || wechat.OutcomeUnknown(err) {
		t.Errorf("second submit of a draft: %v", err)
	}
	e := w.event()
	if e.Kind != wechat.EventPublish || e.Publish.PublishID != sub.PublishID || e.Publish.State != wechat.PublishOK || len(e.Publish.URLs) != 1 {
		t.Fatalf("event %+v %+v", e, e.Publish)
	}
	st, err := w.acc.PublishStatus(ctx, sub.PublishID)
	if err != nil || st.State != wechat.PublishOK || st.ArticleID != e.Publish.ArticleID || st.URLs[0] != e.Publish.URLs[0] {
		t.Fatal(st, err)
	}
	page, err := w.acc.ListPublished(ctx, 0, 20, true)
	if err != nil || page.Total != 1 || page.Messages[0].Articles[0].Title != "清明祭扫" || page.Messages[0].Articles[0].Content != "" {
		t.Fatal(page, err)
	}
	if err := w.acc.DeletePublished(ctx, st.ArticleID, 0); wechat.KindOf(err) != wechat.Permanent {
		t.Errorf("index 0 must be refused: %v", err)
	}
	if n := w.calls("/cgi-bin/freepublish/delete"); n != 0 {
		t.Errorf("index 0 went out %d times", n)
	}
	if err := w.acc.DeletePublished(ctx, st.ArticleID, 1); err != nil {
		t.Fatal(err)
	}
	if list, err := w.acc.GetPublished(ctx, st.ArticleID); err != nil || !list[0].Deleted {
		t.Error(list, err)
	}
	if st, err := w.acc.PublishStatus(ctx, sub.PublishID); err != nil || st.State != wechat.PublishDeleted {
		t.Error(st, err)
	}
}

func TestPublishIDComesAsStringOrNumber(t *testing.T) {
	for _, as := range []string{"string", "number"} {
		w := start(t, func(c *sandbox.Config) { c.Faults.PublishIDAs = as })
		sub, err := w.acc.SubmitPublish(t.Context(), w.draft("编号"))
		if err != nil {
			t.Fatal(as, err)
		}
		if e := w.event(); e.Publish.PublishID != sub.PublishID {
			t.Errorf("%s: event %s, submit %s", as, e.Publish.PublishID, sub.PublishID)
		}
		if _, err := w.acc.PublishStatus(t.Context(), sub.PublishID); err != nil {
			t.Error(as, err)
		}
	}
}

func TestFailedPublishSaysWhichArticle(t *testing.T) {
	w := start(t, func(c *sandbox.Config) { c.Faults.NextStatus = []int{4} })
	sub, err := w.acc.SubmitPublish(t.Context(), w.draft("审核"))
	if err != nil {
		t.Fatal(err)
	}
	e := w.event()
	if e.Publish.State != wechat.PublishRefused || e.Publish.ArticleID != "" || len(e.Publish.FailIdx) != 1 {
		t.Errorf("%+v", e.Publish)
	}
	st, err := w.acc.PublishStatus(t.Context(), sub.PublishID)
	if err != nil || st.State != wechat.PublishRefused || len(st.FailIdx) != 1 || len(st.URLs) != 0 {
		t.Errorf("%+v %v", st, err)
	}
}

func TestPicturePost(t *testing.T) {
	w := start(t, nil)
	m, err := w.acc.AddMaterial(t.Context(), wechat.ImageMaterial, pic(t, "png", 3))
	if err != nil {
		t.Fatal(err)
	}
	post := wechat.Article{
		Type: wechat.NewsPic, Title: "图片消息", Content: "<b>纯文字</b>",
		Images: &wechat.ImageInfo{List: []wechat.ImageRef{{MediaID: m.MediaID}}},
	}
	id, err := w.acc.AddDraft(t.Context(), []wechat.Article{post})
	if err != nil {
		t.Fatal(err)
	}
	got, err := w.acc.GetDraft(t.Context(), id)
	if err != nil || got[0].Content != "纯文字" || got[0].Images.List[0].MediaID != m.MediaID {
		t.Errorf("%+v %v", got, err)
	}
	list, err := w.acc.ListDrafts(t.Context(), 0, 5, false)
	if err != nil || list.Total != 1 || list.Drafts[0].MediaID != id {
		t.Errorf("%+v %v", list, err)
	}
	if err := w.acc.DeleteDraft(t.Context(), id); err != nil {
		t.Error(err)
	}
	if _, err := w.acc.GetDraft(t.Context(), id); wechat.CodeOf(err) != 40007 {
		t.Error(err)
	}
}

func TestPicturesAreCheckedBeforeTheyAreSent(t *testing.T) {
	w := start(t, nil)
	webp := append([]byte("RIFF\x00\x00\x00\x00WEBPVP8 "), make([]byte, 64)...)
	big := append(pic(t, "jpg", 1), make([]byte, 1<<20)...)
	for name, err := range map[string]error{
		"webp":      second(w.acc.UploadImage(t.Context(), webp)),
		"empty":     second(w.acc.UploadImage(t.Context(), nil)),
		"too big":   second(w.acc.UploadImage(t.Context(), big)),
		"thumb png": second(w.acc.AddMaterial(t.Context(), wechat.ThumbMaterial, pic(t, "png", 1))),
	} {
		if wechat.KindOf(err) != wechat.Content || wechat.OutcomeUnknown(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := w.calls("/cgi-bin/media/uploadimg") + w.calls("/cgi-bin/material/add_material"); n != 0 {
		t.Errorf("%d uploads went out", n)
	}
}

func second[T any](_ T, err error) error { return err }

func TestMassSend(t *testing.T) {
	w := start(t, nil)
	ctx := t.Context()
	id := w.draft("群发")
	if err := w.acc.Preview(ctx, id, "nobody"); wechat.CodeOf(err) != 40003 {
		t.Error(err)
	}
	sent, err := w.acc.MassSendAll(ctx, id, "post-1", true)
	if err != nil || sent.MsgID == "" || sent.Duplicate {
		t.Fatal(sent, err)
	}
	again, err := w.acc.MassSendAll(ctx, id, "post-1", true)
	if err != nil || !again.Duplicate || again.MsgID != sent.MsgID {
		t.Errorf("repeat: %+v %v", again, err)
	}
	e := w.event()
	if e.Kind != wechat.EventMass || e.Mass.MsgID != sent.MsgID || !e.Mass.OK() || e.Mass.Sent != 128 || len(e.Mass.URLs) != 1 || e.Mass.Check != 1 {
		t.Errorf("%+v %+v", e, e.Mass)
	}
	if st, err := w.acc.MassStatus(ctx, sent.MsgID); st != "SEND_SUCCESS" || err != nil {
		t.Error(st, err)
	}
	if _, err := w.acc.MassSendAll(ctx, w.draft("第二次"), "post-2", true); wechat.CodeOf(err) != 45028 || wechat.KindOf(err) != wechat.Quota {
		t.Error(err)
	} else if e := new(wechat.Error); !errors.As(err, &e) || !e.RetryAt.Equal(time.Date(2026, 3, 2, 16, 5, 0, 0, time.UTC)) {
		t.Errorf("retry at %v", e.RetryAt)
	}
	if _, err := w.acc.MassSendAll(ctx, id, strings.Repeat("x", 33), true); wechat.CodeOf(err) != 45067 {
		t.Error(err)
	}
	if err := w.acc.MassDelete(ctx, sent.MsgID, 0); wechat.KindOf(err) != wechat.Permanent {
		t.Error(err)
	}
	if err := w.acc.MassDelete(ctx, sent.MsgID, wechat.All); err != nil {
		t.Error(err)
	}
	if st, err := w.acc.MassStatus(ctx, sent.MsgID); st != "DELETE" || err != nil {
		t.Error(st, err)
	}
	if n := len(w.box.Ledger("")); n != 1 {
		t.Errorf("%d sends accepted", n)
	}
	list, err := w.acc.ListPublished(ctx, 0, 10, true)
	if err != nil || list.Total != 0 {
		t.Errorf("a mass send is not in the published list: %+v %v", list, err)
	}
}

func TestReadingFigures(t *testing.T) {
	w := start(t, nil)
	ctx, day := t.Context(), w.clock.Now()
	sub, err := w.acc.SubmitPublish(ctx, w.draft("阅读"))
	if err != nil {
		t.Fatal(err)
	}
	w.event()
	if _, err := w.acc.ArticleSummary(ctx, day); wechat.CodeOf(err) != 61501 {
		t.Errorf("today has no figures: %v", err)
	}
	w.clock.Add(72 * time.Hour)
	one, err := w.acc.ArticleSummary(ctx, day)
	if err != nil || len(one) != 1 || one[0].MsgDataID != sub.MsgDataID || one[0].Index != 1 || one[0].Reads < one[0].Users {
		t.Errorf("%+v %v", one, err)
	}
	total, err := w.acc.ArticleTotal(ctx, day)
	if err != nil || len(total) != 3 || total[0].Users > total[2].Users || total[0].Day != "2026-03-02" {
		t.Errorf("%+v %v", total, err)
	}
	again, err := w.acc.ArticleSummary(ctx, day)
	if err != nil || again[0] != one[0] {
		t.Error("figures change between looks")
	}
}
