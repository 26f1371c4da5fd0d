package storage

import (
	"context"
	"strings"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
)

// AuditFilter narrows a reading of the audit. Zero fields do not narrow, except
// Scope: the zero scope sees nothing.
type AuditFilter struct {
	Scope     authz.Scope
	ActorID   ids.ID
	ActorKind string
	Action    string // prefix: "signin." or "post.submit"
	Object    string
	ObjectID  ids.ID
	Result    string
	From, To  time.Time // From ≤ at < To
}

// AuditCursor is a place in the audit: the last row of the page before.
type AuditCursor struct {
	At         time.Time
	Chain, Seq int64
}

// Cursor is the row's own place.
func (r AuditRow) Cursor() AuditCursor { return AuditCursor{At: r.At, Chain: r.Chain, Seq: r.Seq} }

// AuditRows reads up to limit entries, the newest first, after a cursor (the
// zero cursor: from the newest). Fetch one more than a page to know whether
// another follows.
func (db *DB) AuditRows(ctx context.Context, f AuditFilter, after AuditCursor, limit int) ([]AuditRow, error) {
	where, args := f.where()
	if !after.At.IsZero() {
		at := Millis(after.At)
		// The first condition says what the second implies: MySQL finds its range by it.
		where = append(where, "at <= ?", "(at, chain, seq) < (?, ?, ?)")
		args = append(args, at, at, after.Chain, after.Seq)
	}
	return All(ctx, db, scanAudit, "SELECT "+strings.Join(auditCols(), ", ")+" FROM audit WHERE "+
		strings.Join(where, " AND ")+" ORDER BY at DESC, chain DESC, seq DESC LIMIT ?", append(args, limit)...)
}

func (f AuditFilter) where() (where []string, args []any) {
	scope, args := ScopeSQL("org_path", f.Scope)
	where = append(where, scope)
	add := func(set bool, cond string, values ...any) {
		if set {
			where, args = append(where, cond), append(args, values...)
		}
	}
	add(f.ActorID != 0, "actor_id = ?", f.ActorID)
	add(f.ActorKind != "", "actor_kind = ?", f.ActorKind)
	// U+10FFFF sorts after every other character, bytewise on both dialects.
	add(f.Action != "", "action >= ? AND action < ?", f.Action, f.Action+"\U0010FFFF")
	add(f.Object != "", "object = ?", f.Object)
	add(f.ObjectID != 0, "object_id = ?", f.ObjectID)
	add(f.Result != "", "result = ?", f.Result)
	add(!f.From.IsZero(), "at >= ?", Millis(f.From))
	add(!f.To.IsZero(), "at < ?", Millis(f.To))
	return where, args
}
