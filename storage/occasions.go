package storage

import (
	"context"
	"time"

	"tongxin/internal/ids"
	"tongxin/publish"
)

// What publish.Service.Remind looks at, every half minute on every node: each
// query walks one index and reads no content.

const thinPost = `SELECT p.id, p.org_id, o.path, o.name, p.title, p.state, p.version, p.hash, p.author_id, p.author_name, p.editors, p.level,
	p.levels, p.review_due, p.approved_hash, p.due_at, p.created_at, p.updated_at, p.updated_by FROM posts p JOIN orgs o ON o.id = p.org_id `

func scanThinPost(r Scanner) (p publish.Post, err error) {
	err = r.Scan(&p.ID, &p.OrgID, &p.OrgPath, &p.OrgName, &p.Title, &p.State, &p.Version, &p.Hash, &p.AuthorID, &p.AuthorName,
		jsonText{&p.Editors}, &p.Level, &p.Levels, moment{&p.ReviewDue}, &p.ApprovedHash, moment{&p.DueAt}, moment{&p.CreatedAt},
		moment{&p.UpdatedAt}, &p.UpdatedBy)
	return p, err
}

// PostsInReview implements publish.NoticeStore.
func (s *Publishing) PostsInReview(ctx context.Context, after ids.ID, limit int) ([]publish.Post, error) {
	return All(ctx, s.db, scanThinPost, thinPost+`WHERE p.state = 'in_review' AND p.id > ? ORDER BY p.id LIMIT ?`, after, limit)
}

// PostsDecided implements publish.NoticeStore. The state stands in a CASE so
// that every planner takes the index on the time: there are few changes of late
// and many approved posts of old.
func (s *Publishing) PostsDecided(ctx context.Context, since time.Time, after publish.Post, limit int) ([]publish.Post, error) {
	from := max(Millis(since), Millis(after.UpdatedAt))
	return All(ctx, s.db, scanThinPost, thinPost+`WHERE p.updated_at >= ? AND (p.updated_at > ? OR p.id > ?)
		AND CASE WHEN p.state IN ('approved', 'returned') THEN 1 ELSE 0 END = 1 ORDER BY p.updated_at, p.id LIMIT ?`,
		from, Millis(after.UpdatedAt), after.ID, limit)
}

const (
	attentionCols = `d.id, d.post_id, p.title, p.author_id, p.org_id, o.path, a.name, d.state, d.note`
	attentionFrom = ` JOIN posts p ON p.id = d.post_id JOIN orgs o ON o.id = p.org_id JOIN platform_accounts a ON a.id = d.account_id `
)

func scanAttention(r Scanner) (v publish.Attention, err error) {
	err = r.Scan(&v.ID, &v.PostID, &v.PostTitle, &v.AuthorID, &v.OrgID, &v.OrgPath, &v.AccountName, &v.State, &v.Note, moment{&v.Since}, &v.Event)
	return v, err
}

// DeliveriesOpen implements publish.NoticeStore.
func (s *Publishing) DeliveriesOpen(ctx context.Context, after ids.ID, limit int) ([]publish.Attention, error) {
	return All(ctx, s.db, scanAttention, `SELECT `+attentionCols+`, COALESCE((SELECT MIN(e.at) FROM delivery_events e
		WHERE e.delivery_id = d.id AND e.state = d.state), d.due_at), 0 FROM deliveries d`+attentionFrom+
		`WHERE d.state IN ('unknown', 'by_hand') AND d.id > ? ORDER BY d.id LIMIT ?`, after, limit)
}

// DeliveriesEnded implements publish.NoticeStore: ids of events rise with time,
// so the primary key is the index.
func (s *Publishing) DeliveriesEnded(ctx context.Context, after ids.ID, limit int) ([]publish.Attention, error) {
	return All(ctx, s.db, scanAttention, `SELECT `+attentionCols+`, e.at, e.id FROM delivery_events e JOIN deliveries d ON d.id = e.delivery_id`+attentionFrom+
		`WHERE e.id > ? AND CASE WHEN e.state IN ('failed', 'published') AND d.state = e.state THEN 1 ELSE 0 END = 1 ORDER BY e.id LIMIT ?`, after, limit)
}

// AccountsRefused implements publish.NoticeStore.
func (s *Publishing) AccountsRefused(ctx context.Context, dueBy time.Time) ([]ids.ID, error) {
	return All(ctx, s.db, func(r Scanner) (id ids.ID, err error) {
		err = r.Scan(&id)
		return id, err
	}, `SELECT DISTINCT account_id FROM deliveries WHERE state = 'waiting' AND due_at <= ? AND err_kind = ?`, Millis(dueBy), string(publish.KindAuth))
}
