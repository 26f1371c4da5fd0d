package storage

import (
	"cmp"
	"context"
	"slices"
	"time"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/publish"
)

// noticeBatch is how many notices one transaction stores.
const noticeBatch = 200

// AddNotices implements publish.NoticeStore. What is there already is found by
// reading, so that a sweep that finds nothing new costs the writer nothing; the
// unique key decides between nodes that found the same at once.
func (s *Publishing) AddNotices(ctx context.Context, list []publish.Notice) (int, error) {
	fresh, err := s.unknownNotices(ctx, list)
	if err != nil {
		return 0, err
	}
	total := 0
	for part := range slices.Chunk(fresh, noticeBatch) {
		for i := range part {
			s.fill(&part[i].ID)
		}
		added := 0
		err := s.db.Write(ctx, func(tx *Tx) error {
			added = 0
			for _, n := range part {
				ok, err := tx.Insert(`INSERT INTO notices (id, account_id, dedupe, org_id, kind, post_id, delivery_id, title, body, link, at, read_at)
					VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)`, n.ID, n.AccountID, n.Dedupe, n.OrgID, string(n.Kind), n.PostID, n.DeliveryID,
					n.Title, n.Text, n.Link, Millis(orNow(n.At, tx.Now)))
				if err != nil {
					return err
				}
				if ok {
					added++
				}
			}
			return nil
		})
		total += added
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// unknownNotices leaves out what is stored, in the order of the unique key:
// nodes that store the same then wait for each other instead of locking up.
func (s *Publishing) unknownNotices(ctx context.Context, list []publish.Notice) ([]publish.Notice, error) {
	type key struct {
		account ids.ID
		dedupe  string
	}
	known := map[key]bool{}
	var occasions []string
	for _, n := range list {
		occasions = append(occasions, n.Dedupe)
	}
	slices.Sort(occasions)
	for _, part := range chunks(slices.Compact(occasions)) {
		var people []ids.ID
		for _, n := range list {
			if _, in := slices.BinarySearch(part, n.Dedupe); in {
				people = append(people, n.AccountID)
			}
		}
		slices.Sort(people)
		for _, who := range chunks(slices.Compact(people)) {
			of, args := In("account_id", padded(who))
			about, more := In("dedupe", padded(part))
			rows, err := All(ctx, s.db, func(r Scanner) (k key, err error) {
				err = r.Scan(&k.account, &k.dedupe)
				return k, err
			}, `SELECT account_id, dedupe FROM notices WHERE `+of+` AND `+about, append(args, more...)...)
			if err != nil {
				return nil, err
			}
			for _, k := range rows {
				known[k] = true
			}
		}
	}
	var out []publish.Notice
	for _, n := range list {
		if k := (key{n.AccountID, n.Dedupe}); !known[k] {
			known[k] = true
			out = append(out, n)
		}
	}
	slices.SortStableFunc(out, func(a, b publish.Notice) int {
		return cmp.Or(cmp.Compare(a.AccountID, b.AccountID), cmp.Compare(a.Dedupe, b.Dedupe))
	})
	return out, nil
}

// noticeWhere is the condition of a filter over notices n and orgs o.
func noticeWhere(f publish.NoticeFilter) *filter {
	var w filter
	w.add("n.account_id = ?", f.AccountID)
	if f.Unread {
		w.add("n.read_at = 0")
	}
	posts, args := ScopeSQL("o.path", f.Posts)
	accounts, more := ScopeSQL("o.path", f.Accounts)
	unwell := string(publish.AccountUnwell)
	w.add("(n.kind <> ? AND "+posts+" OR n.kind = ? AND "+accounts+")", slices.Concat([]any{unwell}, args, []any{unwell}, more)...)
	return &w
}

// Notices implements publish.NoticeStore.
func (s *Publishing) Notices(ctx context.Context, f publish.NoticeFilter, r page.Request) ([]publish.Notice, error) {
	w := noticeWhere(f)
	if r.After != 0 {
		w.add("n.id < ?", r.After)
	}
	return All(ctx, s.db, func(r Scanner) (n publish.Notice, err error) {
		err = r.Scan(&n.ID, &n.AccountID, &n.Dedupe, &n.OrgID, &n.Kind, &n.PostID, &n.DeliveryID, &n.Title, &n.Text, &n.Link,
			moment{&n.At}, moment{&n.ReadAt})
		return n, err
	}, `SELECT n.id, n.account_id, n.dedupe, n.org_id, n.kind, n.post_id, n.delivery_id, n.title, n.body, n.link, n.at, n.read_at
		FROM notices n JOIN orgs o ON o.id = n.org_id WHERE `+w.String()+` ORDER BY n.id DESC LIMIT ?`, append(w.args, r.Limit+1)...)
}

// CountNotices implements publish.NoticeStore.
func (s *Publishing) CountNotices(ctx context.Context, f publish.NoticeFilter) (int, error) {
	w := noticeWhere(f)
	n, err := One(ctx, s.db, ScanInt64, nil, `SELECT COUNT(*) FROM notices n JOIN orgs o ON o.id = n.org_id WHERE `+w.String(), w.args...)
	return int(n), err
}

// ReadNotice implements publish.NoticeStore.
func (s *Publishing) ReadNotice(ctx context.Context, f publish.NoticeFilter, id ids.ID, at time.Time) error {
	w := noticeWhere(f)
	w.add("n.id = ?", id)
	return s.db.Write(ctx, func(tx *Tx) error {
		read, err := One(tx.Ctx, tx, ScanInt64, errs.Missing("提醒"),
			`SELECT n.read_at FROM notices n JOIN orgs o ON o.id = n.org_id WHERE `+w.String(), w.args...)
		if err != nil || read != 0 {
			return err
		}
		_, err = tx.Exec(`UPDATE notices SET read_at = ? WHERE id = ?`, Millis(at), id)
		return err
	})
}

// ReadNotices implements publish.NoticeStore. What the person may not see any
// more is marked too: it would never be read.
func (s *Publishing) ReadNotices(ctx context.Context, f publish.NoticeFilter, upTo ids.ID, at time.Time) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(`UPDATE notices SET read_at = ? WHERE account_id = ? AND read_at = 0 AND (id <= ? OR ? = 0)`,
			Millis(at), f.AccountID, upTo, upTo)
		return err
	})
}

// SweepNotices implements publish.NoticeStore: some at a time, so that nobody
// waits long for the writer.
func (s *Publishing) SweepNotices(ctx context.Context, before time.Time) (int, error) {
	gone := 0
	for {
		old, err := All(ctx, s.db, ScanInt64, `SELECT id FROM notices WHERE at < ? ORDER BY at LIMIT ?`, Millis(before), maxList)
		if err != nil || len(old) == 0 {
			return gone, err
		}
		in, args := In("id", padded(old))
		err = s.db.Write(ctx, func(tx *Tx) error {
			_, err := tx.Exec(`DELETE FROM notices WHERE `+in, args...)
			return err
		})
		if err != nil {
			return gone, err
		}
		gone += len(old)
	}
}
