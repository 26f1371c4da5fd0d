package storage_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/call"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/seal"
	"tongxin/internal/trail"
	"tongxin/publish"
	"tongxin/publish/feed"
	"tongxin/storage"
	"tongxin/storage/storagetest"
)

const (
	feedA = ids.ID(101)
	feedB = ids.ID(102)
)

func feedBox(t testing.TB) *seal.Box {
	t.Helper()
	b, err := seal.New("k1", map[string][]byte{"k1": bytes.Repeat([]byte{7}, seal.MinSecret)})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func eachFeed(t *testing.T, fn func(t *testing.T, db *storage.DB, s *storage.Feeds)) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) { fn(t, db, storage.NewFeeds(db, feedBox(t))) })
}

func feedDraft(t testing.TB, db *storage.DB, s *storage.Feeds, account ids.ID) *feed.Draft {
	t.Helper()
	d := &feed.Draft{ID: db.IDs().New(), AccountID: account, CreatedAt: db.Clock().Now(), Articles: []publish.Rendered{{Title: "标题", HTML: "<p>正文</p>"}}}
	if err := s.AddDraft(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	return d
}

func feedMessage(db *storage.DB, account ids.ID, client string, pictures ...string) *feed.Message {
	m := &feed.Message{ID: db.IDs().New(), AccountID: account, ClientID: client, PublishedAt: db.Clock().Now()}
	for i := range 2 {
		m.Items = append(m.Items, feed.Item{
			ID: db.IDs().New(), AccountID: account, MessageID: m.ID, Position: i, Title: fmt.Sprint("第", i), Author: "作者",
			Digest: "摘要", HTML: "<p>正文</p>", SourceURL: "https://example.org/", PublishedAt: m.PublishedAt,
		})
	}
	m.Items[0].Pictures = pictures
	if len(pictures) > 0 {
		m.Items[0].Cover = pictures[0]
	}
	return m
}

func feedEvent(db *storage.DB) feed.Event {
	return feed.Event{Type: feed.EventPublished, Body: `{"type":"post.published"}`, At: db.Clock().Now()}
}

func feedHook(t testing.TB, db *storage.DB, s *storage.Feeds, account ids.ID) *feed.Webhook {
	t.Helper()
	h := &feed.Webhook{ID: db.IDs().New(), AccountID: account, URL: "https://example.org/hook", Secret: []byte("0123456789abcdef"), Enabled: true, CreatedBy: "张三", CreatedAt: db.Clock().Now()}
	if _, err := s.AddWebhook(t.Context(), h, trail.Entry{Actor: authz.SystemActor("test"), Action: "webhook.add", Object: "webhook", ID: h.ID}); err != nil {
		t.Fatal(err)
	}
	return h
}

func count(t testing.TB, db *storage.DB, query string, args ...any) int64 {
	t.Helper()
	var n int64
	if err := db.QueryRow(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestFeedPublishesOnce(t *testing.T) {
	eachFeed(t, func(t *testing.T, db *storage.DB, s *storage.Feeds) {
		ctx := t.Context()
		feedHook(t, db, s, feedA)
		d := feedDraft(t, db, s, feedA)
		got, err := s.Draft(ctx, feedA, d.ID)
		if err != nil || len(got.Articles) != 1 || got.Articles[0].HTML != "<p>正文</p>" || !got.CreatedAt.Equal(d.CreatedAt) {
			t.Fatalf("draft came back as %+v, %v", got, err)
		}
		if _, err := s.Draft(ctx, feedB, d.ID); !errs.Is(err, errs.NotFound) {
			t.Fatalf("another account reads the draft: %v", err)
		}
		first, err := s.Publish(ctx, feedMessage(db, feedA, "c1"), d.ID, feedEvent(db))
		if err != nil {
			t.Fatal(err)
		}
		again, err := s.Publish(ctx, feedMessage(db, feedA, "c1"), d.ID, feedEvent(db))
		if err != nil || again.ID != first.ID || len(again.Items) != 2 || again.Items[1].Title != "第1" {
			t.Fatalf("the repetition made %+v, %v; want message %v again", again, err, first.ID)
		}
		if _, err := s.Publish(ctx, feedMessage(db, feedA, "c2"), d.ID, feedEvent(db)); !errs.Is(err, errs.NotFound) {
			t.Fatalf("one draft was published under two client ids: %v", err)
		}
		if n := count(t, db, `SELECT COUNT(*) FROM feed_messages`); n != 1 {
			t.Fatalf("%d messages, want 1", n)
		}
		if n := count(t, db, `SELECT COUNT(*) FROM feed_jobs`); n != 1 {
			t.Fatalf("%d webhook jobs, want 1", n)
		}
		other := feedDraft(t, db, s, feedB)
		if _, err := s.Publish(ctx, feedMessage(db, feedB, "c1"), other.ID, feedEvent(db)); err != nil {
			t.Fatalf("another account's same client id: %v", err)
		}
	})
}

func TestFeedPublishesOnceUnderContention(t *testing.T) {
	eachFeed(t, func(t *testing.T, db *storage.DB, s *storage.Feeds) {
		d := feedDraft(t, db, s, feedA)
		var wg sync.WaitGroup
		got := make([]ids.ID, 16)
		for i := range got {
			wg.Go(func() {
				m, err := s.Publish(context.WithoutCancel(t.Context()), feedMessage(db, feedA, "same"), d.ID, feedEvent(db))
				if err != nil {
					t.Errorf("publish %d: %v", i, err)
					return
				}
				got[i] = m.ID
			})
		}
		wg.Wait()
		for _, id := range got {
			if id != got[0] {
				t.Fatalf("different messages of one client id: %v", got)
			}
		}
		if n := count(t, db, `SELECT COUNT(*) FROM feed_items`); n != 2 {
			t.Fatalf("%d items, want those of one message", n)
		}
	})
}

func TestFeedPicturesArePublicOnlyWhileShown(t *testing.T) {
	eachFeed(t, func(t *testing.T, db *storage.DB, s *storage.Feeds) {
		ctx := t.Context()
		hash := fmt.Sprintf("%064x", 5)
		for range 2 {
			if err := s.SavePicture(ctx, feedA, feed.Picture{Hash: hash, Mime: "image/png"}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.Picture(ctx, feedA, hash); !errs.Is(err, errs.NotFound) {
			t.Fatalf("a picture of no published item is public: %v", err)
		}
		d := feedDraft(t, db, s, feedA)
		m, err := s.Publish(ctx, feedMessage(db, feedA, "c1", hash), d.ID, feedEvent(db))
		if err != nil {
			t.Fatal(err)
		}
		p, err := s.Picture(ctx, feedA, hash)
		if err != nil || p.Mime != "image/png" {
			t.Fatalf("picture of a published item: %+v, %v", p, err)
		}
		if _, err := s.Picture(ctx, feedB, hash); !errs.Is(err, errs.NotFound) {
			t.Fatalf("another account serves the picture: %v", err)
		}
		before, err := s.Stamp(ctx, feedA)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Remove(ctx, feedA, m.ID, feedEvent(db)); err != nil {
			t.Fatal(err)
		}
		after, err := s.Stamp(ctx, feedA)
		if err != nil || after == before {
			t.Fatalf("stamp %q stays after a removal, %v", after, err)
		}
		if _, err := s.Picture(ctx, feedA, hash); !errs.Is(err, errs.NotFound) {
			t.Fatalf("the picture of a removed item is public: %v", err)
		}
		items, err := s.Items(ctx, feedA, 10)
		if err != nil || len(items) != 0 {
			t.Fatalf("removed items are listed: %d, %v", len(items), err)
		}
		if it, err := s.Item(ctx, feedA, m.Items[0].ID); err != nil || it.RemovedAt.IsZero() {
			t.Fatalf("a removed item: %+v, %v; want it with its time of removal", it, err)
		}
	})
}

func TestFeedLists(t *testing.T) {
	eachFeed(t, func(t *testing.T, db *storage.DB, s *storage.Feeds) {
		ctx := t.Context()
		var newest ids.ID
		for i := range 5 {
			d := feedDraft(t, db, s, feedA)
			m, err := s.Publish(ctx, feedMessage(db, feedA, fmt.Sprint("c", i)), d.ID, feedEvent(db))
			if err != nil {
				t.Fatal(err)
			}
			newest = m.ID
		}
		items, err := s.Items(ctx, feedA, 3)
		if err != nil || len(items) != 3 || items[0].MessageID != newest || items[0].Position != 0 || items[1].Position != 1 || items[2].MessageID >= newest {
			t.Fatalf("items are not newest first in their order: %+v, %v", items, err)
		}
		ms, err := s.Messages(ctx, feedA, 4, 3)
		if err != nil || len(ms) != 1 || len(ms[0].Items) != 2 || ms[0].ClientID != "c0" {
			t.Fatalf("last page of messages: %+v, %v", ms, err)
		}
		if ms, err := s.Messages(ctx, feedB, 0, 3); err != nil || len(ms) != 0 {
			t.Fatalf("another account lists %d messages, %v", len(ms), err)
		}
	})
}

func TestFeedJobsAreLeasedAndFenced(t *testing.T) {
	eachFeed(t, func(t *testing.T, db *storage.DB, s *storage.Feeds) {
		ctx, now := t.Context(), db.Clock().Now()
		h := feedHook(t, db, s, feedA)
		if err := s.AddJob(ctx, h, feed.Event{Type: feed.EventPing, Body: "{}", At: now}); err != nil {
			t.Fatal(err)
		}
		until := now.Add(time.Minute)
		jobs, err := s.ClaimJobs(ctx, "one", now, until, 5)
		if err != nil || len(jobs) != 1 || jobs[0].WebhookID != h.ID || jobs[0].Body != "{}" {
			t.Fatalf("claimed %+v, %v", jobs, err)
		}
		if again, err := s.ClaimJobs(ctx, "two", now, until, 5); err != nil || len(again) != 0 {
			t.Fatalf("a leased job was claimed again: %+v, %v", again, err)
		}
		if next, err := s.NextJob(ctx); err != nil || !next.Equal(until) {
			t.Fatalf("next look at %v, %v; want the end of the lease %v", next, err, until)
		}
		taken, err := s.ClaimJobs(ctx, "two", until, until.Add(time.Minute), 5)
		if err != nil || len(taken) != 1 {
			t.Fatalf("an abandoned job was not taken over: %+v, %v", taken, err)
		}
		late := jobs[0]
		late.State, late.Attempt = feed.JobDone, 1
		if err := s.SaveJob(ctx, late, late.Version, feed.Attempt{Attempt: 1, At: now}, ""); !errs.Is(err, errs.Stale) {
			t.Fatalf("a worker that lost its lease stored its outcome: %v", err)
		}
		if list, err := s.Attempts(ctx, feedA, late.ID); err != nil || len(list) != 0 {
			t.Fatalf("the refused outcome left a log line: %+v, %v", list, err)
		}
		j := taken[0]
		j.State, j.Attempt, j.Status, j.NextAt, j.DoneAt, j.Note = feed.JobFailed, 1, 410, time.Time{}, now, "停用"
		if err := s.SaveJob(ctx, j, j.Version, feed.Attempt{Attempt: 1, At: now, Status: 410, Millis: 12, Note: "停用"}, "已停用"); err != nil {
			t.Fatal(err)
		}
		if hook, err := s.Webhook(ctx, h.ID); err != nil || hook.Enabled || hook.Note != "已停用" || !bytes.Equal(hook.Secret, h.Secret) {
			t.Fatalf("webhook after 410: %+v, %v", hook, err)
		}
		if next, err := s.NextJob(ctx); err != nil || !next.IsZero() {
			t.Fatalf("next look at %v, %v; want none", next, err)
		}
		if list, err := s.Attempts(ctx, feedA, j.ID); err != nil || len(list) != 1 || list[0].Status != 410 || list[0].Millis != 12 {
			t.Fatalf("log: %+v, %v", list, err)
		}
		if _, err := s.Attempts(ctx, feedB, j.ID); !errs.Is(err, errs.NotFound) {
			t.Fatalf("another account reads the log: %v", err)
		}
		hooks, disabled, failed, err := s.HookHealth(ctx, feedA, now.Add(-time.Hour))
		if err != nil || hooks != 1 || disabled != 1 || failed != 1 {
			t.Fatalf("health %d %d %d, %v", hooks, disabled, failed, err)
		}
	})
}

func TestFeedJobsGoToOneWorkerEach(t *testing.T) {
	eachFeed(t, func(t *testing.T, db *storage.DB, s *storage.Feeds) {
		now := db.Clock().Now()
		h := feedHook(t, db, s, feedA)
		const jobs = 40
		for range jobs {
			if err := s.AddJob(t.Context(), h, feed.Event{Type: feed.EventPing, Body: "{}", At: now}); err != nil {
				t.Fatal(err)
			}
		}
		var wg sync.WaitGroup
		var seen sync.Map
		var total atomic.Int32
		for w := range 4 {
			wg.Go(func() {
				for int(total.Load()) < jobs {
					mine, err := s.ClaimJobs(context.WithoutCancel(t.Context()), fmt.Sprint(w), now, now.Add(time.Minute), 7)
					if err != nil {
						t.Error(err)
						return
					}
					for _, j := range mine {
						if _, twice := seen.LoadOrStore(j.ID, w); twice {
							t.Errorf("job %v was claimed twice", j.ID)
						}
						total.Add(1)
					}
				}
			})
		}
		wg.Wait()
	})
}

func TestFeedWebhooks(t *testing.T) {
	eachFeed(t, func(t *testing.T, db *storage.DB, s *storage.Feeds) {
		ctx := t.Context()
		h := feedHook(t, db, s, feedA)
		twin := *h
		twin.ID = db.IDs().New()
		twinEntry := trail.Entry{Actor: authz.SystemActor("test"), Action: "webhook.add", Object: "webhook", ID: twin.ID}
		if _, err := s.AddWebhook(ctx, &twin, twinEntry); !errs.Is(err, errs.Invalid) {
			t.Fatalf("one address twice: %v", err)
		}
		keyed := call.With(ctx, call.Info{IdempotencyKey: "key-12345", BodyHash: "b"})
		twin.URL = "https://example.org/other"
		first, err := s.AddWebhook(keyed, &twin, twinEntry)
		if err != nil {
			t.Fatal(err)
		}
		again := twin
		again.ID = db.IDs().New()
		if id, err := s.AddWebhook(keyed, &again, twinEntry); err != nil || id != first {
			t.Fatalf("the same key made %v, %v; want %v", id, err, first)
		}
		if err := s.DeleteWebhook(ctx, first, twinEntry); err != nil {
			t.Fatal(err)
		}
		var stored string
		if err := db.QueryRow(ctx, `SELECT secret FROM feed_webhooks WHERE id = ?`, h.ID).Scan(&stored); err != nil {
			t.Fatal(err)
		}
		if bytes.Contains([]byte(stored), h.Secret) {
			t.Fatal("the secret is stored in the clear")
		}
		if err := s.AddJob(ctx, h, feedEvent(db)); err != nil {
			t.Fatal(err)
		}
		h.Enabled, h.Note = false, "停用"
		entry := trail.Entry{Actor: authz.SystemActor("test"), Action: "webhook.enable", Object: "webhook", ID: h.ID}
		if err := s.SaveWebhook(ctx, h, entry); err != nil {
			t.Fatal(err)
		}
		d := feedDraft(t, db, s, feedA)
		if _, err := s.Publish(ctx, feedMessage(db, feedA, "c1"), d.ID, feedEvent(db)); err != nil {
			t.Fatal(err)
		}
		jobs, err := s.Jobs(ctx, feedA, page.Request{Limit: 10})
		if err != nil || len(jobs) != 1 {
			t.Fatalf("%d jobs, %v; a disabled webhook must get none", len(jobs), err)
		}
		entry.Action = "webhook.delete"
		if err := s.DeleteWebhook(ctx, h.ID, entry); err != nil {
			t.Fatal(err)
		}
		if err := s.DeleteWebhook(ctx, h.ID, entry); !errs.Is(err, errs.NotFound) {
			t.Fatalf("deleted twice: %v", err)
		}
		if jobs, err := s.Jobs(ctx, feedA, page.Request{Limit: 10}); err != nil || len(jobs) != 0 {
			t.Fatalf("jobs of a deleted webhook stay: %d, %v", len(jobs), err)
		}
		if n := count(t, db, `SELECT COUNT(*) FROM audit WHERE object = 'webhook'`); n != 5 {
			t.Fatalf("%d audit rows, want two additions, one switch, two deletions", n)
		}
	})
}

func TestFeedSweep(t *testing.T) {
	eachFeed(t, func(t *testing.T, db *storage.DB, s *storage.Feeds) {
		ctx, now := t.Context(), db.Clock().Now()
		h := feedHook(t, db, s, feedA)
		for range 2 {
			if err := s.AddJob(ctx, h, feed.Event{Type: feed.EventPing, Body: "{}", At: now}); err != nil {
				t.Fatal(err)
			}
		}
		jobs, err := s.ClaimJobs(ctx, "one", now, now.Add(time.Minute), 1)
		if err != nil || len(jobs) != 1 {
			t.Fatal(jobs, err)
		}
		j := jobs[0]
		j.State, j.Attempt, j.DoneAt, j.NextAt = feed.JobDone, 1, now, time.Time{}
		if err := s.SaveJob(ctx, j, j.Version, feed.Attempt{Attempt: 1, At: now}, ""); err != nil {
			t.Fatal(err)
		}
		old := &feed.Draft{ID: db.IDs().New(), AccountID: feedA, CreatedAt: clock.Cut(now.Add(-48 * time.Hour))}
		if err := s.AddDraft(ctx, old); err != nil {
			t.Fatal(err)
		}
		fresh := feedDraft(t, db, s, feedA)
		if n, err := s.Sweep(ctx, now.Add(-time.Hour), now.Add(time.Hour)); err != nil || n != 1 {
			t.Fatalf("swept %d jobs, %v; want the finished one", n, err)
		}
		if _, err := s.Draft(ctx, feedA, old.ID); !errs.Is(err, errs.NotFound) {
			t.Fatalf("an abandoned draft stays: %v", err)
		}
		if _, err := s.Draft(ctx, feedA, fresh.ID); err != nil {
			t.Fatalf("a fresh draft was swept: %v", err)
		}
		if left, err := s.Jobs(ctx, feedA, page.Request{Limit: 10}); err != nil || len(left) != 1 || left[0].State != feed.JobWaiting {
			t.Fatalf("jobs left: %+v, %v", left, err)
		}
	})
}
