package storage

import (
	"context"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/trail"
	"tongxin/publish"
)

const (
	assetCols = `a.id, a.org_id, o.path, a.hash, a.name, a.alt, a.mime, a.width, a.height, a.size, a.created_by, a.created_at`
	assetFrom = ` FROM assets a JOIN orgs o ON o.id = a.org_id `
)

func scanAsset(r Scanner) (publish.Asset, error) {
	var a publish.Asset
	err := r.Scan(&a.ID, &a.OrgID, &a.OrgPath, &a.Hash, &a.Name, &a.Alt, &a.Mime, &a.Width, &a.Height, &a.Size, &a.CreatedBy, moment{&a.CreatedAt})
	return a, err
}

func scanAssetPtr(r Scanner) (*publish.Asset, error) {
	a, err := scanAsset(r)
	return &a, err
}

// SaveAsset implements publish.MediaStore.
func (s *Publishing) SaveAsset(ctx context.Context, a *publish.Asset, e trail.Entry) (*publish.Asset, error) {
	s.fill(&a.ID)
	var out *publish.Asset
	err := s.db.Write(ctx, func(tx *Tx) error {
		out = nil
		fresh, err := tx.Insert(`INSERT INTO assets (id, org_id, hash, name, alt, mime, width, height, size, created_by, created_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, a.ID, a.OrgID, a.Hash, a.Name, a.Alt, a.Mime, a.Width, a.Height, a.Size,
			a.CreatedBy, Millis(orNow(a.CreatedAt, tx.Now)))
		if err != nil {
			return err
		}
		if fresh {
			tx.Audit(e)
		}
		out, err = One(tx.Ctx, tx, scanAssetPtr, errs.Missing("组织"), `SELECT `+assetCols+assetFrom+`WHERE a.org_id = ? AND a.hash = ?`, a.OrgID, a.Hash)
		return err
	})
	return out, err
}

// Asset implements publish.MediaStore: the oldest when several organisations have it.
func (s *Publishing) Asset(ctx context.Context, scope authz.Scope, hash string) (*publish.Asset, error) {
	where, args := ScopeSQL("o.path", scope)
	return One(ctx, s.db, scanAssetPtr, errs.Missing("图片"), `SELECT `+assetCols+assetFrom+`WHERE a.hash = ? AND `+where+` ORDER BY a.id LIMIT 1`,
		append([]any{hash}, args...)...)
}

// AssetCopies implements publish.MediaStore.
func (s *Publishing) AssetCopies(ctx context.Context, hash string) ([]publish.Asset, error) {
	return All(ctx, s.db, scanAsset, `SELECT `+assetCols+assetFrom+`WHERE a.hash = ? ORDER BY a.id`, hash)
}

// ListAssets implements publish.MediaStore: newest first, one row more than the limit.
func (s *Publishing) ListAssets(ctx context.Context, scope authz.Scope, org ids.ID, query string, r page.Request) ([]publish.Asset, error) {
	var w filter
	where, args := ScopeSQL("o.path", scope)
	w.add(where, args...)
	if org != 0 {
		w.add("a.org_id = ?", org)
	}
	if query != "" {
		like := containing(query)
		w.add("(LOWER(a.name) LIKE ? ESCAPE '!' OR LOWER(a.alt) LIKE ? ESCAPE '!')", like, like)
	}
	if r.After != 0 {
		w.add("a.id < ?", r.After)
	}
	return All(ctx, s.db, scanAsset, `SELECT `+assetCols+assetFrom+`WHERE `+w.String()+` ORDER BY a.id DESC LIMIT ?`, append(w.args, r.Limit+1)...)
}

// UpdateAsset implements publish.MediaStore: the name and what the picture shows.
func (s *Publishing) UpdateAsset(ctx context.Context, a *publish.Asset, e trail.Entry) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		res, err := tx.Exec(`UPDATE assets SET name = ?, alt = ? WHERE id = ?`, a.Name, a.Alt, a.ID)
		if err := tx.MustAffect(res, err, errs.Missing("图片")); err != nil {
			return err
		}
		tx.Audit(e)
		return nil
	})
}

// DeleteAsset implements publish.MediaStore. It asks nothing about uses.
func (s *Publishing) DeleteAsset(ctx context.Context, id ids.ID, e trail.Entry) error {
	return s.remove(ctx, "assets", id, "图片", e)
}

// AssetUses implements publish.MediaStore. Contents that were delivered count
// too: a waiting delivery needs the picture, a finished one shows it. So do
// questions of the bank, in any revision: who answered one may look at it again.
func (s *Publishing) AssetUses(ctx context.Context, scope authz.Scope, hash string) (int, error) {
	where, args := ScopeSQL("o.path", scope)
	n, err := One(ctx, s.db, ScanInt64, nil, `SELECT COUNT(*) FROM (
		SELECT p.id FROM content_assets c JOIN posts p ON p.hash = c.content WHERE c.asset = ?
		UNION SELECT p.id FROM content_assets c JOIN posts p ON p.approved_hash = c.content WHERE c.asset = ?
		UNION SELECT d.post_id FROM content_assets c JOIN deliveries d ON d.hash = c.content WHERE c.asset = ?) used
		JOIN posts q ON q.id = used.id JOIN orgs o ON o.id = q.org_id WHERE `+where, append([]any{hash, hash, hash}, args...)...)
	if err != nil {
		return 0, err
	}
	asked, err := One(ctx, s.db, ScanInt64, nil, `SELECT COUNT(*) FROM question_assets c JOIN questions q ON q.id = c.question_id
		JOIN orgs o ON o.id = q.org_id WHERE c.asset = ? AND `+where, append([]any{hash}, args...)...)
	return int(n + asked), err
}

// remove deletes one row that has no version.
func (s *Publishing) remove(ctx context.Context, table string, id ids.ID, thing string, e trail.Entry) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		res, err := tx.Exec("DELETE FROM "+table+" WHERE id = ?", id)
		if err := tx.MustAffect(res, err, errs.Missing(thing)); err != nil {
			return err
		}
		tx.Audit(e)
		return nil
	})
}
