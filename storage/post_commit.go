package storage

import (
	"context"
	"fmt"
	"time"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/publish"
)

// Commit implements publish.PostStore. With Cancel or MoveTo the state that is
// stored follows from what became of the deliveries, and c.Post.State is set to
// it: see settle.
func (s *Publishing) Commit(ctx context.Context, c publish.Change) error {
	p, old := c.Post, c.Post.State
	if p.Version != c.Expect+1 {
		return internal(fmt.Errorf("storage: commit of version %d over %d", p.Version, c.Expect))
	}
	var body *content
	if r := c.Revision; r != nil {
		var err error
		if body, err = newContent(r.Content, r.Hash); err != nil {
			return err
		}
		if r.Hash != p.Hash {
			return internal(fmt.Errorf("storage: revision and post %d differ in hash", p.ID))
		}
	}
	if c.Review != nil {
		s.fill(&c.Review.ID)
	}
	for _, d := range c.Add {
		s.fill(&d.ID)
	}
	return s.db.Write(ctx, func(tx *Tx) error {
		p.State = old
		if err := s.change(tx, c, body); err != nil {
			return err
		}
		tx.Audit(c.Entry)
		return nil
	})
}

// change does the work of Commit. The post's row comes first: its lock orders
// everything that may finish the post.
func (s *Publishing) change(tx *Tx, c publish.Change, body *content) error {
	if err := updatePost(tx, c.Post, c.Expect); err != nil {
		return err
	}
	if body != nil {
		if err := body.put(tx); err != nil {
			return err
		}
		if err := updateContent(tx, c); err != nil {
			return err
		}
	}
	if c.Review != nil {
		if err := insertReview(tx, c.Review); err != nil {
			return err
		}
	}
	for _, d := range c.Add {
		if err := s.addDelivery(tx, d); err != nil {
			return err
		}
	}
	if !c.Cancel && c.MoveTo.IsZero() {
		return nil
	}
	if err := s.touchWaiting(tx, c); err != nil {
		return err
	}
	return settle(tx, c)
}

func updatePost(tx *Tx, p *publish.Post, expect int64) error {
	return swap(tx, "posts", p.ID, "图文", `UPDATE posts SET title = ?, state = ?, version = ?, editors = ?, level = ?, levels = ?,
		review_due = ?, approved_hash = ?, due_at = ?, updated_at = ?, updated_by = ? WHERE id = ? AND version = ?`,
		p.Title, string(p.State), p.Version, jsonText{p.Editors}, p.Level, p.Levels, Millis(p.ReviewDue), p.ApprovedHash,
		Millis(p.DueAt), Millis(p.UpdatedAt), p.UpdatedBy, p.ID, expect)
}

func updateContent(tx *Tx, c publish.Change) error {
	r := c.Revision
	_, err := tx.Exec(`UPDATE posts SET hash = ?, sim = ?, articles = ?, cover = ? WHERE id = ?`,
		r.Hash, int64(c.Fingerprint), len(r.Content.Articles), coverOf(r.Content), c.Post.ID)
	if err != nil {
		return err
	}
	return insertRevision(tx, r)
}

// addDelivery takes the account's row, so that DeleteAccount and a new delivery
// cannot pass each other.
func (s *Publishing) addDelivery(tx *Tx, d *publish.Delivery) error {
	_, err := One(tx.Ctx, tx, ScanInt64, errs.Missing("账号"),
		`SELECT id FROM platform_accounts WHERE id = ?`+tx.ForUpdate(), d.AccountID)
	if err != nil {
		return err
	}
	cols := append([]string{"id", "post_id", "account_id", "hash", "post_version", "version"}, deliverySet...)
	args := append([]any{d.ID, d.PostID, d.AccountID, d.Hash, d.PostVersion, d.Version}, deliveryArgs(d)...)
	_, err = tx.Exec(insertSQL("deliveries", cols, 1), args...)
	return err
}

// touchWaiting cancels or moves what still waits. A worker that holds a lease
// finds the version risen and stores nothing more.
func (s *Publishing) touchWaiting(tx *Tx, c publish.Change) error {
	type row struct {
		id    ids.ID
		state publish.DeliveryState
		step  string
	}
	rows, err := All(tx.Ctx, tx, func(r Scanner) (v row, err error) {
		err = r.Scan(&v.id, &v.state, &v.step)
		return v, err
	}, `SELECT id, state, step FROM deliveries WHERE post_id = ? ORDER BY id`+tx.ForUpdate(), c.Post.ID)
	if err != nil {
		return err
	}
	touched, late := 0, 0
	for _, v := range rows {
		switch {
		case v.state == publish.Waiting, v.state == publish.ByHand && c.Cancel:
			if err := s.touch(tx, v.id, v.step, c); err != nil {
				return err
			}
			touched++
		case !v.state.Over(), v.state == publish.Published:
			late++
		}
	}
	if touched == 0 && late > 0 {
		return errs.New(errs.Conflict, "已经提交到平台，来不及撤回或改期。请等待发布结果，如需撤下请在发布后操作。")
	}
	return nil
}

func (s *Publishing) touch(tx *Tx, id ids.ID, step string, c publish.Change) error {
	now, state, note := Millis(tx.Now), string(publish.Waiting), "发布时间已调整。"
	var err error
	if c.Cancel {
		state, note = string(publish.Cancelled), "已取消，不会再发布。"
		// A draft in the box, or one that may just be on its way, is to be dropped;
		// the lease is kept so that the worker that makes it ends first.
		_, err = tx.Exec(`UPDATE deliveries SET state = 'cancelled', version = version + 1, done_at = ?, note = '', err_kind = '', err_code = 0,
			attempt = 0, next_at = CASE WHEN draft_id <> '' OR step = 'upload' OR step = 'draft' THEN ? ELSE 0 END WHERE id = ?`, now, now, id)
	} else {
		_, err = tx.Exec(`UPDATE deliveries SET due_at = ?, next_at = ?, attempt = 0, lease_owner = '', lease_until = 0, version = version + 1 WHERE id = ?`,
			Millis(c.MoveTo), now, id)
	}
	if err != nil {
		return err
	}
	return s.insertEvent(tx, id, state, step, note)
}

// settle stores the state that follows from the deliveries. A post that is
// being taken out of the queue stays queued while one of them is under way, and
// is finished when one was published; a queued post with none left is finished.
// A post that an edit made a draft stays a draft.
func settle(tx *Tx, c publish.Change) error {
	p := c.Post
	if p.State != publish.Approved && p.State != publish.Queued {
		return nil
	}
	var open, published int64
	err := tx.QueryRow(tx.Ctx, `SELECT COALESCE(SUM(CASE WHEN `+openState+` THEN 1 ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN state = 'published' THEN 1 ELSE 0 END), 0) FROM deliveries WHERE post_id = ?`, p.ID).Scan(&open, &published)
	if err != nil {
		return err
	}
	state := p.State
	switch {
	case open > 0:
		state = publish.Queued
	case published > 0 || state == publish.Queued:
		state = publish.Finished
	}
	if state == p.State {
		return nil
	}
	_, err = tx.Exec(`UPDATE posts SET state = ? WHERE id = ?`, string(state), p.ID)
	p.State = state
	return err
}

// openState is the condition that a delivery is not over.
const openState = `state NOT IN ('published', 'failed', 'cancelled', 'retracted')`

// insertEvent adds a line to a delivery's timeline.
func (s *Publishing) insertEvent(tx *Tx, delivery ids.ID, state, step, note string) error {
	_, err := tx.Exec(`INSERT INTO delivery_events (id, delivery_id, at, state, step, note) VALUES (?, ?, ?, ?, ?, ?)`,
		s.db.IDs().New(), delivery, Millis(tx.Now), state, step, note)
	return err
}

// insertRevision stores a saved content's place in the history.
func insertRevision(tx *Tx, r *publish.Revision) error {
	_, err := tx.Exec(`INSERT INTO revisions (post_id, version, hash, title, is_auto, author_name, at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		r.PostID, r.Version, r.Hash, r.Title, flag(r.Auto), r.AuthorName, Millis(orNow(r.At, tx.Now)))
	return err
}

func insertReview(tx *Tx, r *publish.Review) error {
	_, err := tx.Exec(`INSERT INTO reviews (id, post_id, version, hash, level, decision, reason, reviewer_id, reviewer_name, at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, r.ID, r.PostID, r.Version, r.Hash, r.Level, string(r.Decision), r.Reason,
		r.ReviewerID, r.ReviewerName, Millis(orNow(r.At, tx.Now)))
	return err
}

func orNow(t, now time.Time) time.Time {
	if t.IsZero() {
		return now
	}
	return t
}
