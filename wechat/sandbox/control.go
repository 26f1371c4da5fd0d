package sandbox

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// handlers is everything under /sandbox/.
func (s *Sandbox) handlers() *http.ServeMux {
	m := http.NewServeMux()
	s.pages(m)
	read := func(path string, f func(*http.Request) (any, error)) { m.HandleFunc("GET "+path, s.json(f)) }
	write := func(path string, f func(*http.Request) (any, error)) { m.HandleFunc("POST "+path, s.json(f)) }
	read("/sandbox/api/overview", s.overview)
	read("/sandbox/api/calls", s.listCalls)
	read("/sandbox/api/ledger", s.listLedger)
	read("/sandbox/api/articles", s.listArticles)
	read("/sandbox/api/messages", s.listMessages)
	write("/sandbox/api/subscribe", s.answerPage)
	read("/sandbox/api/drafts", s.listDrafts)
	read("/sandbox/api/faults", func(*http.Request) (any, error) { return s.faults.get(), nil })
	write("/sandbox/api/faults", s.setFaults)
	read("/sandbox/api/users", s.listUsers)
	write("/sandbox/api/users", s.putUser)
	write("/sandbox/api/users/{id}/login-code", s.newCode(loginCode))
	write("/sandbox/api/users/{id}/phone-code", s.newCode(phoneCode))
	write("/sandbox/api/accounts", s.putAccount)
	write("/sandbox/api/quota", s.setQuota)
	write("/sandbox/api/tokens/invalidate", s.invalidate)
	write("/sandbox/api/follower", s.follower)
	write("/sandbox/api/callback/verify", s.verify)
	write("/sandbox/api/articles/status", s.changeStatus)
	write("/sandbox/api/visit", s.visit)
	return m
}

// json answers with a value, or with 400 and the error's text. Writing takes
// JSON only, which no form of another site can send.
func (s *Sandbox) json(f func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		if r.Method == http.MethodPost && !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
			w.WriteHeader(http.StatusUnsupportedMediaType)
			return
		}
		v, err := f(r)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			v = fields{"error": err.Error()}
		}
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(v); err != nil {
			s.log.Debug("sandbox: write", "err", err)
		}
	}
}

// input reads a JSON body into v; unknown fields are a mistake worth telling.
func input(r *http.Request, v any) error {
	d := json.NewDecoder(io.LimitReader(r.Body, 1<<20))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	return nil
}

func (s *Sandbox) must(appid string) (*account, error) {
	if a := s.account(appid); a != nil {
		return a, nil
	}
	return nil, fmt.Errorf("sandbox: no account %q", appid)
}

// accountRow is an account in the list; without its keys.
type accountRow struct {
	AppID       string   `json:"appid"`
	Name        string   `json:"name"`
	Kind        string   `json:"kind"`
	Mode        string   `json:"mode"`
	CallbackURL string   `json:"callback_url"`
	Deny        []string `json:"deny"`
	Followers   int      `json:"followers"`
	OpenID      string   `json:"openid"`
	Published   int      `json:"published"`
	Sent        int      `json:"sent"`
	Drafts      int      `json:"drafts"`
	Accepted    int      `json:"accepted"`
	Last        string   `json:"last"` // title of the latest message
}

// messageRow is a published message on the page.
type messageRow struct {
	ArticleID string    `json:"article_id"`
	Kind      string    `json:"kind"`
	At        time.Time `json:"at"`
	State     int       `json:"state"`
	Cards     []card    `json:"cards"`
}

// shown is how many messages the page shows.
const shown = 50

// overview is what the page asks for every second.
func (s *Sandbox) overview(r *http.Request) (any, error) {
	rows := []accountRow{}
	for _, a := range s.all() {
		rows = append(rows, a.row())
	}
	out := fields{"accounts": rows, "users": s.phones(), "seq": s.calls.last(), "now": s.clock.Now()}
	if a := s.account(r.URL.Query().Get("appid")); a != nil {
		a.mu.Lock()
		out["published"] = a.published(shown)
		out["stream"] = clean(a.Stream[max(0, len(a.Stream)-shown):])
		out["running"] = a.running()
		a.mu.Unlock()
	}
	return out, nil
}

func (a *account) row() accountRow {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := accountRow{
		AppID: a.Settings.AppID, Name: a.Settings.Name, Kind: a.Settings.Kind, Mode: a.Settings.Mode,
		CallbackURL: a.Settings.CallbackURL, Deny: clean(a.Settings.Deny), Followers: a.Settings.Followers,
		OpenID: a.openID(), Drafts: len(a.Drafts), Accepted: len(a.Ledger), Published: len(a.Order),
	}
	for i := range a.Stream {
		if a.Stream[i].Kind == "mass" {
			r.Sent++
		}
	}
	if n := len(a.Order); n > 0 {
		r.Last = a.Messages[a.Order[n-1]].Articles[0].Title
	}
	return r
}

// running counts jobs under way among the latest. Call with mu held.
func (a *account) running() int {
	n := 0
	for _, row := range a.Ledger[max(0, len(a.Ledger)-shown):] {
		if j := a.Jobs[row.ID]; j != nil && j.State == stateRunning {
			n++
		}
	}
	return n
}

// published lists the latest messages, newest first. Call with mu held.
func (a *account) published(limit int) []messageRow {
	list := []messageRow{}
	for _, id := range slices.Backward(a.Order) {
		if len(list) == limit {
			break
		}
		m := a.Messages[id]
		row := messageRow{ArticleID: id, Kind: m.Kind, At: m.At, Cards: a.cards(m.Articles, id)}
		if j := a.Jobs[m.JobID]; j != nil {
			row.State = j.State
		}
		list = append(list, row)
	}
	return list
}

// cards is what a phone shows of articles; id "" is a preview, which opens
// nothing. Call with mu held.
func (a *account) cards(list []article, id string) []card {
	cards := make([]card, 0, len(list))
	for i, art := range list {
		c := card{Index: i + 1, Title: art.Title, Author: art.Author, Digest: art.Digest, Type: art.Type, Deleted: art.Deleted}
		mediaID := art.ThumbMediaID
		if art.Type == "newspic" && art.Images != nil && len(art.Images.List) > 0 {
			mediaID = art.Images.List[0].MediaID
		}
		if m := a.Materials[mediaID]; m != nil {
			c.Cover = "/sandbox/img/" + m.Hash
		}
		if id != "" {
			c.URL = fmt.Sprintf("/sandbox/article/%s/%s/%d", a.Settings.AppID, id, i+1)
		}
		cards = append(cards, c)
	}
	return cards
}

func (s *Sandbox) listCalls(r *http.Request) (any, error) {
	q := r.URL.Query()
	since, err := strconv.ParseInt(cmp.Or(q.Get("since"), "0"), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("sandbox: since is not a number")
	}
	limit, err := strconv.Atoi(cmp.Or(q.Get("limit"), "200"))
	if err != nil || limit < 1 {
		return nil, fmt.Errorf("sandbox: limit is not a number above 0")
	}
	return fields{"seq": s.calls.last(), "calls": s.calls.since(since, q.Get("appid"), min(limit, maxCalls))}, nil
}

// listLedger lists every accepted submit, and what was accepted more than once.
func (s *Sandbox) listLedger(r *http.Request) (any, error) {
	list := s.Ledger(r.URL.Query().Get("appid"))
	count := map[string]int{}
	for _, row := range list {
		count[row.AppID+"/"+row.Hash]++
	}
	repeated := []Accepted{}
	for _, row := range list {
		if count[row.AppID+"/"+row.Hash] > 1 {
			repeated = append(repeated, row)
		}
	}
	return fields{"total": len(list), "contents": len(count), "repeated": repeated, "accepted": list}, nil
}

func (s *Sandbox) listArticles(r *http.Request) (any, error) {
	a, err := s.must(r.URL.Query().Get("appid"))
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return fields{"articles": a.published(len(a.Order))}, nil
}

func (s *Sandbox) listDrafts(r *http.Request) (any, error) {
	a, err := s.must(r.URL.Query().Get("appid"))
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	list := []fields{}
	for _, d := range a.Drafts {
		list = append(list, fields{"media_id": d.MediaID, "title": d.Articles[0].Title, "articles": len(d.Articles), "hash": d.Hash, "created": d.Created})
	}
	slices.SortFunc(list, func(x, y fields) int { return y["created"].(time.Time).Compare(x["created"].(time.Time)) })
	return fields{"drafts": list}, nil
}

// setFaults replaces all switches.
func (s *Sandbox) setFaults(r *http.Request) (any, error) {
	var f Faults
	if err := input(r, &f); err != nil {
		return nil, err
	}
	if err := s.SetFaults(f); err != nil {
		return nil, err
	}
	return s.faults.get(), nil
}

// SetFaults replaces all switches.
func (s *Sandbox) SetFaults(f Faults) error { return s.faults.set(f) }

// Faults returns the switches; "next" counts show what is left.
func (s *Sandbox) Faults() Faults { return s.faults.get() }

// putAccount adds or changes an account. Keys that are left out are kept.
func (s *Sandbox) putAccount(r *http.Request) (any, error) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	var set Account
	if err := json.Unmarshal(raw, &set); err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	if a := s.account(set.AppID); a != nil {
		set = a.settings()
		if err := json.Unmarshal(raw, &set); err != nil { // fields present win
			return nil, fmt.Errorf("sandbox: %w", err)
		}
	}
	if err := s.PutAccount(set); err != nil {
		return nil, err
	}
	return s.account(set.AppID).row(), nil
}

// setQuota sets an account's limit or counter of one call.
func (s *Sandbox) setQuota(r *http.Request) (any, error) {
	var in struct {
		AppID     string `json:"appid"`
		Path      string `json:"path"`
		Day       int    `json:"day"`
		Minute    int    `json:"minute"`
		Used      *int   `json:"used"`
		Exhausted bool   `json:"exhausted"`
	}
	if err := input(r, &in); err != nil {
		return nil, err
	}
	a, err := s.must(in.AppID)
	if err != nil {
		return nil, err
	}
	if _, ok := s.routes[in.Path]; !ok {
		return nil, fmt.Errorf("sandbox: no call %q", in.Path)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	u := a.use(in.Path, s.clock.Now())
	u.Own, u.Exhausted = Quota{Day: in.Day, Minute: in.Minute}, in.Exhausted
	if in.Used != nil {
		u.Count, u.InMinute = *in.Used, *in.Used
	}
	s.changed()
	return *u, nil
}

func (s *Sandbox) invalidate(r *http.Request) (any, error) {
	var in struct {
		AppID  string `json:"appid"`
		Sticky bool   `json:"sticky"`
	}
	if err := input(r, &in); err != nil {
		return nil, err
	}
	if !s.InvalidateTokens(in.AppID, in.Sticky) {
		return nil, fmt.Errorf("sandbox: no account %q", in.AppID)
	}
	return fields{"ok": true}, nil
}

func (s *Sandbox) verify(r *http.Request) (any, error) {
	var in struct {
		AppID string `json:"appid"`
	}
	if err := input(r, &in); err != nil {
		return nil, err
	}
	if err := s.VerifyCallback(r.Context(), in.AppID); err != nil {
		return nil, err
	}
	return fields{"ok": true}, nil
}

func (s *Sandbox) changeStatus(r *http.Request) (any, error) {
	var in struct {
		AppID     string `json:"appid"`
		ArticleID string `json:"article_id"`
		State     int    `json:"state"`
	}
	if err := input(r, &in); err != nil {
		return nil, err
	}
	if err := s.ChangePublished(in.AppID, in.ArticleID, in.State); err != nil {
		return nil, err
	}
	return fields{"ok": true}, nil
}
