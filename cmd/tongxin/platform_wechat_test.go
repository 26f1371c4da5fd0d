package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"tongxin/publish"
	"tongxin/wechat"
	"tongxin/wechat/sandbox"
)

func TestPlatformPublishes(t *testing.T) {
	h := newWechatHouse(t, "aes")
	ctx := t.Context()
	picture, err := h.p.UploadPicture(ctx, h.a, smallPicture(1), "image/png")
	if err != nil || !strings.Contains(picture, "mmbiz.qpic.cn") {
		t.Fatalf("picture %q %v", picture, err)
	}
	first, second := h.article("头条"), h.article("次条")
	first.Author, first.Digest, first.SourceURL = "王丽", "摘要", "https://example.cn/a"
	first.HTML = `<p>正文</p><p><img src="` + picture + `"/></p>`
	first.CropWide, first.CropSquare, first.OpenComment, first.FansOnly = "0_0_1_0.5", "0.1_0_0.9_1", true, true
	draft, err := h.p.SaveDraft(ctx, h.a, []publish.Rendered{first, second})
	if err != nil {
		t.Fatal(err)
	}
	wantDraft(t, h, draft, true)
	got, err := h.p.account(h.a).GetDraft(ctx, draft)
	if err != nil || len(got) != 2 || got[0].Author != "王丽" || got[0].Digest != "摘要" || got[0].ContentSourceURL != "https://example.cn/a" ||
		!bool(got[0].NeedOpenComment) || !bool(got[0].OnlyFansComment) || !strings.Contains(got[0].Content, picture) || got[1].Title != "次条" {
		t.Fatalf("the draft holds %+v (%v)", got, err)
	}

	receipt, err := h.p.Submit(ctx, h.a, draft, publish.ModePublish, "client-1")
	if err != nil || receipt.PublishID == "" || receipt.MsgDataID == "" || receipt.MsgID != "" {
		t.Fatalf("%+v %v", receipt, err)
	}
	wantDraft(t, h, draft, false)
	ev := h.event()
	if ev.AccountID != h.a.ID || ev.Receipt.PublishID != receipt.PublishID || ev.Dedupe == "" || ev.Outcome.State != publish.OutcomePublished || len(ev.Outcome.URLs) != 2 {
		t.Errorf("event %+v", ev)
	}
	out, err := h.p.Result(ctx, h.a, receipt, publish.ModePublish)
	if err != nil || out.State != publish.OutcomePublished || out.ArticleID != ev.Outcome.ArticleID || !slices.Equal(out.URLs, ev.Outcome.URLs) {
		t.Errorf("result %+v %v, event %+v", out, err, ev.Outcome)
	}
	found, more, err := h.p.Recent(ctx, h.a, 0)
	if err != nil || more || len(found) != 1 {
		t.Fatalf("%+v %v %v", found, more, err)
	}
	f := found[0]
	if f.ArticleID != out.ArticleID || !slices.Equal(f.Titles, []string{"头条", "次条"}) || !slices.Equal(f.CoverIDs, []string{first.CoverID, second.CoverID}) ||
		!slices.Equal(f.URLs, out.URLs) || !strings.Contains(f.Texts[0], picture) || f.Digests[0] != "摘要" || !f.Updated.Equal(wechatNoon()) {
		t.Errorf("found %+v", f)
	}
	d := publish.Delivery{Mode: publish.ModePublish, ArticleID: out.ArticleID, Receipt: receipt}
	if err := h.p.Retract(ctx, h.a, d); err != nil {
		t.Fatal(err)
	}
	if out, err := h.p.Result(ctx, h.a, receipt, publish.ModePublish); err != nil || out.State != publish.OutcomeRemoved {
		t.Errorf("after the retraction: %+v %v", out, err)
	}
	if found, _, err := h.p.Recent(ctx, h.a, 0); err != nil || len(found) != 0 {
		t.Errorf("after the retraction the list has %+v (%v)", found, err)
	}
	h.failed(h.p.Retract(ctx, h.a, d), publish.KindPermanent, 53600)
}

func wantDraft(t *testing.T, h *wechatHouse, id string, want bool) {
	t.Helper()
	if there, err := h.p.DraftExists(t.Context(), h.a, id); err != nil || there != want {
		t.Errorf("the draft is there: %v (%v), want %v", there, err, want)
	}
}

func TestPlatformDropsDrafts(t *testing.T) {
	h := newWechatHouse(t, "plain")
	draft := h.draft("一")
	for range 2 { // the second time it is gone already
		if err := h.p.DropDraft(t.Context(), h.a, draft); err != nil {
			t.Fatal(err)
		}
		wantDraft(t, h, draft, false)
	}
	h.fault(sandbox.Rule{Path: "/cgi-bin/draft/delete", Kind: sandbox.ErrCode, Code: 48001, Next: 1}, sandbox.Rule{Path: "/cgi-bin/draft/get", Kind: sandbox.BusyBefore, Next: 1})
	h.failed(h.p.DropDraft(t.Context(), h.a, draft), publish.KindAuth, 48001)
	_, err := h.p.DraftExists(t.Context(), h.a, draft)
	h.failed(err, publish.KindTransient, -1)
}

func TestPlatformPicturePost(t *testing.T) {
	h := newWechatHouse(t, "plain")
	one := h.article("").CoverID
	id, err := h.p.SaveDraft(t.Context(), h.a, []publish.Rendered{{Kind: publish.Pictures, Title: "一组照片", Text: "小院里的党课", ImageIDs: []string{one, one}, OpenComment: true}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := h.p.account(h.a).GetDraft(t.Context(), id)
	if err != nil || len(got) != 1 || got[0].Type != wechat.NewsPic || got[0].Content != "小院里的党课" || len(got[0].Images.List) != 2 || got[0].Images.List[0].MediaID != one {
		t.Errorf("%+v %v", got, err)
	}
}

func TestPlatformMassSends(t *testing.T) {
	h := newWechatHouse(t, "compat")
	ctx := t.Context()
	receipt, err := h.p.Submit(ctx, h.a, h.draft("群发"), publish.ModeMass, "client-1")
	if err != nil || receipt.MsgID == "" || receipt.MsgDataID == "" || receipt.PublishID != "" {
		t.Fatalf("%+v %v", receipt, err)
	}
	ev := h.event()
	if ev.Receipt.MsgID != receipt.MsgID || ev.Outcome.State != publish.OutcomePublished || len(ev.Outcome.URLs) != 1 {
		t.Errorf("event %+v", ev)
	}
	again, err := h.p.Submit(ctx, h.a, h.draft("群发"), publish.ModeMass, "client-1")
	if err != nil || again.MsgID != receipt.MsgID || len(h.box.Ledger("")) != 1 {
		t.Errorf("the same client id again: %+v %v, accepted %d times", again, err, len(h.box.Ledger("")))
	}
	if out, err := h.p.Result(ctx, h.a, receipt, publish.ModeMass); err != nil || out.State != publish.OutcomePublished {
		t.Errorf("%+v %v", out, err)
	}
	if err := h.p.Retract(ctx, h.a, publish.Delivery{Mode: publish.ModeMass, Receipt: receipt}); err != nil {
		t.Fatal(err)
	}
	if out, err := h.p.Result(ctx, h.a, receipt, publish.ModeMass); err != nil || out.State != publish.OutcomeRemoved || out.Msg == "" {
		t.Errorf("after the retraction %+v %v", out, err)
	}
	_, err = h.p.Submit(ctx, h.a, h.draft("第二次"), publish.ModeMass, "client-2")
	pe := h.failed(err, publish.KindQuota, 45028)
	if want := time.Date(2026, 3, 2, 16, 5, 0, 0, time.UTC); !pe.NotBefore.Equal(want) {
		t.Errorf("allowed again at %v, want %v", pe.NotBefore, want)
	}
	_, err = h.p.Result(ctx, h.a, publish.Receipt{MsgID: "1"}, publish.ModeMass)
	h.failed(err, publish.KindPermanent, 40035)
}

// Every kind of failure, on a call without notice for readers and on the submit.
func TestPlatformErrors(t *testing.T) {
	h := newWechatHouse(t, "plain")
	app := benchApp()
	app.MassPerDay = -1
	if err := h.box.PutAccount(app); err != nil {
		t.Fatal(err)
	}
	h.draft("取令牌") // the faults are for the calls after it
	rule := func(kind string, code int) sandbox.Rule {
		return sandbox.Rule{Path: "*", Kind: kind, Code: code, Next: 1}
	}
	midnight := time.Date(2026, 3, 2, 16, 5, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		rule         sandbox.Rule
		kind, submit publish.ErrKind
		code         int
		notBefore    time.Time
	}{
		"busy before":    {rule(sandbox.BusyBefore, 0), publish.KindTransient, publish.KindUnknown, -1, wechatNoon().Add(30 * time.Second)},
		"busy after":     {rule(sandbox.BusyAfter, 0), publish.KindTransient, publish.KindUnknown, -1, wechatNoon().Add(30 * time.Second)},
		"cut before":     {rule(sandbox.CloseBefore, 0), publish.KindTransient, publish.KindUnknown, 0, time.Time{}},
		"cut after":      {rule(sandbox.CloseAfter, 0), publish.KindTransient, publish.KindUnknown, 0, time.Time{}},
		"hang":           {rule(sandbox.HangAfter, 0), publish.KindTransient, publish.KindUnknown, 0, time.Time{}},
		"gateway":        {rule(sandbox.GatewayBefore, 0), publish.KindTransient, publish.KindUnknown, 0, time.Time{}},
		"garbage":        {rule(sandbox.GarbageAfter, 0), publish.KindTransient, publish.KindUnknown, 0, time.Time{}},
		"no such code":   {rule(sandbox.ErrCode, 99999), publish.KindTransient, publish.KindTransient, 99999, time.Time{}},
		"content":        {rule(sandbox.ErrCode, 45166), publish.KindPermanent, publish.KindPermanent, 45166, time.Time{}},
		"pre-check":      {rule(sandbox.ErrCode, 53503), publish.KindPermanent, publish.KindPermanent, 53503, time.Time{}},
		"parameter":      {rule(sandbox.ErrCode, 40035), publish.KindPermanent, publish.KindPermanent, 40035, time.Time{}},
		"draft is gone":  {rule(sandbox.ErrCode, 40007), publish.KindPermanent, publish.KindUnknown, 40007, time.Time{}},
		"draft is gone2": {rule(sandbox.ErrCode, 53502), publish.KindPermanent, publish.KindUnknown, 53502, time.Time{}},
		"right":          {rule(sandbox.ErrCode, 48001), publish.KindAuth, publish.KindAuth, 48001, time.Time{}},
		"address":        {rule(sandbox.ErrCode, 40164), publish.KindAuth, publish.KindAuth, 40164, time.Time{}},
		"day":            {rule(sandbox.ErrCode, 45009), publish.KindQuota, publish.KindQuota, 45009, midnight},
		"minute":         {rule(sandbox.ErrCode, 45011), publish.KindQuota, publish.KindQuota, 45011, wechatNoon().Add(time.Minute)},
		"too frequent":   {rule(sandbox.ErrCode, 53501), publish.KindQuota, publish.KindQuota, 53501, wechatNoon().Add(10 * time.Minute)},
	} {
		t.Run(name, func(t *testing.T) {
			h.t = t
			defer h.fault()
			h.fault(c.rule)
			_, _, err := h.p.Recent(t.Context(), h.a, 0)
			if pe := h.failed(err, c.kind, c.code); !pe.NotBefore.Equal(c.notBefore) {
				t.Errorf("not before %v, want %v", pe.NotBefore, c.notBefore)
			}
			for _, mode := range []publish.Mode{publish.ModePublish, publish.ModeMass} {
				draft := h.draft(name)
				h.fault(c.rule)
				_, err := h.p.Submit(t.Context(), h.a, draft, mode, strings.ReplaceAll(name, " ", "-"))
				h.failed(err, c.submit, c.code)
			}
		})
	}
	h.t = t
}

// Failures of calls that readers do not notice are never "unknown": the queue
// may simply repeat them.
func TestPlatformUnknownOnSubmitOnly(t *testing.T) {
	h := newWechatHouse(t, "plain")
	draft, rendered := h.draft("一"), h.article("二")
	for name, call := range map[string]func(context.Context) error{
		"UploadPicture": func(ctx context.Context) error {
			_, err := h.p.UploadPicture(ctx, h.a, smallPicture(1), "image/png")
			return err
		},
		"UploadCover": func(ctx context.Context) error {
			_, err := h.p.UploadCover(ctx, h.a, smallPicture(1), "image/png")
			return err
		},
		"SaveDraft": func(ctx context.Context) error {
			_, err := h.p.SaveDraft(ctx, h.a, []publish.Rendered{rendered})
			return err
		},
		"DropDraft":   func(ctx context.Context) error { return h.p.DropDraft(ctx, h.a, draft) },
		"DraftExists": func(ctx context.Context) error { _, err := h.p.DraftExists(ctx, h.a, draft); return err },
		"Result": func(ctx context.Context) error {
			_, err := h.p.Result(ctx, h.a, publish.Receipt{PublishID: "1"}, publish.ModePublish)
			return err
		},
		"mass result": func(ctx context.Context) error {
			_, err := h.p.Result(ctx, h.a, publish.Receipt{MsgID: "1"}, publish.ModeMass)
			return err
		},
		"Recent":  func(ctx context.Context) error { _, _, err := h.p.Recent(ctx, h.a, 0); return err },
		"Retract": func(ctx context.Context) error { return h.p.Retract(ctx, h.a, publish.Delivery{ArticleID: "x"}) },
		"Figures": func(ctx context.Context) error {
			_, err := h.p.Figures(ctx, h.a, publish.Delivery{}, wechatNoon().AddDate(0, 0, -1))
			return err
		},
	} {
		h.fault(sandbox.Rule{Path: "*", Kind: sandbox.CloseBefore, Next: 1})
		err := call(t.Context())
		if pe, ok := err.(*publish.PlatformError); !ok || pe.Kind != publish.KindTransient { //nolint:errorlint // the contract
			t.Errorf("%s: %v", name, err)
		}
	}
	if platformError(nil, true) != nil {
		t.Error("no failure is no error")
	}
	h.failed(platformError(errors.New("strange"), true), publish.KindUnknown, 0)
	h.failed(platformError(errors.New("strange"), false), publish.KindTransient, 0)
}

func TestPlatformWrongKeys(t *testing.T) {
	h := newWechatHouse(t, "plain")
	h.a.Secrets.AppSecret = "0000wrong0000secret000only000000"
	_, err := h.p.UploadPicture(t.Context(), h.a, smallPicture(1), "image/png")
	h.failed(err, publish.KindAuth, 40125)
	checks, err := h.p.Health(t.Context(), h.a)
	if err != nil || !slices.ContainsFunc(checks, func(c publish.Check) bool { return c.Name == "credentials" && !c.OK && c.Note != "" }) {
		t.Errorf("%+v %v", checks, err)
	}
	_, err = h.p.UploadPicture(t.Context(), h.a, []byte("GIF89a"), "image/gif")
	if pe := publish.AsPlatformError(err); pe.Kind != publish.KindPermanent {
		t.Errorf("a picture that no article takes: %v", err)
	}
	right := newWechatHouse(t, "plain") // leaves a logged call in this house too
	right.draft("一")
	h.p, h.log = right.p, right.log
}

func TestPlatformHealth(t *testing.T) {
	for name, c := range map[string]struct {
		deny []string
		bad  string
	}{"well": {nil, ""}, "may not publish": {[]string{"publish"}, "publish"}, "may not draft": {[]string{"draft"}, "draft"}} {
		t.Run(name, func(t *testing.T) {
			h := newWechatHouse(t, "plain", c.deny...)
			checks, err := h.p.Health(t.Context(), h.a)
			if err != nil {
				t.Fatal(err)
			}
			seen := map[string]int{}
			for _, ch := range checks {
				seen[ch.Name]++
				if ch.OK == (ch.Name == c.bad) || ch.Note == "" {
					t.Errorf("%+v", ch)
				}
				if ch.Name == "quota" && ch.Left == 0 {
					t.Errorf("nothing left: %+v", ch)
				}
			}
			if seen["credentials"] != 1 || seen["ip"] != 1 || seen["draft"] != 1 || seen["publish"] != 1 || seen["quota"] != 7 {
				t.Errorf("checks %v", seen)
			}
		})
	}
}

func TestPlatformFigures(t *testing.T) {
	h := newWechatHouse(t, "plain")
	receipt, err := h.p.Submit(t.Context(), h.a, h.draft("有人读"), publish.ModePublish, "c")
	if err != nil {
		t.Fatal(err)
	}
	h.event()
	if _, err := h.p.Submit(t.Context(), h.a, h.draft("另一篇"), publish.ModePublish, "d"); err != nil {
		t.Fatal(err)
	}
	h.event()
	h.clock.Add(24 * time.Hour)
	d := publish.Delivery{Receipt: receipt}
	rows, err := h.p.Figures(t.Context(), h.a, d, wechatNoon())
	if err != nil || len(rows) != 1 || rows[0].Day != "2026-03-02" || rows[0].Reads == 0 || rows[0].People == 0 {
		t.Fatalf("%+v %v", rows, err)
	}
	d.Receipt.MsgDataID = ""
	if rows, err := h.p.Figures(t.Context(), h.a, d, wechatNoon()); err != nil || len(rows) != 0 {
		t.Errorf("without its number a post has the figures of others: %+v (%v)", rows, err)
	}
	_, err = h.p.Figures(t.Context(), h.a, d, wechatNoon().AddDate(0, 0, 3))
	h.failed(err, publish.KindPermanent, 61501)
}

func TestPlatformOutcomes(t *testing.T) {
	for state, want := range map[wechat.PublishState]publish.OutcomeState{
		wechat.PublishOK: publish.OutcomePublished, wechat.PublishRunning: publish.OutcomeRunning, wechat.PublishOriginal: publish.OutcomeFailed,
		wechat.PublishFailed: publish.OutcomeFailed, wechat.PublishRefused: publish.OutcomeFailed, wechat.PublishDeleted: publish.OutcomeRemoved,
		wechat.PublishBanned: publish.OutcomeRemoved, 42: publish.OutcomeFailed,
	} {
		out := publishOutcome(wechat.PublishResult{State: state})
		fine := want == publish.OutcomePublished || want == publish.OutcomeRunning
		if out.State != want || fine != (out.Msg == "") || out.Code != int(state) {
			t.Errorf("state %d: %+v, want %s", state, out, want)
		}
	}
	for status, want := range map[string]publish.OutcomeState{
		"SEND_SUCCESS": publish.OutcomePublished, "SENDING": publish.OutcomeRunning, "DELETE": publish.OutcomeRemoved, "SEND_FAIL": publish.OutcomeFailed, "new": publish.OutcomeFailed,
	} {
		if out := massOutcome(status); out.State != want {
			t.Errorf("%s: %+v, want %s", status, out, want)
		}
	}
}

// Events of every ending, in the mode the account has, and afterwards.
func TestPlatformEvents(t *testing.T) {
	for _, mode := range []string{"plain", "compat", "aes"} {
		t.Run(mode, func(t *testing.T) {
			h := newWechatHouse(t, mode)
			for status, want := range map[int]publish.OutcomeState{0: publish.OutcomePublished, 2: publish.OutcomeFailed, 3: publish.OutcomeFailed, 4: publish.OutcomeFailed} {
				if err := h.box.SetFaults(sandbox.Faults{PublishStatus: status}); err != nil {
					t.Fatal(err)
				}
				receipt, err := h.p.Submit(t.Context(), h.a, h.draft("一"), publish.ModePublish, "c")
				if err != nil {
					t.Fatal(err)
				}
				ev := h.event()
				if ev.Outcome.State != want || ev.Receipt.PublishID != receipt.PublishID {
					t.Errorf("status %d: %+v, want %s", status, ev, want)
				}
				if status != 0 {
					continue
				}
				if err := h.box.ChangePublished(h.a.AppID, ev.Outcome.ArticleID, 6); err != nil {
					t.Fatal(err)
				}
				banned := h.event()
				if banned.Outcome.State != publish.OutcomeRemoved || banned.Dedupe == ev.Dedupe || banned.Receipt != ev.Receipt {
					t.Errorf("banned afterwards: %+v", banned)
				}
			}
			if err := h.box.SetFaults(sandbox.Faults{MassStatus: "err(10001)"}); err != nil {
				t.Fatal(err)
			}
			if _, err := h.p.Submit(t.Context(), h.a, h.draft("群发"), publish.ModeMass, "m"); err != nil {
				t.Fatal(err)
			}
			if ev := h.event(); ev.Outcome.State != publish.OutcomeFailed || !strings.Contains(ev.Outcome.Msg, "err(10001)") {
				t.Errorf("failed mass send: %+v", ev)
			}
		})
	}
	h := newWechatHouse(t, "plain")
	h.draft("一")
	for _, ev := range []*wechat.Event{{Kind: wechat.EventSubscribe}, {Kind: wechat.EventMessage, Content: "你好"}, {Kind: wechat.EventPublish}, {Kind: wechat.EventMass}} {
		if _, ours := h.p.event(h.a, ev); ours {
			t.Errorf("%s without a result is no news of a post", ev.Kind)
		}
	}
}

func TestPlatformRefusesForgedCallbacks(t *testing.T) {
	h := newWechatHouse(t, "aes")
	h.a.Secrets.Token = "changed" // what the sandbox signs with is now the wrong one
	if _, err := h.p.Submit(t.Context(), h.a, h.draft("一"), publish.ModePublish, "c"); err != nil {
		t.Fatal(err)
	}
	select {
	case ev := <-h.events:
		t.Fatalf("taken with a wrong signature: %+v", ev)
	case err := <-h.refused:
		if !errors.Is(err, wechat.ErrSignature) {
			t.Errorf("refused with %v", err)
		}
	case <-time.After(longest):
		t.Fatal("no callback")
	}
	call, err := wechat.CallbackParser{Clock: h.clock}.Parse(credentials(h.a), http.MethodPost, url.Values{}, []byte("<xml></xml>"))
	if err == nil || call.Event != nil {
		t.Errorf("a callback without a signature: %+v %v", call, err)
	}
}
