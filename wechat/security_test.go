package wechat_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tongxin/wechat"
	"tongxin/wechat/sandbox"
)

// asMini makes the account a mini-program: only those may ask for checks.
func asMini(c *sandbox.Config) { c.Accounts[0].Kind = "mini" }

const person = "oPerson00000000000000000000"

func TestContentCheck(t *testing.T) {
	w := start(t, asMini)
	ctx := t.Context()
	_, err := w.acc.CheckText(ctx, person, 2, "同意参加")
	if wechat.CodeOf(err) != 40003 || wechat.KindOf(err) != wechat.Permanent {
		t.Fatalf("a stranger: %v", err)
	}
	if err := w.box.Visit(w.creds.AppID, person); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]wechat.CheckSuggest{"同意参加": wechat.CheckPass, "有违禁内容": wechat.CheckRisky, "需要复核的话": wechat.CheckReview} {
		r, err := w.acc.CheckText(ctx, person, 2, text)
		if err != nil || r.Suggest != want || r.Label == 0 || r.TraceID == "" {
			t.Errorf("%s: %+v %v", text, r, err)
		}
	}
	// Markup and odd characters arrive as they are, not as \u escapes.
	if r, err := w.acc.CheckText(ctx, person, 2, "<b>a & b</b>\u2028\x07"); err != nil || r.Suggest != wechat.CheckPass {
		t.Errorf("%+v %v", r, err)
	}
	before := w.calls("/wxa/msg_sec_check")
	for _, bad := range []struct {
		openID string
		scene  int
		text   string
	}{{"", 2, "x"}, {person, 0, "x"}, {person, 5, "x"}, {person, 2, ""}, {person, 2, strings.Repeat("字", 2501)}} {
		if _, err := w.acc.CheckText(ctx, bad.openID, bad.scene, bad.text); err == nil || wechat.OutcomeUnknown(err) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if n := w.calls("/wxa/msg_sec_check"); n != before {
		t.Errorf("%d calls that must fail were sent", n-before)
	}
	w.clock.Add(3 * time.Hour)
	if _, err := w.acc.CheckText(ctx, person, 2, "同意"); wechat.CodeOf(err) != 61010 || !strings.Contains(wechat.Sentence(err), "小程序") {
		t.Errorf("after two hours: %v", err)
	}
}

// Down in every way: an error that may be repeated, never a verdict.
func TestContentCheckDown(t *testing.T) {
	w := start(t, asMini)
	if err := w.box.Visit(w.creds.AppID, person); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	c := w.newClient(func(cfg *wechat.Config) {
		cfg.Timeout = 200 * time.Millisecond
		cfg.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	acc := c.Account(w.creds)
	const path = "/wxa/msg_sec_check"
	for _, kind := range []string{sandbox.BusyBefore, sandbox.CloseBefore, sandbox.CloseAfter, sandbox.HangBefore, sandbox.GatewayBefore, sandbox.GarbageAfter, sandbox.BusyAfter} {
		w.fault(sandbox.Rule{Path: path, Kind: kind, Next: 2})
		r, err := acc.CheckText(t.Context(), person, 2, "一句心里话")
		if err == nil || r.Suggest != "" || wechat.OutcomeUnknown(err) || wechat.KindOf(err) == wechat.Permanent || wechat.KindOf(err) == wechat.Content {
			t.Errorf("%s: %+v %v", kind, r, err)
		}
		if err != nil {
			clean(t, w, err.Error())
		}
		w.fault()
	}
	if r, err := acc.CheckText(t.Context(), person, 2, "一句心里话"); err != nil || r.Suggest != wechat.CheckPass {
		t.Errorf("healed: %+v %v", r, err)
	}
	if strings.Contains(log.String(), "心里话") || strings.Contains(log.String(), person) {
		t.Error("what a member wrote, or who, is in the log")
	}
}

func TestPictureCheck(t *testing.T) {
	w := start(t, asMini)
	pictures := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		if _, err := rw.Write(pic(t, "png", 3)); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(pictures.Close)
	if err := w.box.Visit(w.creds.AppID, person); err != nil {
		t.Fatal(err)
	}
	for verdict, want := range map[string]wechat.CheckSuggest{"": wechat.CheckPass, "risky": wechat.CheckRisky, "review": wechat.CheckReview} {
		if err := w.box.SetFaults(sandbox.Faults{CheckPicture: verdict}); err != nil {
			t.Fatal(err)
		}
		trace, err := w.acc.CheckPicture(t.Context(), person, 1, pictures.URL+"/a.png")
		if err != nil || trace == "" {
			t.Fatal(trace, err)
		}
		e := w.event()
		if e.Kind != wechat.EventMediaCheck || e.Check == nil || e.Check.TraceID != trace || e.Check.Suggest != want || e.Check.Code != 0 || e.Mass != nil {
			t.Errorf("%q: %+v %+v", verdict, e, e.Check)
		}
		if !strings.Contains(e.DedupeKey(), trace) {
			t.Error("two checks of one second would count as one event")
		}
	}
	if err := w.box.SetFaults(sandbox.Faults{}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.acc.CheckPicture(t.Context(), person, 1, "http://127.0.0.1:1/gone.png"); err != nil {
		t.Fatal(err)
	}
	if e := w.event(); e.Check == nil || e.Check.Code != -1008 || e.Check.Suggest != "" {
		t.Errorf("a picture that cannot be had: %+v", e.Check)
	}
	if _, err := w.acc.CheckPicture(t.Context(), person, 1, ""); err == nil {
		t.Error("no address")
	}
}
