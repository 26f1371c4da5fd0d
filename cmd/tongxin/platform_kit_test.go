package main

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"tongxin/internal/clock"
	"tongxin/publish"
	"tongxin/wechat"
	"tongxin/wechat/sandbox"
)

// wechatHouse is the adapter before a real sandbox over HTTP, with a callback
// address that takes events as the program does.
type wechatHouse struct {
	t       *testing.T
	box     *sandbox.Sandbox
	p       wechatPlatform
	a       publish.Account
	clock   *clock.Manual
	log     *journal
	events  chan publish.PlatformEvent
	refused chan error
	mu      sync.Mutex
	told    []string // everything that was said about failures
}

// wechatNoon is a Monday in China.
func wechatNoon() time.Time { return time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC) }

func newWechatHouse(t *testing.T, mode string, deny ...string) *wechatHouse {
	t.Helper()
	app := benchApp()
	h := &wechatHouse{
		t: t, clock: clock.NewManual(wechatNoon()), log: newJournal(""), events: make(chan publish.PlatformEvent, 16), refused: make(chan error, 16),
		a: publish.Account{ID: 7, Platform: publish.WeChat, AppID: app.AppID, Secrets: publish.Secrets{AppSecret: app.Secret, Token: app.Token}},
	}
	app.Mode, app.Deny = mode, deny
	if mode != "plain" {
		h.a.Secrets.AESKey = app.AESKey
	}
	callback := httptest.NewServer(http.HandlerFunc(h.take))
	app.CallbackURL = callback.URL
	var err error
	h.box, err = sandbox.New(sandbox.Config{
		Clock: h.clock, Accounts: []sandbox.Account{app}, PublishDelay: time.Millisecond, CallbackPause: time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h.box.Handler())
	client, err := wechat.New(wechat.Config{
		Base: server.URL, Clock: h.clock, Log: slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	h.p = wechatPlatform{client, h.clock}
	t.Cleanup(func() {
		client.Close()
		server.CloseClientConnections()
		if err := h.box.Close(); err != nil {
			t.Error(err)
		}
		server.Close()
		callback.Close()
		h.wantNoSecret()
	})
	return h
}

// take is the callback address.
func (h *wechatHouse) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, wechat.MaxCallback+1))
	if err != nil {
		return
	}
	call, err := wechat.CallbackParser{Clock: h.clock}.Parse(credentials(h.a), r.Method, r.URL.Query(), body)
	if err != nil {
		h.refused <- err
		w.WriteHeader(http.StatusForbidden)
		return
	}
	if ev, ours := h.p.event(h.a, call.Event); ours {
		h.events <- ev
	}
	if _, err := io.WriteString(w, wechat.CallbackSuccess); err != nil {
		h.t.Error(err)
	}
}

// event waits for the next translated event.
func (h *wechatHouse) event() publish.PlatformEvent {
	h.t.Helper()
	select {
	case ev := <-h.events:
		return ev
	case err := <-h.refused:
		h.t.Fatalf("callback refused: %v", err)
	case <-time.After(longest):
		h.t.Fatal("no event")
	}
	return publish.PlatformEvent{}
}

// wantNoSecret looks through the log and through all errors that fault saw.
func (h *wechatHouse) wantNoSecret() {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, text := range append(h.told, h.log.String()) {
		for _, bad := range []string{h.a.Secrets.AppSecret, h.a.Secrets.Token, benchApp().AESKey, "access_token=", "secret="} {
			if strings.Contains(text, bad) {
				h.t.Errorf("%q is in %.400q", bad, text)
			}
		}
	}
	if !strings.Contains(h.log.String(), "wechat call") {
		h.t.Error("no call was logged: the search for secrets proves nothing")
	}
}

// fault sets the switches to one rule, or to none.
func (h *wechatHouse) fault(rules ...sandbox.Rule) {
	h.t.Helper()
	if err := h.box.SetFaults(sandbox.Faults{Rules: rules, HangMS: 1}); err != nil {
		h.t.Fatal(err)
	}
}

// failed asserts a *publish.PlatformError of a kind and keeps what it says.
func (h *wechatHouse) failed(err error, kind publish.ErrKind, code int) *publish.PlatformError {
	h.t.Helper()
	pe, ok := err.(*publish.PlatformError) //nolint:errorlint // the contract says this very type
	if !ok {
		h.t.Fatalf("%T %v is no *PlatformError", err, err)
	}
	if pe.Kind != kind || pe.Code != code {
		h.t.Errorf("%s %d (%v), want %s %d", pe.Kind, pe.Code, pe, kind, code)
	}
	if pe.Msg == "" || pe.Cause == nil || !strings.HasSuffix(pe.Msg, "。") {
		h.t.Errorf("%v: a person needs a sentence and the log a cause", pe)
	}
	h.mu.Lock()
	h.told = append(h.told, pe.Error(), pe.Msg)
	h.mu.Unlock()
	return pe
}

// draft saves a draft of one article.
func (h *wechatHouse) draft(title string) string {
	h.t.Helper()
	id, err := h.p.SaveDraft(h.t.Context(), h.a, []publish.Rendered{h.article(title)})
	if err != nil {
		h.t.Fatal(err)
	}
	return id
}

func (h *wechatHouse) article(title string) publish.Rendered {
	h.t.Helper()
	cover, err := h.p.UploadCover(h.t.Context(), h.a, smallPicture(0), "image/png")
	if err != nil {
		h.t.Fatal(err)
	}
	return publish.Rendered{Kind: publish.News, Title: title, HTML: "<p>正文：" + title + "</p>", CoverID: cover}
}

// smallPicture is a PNG that differs by n.
func smallPicture(n int) []byte { return append(bytes.Clone(demoPicture(n)), byte(n)) }
