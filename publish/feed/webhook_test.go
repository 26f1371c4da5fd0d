package feed_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"tongxin/internal/errs"
	"tongxin/internal/page"
	"tongxin/publish/feed"
)

// receiver is what a subscriber runs: it keeps the calls and answers as told.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	calls  []call
	status int
}

type call struct {
	header http.Header
	body   []byte
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{status: http.StatusNoContent}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		if err != nil {
			t.Error(err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.calls = append(r.calls, call{q.Header.Clone(), body})
		if r.status == http.StatusFound {
			w.Header().Set("Location", r.URL+"/elsewhere")
		}
		w.WriteHeader(r.status)
	}))
	t.Cleanup(r.Close)
	return r
}

func private(c *feed.Config) { c.AllowPrivate = true }

func (w *world) jobs(t *testing.T) []feed.Job {
	t.Helper()
	res, err := w.Jobs(t.Context(), w.reader, w.account.ID, page.Request{Limit: 50})
	if err != nil {
		t.Fatal(err)
	}
	return res.Items
}

func TestWebhookIsSignedAndDelivered(t *testing.T) {
	w, r := newWorld(t, private), newReceiver(t)
	hook, err := w.AddWebhook(t.Context(), w.admin, w.account.ID, r.URL+"/in?token=geheim")
	if err != nil {
		t.Fatal(err)
	}
	secret, err := feed.ParseSecret(hook.Secret)
	if err != nil || len(secret) != 32 {
		t.Fatalf("secret of %d bytes, %v", len(secret), err)
	}
	w.publishOne(t, "c1", "第一篇")
	w.Round(t.Context())
	if len(r.calls) != 1 {
		t.Fatalf("%d calls, want 1", len(r.calls))
	}
	got := r.calls[0]
	if !feed.Verify(secret, got.header, got.body, w.tick.Now()) {
		t.Fatalf("the signature does not verify: %v", got.header)
	}
	if feed.Verify(secret, got.header, append(got.body, ' '), w.tick.Now()) || feed.Verify([]byte("other"), got.header, got.body, w.tick.Now()) ||
		feed.Verify(secret, got.header, got.body, w.tick.Now().Add(6*time.Minute)) {
		t.Fatal("an altered body, another secret or an old call verifies")
	}
	for _, want := range []string{`"type":"post.published"`, `"title":"第一篇"`, `https://news.example.cn/feeds/11/items/`} {
		if !strings.Contains(string(got.body), want) {
			t.Errorf("the body has no %s: %s", want, got.body)
		}
	}
	jobs := w.jobs(t)
	if len(jobs) != 1 || jobs[0].State != feed.JobDone || jobs[0].Status != http.StatusNoContent {
		t.Fatalf("jobs: %+v", jobs)
	}
	w.Round(t.Context())
	if len(r.calls) != 1 {
		t.Fatal("a delivered event was sent again")
	}
	if log := w.log.String(); strings.Contains(log, "geheim") || strings.Contains(log, hook.Secret) {
		t.Fatalf("a secret is in the log:\n%s", log)
	}
}

func TestWebhookRetriesWithBackoff(t *testing.T) {
	w, r := newWorld(t, private), newReceiver(t)
	r.status = http.StatusInternalServerError
	if _, err := w.AddWebhook(t.Context(), w.admin, w.account.ID, r.URL+"/token-in-path"); err != nil {
		t.Fatal(err)
	}
	w.publishOne(t, "c1", "第一篇")
	w.Round(t.Context())
	if wait := w.Round(t.Context()); len(r.calls) != 1 || wait != 5*time.Second {
		t.Fatalf("%d calls, next look in %v; want one call and 5 s", len(r.calls), wait)
	}
	w.tick.Add(5 * time.Second)
	w.Round(t.Context())
	r.status = http.StatusOK
	w.tick.Add(time.Minute)
	w.Round(t.Context())
	jobs := w.jobs(t)
	if len(r.calls) != 3 || jobs[0].State != feed.JobDone || jobs[0].Attempt != 3 {
		t.Fatalf("%d calls, job %+v", len(r.calls), jobs[0])
	}
	if id := r.calls[0].header.Get(feed.HeaderID); id == "" || id != r.calls[2].header.Get(feed.HeaderID) {
		t.Fatal("repetitions do not share their webhook-id")
	}
	list, err := w.Attempts(t.Context(), w.reader, w.account.ID, jobs[0].ID)
	if err != nil || len(list) != 3 || list[0].Status != 500 || list[2].Status != 200 {
		t.Fatalf("log: %+v, %v", list, err)
	}
}

func TestWebhookGivesUp(t *testing.T) {
	w, r := newWorld(t, private), newReceiver(t)
	r.status = http.StatusBadGateway
	hook, err := w.AddWebhook(t.Context(), w.admin, w.account.ID, r.URL)
	if err != nil {
		t.Fatal(err)
	}
	w.publishOne(t, "c1", "第一篇")
	for range 20 {
		w.Round(t.Context())
		w.tick.Add(40 * time.Hour)
	}
	if len(r.calls) != 10 || w.jobs(t)[0].State != feed.JobFailed {
		t.Fatalf("%d calls, job %+v; want ten and then failed", len(r.calls), w.jobs(t)[0])
	}
	hooks, err := w.Webhooks(t.Context(), w.reader, w.account.ID)
	if err != nil || hooks[0].Enabled || hooks[0].Note == "" {
		t.Fatalf("webhook: %+v, %v; want it switched off with the reason", hooks, err)
	}
	if on, err := w.EnableWebhook(t.Context(), w.admin, hook.ID); err != nil || !on.Enabled || on.Note != "" {
		t.Fatalf("enabled: %+v, %v", on, err)
	}
}

func TestWebhookGoneAndRedirect(t *testing.T) {
	w, r := newWorld(t, private), newReceiver(t)
	hook, err := w.AddWebhook(t.Context(), w.admin, w.account.ID, r.URL)
	if err != nil {
		t.Fatal(err)
	}
	r.status = http.StatusFound
	if err := w.PingWebhook(t.Context(), w.admin, hook.ID); err != nil {
		t.Fatal(err)
	}
	w.Round(t.Context())
	if j := w.jobs(t)[0]; len(r.calls) != 1 || j.Status != http.StatusFound || j.State != feed.JobWaiting || j.Event != feed.EventPing {
		t.Fatalf("%d calls, job %+v; a redirect must not be followed", len(r.calls), j)
	}
	r.status = http.StatusGone
	w.tick.Add(time.Minute)
	w.Round(t.Context())
	hooks, err := w.Webhooks(t.Context(), w.admin, w.account.ID)
	if err != nil || hooks[0].Enabled || w.jobs(t)[0].State != feed.JobFailed {
		t.Fatalf("after 410: %+v %+v, %v", hooks, w.jobs(t)[0], err)
	}
}

func TestRunDeliversAndStops(t *testing.T) {
	w := newWorld(t, private)
	got := make(chan string, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) { got <- q.Header.Get(feed.HeaderSignature) }))
	defer srv.Close()
	if _, err := w.AddWebhook(t.Context(), w.admin, w.account.ID, srv.URL); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	w.publishOne(t, "c1", "第一篇")
	if sig := <-got; !strings.HasPrefix(sig, "v1,") {
		t.Errorf("signature %q", sig)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

func TestWebhookRights(t *testing.T) {
	w := newWorld(t, nil)
	ctx, url := t.Context(), "https://hooks.example.org/in"
	if _, err := w.AddWebhook(ctx, w.reader, w.account.ID, url); !errs.Is(err, errs.Forbidden) {
		t.Errorf("a reader adds: %v", err)
	}
	if _, err := w.AddWebhook(ctx, w.other, w.account.ID, url); !errs.Is(err, errs.NotFound) {
		t.Errorf("another organisation adds: %v", err)
	}
	if _, err := w.AddWebhook(ctx, w.admin, 12, url); !errs.Is(err, errs.Conflict) {
		t.Errorf("a WeChat account gets a webhook: %v", err)
	}
	hook, err := w.AddWebhook(ctx, w.admin, w.account.ID, url)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.AddWebhook(ctx, w.admin, w.account.ID, url); !errs.Is(err, errs.Invalid) {
		t.Errorf("the same address twice: %v", err)
	}
	for name, err := range map[string]error{
		"delete": w.DeleteWebhook(ctx, w.other, hook.ID), "ping": w.PingWebhook(ctx, w.other, hook.ID),
		"list": second(w.Webhooks(ctx, w.other, w.account.ID)), "enable": second(w.EnableWebhook(ctx, w.other, hook.ID)),
		"jobs": second(w.Jobs(ctx, w.other, w.account.ID, page.Request{Limit: 1})),
	} {
		if !errs.Is(err, errs.NotFound) {
			t.Errorf("%s by another organisation: %v", name, err)
		}
	}
	if err := w.DeleteWebhook(ctx, w.reader, hook.ID); !errs.Is(err, errs.Forbidden) {
		t.Errorf("a reader deletes: %v", err)
	}
	if err := w.DeleteWebhook(ctx, w.admin, hook.ID); err != nil {
		t.Error(err)
	}
}

func TestWebhookAddressesInsideAreRefused(t *testing.T) {
	w := newWorld(t, nil)
	for _, url := range []string{
		"http://hooks.example.org/", "https://localhost/x", "https://127.0.0.1/", "https://[::1]/", "https://10.1.2.3/",
		"https://169.254.169.254/latest/meta-data", "https://[::ffff:192.168.1.1]/", "https://user:pw@example.org/",
		"ftp://example.org/", "https:///x", "example.org", "https://a.localhost./", "https://example.org/" + strings.Repeat("x", 500),
	} {
		if _, err := w.AddWebhook(t.Context(), w.admin, w.account.ID, url); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v; want a refusal", url, err)
		}
	}
}

// A name may pass the check when it is entered and resolve to an inner host
// later: the dialer is what must refuse. Here the address is put past the check.
func TestDialerRefusesInnerAddresses(t *testing.T) {
	r := newReceiver(t)
	var store feed.Store
	w := newWorld(t, func(c *feed.Config) { store = c.Store })
	hook, err := w.AddWebhook(t.Context(), w.admin, w.account.ID, "https://hooks.example.org/in")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.PingWebhook(t.Context(), w.admin, hook.ID); err != nil {
		t.Fatal(err)
	}
	if err := w.repoint(t, hook.Webhook, r.URL); err != nil {
		t.Fatal(err)
	}
	w.Round(t.Context())
	j := w.jobs(t)[0]
	if len(r.calls) != 0 || j.Status != 0 || !strings.Contains(j.Note, "内部网络") || strings.Contains(j.Note, "127.0.0.1") {
		t.Fatalf("%d calls, job %+v; want a refusal that names no address", len(r.calls), j)
	}
	if got, err := store.Webhook(t.Context(), hook.ID); err != nil || got.URL != r.URL {
		t.Fatalf("the test did not repoint: %+v, %v", got, err)
	}
}
