package sandbox

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// States of a publish. Source: freepublish/get.
const (
	stateOK      = 0
	stateRunning = 1
	stateRefused = 4
	stateDeleted = 5
	stateBanned  = 6
)

// job is a publish or mass send under way or finished.
type job struct {
	ID        string
	Kind      string // "publish" or "mass"
	Number    bool   // publish_id goes out as a number
	DataID    int64  // msg_data_id
	Articles  []article
	At        time.Time
	Due       time.Time
	State     int
	Status    string // of a mass send, in the event
	ArticleID string
	FailIdx   []int
	ToAll     bool
	Targets   int
}

// message is a published or sent message.
type message struct {
	ArticleID string
	Kind      string // "publish" or "mass"
	JobID     string
	DataID    int64
	Articles  []article
	At        time.Time
	Gone      bool // every article deleted, or banned
}

// jobNumber makes publish ids, message ids and data ids; the ids of accounts
// lie apart. Call with mu held.
func (a *account) jobNumber() int64 {
	h, err := strconv.ParseUint(digest("jobs", a.Settings.AppID)[:4], 16, 32)
	if err != nil {
		h = 1
	}
	return 2_247_000_000 + int64(h)*10_000_000 + a.serial()
}

// publishID writes an id as this job does.
func (j *job) publishID() any {
	if j.Number {
		return json.Number(j.ID)
	}
	return j.ID
}

// publishSubmit accepts a draft: it leaves the box now, the result comes later.
func (s *Sandbox) publishSubmit(c *callCtx) result {
	number, delay := s.faults.asNumber(), s.publishDelay()
	return s.withDraft(c, func(a *account, d *draft, _ mediaRequest) result {
		j := s.accept(a, d, "publish", "", delay)
		j.Number = number
		s.after(delay, func() { s.finishPublish(a, j) })
		return result{
			fields: accepted(fields{"publish_id": j.publishID(), "msg_data_id": j.DataID}),
			note:   d.Articles[0].Title, ledger: a.answered(len(a.Ledger) - 1),
		}
	})
}

func (s *Sandbox) publishDelay() time.Duration {
	if ms := s.faults.get().PublishDelayMS; ms > 0 {
		return time.Duration(ms) * time.Millisecond
	}
	return s.cfg.PublishDelay
}

// accept consumes a draft, makes the job and writes the ledger. Call with mu held.
func (s *Sandbox) accept(a *account, d *draft, kind, clientMsgID string, delay time.Duration) *job {
	now := s.clock.Now()
	n := a.jobNumber()
	j := &job{
		ID: strconv.FormatInt(n, 10), Kind: kind, DataID: n, Articles: d.Articles,
		At: now, Due: now.Add(delay), State: stateRunning,
	}
	delete(a.Drafts, d.MediaID)
	a.Jobs[j.ID] = j
	a.Ledger = append(a.Ledger, Accepted{
		At: now, AppID: a.Settings.AppID, Kind: kind, ID: j.ID, MediaID: d.MediaID, Hash: d.Hash,
		Title: d.Articles[0].Title, Articles: len(d.Articles), ClientMsgID: clientMsgID,
	})
	s.changed()
	return j
}

// answered marks a row of the ledger once its answer went out.
func (a *account) answered(row int) func() {
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if row < len(a.Ledger) {
			a.Ledger[row].Answered = true
		}
	}
}

// finishPublish decides a publish and pushes its event.
func (s *Sandbox) finishPublish(a *account, j *job) {
	status := s.faults.status()
	asMass := s.faults.get().PublishAsMass
	a.mu.Lock()
	j.State = status
	if status == stateOK {
		s.release(a, j)
	} else if status == 2 || status == stateRefused {
		j.FailIdx = []int{1}
	}
	event := publishEvent(a, j)
	if asMass {
		j.Status = "send success"
		event = massEvent(a, j)
	}
	a.mu.Unlock()
	s.changed()
	s.push(a, event)
}

// release makes the message that readers see. Call with mu held.
func (s *Sandbox) release(a *account, j *job) *message {
	id := digest("article", a.Settings.AppID, j.ID) + digest("id", a.Settings.AppID, j.ID)[:11]
	m := &message{ArticleID: id, Kind: j.Kind, JobID: j.ID, DataID: j.DataID, Articles: slices.Clone(j.Articles), At: s.clock.Now()}
	for i := range m.Articles {
		m.Articles[i].URL = articleURL(a.Settings.AppID, j.DataID, i+1)
	}
	j.ArticleID = id
	j.Articles = nil // the message holds them now
	a.Messages[id] = m
	a.Order = append(a.Order, id)
	return m
}

// articleURL looks like the platform's permanent address.
func articleURL(appid string, dataID int64, idx int) string {
	return fmt.Sprintf("http://mp.weixin.qq.com/s?__biz=%s&mid=%d&idx=%d&sn=%s#rd",
		"Mz"+digest("biz", appid)[:14]+"==", dataID, idx, digest("sn", appid, strconv.FormatInt(dataID, 10), strconv.Itoa(idx)))
}

// flexible reads an id that comes as a string or a number.
type flexible string

// UnmarshalJSON implements json.Unmarshaler.
func (f *flexible) UnmarshalJSON(b []byte) error {
	*f = flexible(strings.Trim(string(b), `"`))
	return nil
}

func (s *Sandbox) publishGet(c *callCtx) result {
	var in struct {
		ID flexible `json:"publish_id"`
	}
	if bad := decode(c.body, &in); bad != 0 {
		return fail(bad)
	}
	a := c.acc
	a.mu.Lock()
	defer a.mu.Unlock()
	j := a.Jobs[string(in.ID)]
	if j == nil || j.Kind != "publish" {
		return failNote(40035, string(in.ID))
	}
	out := fields{"publish_id": j.publishID(), "publish_status": j.State, "fail_idx": clean(j.FailIdx)}
	if m := a.Messages[j.ArticleID]; m != nil {
		items := []fields{}
		for i, art := range m.Articles {
			items = append(items, fields{"idx": i + 1, "article_url": art.URL})
		}
		out["article_id"], out["article_detail"] = m.ArticleID, fields{"count": len(items), "item": items}
	}
	return done(out, string(in.ID))
}

// publishList lists what was published; mass sends are not in it.
func (s *Sandbox) publishList(c *callCtx) result {
	p, bad := c.pageRequest()
	if bad != 0 {
		return fail(bad)
	}
	a := c.acc
	a.mu.Lock()
	defer a.mu.Unlock()
	var list []*message
	for _, id := range slices.Backward(a.Order) {
		if m := a.Messages[id]; m.Kind == "publish" && !m.Gone {
			list = append(list, m)
		}
	}
	items := []fields{}
	for _, m := range cutPage(list, p) {
		items = append(items, newsItem("article_id", m.ArticleID, m.Articles, m.At, m.At, p.NoContent == 1))
	}
	return done(fields{"total_count": len(list), "item_count": len(items), "item": items}, "")
}

type articleRequest struct {
	ArticleID string `json:"article_id"`
	Index     int    `json:"index"`
}

func (s *Sandbox) publishArticle(c *callCtx) result {
	var in articleRequest
	if bad := decode(c.body, &in); bad != 0 {
		return fail(bad)
	}
	c.acc.mu.Lock()
	defer c.acc.mu.Unlock()
	m := c.acc.Messages[in.ArticleID]
	if m == nil || m.Kind != "publish" {
		return fail(53600)
	}
	return done(fields{"news_item": slices.Clone(m.Articles)}, m.Articles[0].Title)
}

// publishDelete deletes one article (index from 1), or all with 0 or without one.
func (s *Sandbox) publishDelete(c *callCtx) result {
	var in articleRequest
	if bad := decode(c.body, &in); bad != 0 {
		return fail(bad)
	}
	c.acc.mu.Lock()
	defer c.acc.mu.Unlock()
	m := c.acc.Messages[in.ArticleID]
	if m == nil || m.Kind != "publish" || m.Gone {
		return fail(53600)
	}
	if in.Index < 0 || in.Index > len(m.Articles) {
		return fail(40035)
	}
	m.erase(in.Index)
	if j := c.acc.Jobs[m.JobID]; j != nil && m.Gone {
		j.State = stateDeleted
	}
	s.changed()
	return done(accepted(nil), fmt.Sprintf("%s #%d", m.Articles[0].Title, in.Index))
}

// erase deletes one article, or all with 0.
func (m *message) erase(index int) {
	m.Articles = slices.Clone(m.Articles) // readers may hold the old list
	m.Gone = true
	for i := range m.Articles {
		if index == 0 || i == index-1 {
			m.Articles[i].Deleted = true
		}
		m.Gone = m.Gone && m.Articles[i].Deleted
	}
}

// ChangePublished lets the platform change a published message afterwards:
// state 5 (deleted in its console) or 6 (banned). The event is pushed.
func (s *Sandbox) ChangePublished(appid, articleID string, state int) error {
	a := s.account(appid)
	if a == nil {
		return fmt.Errorf("sandbox: no account %q", appid)
	}
	if state != stateDeleted && state != stateBanned {
		return fmt.Errorf("sandbox: state %d is not 5 or 6", state)
	}
	a.mu.Lock()
	m := a.Messages[articleID]
	if m == nil || m.Kind != "publish" {
		a.mu.Unlock()
		return fmt.Errorf("sandbox: no published message %q", articleID)
	}
	m.erase(0)
	j := a.Jobs[m.JobID]
	j.State = state
	event := publishEvent(a, j)
	a.mu.Unlock()
	s.changed()
	s.push(a, event)
	return nil
}
