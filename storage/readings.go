package storage

import (
	"context"

	"tongxin/internal/page"
	"tongxin/publish"
)

// Readings implements publish.ReadingStore. A post stands for its first
// delivery that is published and was not taken back.
func (s *Publishing) Readings(ctx context.Context, f publish.ReadingFilter, r page.Request) ([]publish.Reading, error) {
	var w filter
	orgs, args := In("p.org_id", padded(f.Orgs))
	w.add(orgs, args...)
	w.add("d.state = ?", string(publish.Published))
	w.add(`NOT EXISTS (SELECT 1 FROM deliveries e WHERE e.post_id = d.post_id AND e.state = d.state
		AND (e.done_at < d.done_at OR e.done_at = d.done_at AND e.id < d.id))`)
	if f.Post != 0 {
		w.add("d.post_id = ?", f.Post)
	}
	if !f.Since.IsZero() {
		w.add("d.done_at >= ?", Millis(f.Since))
	}
	if f.Like != "" {
		w.add("LOWER(c.body) LIKE ? ESCAPE '!'", containing(f.Like))
	}
	if r.After != 0 {
		w.add(`(d.done_at < (SELECT x.done_at FROM deliveries x WHERE x.id = ?) OR
			d.done_at = (SELECT x.done_at FROM deliveries x WHERE x.id = ?) AND d.id < ?)`, r.After, r.After, r.After)
	}
	return All(ctx, s.db, func(row Scanner) (x publish.Reading, err error) {
		err = row.Scan(&x.PostID, &x.Key, &x.OrgID, &x.OrgName, moment{&x.PublishedAt}, jsonText{&x.Content}, jsonText{&x.URLs})
		return x, err
	}, `SELECT d.post_id, d.id, p.org_id, o.name, d.done_at, c.body, d.urls FROM deliveries d JOIN posts p ON p.id = d.post_id
		JOIN orgs o ON o.id = p.org_id JOIN contents c ON c.hash = d.hash WHERE `+w.String()+`
		ORDER BY d.done_at DESC, d.id DESC LIMIT ?`, append(w.args, r.Limit+1)...)
}
