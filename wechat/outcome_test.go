package wechat_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tongxin/wechat"
	"tongxin/wechat/sandbox"
)

const submit = "/cgi-bin/freepublish/submit"

func TestOutcomeOfASubmit(t *testing.T) {
	cases := []struct {
		kind     string
		accepted int  // in the sandbox's ledger
		unknown  bool // what the client must say
	}{
		{sandbox.BusyBefore, 0, true}, // -1 does not say on which side of the effect
		{sandbox.BusyAfter, 1, true},
		{sandbox.CloseBefore, 0, true},
		{sandbox.CloseAfter, 1, true},
		{sandbox.HangBefore, 0, true},
		{sandbox.HangAfter, 1, true},
		{sandbox.GatewayBefore, 0, true},
		{sandbox.GatewayAfter, 1, true},
		{sandbox.GarbageAfter, 1, true},
		{sandbox.ErrCode, 0, false},
	}
	for _, c := range cases {
		t.Run(c.kind, func(t *testing.T) {
			w := start(t, nil)
			id := w.draft("结果")
			w.fault(sandbox.Rule{Path: submit, Kind: c.kind, Code: 53503, Next: 1})
			acc := w.newClient(func(cfg *wechat.Config) { cfg.Timeout = 300 * time.Millisecond }).Account(w.creds)
			_, err := acc.SubmitPublish(t.Context(), id)
			if err == nil {
				t.Fatal("no error")
			}
			if got := wechat.OutcomeUnknown(err); got != c.unknown {
				t.Errorf("unknown = %v: %v", got, err)
			}
			if n := len(w.box.Ledger("")); n != c.accepted {
				t.Errorf("%d accepted, want %d", n, c.accepted)
			}
			clean(t, w, err.Error()+wechat.Sentence(err))
			if c.unknown && !strings.Contains(wechat.Sentence(err), "不要重复操作") {
				t.Error(wechat.Sentence(err))
			}
			if c.accepted == 1 { // nothing but a look is needed
				if _, err := acc.GetDraft(t.Context(), id); wechat.CodeOf(err) != 40007 {
					t.Errorf("the draft is still there: %v", err)
				}
			}
		})
	}
}

func TestReadsNeverLeaveAnUnknownOutcome(t *testing.T) {
	w := start(t, nil)
	for _, kind := range []string{sandbox.BusyBefore, sandbox.CloseAfter, sandbox.GatewayAfter, sandbox.GarbageAfter} {
		w.fault(sandbox.Rule{Path: "/cgi-bin/draft/batchget", Kind: kind, Next: 1})
		if _, err := w.acc.ListDrafts(t.Context(), 0, 1, true); err == nil || wechat.OutcomeUnknown(err) {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func TestNotSentIsNotUnknown(t *testing.T) {
	w := start(t, nil)
	id := w.draft("不可达")
	// A listener that was closed: the address refuses connections.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	cache := wechat.NewMemoryCache()
	if _, err := w.newClient(func(c *wechat.Config) { c.Cache = cache }).Account(w.creds).CountDraft(t.Context()); err != nil {
		t.Fatal(err)
	}
	down := w.newClient(func(c *wechat.Config) { c.Cache, c.Base = cache, "http://"+addr })
	_, err = down.Account(w.creds).SubmitPublish(t.Context(), id)
	if err == nil || wechat.OutcomeUnknown(err) || wechat.KindOf(err) != wechat.Transient {
		t.Errorf("connection refused: %v", err)
	}
	if strings.Contains(err.Error(), addr) {
		t.Errorf("address in %q", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = w.acc.SubmitPublish(ctx, id)
	if wechat.OutcomeUnknown(err) || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before: %v", err)
	}
	if n := w.calls(submit); n != 0 {
		t.Errorf("%d submits arrived", n)
	}
}

func TestUnknownTransportsAreTakenForTheWorst(t *testing.T) {
	w := start(t, nil)
	id := w.draft("自带传输")
	lossy := roundTrip(func(r *http.Request) (*http.Response, error) {
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err == nil && strings.HasSuffix(r.URL.Path, "/submit") {
			if err := resp.Body.Close(); err != nil {
				t.Error(err)
			}
			return nil, errors.New("lost on the way back: " + r.URL.String())
		}
		return resp, err
	})
	acc := w.newClient(func(c *wechat.Config) { c.Transport = lossy }).Account(w.creds)
	_, err := acc.SubmitPublish(t.Context(), id)
	if !wechat.OutcomeUnknown(err) {
		t.Error(err)
	}
	clean(t, w, err.Error())
	silent := roundTrip(func(*http.Request) (*http.Response, error) { return nil, errors.New("no trace at all") })
	cache := wechat.NewMemoryCache()
	if _, err := w.newClient(func(c *wechat.Config) { c.Cache = cache }).Account(w.creds).CountDraft(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err = w.newClient(func(c *wechat.Config) { c.Transport, c.Cache = silent, cache }).Account(w.creds).SubmitPublish(t.Context(), id)
	if !wechat.OutcomeUnknown(err) {
		t.Errorf("a transport without trace: %v", err)
	}
	if !wechat.OutcomeUnknown(errors.New("foreign")) || wechat.OutcomeUnknown(nil) {
		t.Error("foreign errors are unknown, nil is not")
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestOnlyTheBaseIsReached(t *testing.T) {
	var hosts []string
	record := roundTrip(func(r *http.Request) (*http.Response, error) {
		hosts = append(hosts, r.URL.Scheme+"://"+r.URL.Host+r.URL.Path)
		rec := httptest.NewRecorder()
		rec.Header().Set("Location", "https://evil.example/")
		rec.WriteHeader(http.StatusTemporaryRedirect)
		return rec.Result(), nil
	})
	c, err := wechat.New(wechat.Config{Base: "http://proxy.internal:81/wx/", Transport: record})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Account(wechat.Credentials{AppID: "a", Secret: "b"}).CountDraft(t.Context()); err == nil {
		t.Error("a redirect was taken for an answer")
	}
	if len(hosts) != 1 || hosts[0] != "http://proxy.internal:81/wx/cgi-bin/stable_token" {
		t.Error(hosts)
	}
	for _, bad := range []string{"ftp://x", "api.weixin.qq.com", "http://user:pw@x", "http://x/?a=b"} {
		if _, err := wechat.New(wechat.Config{Base: bad}); err == nil {
			t.Errorf("base %q was taken", bad)
		}
	}
}

func TestErrorsFromThePlatform(t *testing.T) {
	w := start(t, nil)
	id := w.draft("错误")
	now := w.clock.Now()
	for _, c := range []struct {
		code  int
		kind  wechat.Kind
		retry time.Time
	}{
		{45009, wechat.Quota, time.Date(2026, 3, 2, 16, 5, 0, 0, time.UTC)},
		{45011, wechat.Quota, now.Add(time.Minute)},
		{53501, wechat.Quota, now.Add(10 * time.Minute)},
		{48001, wechat.Auth, time.Time{}},
		{40164, wechat.Auth, time.Time{}},
		{53503, wechat.Content, time.Time{}},
		{99999, wechat.Unknown, time.Time{}},
	} {
		w.fault(sandbox.Rule{Path: submit, Kind: sandbox.ErrCode, Code: c.code, Next: 1})
		_, err := w.acc.SubmitPublish(t.Context(), id)
		e := new(wechat.Error)
		if !errors.As(err, &e) {
			t.Fatal(err)
		}
		if e.Kind != c.kind || !e.RetryAt.Equal(c.retry) || e.Outcome != wechat.NotAccepted || e.RID == "" || strings.Contains(e.Msg, "rid") {
			t.Errorf("%d: %+v", c.code, e)
		}
		clean(t, w, err.Error())
	}
}
