package storage

import (
	"context"
	"encoding/json"

	"tongxin/audit"
	"tongxin/internal/trail"
)

// Audit is audit.Store: the trail as its domain reads it.
type Audit struct{ db *DB }

// NewAudit makes the store.
func NewAudit(db *DB) *Audit { return &Audit{db: db} }

var _ audit.Store = (*Audit)(nil)

// Rows implements audit.Store.
func (s *Audit) Rows(ctx context.Context, f audit.Filter, after audit.Cursor, limit int) ([]audit.Row, error) {
	rows, err := s.db.AuditRows(ctx, AuditFilter{
		Scope: f.Scope, ActorID: f.ActorID, Action: f.Action, Object: f.Object, ObjectID: f.ObjectID, Result: f.Result, From: f.From, To: f.To,
	}, AuditCursor(after), limit)
	if err != nil {
		return nil, err
	}
	out := make([]audit.Row, len(rows))
	for i, r := range rows {
		out[i] = audit.Row{
			Chain: r.Chain, Seq: r.Seq, At: r.At, ActorID: r.ActorID, ActorKind: r.ActorKind, ActorName: r.ActorName, Action: r.Action,
			Object: r.Object, ObjectID: r.ObjectID, OrgID: r.OrgID, OrgPath: r.OrgPath, Result: r.Result, Addr: r.Addr,
			UserAgent: r.UserAgent, RequestID: r.RequestID, Prev: r.Prev, Hash: r.Hash,
		}
		// A detail that does not parse was altered; Verify reports that. It must
		// not keep the auditor from reading the rest.
		if err := json.Unmarshal([]byte(r.Detail), &out[i].Detail); err != nil {
			out[i].Detail = map[string]string{"unreadable": clip(r.Detail, maxDetail)}
		}
	}
	return out, nil
}

// Verify implements audit.Store.
func (s *Audit) Verify(ctx context.Context) (audit.Report, error) {
	rep, err := s.db.VerifyAudit(ctx)
	out := audit.Report{Chains: rep.Chains, Rows: rep.Rows}
	for _, p := range rep.Problems {
		out.Problems = append(out.Problems, audit.Problem{Chain: p.Chain, Seq: p.Seq, Kind: p.Kind})
	}
	return out, err
}

// Record implements audit.Store.
func (s *Audit) Record(ctx context.Context, e trail.Entry) error { return s.db.Record(ctx, e) }
