package sandbox

import (
	"encoding/json"
	"strings"
	"time"
)

// Limits of mass sending. Source: message/mass; 32 from community reports.
const (
	maxClientMsgID  = 32
	clientMsgIDLife = 24 * time.Hour
	servicePerMonth = 4
	minOpenIDs      = 2
	maxOpenIDs      = 10_000
)

// clientID remembers a clientmsgid.
type clientID struct {
	MsgID string
	At    time.Time
}

// openIDs is touser: one openid or a list.
type openIDs []string

// UnmarshalJSON implements json.Unmarshaler.
func (o *openIDs) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		var one string
		err := json.Unmarshal(b, &one)
		*o = openIDs{one}
		return err
	}
	var list []string
	err := json.Unmarshal(b, &list)
	*o = list
	return err
}

type massRequest struct {
	Filter struct {
		ToAll bool `json:"is_to_all"`
		Tag   int  `json:"tag_id"`
	} `json:"filter"`
	ToUser openIDs `json:"touser"`
	News   struct {
		MediaID string `json:"media_id"`
	} `json:"mpnews"`
	MsgType     string   `json:"msgtype"`
	ClientMsgID string   `json:"clientmsgid"`
	MsgID       flexible `json:"msg_id"`
	Index       int      `json:"article_idx"`
}

func (s *Sandbox) massSendAll(c *callCtx) result {
	var in massRequest
	if bad := decode(c.body, &in); bad != 0 {
		return fail(bad)
	}
	if !in.Filter.ToAll && in.Filter.Tag == 0 {
		return fail(40035)
	}
	return s.mass(c, in, in.Filter.ToAll)
}

func (s *Sandbox) massSend(c *callCtx) result {
	var in massRequest
	if bad := decode(c.body, &in); bad != 0 {
		return fail(bad)
	}
	if n := len(in.ToUser); n < minOpenIDs || n > maxOpenIDs {
		return fail(40003)
	}
	return s.mass(c, in, false)
}

// mass accepts a send, or answers a repeated clientmsgid with the first msg_id.
func (s *Sandbox) mass(c *callCtx, in massRequest, toAll bool) result {
	if in.MsgType != "mpnews" {
		return fail(40008)
	}
	if len(in.ClientMsgID) > maxClientMsgID {
		return fail(45067)
	}
	now, delay := s.clock.Now(), s.publishDelay()
	a := c.acc
	a.mu.Lock()
	defer a.mu.Unlock()
	if old, ok := a.ClientIDs[in.ClientMsgID]; ok && in.ClientMsgID != "" && now.Sub(old.At) < clientMsgIDLife {
		return result{code: 45065, note: in.ClientMsgID, fields: fields{"msg_id": json.Number(old.MsgID)}}
	}
	d := a.Drafts[in.News.MediaID]
	if d == nil {
		return fail(40007)
	}
	day := shanghaiDay(now)
	if toAll && !a.massAllowed(day) {
		return failNote(45028, d.Articles[0].Title)
	}
	j := s.accept(a, d, "mass", in.ClientMsgID, delay)
	j.ToAll, j.Targets = toAll, len(in.ToUser)
	if toAll {
		a.MassDays[day]++
		a.MassDays[day[:7]]++
		j.Targets = a.Settings.Followers
	}
	if in.ClientMsgID != "" {
		a.ClientIDs[in.ClientMsgID] = clientID{MsgID: j.ID, At: now}
	}
	s.after(delay, func() { s.finishMass(a, j) })
	f := accepted(fields{"msg_id": json.Number(j.ID), "msg_data_id": j.DataID})
	f["errmsg"] = "send job submission success"
	return result{fields: f, note: d.Articles[0].Title, ledger: a.answered(len(a.Ledger) - 1)}
}

// massAllowed says whether one more send to all is allowed: a subscription
// account has one a day, a service account four a month and one a day. Call
// with mu held.
func (a *account) massAllowed(day string) bool {
	limit := a.Settings.MassPerDay
	if limit < 0 {
		return true
	}
	setDefault(&limit, 1)
	if a.MassDays[day] >= limit {
		return false
	}
	return a.Settings.Kind != "service" || a.MassDays[day[:7]] < servicePerMonth
}

// finishMass delivers a send and pushes its event.
func (s *Sandbox) finishMass(a *account, j *job) {
	status := s.faults.get().MassStatus
	setDefault(&status, "send success")
	a.mu.Lock()
	j.Status, j.State = status, stateOK
	if status == "send success" {
		m := s.release(a, j)
		a.Stream = append(a.Stream, note{At: m.At, Kind: "mass", ArticleID: m.ArticleID, Cards: a.cards(m.Articles, m.ArticleID)})
	}
	event := massEvent(a, j)
	a.mu.Unlock()
	s.changed()
	s.push(a, event)
}

func (s *Sandbox) massGet(c *callCtx) result {
	var in massRequest
	if bad := decode(c.body, &in); bad != 0 {
		return fail(bad)
	}
	c.acc.mu.Lock()
	defer c.acc.mu.Unlock()
	j := c.acc.Jobs[string(in.MsgID)]
	if j == nil || j.Kind != "mass" {
		return failNote(40035, string(in.MsgID))
	}
	status := "SEND_FAIL"
	switch {
	case j.State == stateRunning:
		status = "SENDING"
	case j.State == stateDeleted:
		status = "DELETE"
	case j.Status == "send success":
		status = "SEND_SUCCESS"
	}
	return done(fields{"msg_id": json.Number(j.ID), "msg_status": status}, j.ID)
}

// massDelete withdraws one article (from 1), or all with 0; only what was sent.
func (s *Sandbox) massDelete(c *callCtx) result {
	var in massRequest
	if bad := decode(c.body, &in); bad != 0 {
		return fail(bad)
	}
	c.acc.mu.Lock()
	defer c.acc.mu.Unlock()
	j := c.acc.Jobs[string(in.MsgID)]
	if j == nil || j.Kind != "mass" || j.ArticleID == "" {
		return failNote(40035, string(in.MsgID))
	}
	m := c.acc.Messages[j.ArticleID]
	if in.Index < 0 || in.Index > len(m.Articles) {
		return fail(40035)
	}
	m.erase(in.Index)
	if m.Gone {
		j.State = stateDeleted
	}
	s.changed()
	return done(accepted(nil), m.Articles[0].Title)
}

// massPreview shows a draft on one phone; the draft stays.
func (s *Sandbox) massPreview(c *callCtx) result {
	var in massRequest
	if bad := decode(c.body, &in); bad != 0 {
		return fail(bad)
	}
	if len(in.ToUser) != 1 || in.ToUser[0] == "" {
		return fail(40003)
	}
	if in.MsgType != "mpnews" {
		return fail(40008)
	}
	a := c.acc
	a.mu.Lock()
	defer a.mu.Unlock()
	d := a.Drafts[in.News.MediaID]
	if d == nil {
		return fail(40007)
	}
	if !strings.EqualFold(in.ToUser[0], a.openID()) {
		return fail(40003)
	}
	a.Stream = append(a.Stream, note{At: s.clock.Now(), Kind: "preview", Cards: a.cards(d.Articles, "")})
	s.changed()
	return done(accepted(fields{"msg_id": a.jobNumber()}), d.Articles[0].Title)
}
