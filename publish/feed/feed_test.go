package feed_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/seal"
	"tongxin/publish"
	"tongxin/publish/feed"
	"tongxin/storage"
	"tongxin/storage/storagetest"
)

// blobs in memory: what publish.Blobs promises, nothing else.
type blobs struct {
	mu sync.Mutex
	m  map[string][]byte
}

func (b *blobs) Put(_ context.Context, r io.Reader, limit int64) (string, int64, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit))
	sum := sha256.Sum256(data)
	hash := hex.EncodeToString(sum[:])
	b.mu.Lock()
	defer b.mu.Unlock()
	b.m[hash] = data
	return hash, int64(len(data)), err
}

func (b *blobs) Open(_ context.Context, hash string) (io.ReadCloser, int64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	data, ok := b.m[hash]
	if !ok {
		return nil, 0, errs.Missing("文件")
	}
	return io.NopCloser(bytes.NewReader(data)), int64(len(data)), nil
}

type world struct {
	*feed.Service
	db      *storage.DB
	tick    *clock.Manual
	log     *bytes.Buffer
	account publish.Account
	admin   *authz.Actor
	reader  *authz.Actor
	other   *authz.Actor
}

func newWorld(t *testing.T, edit func(*feed.Config)) *world {
	t.Helper()
	tick := clock.NewManual(time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC))
	db := storagetest.Open(t, storage.Options{DSN: filepath.Join(t.TempDir(), "feed.db"), Clock: tick})
	box, err := seal.New("k1", map[string][]byte{"k1": bytes.Repeat([]byte{3}, seal.MinSecret)})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{db: db, tick: tick, log: &bytes.Buffer{}}
	w.account = publish.Account{ID: 11, OrgID: 1, OrgPath: "/1/", OrgName: "某某支部", Platform: publish.Feed, Name: "支部之声", Version: 1, Created: db.Clock().Now()}
	grant := func(path string, rights ...authz.Right) *authz.Actor {
		return &authz.Actor{ID: 5, Kind: authz.Staff, Name: "张三", Grants: []authz.Grant{{Path: path, Rights: rights}}}
	}
	w.admin = grant("/1/", publish.AccountRead, publish.AccountManage)
	w.reader = grant("/1/", publish.AccountRead)
	w.other = grant("/2/", publish.AccountRead, publish.AccountManage)
	c := feed.Config{
		Store: storage.NewFeeds(db, box), Blobs: &blobs{m: map[string][]byte{}}, PublicURL: "https://news.example.cn",
		Account: func(_ context.Context, id ids.ID) (*publish.Account, error) {
			if id != w.account.ID && id != 12 {
				return nil, errs.Missing("账号")
			}
			a := w.account
			if id == 12 {
				a.ID, a.Platform = 12, publish.WeChat
			}
			return &a, nil
		},
		Owner: "test", Clock: db.Clock(), IDs: db.IDs(), Rand: rand.Reader,
		Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if edit != nil {
		edit(&c)
	}
	if w.Service, err = feed.New(c); err != nil {
		t.Fatal(err)
	}
	return w
}

// publishOne brings a post with a picture through the platform's calls.
func (w *world) publishOne(t *testing.T, client, title string) (publish.Receipt, string) {
	t.Helper()
	ctx := t.Context()
	url, err := w.UploadPicture(ctx, w.account, []byte("picture of "+title), "image/png")
	if err != nil {
		t.Fatal(err)
	}
	cover, err := w.UploadCover(ctx, w.account, []byte("cover of "+title), "image/jpeg")
	if err != nil {
		t.Fatal(err)
	}
	draft, err := w.SaveDraft(ctx, w.account, []publish.Rendered{{
		Kind: publish.News, Title: title, Author: "李四", Digest: "摘要 <b>", CoverID: cover, SourceURL: "https://example.org/a",
		HTML: `<section style="color:#333"><p>正文</p><img src="` + url + `" alt="图"><script>alert(1)</script></section>`,
	}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := w.Submit(ctx, w.account, draft, publish.ModePublish, client)
	if err != nil {
		t.Fatal(err)
	}
	if there, err := w.DraftExists(ctx, w.account, draft); err != nil || there {
		t.Fatalf("the draft stays in the box after the submit: %v, %v", there, err)
	}
	return r, url
}

func kindOf(err error) publish.ErrKind {
	if err == nil {
		return ""
	}
	return publish.AsPlatformError(err).Kind
}

func TestSubmitIsExactlyOnce(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	draft, err := w.SaveDraft(ctx, w.account, []publish.Rendered{{Title: "一"}})
	if err != nil {
		t.Fatal(err)
	}
	first, err := w.Submit(ctx, w.account, draft, publish.ModePublish, "delivery-1")
	if err != nil {
		t.Fatal(err)
	}
	again, err := w.Submit(ctx, w.account, draft, publish.ModePublish, "delivery-1")
	if err != nil || again != first {
		t.Fatalf("the repetition answers %+v, %v; want %+v", again, err, first)
	}
	if _, err := w.Submit(ctx, w.account, draft, publish.ModePublish, "delivery-2"); kindOf(err) != publish.KindPermanent {
		t.Fatalf("a used draft under another id: %v", err)
	}
	found, more, err := w.Recent(ctx, w.account, 0)
	if err != nil || more || len(found) != 1 || found[0].Titles[0] != "一" {
		t.Fatalf("recent: %+v %v %v", found, more, err)
	}
	out, err := w.Result(ctx, w.account, first, publish.ModePublish)
	if err != nil || out.State != publish.OutcomePublished || out.ArticleID != found[0].ArticleID || len(out.URLs) != 1 {
		t.Fatalf("result: %+v, %v", out, err)
	}
}

func TestSubmitRefusals(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	draft, err := w.SaveDraft(ctx, w.account, []publish.Rendered{{Title: "一"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"mass":       second(w.Submit(ctx, w.account, draft, publish.ModeMass, "c")),
		"long id":    second(w.Submit(ctx, w.account, draft, publish.ModePublish, strings.Repeat("c", 33))),
		"no draft":   second(w.Submit(ctx, w.account, "999", publish.ModePublish, "c")),
		"not an id":  second(w.Submit(ctx, w.account, "x'", publish.ModePublish, "c")),
		"no article": second(w.SaveDraft(ctx, w.account, nil)),
		"svg":        second(w.UploadPicture(ctx, w.account, []byte("<svg/>"), "image/svg+xml")),
	} {
		if kindOf(err) != publish.KindPermanent {
			t.Errorf("%s: %v; want a permanent refusal", name, err)
		}
	}
	if found, _, err := w.Recent(ctx, w.account, 0); err != nil || len(found) != 0 {
		t.Fatalf("something was published: %+v, %v", found, err)
	}
	if err := w.DropDraft(ctx, w.account, draft); err != nil {
		t.Fatal(err)
	}
	if err := w.DropDraft(ctx, w.account, draft); err != nil {
		t.Fatalf("dropping an absent draft: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestDocuments(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	empty, err := w.Document(ctx, w.account.ID, feed.JSONFeed)
	if err != nil || !bytes.Contains(empty.Body, []byte(`"items":[]`)) {
		t.Fatalf("an empty JSON feed: %s, %v; it must have items", empty.Body, err)
	}
	w.publishOne(t, "c1", "第一篇 ]]> & <b>\x08")
	w.publishOne(t, "c2", "第二篇")

	var rss struct {
		Channel struct {
			Title    string `xml:"title"`
			Language string `xml:"language"`
			Items    []struct {
				Title   string `xml:"title"`
				Link    string `xml:"link"`
				GUID    string `xml:"guid"`
				Content string `xml:"http://purl.org/rss/1.0/modules/content/ encoded"`
				PubDate string `xml:"pubDate"`
			} `xml:"item"`
		} `xml:"channel"`
	}
	unmarshal(t, w, feed.RSS, xml.Unmarshal, &rss)
	if items := rss.Channel.Items; len(items) != 2 || items[0].Title != "第二篇" || items[1].Title != "第一篇 ]]> & <b>" ||
		!strings.HasPrefix(items[0].Link, "https://news.example.cn/feeds/11/items/") || items[0].GUID != items[0].Link ||
		!strings.Contains(items[0].Content, "正文") || strings.Contains(items[0].Content, "script") {
		t.Fatalf("RSS: %+v", rss)
	}
	var atom struct {
		XMLName xml.Name `xml:"http://www.w3.org/2005/Atom feed"`
		ID      string   `xml:"id"`
		Updated string   `xml:"updated"`
		Entries []struct {
			ID        string `xml:"id"`
			Published string `xml:"published"`
			Author    string `xml:"author>name"`
		} `xml:"entry"`
	}
	unmarshal(t, w, feed.Atom, xml.Unmarshal, &atom)
	if len(atom.Entries) != 2 || atom.ID == "" || atom.Updated == "" || atom.Entries[0].Author != "李四" || atom.Entries[0].Published == "" {
		t.Fatalf("Atom: %+v", atom)
	}
	var js struct {
		Version string           `json:"version"`
		FeedURL string           `json:"feed_url"`
		Items   []map[string]any `json:"items"`
	}
	unmarshal(t, w, feed.JSONFeed, json.Unmarshal, &js)
	if js.Version != "https://jsonfeed.org/version/1.1" || js.FeedURL != "https://news.example.cn/feeds/11/feed.json" || len(js.Items) != 2 ||
		js.Items[0]["summary"] != "摘要 <b>" || js.Items[0]["image"] == nil || js.Items[0]["author"] != nil {
		t.Fatalf("JSON feed: %+v", js)
	}
	page, err := w.Document(ctx, w.account.ID, feed.Page)
	if err != nil || !bytes.Contains(page.Body, []byte("第二篇")) || bytes.Contains(page.Body, []byte("<b>")) {
		t.Fatalf("index: %s, %v", page.Body, err)
	}
	if _, err := w.Document(ctx, w.account.ID, "yaml"); !errs.Is(err, errs.NotFound) {
		t.Fatalf("an unknown format: %v", err)
	}
	for _, id := range []ids.ID{12, 99} {
		if _, err := w.Document(ctx, id, feed.RSS); !errs.Is(err, errs.NotFound) {
			t.Fatalf("account %d has a public feed: %v", id, err)
		}
	}
}

func unmarshal(t *testing.T, w *world, f feed.Format, decode func([]byte, any) error, into any) {
	t.Helper()
	d, err := w.Document(t.Context(), w.account.ID, f)
	if err != nil {
		t.Fatal(err)
	}
	if err := decode(d.Body, into); err != nil {
		t.Fatalf("%s does not parse: %v\n%s", f, err, d.Body)
	}
}

func TestRetractedItemsDisappear(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	r, url := w.publishOne(t, "c1", "要撤回的")
	hash := url[strings.LastIndex(url, "/")+1:]
	before, err := w.Document(ctx, w.account.ID, feed.RSS)
	if err != nil {
		t.Fatal(err)
	}
	rd, p, _, err := w.OpenPicture(ctx, w.account.ID, hash)
	if err != nil || p.Mime != "image/png" {
		t.Fatalf("picture of a published item: %+v, %v", p, err)
	}
	if err := rd.Close(); err != nil {
		t.Fatal(err)
	}
	out, err := w.Result(ctx, w.account, r, publish.ModePublish)
	if err != nil {
		t.Fatal(err)
	}
	id, err := ids.Parse(out.URLs[0][strings.LastIndex(out.URLs[0], "/")+1:])
	if err != nil {
		t.Fatal(err)
	}
	_, item, err := w.ItemPage(ctx, w.account.ID, id)
	if err != nil {
		t.Fatal(err)
	}
	var page bytes.Buffer
	if err := w.WritePage(&page, &w.account, item); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"要撤回的", `<img src="` + url, "阅读原文", `<html lang="zh-CN">`} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page has no %q:\n%s", want, page.String())
		}
	}
	if strings.Contains(page.String(), "script") {
		t.Errorf("the page has a script:\n%s", page.String())
	}
	for range 2 {
		if err := w.Retract(ctx, w.account, publish.Delivery{Receipt: r}); err != nil {
			t.Fatal(err)
		}
	}
	after, err := w.Document(ctx, w.account.ID, feed.RSS)
	if err != nil || after.ETag == before.ETag || bytes.Contains(after.Body, []byte("要撤回的")) {
		t.Fatalf("the feed still has it (etag %s → %s), %v", before.ETag, after.ETag, err)
	}
	if _, _, err := w.ItemPage(ctx, w.account.ID, id); !errs.Is(err, errs.NotFound) {
		t.Fatalf("the page is still there: %v", err)
	}
	if _, _, _, err := w.OpenPicture(ctx, w.account.ID, hash); !errs.Is(err, errs.NotFound) {
		t.Fatalf("the picture is still there: %v", err)
	}
	if out, err := w.Result(ctx, w.account, r, publish.ModePublish); err != nil || out.State != publish.OutcomeRemoved {
		t.Fatalf("result after a retraction: %+v, %v", out, err)
	}
}

func TestPicturePostsAndForeignPictures(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	one, err := w.UploadCover(ctx, w.account, []byte("one"), "image/jpeg")
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := "https://news.example.cn/feeds/12/pictures/" + strings.Repeat("a", 64)
	draft, err := w.SaveDraft(ctx, w.account, []publish.Rendered{
		{Kind: publish.Pictures, Title: "图片", ImageIDs: []string{one}, Text: "第一行\n<i>第二行</i>"},
		{Kind: publish.News, Title: "外链", HTML: `<p>前<img src="https://tracker.example/x.gif"><img src="` + elsewhere + `">后<a href="javascript:x()">链</a></p>`, CoverID: "not-a-hash"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Submit(ctx, w.account, draft, publish.ModePublish, "c"); err != nil {
		t.Fatal(err)
	}
	found, _, err := w.Recent(ctx, w.account, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := found[0].Texts[0]; !strings.Contains(got, "/feeds/11/pictures/"+one) || !strings.Contains(got, "&lt;i&gt;第二行") {
		t.Errorf("picture post: %s", got)
	}
	if got := found[0].Texts[1]; got != "<p>前后<a>链</a></p>" {
		t.Errorf("pictures of elsewhere or a script link stay: %s", got)
	}
	if rd, _, _, err := w.OpenPicture(ctx, w.account.ID, one); err != nil {
		t.Errorf("picture of a picture post: %v", err)
	} else if err := rd.Close(); err != nil {
		t.Error(err)
	}
}

func TestHealth(t *testing.T) {
	w := newWorld(t, nil)
	checks, err := w.Health(t.Context(), w.account)
	if err != nil || len(checks) != 2 || !checks[0].OK || !checks[1].OK {
		t.Fatalf("%+v, %v", checks, err)
	}
	if _, err := feed.New(feed.Config{PublicURL: "news.example.cn"}); err == nil {
		t.Fatal("a public address without a scheme was accepted")
	}
	if f, err := w.Figures(t.Context(), w.account, publish.Delivery{}, time.Time{}); err != nil || len(f) != 0 {
		t.Fatalf("figures: %v, %v", f, err)
	}
}

// repoint changes a stored webhook behind the service's back.
func (w *world) repoint(t *testing.T, h feed.Webhook, url string) error {
	t.Helper()
	return w.db.Write(t.Context(), func(tx *storage.Tx) error {
		_, err := tx.Exec(`UPDATE feed_webhooks SET url = ? WHERE id = ?`, url, h.ID)
		return err
	})
}
