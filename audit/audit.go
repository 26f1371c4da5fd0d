// Package audit reads the trail that every write leaves: list, export, proof.
// Writing it is storage's, in the transaction of the change itself; this
// package can change nothing.
package audit

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/trail"
)

// Read is the one right here. An auditor has it and nothing else.
const Read authz.Right = "audit.read"

// Row is one stored entry with its place in its hash chain.
type Row struct {
	Chain     int64             `json:"chain"`
	Seq       int64             `json:"seq"`
	At        time.Time         `json:"at"`
	ActorID   ids.ID            `json:"actorId"`
	ActorKind string            `json:"actorKind"`
	ActorName string            `json:"actorName"`
	Action    string            `json:"action"`
	Object    string            `json:"object"`
	ObjectID  ids.ID            `json:"objectId"`
	OrgID     ids.ID            `json:"orgId"`
	OrgPath   string            `json:"orgPath"`
	Result    string            `json:"result" enum:"ok,denied,failed"`
	Addr      string            `json:"addr"`
	UserAgent string            `json:"userAgent"`
	RequestID string            `json:"requestId"`
	Detail    map[string]string `json:"detail,omitempty"`
	Prev      string            `json:"prev"`
	Hash      string            `json:"hash"`
}

// Filter narrows a reading; zero fields do not, except Scope, which is required.
type Filter struct {
	Scope    authz.Scope
	ActorID  ids.ID
	Action   string // prefix
	Object   string
	ObjectID ids.ID
	Result   string
	From, To time.Time // From ≤ at < To
}

// Cursor is the place of the last row of a page.
type Cursor struct {
	At    time.Time `json:"a"`
	Chain int64     `json:"c"`
	Seq   int64     `json:"s"`
}

// Report is what checking every chain found.
type Report struct {
	Chains   int       `json:"chains"`
	Rows     int64     `json:"rows"`
	Intact   bool      `json:"intact"`
	Problems []Problem `json:"problems" doc:"the first one of each chain that is broken"`
	TookMS   int64     `json:"tookMs"`
}

// Problem is a broken place.
type Problem struct {
	Chain int64  `json:"chain"`
	Seq   int64  `json:"seq"`
	Kind  string `json:"kind" doc:"altered, missing, inserted, truncated, head"`
}

// Store reads the trail.
type Store interface {
	// Rows reads up to limit rows after a cursor, newest first.
	Rows(ctx context.Context, f Filter, after Cursor, limit int) ([]Row, error)
	// Verify checks every chain.
	Verify(ctx context.Context) (Report, error)
	// Record writes an entry of its own.
	Record(ctx context.Context, e trail.Entry) error
}

// Service is the domain.
type Service struct {
	store Store
	clock clock.Clock
}

// New makes the service.
func New(store Store, c clock.Clock) *Service { return &Service{store: store, clock: c} }

// scope is where the actor may read. Who reads a root reads everything, also
// entries that belong to no organisation (an unknown login, the program
// itself): a house has one root, which only the program makes.
func scope(actor *authz.Actor) (authz.Scope, error) {
	s := actor.Scope(Read)
	for _, p := range s.Paths {
		if strings.Count(p, "/") == 2 {
			return authz.Scope{All: true}, nil
		}
	}
	if s.Empty() {
		return s, errs.New(errs.Forbidden, "您没有查看审计记录的权限。")
	}
	return s, nil
}

// List reads one page, newest first.
func (s *Service) List(ctx context.Context, actor *authz.Actor, f Filter, cursor string, limit int) (*page.Result[Row], error) {
	var err error
	if f.Scope, err = scope(actor); err != nil {
		return nil, err
	}
	after, err := parseCursor(cursor)
	if err != nil {
		return nil, err
	}
	if limit <= 0 {
		limit = page.Default
	}
	limit = min(limit, page.Max)
	rows, err := s.store.Rows(ctx, f, after, limit+1)
	if err != nil {
		return nil, err
	}
	res := &page.Result[Row]{Items: rows}
	if rows == nil {
		res.Items = []Row{}
	}
	if len(rows) > limit {
		res.Items = rows[:limit]
		res.Next, err = rows[limit-1].cursor().text()
	}
	return res, err
}

func (r Row) cursor() Cursor { return Cursor{At: r.At, Chain: r.Chain, Seq: r.Seq} }

func (c Cursor) text() (string, error) {
	b, err := json.Marshal(c)
	return base64.RawURLEncoding.EncodeToString(b), err
}

func parseCursor(s string) (c Cursor, err error) {
	if s == "" {
		return c, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	if err != nil || c.At.IsZero() {
		return Cursor{}, errs.Bad("cursor", "翻页位置无效，请回到第一页重新查看。")
	}
	return c, nil
}

// Verify checks the hash chains of the whole house. The result names places,
// not contents, so any reader of the audit may ask.
func (s *Service) Verify(ctx context.Context, actor *authz.Actor) (*Report, error) {
	if _, err := scope(actor); err != nil {
		return nil, err
	}
	start := time.Now()
	r, err := s.store.Verify(ctx)
	if err != nil {
		return nil, err
	}
	if r.Problems == nil {
		r.Problems = []Problem{}
	}
	r.Intact, r.TookMS = len(r.Problems) == 0, time.Since(start).Milliseconds()
	result := trail.OK
	if !r.Intact {
		result = trail.Failed
	}
	return &r, s.store.Record(ctx, trail.Entry{Actor: actor, Action: "audit.verify", Object: "audit", Result: result})
}
