package storage

import (
	"context"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/publish"
)

// ListPosts implements publish.PostStore: newest first, one row more than the
// limit, which tells page.Of that there is a next page.
func (s *Publishing) ListPosts(ctx context.Context, f publish.PostFilter, r page.Request) ([]publish.Summary, error) {
	w := postWhere(f)
	if r.After != 0 {
		w.add("p.id < ?", r.After)
	}
	// The ids come first, from an index alone: sorting whole rows of a large
	// subtree would cost more than reading the page.
	rows, err := All(ctx, s.db, scanSummary, `SELECT p.id, p.org_id, o.path, o.name, p.title, p.state, p.version, p.level, p.levels,
		p.review_due, p.author_name, p.articles, p.cover, p.due_at, p.updated_at, p.updated_by
		FROM (SELECT p.id FROM posts p JOIN orgs o ON o.id = p.org_id WHERE `+w.String()+` ORDER BY p.id DESC LIMIT ?) listed
		JOIN posts p ON p.id = listed.id JOIN orgs o ON o.id = p.org_id ORDER BY p.id DESC`, append(w.args, r.Limit+1)...)
	if err != nil || len(rows) == 0 {
		return rows, err
	}
	return rows, s.sketch(ctx, rows)
}

func postWhere(f publish.PostFilter) *filter {
	var w filter
	scope, args := ScopeSQL("o.path", f.Scope)
	w.add(scope, args...)
	if f.State != "" {
		w.add("p.state = ?", string(f.State))
	}
	if f.Level != 0 {
		w.add("p.level = ?", f.Level)
	}
	if f.OrgID != 0 {
		w.add("p.org_id = ?", f.OrgID)
	}
	if f.AuthorID != 0 {
		w.add("p.author_id = ?", f.AuthorID)
	}
	if f.Query != "" {
		w.add("LOWER(p.title) LIKE ? ESCAPE '!'", containing(f.Query))
	}
	if f.NotEditor != 0 {
		// Editors are stored as ["12","57"]: the quotes make the match exact.
		w.add("p.author_id <> ? AND p.editors NOT LIKE ?", f.NotEditor, `%"`+f.NotEditor.String()+`"%`)
	}
	switch {
	case f.Delivery != "" && f.AccountID != 0:
		w.add("EXISTS (SELECT 1 FROM deliveries d WHERE d.post_id = p.id AND d.state = ? AND d.account_id = ?)", string(f.Delivery), f.AccountID)
	case f.Delivery != "":
		w.add("EXISTS (SELECT 1 FROM deliveries d WHERE d.post_id = p.id AND d.state = ?)", string(f.Delivery))
	case f.AccountID != 0:
		w.add("EXISTS (SELECT 1 FROM deliveries d WHERE d.post_id = p.id AND d.account_id = ?)", f.AccountID)
	}
	return &w
}

func scanSummary(r Scanner) (publish.Summary, error) {
	p := publish.Summary{Deliveries: []publish.DeliverySketch{}}
	err := r.Scan(&p.ID, &p.OrgID, &p.OrgPath, &p.OrgName, &p.Title, &p.State, &p.Version, &p.Level, &p.Levels, moment{&p.ReviewDue},
		&p.AuthorName, &p.Articles, &p.Cover, moment{&p.DueAt}, moment{&p.UpdatedAt}, &p.UpdatedBy)
	return p, err
}

// sketch adds the deliveries of a page of posts in one query.
func (s *Publishing) sketch(ctx context.Context, posts []publish.Summary) error {
	at := make(map[ids.ID]int, len(posts))
	list := make([]ids.ID, len(posts))
	for i, p := range posts {
		at[p.ID], list[i] = i, p.ID
	}
	where, args := In("d.post_id", padded(list))
	_, err := All(ctx, s.db, func(r Scanner) (struct{}, error) {
		var post ids.ID
		var d publish.DeliverySketch
		var urls []string
		err := r.Scan(&post, &d.ID, &d.AccountID, &d.AccountName, &d.Mode, &d.State, &d.Step, moment{&d.DueAt}, &d.Note, jsonText{&urls})
		if err != nil {
			return struct{}{}, err
		}
		if len(urls) > 0 {
			d.URL = urls[0]
		}
		p := &posts[at[post]]
		p.Deliveries = append(p.Deliveries, d)
		return struct{}{}, nil
	}, `SELECT d.post_id, d.id, d.account_id, a.name, d.mode, d.state, d.step, d.due_at, d.note, d.urls
		FROM deliveries d JOIN platform_accounts a ON a.id = d.account_id WHERE `+where+` ORDER BY d.id`, args...)
	return err
}

// maxFingerprints bounds what near-duplicate search compares.
const maxFingerprints = 2000

// Fingerprints implements publish.PostStore.
func (s *Publishing) Fingerprints(ctx context.Context, scope authz.Scope, since time.Time) ([]publish.Fingerprint, error) {
	where, args := ScopeSQL("o.path", scope)
	return All(ctx, s.db, func(r Scanner) (publish.Fingerprint, error) {
		var f publish.Fingerprint
		var sim int64
		err := r.Scan(&f.PostID, &f.OrgPath, &f.Title, &f.Hash, &sim)
		f.Sim = uint64(sim)
		return f, err
	}, `SELECT p.id, o.path, p.title, p.hash, p.sim FROM posts p JOIN orgs o ON o.id = p.org_id
		WHERE `+where+` AND p.updated_at >= ? ORDER BY p.updated_at DESC, p.id DESC LIMIT ?`,
		append(args, Millis(since), maxFingerprints)...)
}
