package feed_test

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
	"tongxin/internal/seal"
	"tongxin/internal/trail"
	"tongxin/publish"
	"tongxin/publish/feed"
	"tongxin/storage"
)

// The queue brings an approved post to a feed exactly as it does to WeChat: the
// second platform that proves the interface.
func TestQueuePublishesToFeed(t *testing.T) {
	var store *storage.Publishing
	var cfg feed.Config
	w := newWorld(t, func(c *feed.Config) {
		private(c)
		c.Record = func(ctx context.Context, ev publish.PlatformEvent) (bool, error) {
			return store.SavePlatformEvent(ctx, ev)
		}
		cfg = *c
	})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx, sys := t.Context(), authz.SystemActor("test")
	box, err := seal.New("k1", map[string][]byte{"k1": bytes.Repeat([]byte{3}, seal.MinSecret)})
	must(err)
	store = storage.NewPublishing(w.db, box)
	must(w.db.Write(ctx, func(tx *storage.Tx) error {
		_, err := tx.Exec(`INSERT INTO orgs (id, parent_id, path, kind, name, short_name, settings, archived_at, version, created_at, updated_at, updated_by)
			VALUES (1, 0, '/1/', 'branch', '某某支部', '', '{}', 0, 1, 0, 0, '')`)
		return err
	}))
	org := func(context.Context, ids.ID) (publish.Org, error) {
		return publish.Org{ID: 1, Path: "/1/", Name: "某某支部"}, nil
	}
	svc, err := publish.New(publish.Config{
		Store: store, Blobs: cfg.Blobs, Platforms: map[string]publish.Platform{publish.Feed: w.Service}, Org: org,
		Clock: w.tick, IDs: w.db.IDs(), Log: slog.New(slog.DiscardHandler),
	})
	must(err)
	w.account.Kind, w.account.Mode, w.account.Limits = publish.FeedKind, publish.ModePublish, publish.DefaultLimits()
	_, err = store.CreateAccount(ctx, &w.account, trail.Entry{Actor: sys, Action: "account.create", Object: "account", ID: w.account.ID})
	must(err)

	told := make(chan struct{}, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { told <- struct{}{} }))
	defer srv.Close()
	_, err = w.AddWebhook(ctx, w.admin, w.account.ID, srv.URL)
	must(err)
	img := image.NewRGBA(image.Rect(0, 0, 900, 400))
	img.Set(1, 1, color.White)
	var pic bytes.Buffer
	must(png.Encode(&pic, img))
	asset, err := svc.UploadMedia(ctx, sys, publish.MediaUpload{OrgID: 1, Name: "a.png", Alt: "图", Data: pic.Bytes()})
	must(err)
	post, err := svc.Create(ctx, sys, 1, publish.Content{Articles: []publish.Article{{
		Kind: publish.News, Title: "春风化雨", Digest: "摘要", Format: "markdown", Author: "张三",
		Body: strings.Repeat("这是一段足够长的正文。", 20) + "\n\n![图](asset:" + asset.Hash + ")\n", Cover: publish.Cover{Asset: asset.Hash},
	}}})
	must(err)
	post, err = svc.Submit(ctx, sys, post.ID, post.Version)
	must(err)
	if post.State != publish.Approved {
		t.Fatalf("without review levels the post is %s", post.State)
	}
	detail, err := svc.Schedule(ctx, sys, post.ID, post.Version, w.tick.Now(), []publish.Target{{AccountID: w.account.ID}})
	must(err)

	run, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() { svc.Queue().Run(run); close(ended) }()
	go func() {
		if err := w.Run(run); err != nil {
			t.Error(err)
		}
	}()
	<-told
	stop()
	<-ended

	d, err := store.Delivery(ctx, detail.Deliveries[0].ID)
	must(err)
	if d.State != publish.Published || len(d.URLs) != 1 || d.Polls != 0 {
		t.Fatalf("delivery: %+v", d)
	}
	doc, err := w.Document(ctx, w.account.ID, feed.RSS)
	must(err)
	text := string(doc.Body)
	i := strings.Index(text, "/pictures/")
	if !strings.Contains(text, "春风化雨") || i < 0 {
		t.Fatalf("the feed has no such post, or not its picture: %s", text)
	}
	body, _, _, err := w.OpenPicture(ctx, w.account.ID, text[i+len("/pictures/"):][:64])
	must(err)
	must(body.Close())
	gone, err := svc.Retract(ctx, sys, d.ID, "春风化雨", "内容有误")
	must(err)
	if doc, err = w.Document(ctx, w.account.ID, feed.RSS); err != nil || gone.State != publish.Retracted || strings.Contains(string(doc.Body), "春风化雨") {
		t.Fatalf("after the retraction: %s, %v\n%s", gone.State, err, doc.Body)
	}
}
