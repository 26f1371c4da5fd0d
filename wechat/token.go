package wechat

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// Token is one access token with its times.
type Token struct {
	Value   string
	Until   time.Time // use it until then; a while before the platform ends it
	Expires time.Time // the platform's own end
}

// TokenCache keeps tokens, in memory or in a store that several nodes share.
// A store must keep values as secret as the account's AppSecret. Errors are
// logged and treated as a miss: stable tokens make a second fetch harmless.
type TokenCache interface {
	Get(ctx context.Context, key string) (Token, bool, error)
	Set(ctx context.Context, key string, t Token) error
}

// MemoryCache is the TokenCache of one process.
type MemoryCache struct {
	mu sync.Mutex
	m  map[string]Token
}

// NewMemoryCache makes an empty cache.
func NewMemoryCache() *MemoryCache { return &MemoryCache{m: map[string]Token{}} }

// Get implements TokenCache.
func (c *MemoryCache) Get(_ context.Context, key string) (Token, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, ok := c.m[key]
	return t, ok, nil
}

// Set implements TokenCache.
func (c *MemoryCache) Set(_ context.Context, key string, t Token) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.m[key] = t
	return nil
}

// Rules of getStableAccessToken: normal mode returns the same token until five
// minutes before its end and then a new one, both being good for those five
// minutes. Forced refresh is limited to 20 a day and one in 30 s.
const (
	earlyRefresh = 5 * time.Minute
	forcePause   = 30 * time.Second
	refusalPause = 10 * time.Second // a definite refusal is not asked for again sooner
)

// tokenState is what the client knows about one app besides the cache.
type tokenState struct {
	mu        sync.Mutex
	flight    *flight
	forced    time.Time // last forced refresh
	refused   *Error    // last definite refusal
	refusedAt time.Time
}

// flight is one fetch that many callers wait for.
type flight struct {
	done  chan struct{}
	token string
	err   error
}

func (c *Client) state(key string) *tokenState {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.tokens[key]
	if s == nil {
		s = &tokenState{}
		c.tokens[key] = s
	}
	return s
}

// token returns a token other than bad, which is one that the platform just
// refused, or "" for none. One fetch runs for all callers; a caller may leave
// early when its context ends, the fetch goes on.
func (a *Account) token(ctx context.Context, bad string) (string, error) {
	s := a.client.state(a.key)
	for range 3 { // a flight that began before bad was known may return bad
		if t, ok := a.cached(ctx); ok && t.Value != bad {
			return t.Value, nil
		}
		f, err := a.join(ctx, s, bad)
		if err != nil {
			return "", err
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			return "", &Error{
				Op: stableToken().name(), Kind: Transient, Outcome: NotAccepted,
				Msg: reason(ctx.Err()), cause: contextCause(ctx.Err()),
			}
		}
		if f.err != nil {
			return "", f.err
		}
		if f.token != bad {
			return f.token, nil
		}
	}
	return "", refusal(stableToken().name(), Auth, 40001, "the platform keeps returning a refused token")
}

func (a *Account) cached(ctx context.Context) (Token, bool) {
	t, ok, err := a.client.cache.Get(ctx, a.key)
	if err != nil {
		a.client.log.Warn("wechat: token cache cannot be read", "app", a.creds.AppID, "err", err)
		return Token{}, false
	}
	return t, ok && a.client.clock.Now().Before(t.Until)
}

// join returns the running fetch or starts one. A fresh definite refusal is
// returned at once, so that a thousand posts do not use up the day's 2000 calls.
func (a *Account) join(ctx context.Context, s *tokenState, bad string) (*flight, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flight != nil {
		return s.flight, nil
	}
	if s.refused != nil && a.client.clock.Now().Sub(s.refusedAt) < refusalPause {
		return nil, s.refused
	}
	// Between the look at the cache and this lock another fetch may have ended.
	if t, ok := a.cached(ctx); ok && t.Value != bad {
		done := make(chan struct{})
		close(done)
		return &flight{done: done, token: t.Value}, nil
	}
	f := &flight{done: make(chan struct{})}
	s.flight = f
	go func() {
		// At most two fetches and one write to the cache; a shared store that
		// hangs must not hold the flight for ever.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*a.client.timeout)
		defer cancel()
		f.token, f.err = a.refresh(ctx, s, bad)
		s.mu.Lock()
		s.flight = nil
		s.refused = nil
		if e, ok := f.err.(*Error); ok && e.Code > 0 { //nolint:errorlint // refresh returns it unwrapped
			s.refused, s.refusedAt = e, a.client.clock.Now()
		}
		s.mu.Unlock()
		close(f.done)
	}()
	return f, nil
}

// forget lets the next call ask again in spite of a fresh refusal.
func (a *Account) forget() {
	s := a.client.state(a.key)
	s.mu.Lock()
	s.refused = nil
	s.mu.Unlock()
}

// refresh fetches in normal mode, and by force only when that returned the
// very token that was refused. Runs once at a time per app.
func (a *Account) refresh(ctx context.Context, s *tokenState, bad string) (string, error) {
	t, err := a.fetchToken(ctx, false)
	if err != nil {
		return "", err
	}
	if t.Value == bad {
		now := a.client.clock.Now()
		if now.Sub(s.forced) < forcePause {
			return "", refusal(stableToken().name(), Auth, 40001, "refused token, forced refresh was used already")
		}
		s.forced = now // only the one running flight touches it
		if t, err = a.fetchToken(ctx, true); err != nil {
			return "", err
		}
	}
	if err := a.client.cache.Set(ctx, a.key, t); err != nil {
		a.client.log.Warn("wechat: token cache cannot be written", "app", a.creds.AppID, "err", err)
	}
	return t.Value, nil
}

// stableToken is read-like: a token more or less changes nothing for people.
func stableToken() op { return op{path: "/cgi-bin/stable_token"} }

func (a *Account) fetchToken(ctx context.Context, force bool) (Token, error) {
	o, c := stableToken(), a.client
	if a.creds.AppID == "" || a.creds.Secret == "" {
		return Token{}, refusal(o.name(), Auth, 41004, "no appid or secret")
	}
	body, err := encode(map[string]any{
		"grant_type": "client_credential", "appid": a.creds.AppID, "secret": a.creds.Secret, "force_refresh": force,
	})
	if err != nil {
		return Token{}, refusal(o.name(), Permanent, 0, "cannot encode the request")
	}
	asked := c.clock.Now()
	answer, left, err := c.send(ctx, wire{
		method: http.MethodPost, path: o.path, contentType: "application/json; charset=utf-8", body: body, timeout: c.timeout,
	})
	if err != nil {
		return Token{}, c.lost(o, left, err)
	}
	var out struct {
		Token   string `json:"access_token"`
		Seconds int64  `json:"expires_in"`
	}
	if err := c.judge(o, answer, &out, a.creds.Secret); err != nil {
		return Token{}, err
	}
	if out.Token == "" || out.Seconds <= 0 {
		return Token{}, &Error{Op: o.name(), Kind: Unknown, Outcome: NotAccepted, Msg: "unreadable answer"}
	}
	life := time.Duration(out.Seconds) * time.Second
	return Token{Value: out.Token, Until: asked.Add(usable(life)), Expires: asked.Add(life)}, nil
}

// usable is how long to keep a token of the given life: five minutes less, but
// a token that has five minutes or less is kept for half a minute, or a burst
// of calls would fetch it for each of them.
func usable(life time.Duration) time.Duration {
	if d := life - earlyRefresh; d > forcePause {
		return d
	}
	return min(life, forcePause)
}
