package storage

import (
	"context"
	"time"

	"tongxin/internal/ids"
)

const (
	thinBatch = 200
	// orphanAge is how long ago a content must have been used before the sweep
	// may take it: longer than any transaction lasts.
	orphanAge = time.Hour
)

// ThinRevisions implements publish.PostStore and returns how many autosaves went.
// A revision whose content is the post's, was approved, reviewed or delivered
// stays. It also sweeps contents that nothing names any more.
func (s *Publishing) ThinRevisions(ctx context.Context, before time.Time) (int, error) {
	gone := 0
	for {
		n, err := s.thinSome(ctx, before)
		gone += n
		if err != nil {
			return gone, err
		}
		if n == 0 {
			return gone, s.sweepContents(ctx)
		}
	}
}

func (s *Publishing) thinSome(ctx context.Context, before time.Time) (int, error) {
	type key struct {
		post    ids.ID
		version int64
	}
	// 600,000 ms are ten minutes; of each the last autosave stays.
	rows, err := All(ctx, s.db, func(r Scanner) (k key, err error) {
		err = r.Scan(&k.post, &k.version)
		return k, err
	}, `SELECT r.post_id, r.version FROM revisions r WHERE r.is_auto = 1 AND r.at < ?
		AND EXISTS (SELECT 1 FROM revisions k WHERE k.post_id = r.post_id AND k.version > r.version AND k.is_auto = 1 AND k.at < ?
			AND k.at - (k.at % 600000) = r.at - (r.at % 600000))
		AND NOT EXISTS (SELECT 1 FROM posts p WHERE p.id = r.post_id AND (p.hash = r.hash OR p.approved_hash = r.hash))
		AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.post_id = r.post_id AND d.hash = r.hash)
		AND NOT EXISTS (SELECT 1 FROM reviews v WHERE v.post_id = r.post_id AND v.hash = r.hash)
		LIMIT ?`, Millis(before), Millis(before), thinBatch)
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	gone := 0
	err = s.db.Write(ctx, func(tx *Tx) error {
		gone = 0
		for _, k := range rows {
			// An edit may have gone back to this content meanwhile.
			res, err := tx.Exec(`DELETE FROM revisions WHERE post_id = ? AND version = ? AND NOT EXISTS
				(SELECT 1 FROM posts p WHERE p.id = revisions.post_id AND p.hash = revisions.hash)`, k.post, k.version)
			if err != nil {
				return err
			}
			n, err := res.RowsAffected()
			if err != nil {
				return err
			}
			gone += int(n)
		}
		return nil
	})
	return gone, err
}

// unnamed is the condition that nothing names a content.
const unnamed = `NOT EXISTS (SELECT 1 FROM revisions r WHERE r.hash = contents.hash)
	AND NOT EXISTS (SELECT 1 FROM posts p WHERE p.hash = contents.hash)
	AND NOT EXISTS (SELECT 1 FROM posts p WHERE p.approved_hash = contents.hash)
	AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.hash = contents.hash)`

func (s *Publishing) sweepContents(ctx context.Context) error {
	last := Millis(s.db.Clock().Now().Add(-orphanAge))
	for {
		hashes, err := All(ctx, s.db, ScanString, `SELECT hash FROM contents WHERE used_at < ? AND `+unnamed+` LIMIT ?`, last, thinBatch)
		if err != nil || len(hashes) == 0 {
			return err
		}
		swept := int64(0)
		err = s.db.Write(ctx, func(tx *Tx) error {
			swept = 0
			for _, h := range hashes {
				res, err := tx.Exec(`DELETE FROM contents WHERE hash = ? AND used_at < ? AND `+unnamed, h, last)
				if err != nil {
					return err
				}
				n, err := res.RowsAffected()
				if err != nil {
					return err
				}
				if swept += n; n == 0 {
					continue
				}
				if _, err := tx.Exec(`DELETE FROM content_assets WHERE content = ?`, h); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || swept == 0 {
			return err
		}
	}
}
