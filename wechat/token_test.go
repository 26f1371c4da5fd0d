package wechat_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"tongxin/wechat"
	"tongxin/wechat/sandbox"
)

const stable = "/cgi-bin/stable_token"

func TestOneFetchForManyCallers(t *testing.T) {
	w := start(t, func(c *sandbox.Config) { c.Faults.LatencyMS = 30 })
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			if _, err := w.client.Account(w.creds).CountDraft(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := w.calls(stable); n != 1 {
		t.Errorf("%d token calls", n)
	}
}

func TestACallerMayLeaveAFetchThatOthersNeed(t *testing.T) {
	w := start(t, nil)
	w.fault(sandbox.Rule{Path: stable, Kind: sandbox.HangBefore, Next: 1})
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error)
	go func() {
		_, err := w.acc.CountDraft(ctx)
		left <- err
	}()
	cancel()
	if err := <-left; !errors.Is(err, context.Canceled) || wechat.OutcomeUnknown(err) {
		t.Error(err)
	}
}

func TestRefusedTokenIsReplacedOnce(t *testing.T) {
	w := start(t, nil)
	first := w.draft("一")
	if !w.box.InvalidateTokens(w.creds.AppID, false) {
		t.Fatal("no account")
	}
	if _, err := w.acc.SubmitPublish(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	if n := len(w.box.Ledger("")); n != 1 {
		t.Errorf("%d accepted", n)
	}
	if n := w.calls(stable); n != 2 {
		t.Errorf("%d token calls, want 2", n)
	}

	// The stable call hands the dead token out again: only force helps.
	second := w.draft("二")
	w.box.InvalidateTokens(w.creds.AppID, true)
	if _, err := w.acc.SubmitPublish(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	if n := w.calls(stable); n != 4 {
		t.Errorf("%d token calls, want 4", n)
	}

	// A second dead token at once: force is not used again within 30 s.
	third := w.draft("三")
	w.box.InvalidateTokens(w.creds.AppID, true)
	if _, err := w.acc.SubmitPublish(t.Context(), third); wechat.KindOf(err) != wechat.Auth || wechat.OutcomeUnknown(err) {
		t.Error(err)
	}
	if n := w.calls(stable); n != 5 {
		t.Errorf("%d token calls, want 5", n)
	}
	w.clock.Add(31 * time.Second)
	if _, err := w.acc.SubmitPublish(t.Context(), third); err != nil {
		t.Error(err)
	}
}

func TestManyCallersWithOneDeadTokenFetchOnce(t *testing.T) {
	w := start(t, nil)
	if _, err := w.acc.CountDraft(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.box.InvalidateTokens(w.creds.AppID, false)
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			if _, err := w.acc.CountDraft(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := w.calls(stable); n != 2 {
		t.Errorf("%d token calls, want 2", n)
	}
}

func TestTokenIsRefreshedBeforeItsEnd(t *testing.T) {
	w := start(t, nil)
	for _, step := range []struct {
		wait  time.Duration
		calls int
	}{
		{0, 1},
		{114 * time.Minute, 1},         // six minutes are left
		{time.Minute + time.Second, 2}, // less than five: a new one
		{90 * time.Minute, 2},          // of the new one
		{40 * time.Minute, 3},          // past its end
	} {
		w.clock.Add(step.wait)
		if _, err := w.acc.CountDraft(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := w.calls(stable); n != step.calls {
			t.Errorf("after %v: %d token calls, want %d", step.wait, n, step.calls)
		}
	}
}

func TestTwoClientsShareAStableToken(t *testing.T) {
	w := start(t, nil)
	other := w.newClient(func(*wechat.Config) {}).Account(w.creds)
	for range 3 {
		if err := errors.Join(second(w.acc.CountDraft(t.Context())), second(other.CountDraft(t.Context()))); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.calls(stable); n != 2 {
		t.Errorf("%d token calls, want one a client", n)
	}
}

func TestWrongSecretIsNotAskedForAgainAndAgain(t *testing.T) {
	w := start(t, nil)
	if _, err := w.acc.CountDraft(t.Context()); err != nil {
		t.Fatal(err)
	}
	creds := w.creds
	creds.Secret = "another-secret-value"
	wrong := w.client.Account(creds)
	for range 5 {
		_, err := wrong.CountDraft(t.Context())
		if wechat.CodeOf(err) != 40125 || wechat.KindOf(err) != wechat.Auth {
			t.Fatal(err)
		}
	}
	if n := w.calls(stable); n != 2 {
		t.Errorf("%d token calls, want 2", n)
	}
	w.clock.Add(11 * time.Second)
	if _, err := wrong.CountDraft(t.Context()); err == nil {
		t.Error("no error")
	}
	if n := w.calls(stable); n != 3 {
		t.Errorf("%d token calls, want 3", n)
	}
}

// brokenCache fails as a shared store may.
type brokenCache struct{}

func (brokenCache) Get(context.Context, string) (wechat.Token, bool, error) {
	return wechat.Token{}, false, errors.New("store is down")
}

func (brokenCache) Set(context.Context, string, wechat.Token) error {
	return errors.New("store is down")
}

func TestABrokenCacheDoesNotStopTheCalls(t *testing.T) {
	w := start(t, nil)
	acc := w.newClient(func(c *wechat.Config) { c.Cache = brokenCache{} }).Account(w.creds)
	if _, err := acc.CountDraft(t.Context()); err != nil {
		t.Error(err)
	}
}
