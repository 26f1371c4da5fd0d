package sandbox

import (
	"strconv"
	"sync"
	"time"
)

// Token rules. Source: getAccessToken and getStableAccessToken.
const (
	tokenLife  = 2 * time.Hour
	tokenGrace = 5 * time.Minute  // the old token lives on after a refresh
	forcePause = 30 * time.Second // between forced refreshes
	forceDaily = 20
)

// tokenPair is the current token of one sort.
type tokenPair struct {
	Value   string
	Expires time.Time
	Sticky  bool // dead, but handed out until a forced refresh
}

// issued is what is known about a token ever handed out.
type issued struct {
	appid    string
	expires  time.Time // its natural end: 42001
	replaced time.Time // zero, or when it stops because of a newer one: 40001
}

// tokenIndex finds tokens by value.
type tokenIndex struct {
	mu sync.Mutex
	m  map[string]issued
}

func newTokenIndex() *tokenIndex { return &tokenIndex{m: map[string]issued{}} }

func (t *tokenIndex) put(value string, i issued) {
	t.mu.Lock()
	t.m[value] = i
	t.mu.Unlock()
}

// replace ends a token at a time.
func (t *tokenIndex) replace(value string, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if i, ok := t.m[value]; ok {
		i.replaced = at
		t.m[value] = i
	}
}

// authorize finds the account of a token.
func (s *Sandbox) authorize(value string) (*account, code) {
	if value == "" {
		return nil, 41001
	}
	s.tokens.mu.Lock()
	i, ok := s.tokens.m[value]
	s.tokens.mu.Unlock()
	now := s.clock.Now()
	switch {
	case !ok:
		return nil, 40014
	case !i.replaced.IsZero() && !now.Before(i.replaced):
		return nil, 40001
	case !now.Before(i.expires):
		return nil, 42001
	}
	acc := s.account(i.appid)
	if acc == nil {
		return nil, 40001
	}
	return acc, 0
}

// tokenRequest is what both token calls take.
type tokenRequest struct {
	Grant  string `json:"grant_type"`
	AppID  string `json:"appid"`
	Secret string `json:"secret"`
	Force  bool   `json:"force_refresh"`
}

// identify checks keys, address and quota of a token call.
func (s *Sandbox) identify(rt route, c *callCtx, remote string, entry *Call) result {
	in, bad := &c.token, code(0)
	if rt.get {
		*in = tokenRequest{Grant: c.query.Get("grant_type"), AppID: c.query.Get("appid"), Secret: c.query.Get("secret")}
	} else {
		bad = decode(c.body, in)
	}
	switch {
	case bad != 0:
		return fail(bad)
	case in.Grant != "client_credential":
		return fail(40002)
	case in.AppID == "":
		return fail(41002)
	case in.Secret == "":
		return fail(41004)
	}
	acc := s.account(in.AppID)
	if acc == nil {
		return fail(40013)
	}
	c.acc, c.set = acc, acc.settings()
	entry.AppID = c.set.AppID
	if res := s.admit(c.set, remote); res.code != 0 {
		return res
	}
	if in.Secret != c.set.Secret {
		return fail(40125)
	}
	return fail(s.charge(acc, rt))
}

// classicToken makes a new token with every call.
func (s *Sandbox) classicToken(c *callCtx) result {
	c.acc.mu.Lock()
	defer c.acc.mu.Unlock()
	return s.issue(c.acc, "classic", "new")
}

// stableToken returns the same token until five minutes before its end, or a
// new one by force.
func (s *Sandbox) stableToken(c *callCtx) result {
	now := s.clock.Now()
	a := c.acc
	a.mu.Lock()
	defer a.mu.Unlock()
	if c.token.Force {
		recent := a.Forced[:0]
		for _, t := range a.Forced {
			if shanghaiDay(t) == shanghaiDay(now) {
				recent = append(recent, t)
			}
		}
		a.Forced = recent
		if n := len(recent); n >= forceDaily {
			return failNote(45009, "force_refresh")
		} else if n > 0 && now.Sub(recent[n-1]) < forcePause {
			return failNote(45011, "force_refresh")
		}
		a.Forced = append(a.Forced, now)
		return s.issue(a, "stable", "force_refresh")
	}
	cur := a.Tokens["stable"]
	if cur == nil || (!cur.Sticky && cur.Expires.Sub(now) < tokenGrace) {
		return s.issue(a, "stable", "new")
	}
	return done(fields{"access_token": cur.Value, "expires_in": int(cur.Expires.Sub(now).Seconds())}, "same")
}

// issue makes a token; the one before it lives five more minutes. Call with
// the account's mu held.
func (s *Sandbox) issue(a *account, sort, note string) result {
	now := s.clock.Now()
	if old := a.Tokens[sort]; old != nil && !old.Sticky {
		s.tokens.replace(old.Value, now.Add(tokenGrace))
	}
	n := strconv.FormatInt(a.serial(), 10)
	value := strconv.Itoa(80+int(a.Serial%10)) + "_" + digest(sort, a.Settings.AppID, a.Settings.Secret, n) + digest("t", a.Settings.AppID, a.Settings.Secret, n)
	a.Tokens[sort] = &tokenPair{Value: value, Expires: now.Add(tokenLife)}
	s.tokens.put(value, issued{appid: a.Settings.AppID, expires: now.Add(tokenLife)})
	s.changed()
	return done(fields{"access_token": value, "expires_in": int(tokenLife.Seconds())}, note)
}

// InvalidateTokens ends the tokens of an account at once, as a reset of the
// secret does. With sticky the stable call goes on handing out the dead token
// until a forced refresh.
func (s *Sandbox) InvalidateTokens(appid string, sticky bool) bool {
	a := s.account(appid)
	if a == nil {
		return false
	}
	now := s.clock.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	for sort, t := range a.Tokens {
		s.tokens.replace(t.Value, now)
		if t.Sticky = sticky; !sticky {
			delete(a.Tokens, sort)
		}
	}
	s.changed()
	return true
}

func (s *Sandbox) callbackIP(*callCtx) result {
	return done(fields{"ip_list": []string{"203.0.113.16", "203.0.113.17", "198.51.100.0/25"}}, "")
}
