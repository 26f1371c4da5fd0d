package storage

import (
	"context"
	"sync"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/trail"
	"tongxin/moderate"
)

// Moderation implements moderate.Store. Texts come and go sealed.
type Moderation struct {
	db    *DB
	claim sync.Mutex // claims of one process run one after the other, see Publishing.Claim
}

var _ moderate.Store = (*Moderation)(nil)

// NewModeration makes the store of the content check.
func NewModeration(db *DB) *Moderation { return &Moderation{db: db} }

const moderationSQL = `SELECT i.id, i.org_id, o.name, o.path, i.kind, i.object_id, i.revision, i.media, i.scene, i.author_id, m.name, m.staff_id,
	i.text_sealed, i.ref, i.state, i.hold, i.judge, i.label, i.reason, i.trace_key, i.tries, i.next_at, i.lease_owner, i.lease_until, i.created_at,
	i.decided_at, i.decided_by, i.erased_at, i.version
	FROM moderation_items i JOIN orgs o ON o.id = i.org_id LEFT JOIN members m ON m.id = i.author_id WHERE `

func scanModeration(r Scanner) (it moderate.Item, err error) {
	var name *string
	var staff *int64
	err = r.Scan(&it.ID, &it.OrgID, &it.OrgName, &it.OrgPath, &it.Kind, &it.ObjectID, &it.Revision, &it.Media, &it.Scene, &it.AuthorID, &name, &staff,
		&it.Sealed, &it.Ref, &it.State, &it.Hold, &it.By, &it.Label, &it.Reason, &it.Trace, &it.Tries, moment{&it.NextAt}, &it.LeaseOwner,
		moment{&it.LeaseUntil}, moment{&it.CreatedAt}, moment{&it.DecidedAt}, &it.DecidedBy, moment{&it.ErasedAt}, &it.Version)
	if name != nil {
		it.AuthorName = *name
	}
	if staff != nil {
		it.AuthorStaff = ids.ID(*staff)
	}
	if it.Trace == noTrace(it.ID) {
		it.Trace = ""
	}
	return it, err
}

// noTrace stands in the unique column of a check that has no name.
func noTrace(id ids.ID) string { return "#" + id.String() }

func traceKey(it *moderate.Item) string {
	if it.Trace == "" {
		return noTrace(it.ID)
	}
	return it.Trace
}

// Add implements moderate.Store. The row of the object in moderation_objects is
// what two writers of one object meet at.
func (s *Moderation) Add(ctx context.Context, it *moderate.Item) (*moderate.Item, bool, error) {
	var fresh bool
	id := it.ID
	err := s.db.Write(ctx, func(tx *Tx) error {
		fresh, id = false, it.ID
		// Takes the lock on the object's row, or makes it, before anything is read.
		if err := tx.Upsert("moderation_objects", []string{"kind", "object_id"}, []string{"kind", "object_id", "touched_at"},
			[]string{"touched_at"}, it.Kind, it.ObjectID, Millis(tx.Now)); err != nil {
			return err
		}
		old, err := One(tx.Ctx, tx, ScanInt64, nil, `SELECT id FROM moderation_items WHERE kind = ? AND object_id = ? AND revision = ?`, it.Kind, it.ObjectID, it.Revision)
		if err != nil {
			return err
		}
		if old != 0 {
			id = ids.ID(old)
			return nil
		}
		later, err := One(tx.Ctx, tx, ScanInt64, nil, `SELECT COUNT(*) FROM moderation_items WHERE kind = ? AND object_id = ? AND revision > ?`, it.Kind, it.ObjectID, it.Revision)
		if err != nil {
			return err
		}
		state, next := it.State, it.NextAt
		if later > 0 {
			state, next = moderate.Replaced, time.Time{}
		}
		if _, err := tx.Exec(`UPDATE moderation_items SET state = ?, hold = '', next_at = 0, lease_until = 0, version = version + 1
			WHERE kind = ? AND object_id = ? AND revision < ? AND state IN ('waiting', 'review')`, moderate.Replaced, it.Kind, it.ObjectID, it.Revision); err != nil {
			return err
		}
		fresh = true
		_, err = tx.Exec(`INSERT INTO moderation_items (id, org_id, kind, object_id, revision, media, scene, author_id, text_sealed, ref, state, hold, judge,
			label, reason, trace_key, tries, next_at, lease_owner, lease_until, created_at, decided_at, decided_by, erased_at, version)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', 0, '', ?, 0, ?, ?, ?, ?, 0, '', 0, ?)`,
			it.ID, it.OrgID, it.Kind, it.ObjectID, it.Revision, it.Media, it.Scene, it.AuthorID, it.Sealed, it.Ref, state, it.Hold, traceKey(it),
			Millis(next), it.LeaseOwner, Millis(it.LeaseUntil), Millis(it.CreatedAt), it.Version)
		return err
	})
	if err != nil {
		return nil, false, err
	}
	out, err := s.Item(ctx, id)
	return out, fresh, err
}

// Item implements moderate.Store.
func (s *Moderation) Item(ctx context.Context, id ids.ID) (*moderate.Item, error) {
	return s.one(ctx, `i.id = ?`, id)
}

// Traced implements moderate.Store.
func (s *Moderation) Traced(ctx context.Context, trace string) (*moderate.Item, error) {
	return s.one(ctx, `i.trace_key = ?`, trace)
}

func (s *Moderation) one(ctx context.Context, where string, arg any) (*moderate.Item, error) {
	it, err := One(ctx, s.db, scanModeration, errs.Missing("内容"), moderationSQL+where, arg)
	if err != nil {
		return nil, err
	}
	return &it, nil
}

// todo is what a person is asked to decide.
const todo = "(i.state = 'review' OR i.state = 'waiting' AND i.hold = 'inactive')"

// Items implements moderate.Store.
func (s *Moderation) Items(ctx context.Context, f moderate.Filter, r page.Request) ([]moderate.Item, error) {
	var w filter
	scope, args := ScopeSQL("o.path", f.Scope)
	w.add(scope, args...)
	if r.After != 0 {
		w.add("i.id < ?", r.After)
	}
	if f.Under != "" {
		under, args := ScopeSQL("o.path", authz.Scope{Paths: []string{f.Under}})
		w.add(under, args...)
	}
	if f.Kind != "" {
		w.add("i.kind = ?", f.Kind)
	}
	if f.Author != 0 {
		w.add("i.author_id = ?", f.Author)
	}
	switch f.State {
	case "":
	case moderate.AwaitsAny:
		w.add(todo)
	default:
		w.add("i.state = ?", f.State)
	}
	return All(ctx, s.db, scanModeration, moderationSQL+w.String()+` ORDER BY i.id DESC LIMIT ?`, append(w.args, r.Limit+1)...)
}

// Open implements moderate.Store.
func (s *Moderation) Open(ctx context.Context, scope authz.Scope) (int, error) {
	where, args := ScopeSQL("o.path", scope)
	n, err := One(ctx, s.db, ScanInt64, nil, `SELECT COUNT(*) FROM moderation_items i JOIN orgs o ON o.id = i.org_id
		WHERE i.state IN ('review', 'waiting') AND `+todo+` AND `+where, args...)
	return int(n), err
}

// Standing implements moderate.Store.
func (s *Moderation) Standing(ctx context.Context, kind string, objects []ids.ID) (map[ids.ID]moderate.Standing, error) {
	out := make(map[ids.ID]moderate.Standing, len(objects))
	for _, part := range chunks(objects) {
		in, args := In("object_id", padded(part))
		_, err := All(ctx, s.db, func(r Scanner) (struct{}, error) {
			var id ids.ID
			var st moderate.Standing
			err := r.Scan(&id, &st.Revision, &st.State, &st.Reason)
			out[id] = st // the latest comes last
			return struct{}{}, err
		}, `SELECT object_id, revision, state, reason FROM moderation_items WHERE kind = ? AND `+in+` ORDER BY object_id, revision`, append([]any{kind}, args...)...)
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Save implements moderate.Store.
func (s *Moderation) Save(ctx context.Context, it *moderate.Item, expect int64, e *trail.Entry) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		if e != nil {
			tx.Audit(*e)
		}
		return swap(tx, "moderation_items", it.ID, "内容", `UPDATE moderation_items SET state = ?, hold = ?, judge = ?, label = ?, reason = ?, trace_key = ?,
			tries = ?, next_at = ?, lease_owner = ?, lease_until = ?, decided_at = ?, decided_by = ?, version = ? WHERE id = ? AND version = ?`,
			it.State, it.Hold, it.By, it.Label, it.Reason, traceKey(it), it.Tries, Millis(it.NextAt), it.LeaseOwner, Millis(it.LeaseUntil),
			Millis(it.DecidedAt), it.DecidedBy, it.Version, it.ID, expect)
	})
}

// Told implements moderate.Store.
func (s *Moderation) Told(ctx context.Context, id ids.ID, version int64, again time.Time) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		return swap(tx, "moderation_items", id, "内容", `UPDATE moderation_items SET next_at = ?, lease_owner = '', lease_until = 0 WHERE id = ? AND version = ?`,
			Millis(again), id, version)
	})
}

// Visit implements moderate.Store. It reads first: most visits find nothing.
func (s *Moderation) Visit(ctx context.Context, author ids.ID, now time.Time) (int, error) {
	const waiting = `author_id = ? AND state = 'waiting' AND hold = 'inactive' AND next_at > ?`
	found, err := One(ctx, s.db, ScanInt64, nil, `SELECT COUNT(*) FROM moderation_items WHERE `+waiting, author, Millis(now))
	if err != nil || found == 0 {
		return 0, err
	}
	err = s.db.Write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(`UPDATE moderation_items SET next_at = ? WHERE `+waiting, Millis(now), author, Millis(now))
		return err
	})
	return int(found), err
}

// AddOutcome implements moderate.Store.
func (s *Moderation) AddOutcome(ctx context.Context, o moderate.Outcome) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		_, err := tx.Insert(`INSERT INTO moderation_outcomes (trace_key, suggest, label, signed, at) VALUES (?, ?, ?, ?, ?)`,
			o.Trace, o.Suggest, o.Label, flag(o.Signed), Millis(orNow(o.At, tx.Now)))
		return err
	})
}

// OutcomeOf implements moderate.Store.
func (s *Moderation) OutcomeOf(ctx context.Context, trace string) (*moderate.Outcome, error) {
	o, err := One(ctx, s.db, func(r Scanner) (o moderate.Outcome, err error) {
		var signed int
		err = r.Scan(&o.Trace, &o.Suggest, &o.Label, &signed, moment{&o.At})
		o.Signed = signed == 1
		return o, err
	}, errs.Missing("检测结果"), `SELECT trace_key, suggest, label, signed, at FROM moderation_outcomes WHERE trace_key = ?`, trace)
	if err != nil {
		return nil, err
	}
	return &o, nil
}

// Erase implements moderate.Store.
func (s *Moderation) Erase(ctx context.Context, before time.Time, limit int) (int, error) {
	old, err := All(ctx, s.db, ScanInt64, `SELECT id FROM moderation_items WHERE created_at < ? AND erased_at = 0
		AND state IN ('passed', 'refused', 'replaced') ORDER BY created_at LIMIT ?`, Millis(before), limit)
	if err != nil {
		return 0, err
	}
	stale, err := All(ctx, s.db, ScanString, `SELECT trace_key FROM moderation_outcomes WHERE at < ? ORDER BY at LIMIT ?`, Millis(before), limit)
	if err != nil || len(old)+len(stale) == 0 {
		return 0, err
	}
	err = s.db.Write(ctx, func(tx *Tx) error {
		for _, part := range chunks(old) {
			in, args := In("id", padded(part))
			if _, err := tx.Exec(`UPDATE moderation_items SET text_sealed = '', reason = '', ref = '', erased_at = ? WHERE `+in,
				append([]any{Millis(tx.Now)}, args...)...); err != nil {
				return err
			}
		}
		for _, part := range chunks(stale) {
			in, args := In("trace_key", padded(part))
			if _, err := tx.Exec(`DELETE FROM moderation_outcomes WHERE `+in, args...); err != nil {
				return err
			}
		}
		return nil
	})
	return len(old), err
}
