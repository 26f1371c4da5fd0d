package sandbox

import (
	"encoding/json"
	"time"

	"tongxin/internal/clock"
)

// Quota is how often a call may be made. 0 keeps the default, -1 is no limit.
type Quota struct {
	Day    int `json:"day"`
	Minute int `json:"minute"`
}

// usage counts one call of one account.
type usage struct {
	Day       string
	Count     int
	Minute    int64
	InMinute  int
	Exhausted bool // set by hand until midnight
	Own       Quota
}

// quota is the limit of a path: the account's own, the configuration's, "*" of
// the configuration, the default of the route.
func (s *Sandbox) quota(rt route, own Quota) Quota {
	q := rt.quota
	if over, ok := s.cfg.Quotas[rt.path]; ok {
		q = q.with(over)
	} else if over, ok := s.cfg.Quotas["*"]; ok {
		q = q.with(over)
	}
	return q.with(own)
}

func (q Quota) with(over Quota) Quota {
	if over.Day != 0 {
		q.Day = over.Day
	}
	if over.Minute != 0 {
		q.Minute = over.Minute
	}
	return q
}

// use finds the counters of a path, fresh for a new day or minute. Call with mu held.
func (a *account) use(path string, now time.Time) *usage {
	u := a.Used[path]
	if u == nil {
		u = &usage{}
		a.Used[path] = u
	}
	if day := shanghaiDay(now); u.Day != day {
		u.Day, u.Count, u.Exhausted = day, 0, false
	}
	if m := now.Unix() / 60; u.Minute != m {
		u.Minute, u.InMinute = m, 0
	}
	return u
}

// charge counts a call and says whether it is over a limit. Refused calls are
// not counted.
func (s *Sandbox) charge(a *account, rt route) code {
	now := s.clock.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	u := a.use(rt.path, now)
	q := s.quota(rt, u.Own)
	if u.Exhausted || s.faults.exhausted(rt.path) || (q.Day > 0 && u.Count >= q.Day) {
		return 45009
	}
	if q.Minute > 0 && u.InMinute >= q.Minute {
		return 45011
	}
	u.Count++
	u.InMinute++
	return 0
}

func shanghaiDay(t time.Time) string { return t.In(clock.Shanghai()).Format(time.DateOnly) }

// noLimit is what quota/get tells of a call without a limit.
const noLimit = 100_000_000

func (s *Sandbox) quotaGet(c *callCtx) result {
	var in struct {
		Path string `json:"cgi_path"`
	}
	if json.Unmarshal(c.body, &in) != nil {
		return fail(47001)
	}
	rt, ok := s.routes[in.Path]
	if !ok {
		return failNote(76021, in.Path)
	}
	c.acc.mu.Lock()
	u := *c.acc.use(in.Path, s.clock.Now())
	c.acc.mu.Unlock()
	q := s.quota(rt, u.Own)
	limit := q.Day
	if limit <= 0 {
		limit = noLimit
	}
	left := max(0, limit-u.Count)
	if u.Exhausted || s.faults.exhausted(in.Path) {
		left = 0
	}
	out := fields{"quota": fields{"daily_limit": limit, "used": limit - left, "remain": left}}
	if q.Minute > 0 {
		out["rate_limit"] = fields{"call_count": q.Minute, "refresh_second": 60}
	}
	return done(out, in.Path)
}
