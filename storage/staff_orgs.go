package storage

import (
	"context"
	"strings"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/trail"
	"tongxin/staff"
)

// Staff is staff.Store in SQL: organisations, accounts, sign-in. Every other
// table names an organisation by id and joins orgs for its path, so moving a
// subtree rewrites this table alone (and never the audit, which keeps the path
// of its day).
type Staff struct{ db *DB }

// NewStaff makes the store.
func NewStaff(db *DB) *Staff { return &Staff{db: db} }

var _ staff.Store = (*Staff)(nil)

const orgCols = `id, parent_id, path, kind, name, short_name, settings, archived_at, version, created_at, updated_at, updated_by`

func scanOrg(s Scanner) (o staff.Org, err error) {
	err = s.Scan(&o.ID, &o.ParentID, &o.Path, &o.Kind, &o.Name, &o.ShortName, jsonText{&o.Overrides}, moment{&o.ArchivedAt},
		&o.Version, moment{&o.CreatedAt}, moment{&o.UpdatedAt}, &o.UpdatedBy)
	return o, err
}

// Orgs implements staff.OrgStore.
func (s *Staff) Orgs(ctx context.Context, scope authz.Scope, archived bool) ([]staff.Org, error) {
	where, args := ScopeSQL("path", scope)
	if !archived {
		where += " AND archived_at = 0"
	}
	return All(ctx, s.db, scanOrg, `SELECT `+orgCols+` FROM orgs WHERE `+where+` ORDER BY path`, args...)
}

// Org implements staff.OrgStore.
func (s *Staff) Org(ctx context.Context, id ids.ID) (*staff.Org, error) {
	o, err := One(ctx, s.db, scanOrg, errs.Missing("组织"), `SELECT `+orgCols+` FROM orgs WHERE id = ?`, id)
	if err != nil {
		return nil, err
	}
	return &o, nil
}

// OrgsByID implements staff.OrgStore.
func (s *Staff) OrgsByID(ctx context.Context, list []ids.ID) ([]staff.Org, error) {
	where, args := In("id", list)
	return All(ctx, s.db, scanOrg, `SELECT `+orgCols+` FROM orgs WHERE `+where+` ORDER BY path`, args...)
}

// Deepest implements staff.OrgStore.
func (s *Staff) Deepest(ctx context.Context, path string) (int, error) {
	where, args := ScopeSQL("path", authz.Scope{Paths: []string{path}})
	paths, err := All(ctx, s.db, ScanString, `SELECT path FROM orgs WHERE `+where, args...)
	most := 0
	for _, p := range paths {
		most = max(most, strings.Count(p, "/")-1)
	}
	return most, err
}

// CreateOrg implements staff.OrgStore.
func (s *Staff) CreateOrg(ctx context.Context, o *staff.Org, e trail.Entry) (id ids.ID, err error) {
	err = s.db.Write(ctx, func(tx *Tx) error {
		made, seen, err := tx.Once(e.Actor, o.ID)
		if id = made; err != nil || seen {
			return err
		}
		if err := tx.parentAt(o.ParentID, strings.TrimSuffix(o.Path, o.ID.String()+"/")); err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT INTO orgs (`+orgCols+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			o.ID, o.ParentID, o.Path, o.Kind, o.Name, o.ShortName, jsonText{&o.Overrides}, Millis(o.ArchivedAt), o.Version,
			Millis(o.CreatedAt), Millis(o.UpdatedAt), o.UpdatedBy)
		tx.Audit(e)
		return err
	})
	return id, err
}

// parentAt holds the parent row where it stands until the commit.
func (tx *Tx) parentAt(parent ids.ID, path string) error {
	if parent == 0 {
		return nil
	}
	moved := errs.New(errs.Conflict, "上级组织刚刚被移动或停用，请刷新后重试。")
	at, err := One(tx.Ctx, tx, ScanString, moved, `SELECT path FROM orgs WHERE id = ? AND archived_at = 0`+tx.ForUpdate(), parent)
	if err == nil && at != path {
		return moved
	}
	return err
}

func staleOrg() error {
	return errs.New(errs.Stale, "组织信息已被其他人修改，请刷新后重试。")
}

// SaveOrg implements staff.OrgStore.
func (s *Staff) SaveOrg(ctx context.Context, o *staff.Org, expect int64, e trail.Entry) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		res, err := tx.Exec(`UPDATE orgs SET kind = ?, name = ?, short_name = ?, settings = ?, archived_at = ?, version = ?,
			updated_at = ?, updated_by = ? WHERE id = ? AND version = ?`,
			o.Kind, o.Name, o.ShortName, jsonText{&o.Overrides}, Millis(o.ArchivedAt), o.Version,
			Millis(o.UpdatedAt), o.UpdatedBy, o.ID, expect)
		if err := tx.MustAffect(res, err, staleOrg()); err != nil {
			return err
		}
		tx.Audit(e)
		return nil
	})
}

// MoveOrg implements staff.OrgStore.
func (s *Staff) MoveOrg(ctx context.Context, o *staff.Org, expect int64, old, parentPath string, e trail.Entry) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		if err := tx.parentAt(o.ParentID, parentPath); err != nil {
			return err
		}
		res, err := tx.Exec(`UPDATE orgs SET parent_id = ?, version = ?, updated_at = ?, updated_by = ?
			WHERE id = ? AND version = ? AND path = ?`,
			o.ParentID, o.Version, Millis(o.UpdatedAt), o.UpdatedBy, o.ID, expect, old)
		if err := tx.MustAffect(res, err, staleOrg()); err != nil {
			return err
		}
		where, args := ScopeSQL("path", authz.Scope{Paths: []string{old}})
		_, err = tx.Exec(`UPDATE orgs SET path = CONCAT(?, SUBSTR(path, ?)) WHERE `+where,
			append([]any{o.Path, len(old) + 1}, args...)...)
		tx.Audit(e)
		return err
	})
}
