package storage

import (
	"context"
	"time"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/trail"
	"tongxin/publish"
)

const revisionCols = `r.post_id, r.version, r.hash, r.title, r.is_auto, r.author_name, r.at`

func scanRevision(row Scanner, more ...any) (publish.Revision, error) {
	var r publish.Revision
	err := row.Scan(append([]any{&r.PostID, &r.Version, &r.Hash, &r.Title, &r.Auto, &r.AuthorName, moment{&r.At}}, more...)...)
	return r, err
}

// Revisions implements publish.PostStore: newest first and without contents.
// The cursor is a version.
func (s *Publishing) Revisions(ctx context.Context, post ids.ID, r page.Request) ([]publish.Revision, error) {
	var f filter
	f.add("r.post_id = ?", post)
	if r.After != 0 {
		f.add("r.version < ?", r.After)
	}
	return All(ctx, s.db, func(row Scanner) (publish.Revision, error) { return scanRevision(row) },
		`SELECT `+revisionCols+` FROM revisions r WHERE `+f.String()+` ORDER BY r.version DESC LIMIT ?`, append(f.args, r.Limit+1)...)
}

// Revision implements publish.PostStore.
func (s *Publishing) Revision(ctx context.Context, post ids.ID, version int64) (*publish.Revision, error) {
	r, err := One(ctx, s.db, func(row Scanner) (publish.Revision, error) {
		var c publish.Content
		r, err := scanRevision(row, jsonText{&c})
		r.Content = c
		return r, err
	}, errs.Missing("历史版本"), `SELECT `+revisionCols+`, c.body FROM revisions r JOIN contents c ON c.hash = r.hash
		WHERE r.post_id = ? AND r.version <= ? ORDER BY r.version DESC LIMIT 1`, post, version)
	if err != nil {
		return nil, err
	}
	return &r, nil
}

// Reviews implements publish.PostStore: oldest first.
func (s *Publishing) Reviews(ctx context.Context, post ids.ID) ([]publish.Review, error) {
	return All(ctx, s.db, func(row Scanner) (publish.Review, error) {
		var r publish.Review
		err := row.Scan(&r.ID, &r.PostID, &r.Version, &r.Hash, &r.Level, &r.Decision, &r.Reason, &r.ReviewerID, &r.ReviewerName, moment{&r.At})
		return r, err
	}, `SELECT id, post_id, version, hash, level, decision, reason, reviewer_id, reviewer_name, at FROM reviews WHERE post_id = ? ORDER BY at, id`, post)
}

const commentCols = `id, post_id, parent_id, version, article, quote, prefix, suffix, body, author_id, author_name, at, resolved_at, resolved_by`

func scanComment(row Scanner) (publish.Comment, error) {
	var c publish.Comment
	err := row.Scan(&c.ID, &c.PostID, &c.ParentID, &c.Version, &c.Article, &c.Quote, &c.Prefix, &c.Suffix, &c.Body,
		&c.AuthorID, &c.AuthorName, moment{&c.At}, moment{&c.ResolvedAt}, &c.ResolvedBy)
	return c, err
}

// Comments implements publish.PostStore: oldest first.
func (s *Publishing) Comments(ctx context.Context, post ids.ID) ([]publish.Comment, error) {
	return All(ctx, s.db, scanComment, `SELECT `+commentCols+` FROM comments WHERE post_id = ? ORDER BY at, id`, post)
}

// Comment implements publish.PostStore.
func (s *Publishing) Comment(ctx context.Context, id ids.ID) (*publish.Comment, error) {
	c, err := One(ctx, s.db, scanComment, errs.Missing("批注"), `SELECT `+commentCols+` FROM comments WHERE id = ?`, id)
	if err != nil {
		return nil, err
	}
	return &c, nil
}

// AddComment implements publish.PostStore.
func (s *Publishing) AddComment(ctx context.Context, c *publish.Comment, e trail.Entry) (ids.ID, error) {
	s.fill(&c.ID)
	id := c.ID
	err := s.db.Write(ctx, func(tx *Tx) error {
		made, seen, err := tx.Once(e.Actor, c.ID)
		if id = made; err != nil || seen {
			return err
		}
		// The post's row is taken, so that DeletePost leaves no comment behind.
		_, err = One(tx.Ctx, tx, ScanInt64, errs.Missing("图文"), `SELECT id FROM posts WHERE id = ?`+tx.ForUpdate(), c.PostID)
		if err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT INTO comments (`+commentCols+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			c.ID, c.PostID, c.ParentID, c.Version, c.Article, c.Quote, c.Prefix, c.Suffix, c.Body, c.AuthorID, c.AuthorName,
			Millis(orNow(c.At, tx.Now)), Millis(c.ResolvedAt), c.ResolvedBy)
		if err != nil {
			return err
		}
		tx.Audit(e)
		return nil
	})
	return id, err
}

// ResolveComment implements publish.PostStore; a zero time opens it again.
func (s *Publishing) ResolveComment(ctx context.Context, id ids.ID, by string, at time.Time, e trail.Entry) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		res, err := tx.Exec(`UPDATE comments SET resolved_at = ?, resolved_by = ? WHERE id = ?`, Millis(at), by, id)
		if err := tx.MustAffect(res, err, errs.Missing("批注")); err != nil {
			return err
		}
		tx.Audit(e)
		return nil
	})
}
