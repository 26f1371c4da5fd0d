package storage

import (
	"context"
	"fmt"
	"time"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/publish/feed"
)

// Feeds implements feed.Store. Safe for concurrent use.
type Feeds struct {
	db   *DB
	seal Sealer
}

var _ feed.Store = (*Feeds)(nil)

// NewFeeds makes the store of public feeds and their webhooks.
func NewFeeds(db *DB, seal Sealer) *Feeds { return &Feeds{db: db, seal: seal} }

// SavePicture implements feed.Store.
func (s *Feeds) SavePicture(ctx context.Context, account ids.ID, p feed.Picture) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		_, err := tx.Insert(`INSERT INTO feed_pictures (account_id, hash, mime) VALUES (?, ?, ?)`, account, p.Hash, p.Mime)
		return err
	})
}

// Picture implements feed.Store. Removing a message removes its rows of
// feed_shown, so a row there is a public item.
func (s *Feeds) Picture(ctx context.Context, account ids.ID, hash string) (*feed.Picture, error) {
	return One(ctx, s.db, func(r Scanner) (*feed.Picture, error) {
		var p feed.Picture
		return &p, r.Scan(&p.Hash, &p.Mime)
	}, errs.Missing("图片"), `SELECT p.hash, p.mime FROM feed_pictures p WHERE p.account_id = ? AND p.hash = ?
		AND EXISTS (SELECT 1 FROM feed_shown s WHERE s.account_id = p.account_id AND s.hash = p.hash)`, account, hash)
}

// AddDraft implements feed.Store.
func (s *Feeds) AddDraft(ctx context.Context, d *feed.Draft) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(`INSERT INTO feed_drafts (id, account_id, articles, created_at) VALUES (?, ?, ?, ?)`,
			d.ID, d.AccountID, jsonText{d.Articles}, Millis(d.CreatedAt))
		return err
	})
}

// Draft implements feed.Store.
func (s *Feeds) Draft(ctx context.Context, account, id ids.ID) (*feed.Draft, error) {
	return One(ctx, s.db, func(r Scanner) (*feed.Draft, error) {
		var d feed.Draft
		return &d, r.Scan(&d.ID, &d.AccountID, jsonText{&d.Articles}, moment{&d.CreatedAt})
	}, errs.Missing("草稿"), `SELECT id, account_id, articles, created_at FROM feed_drafts WHERE id = ? AND account_id = ?`, id, account)
}

// DropDraft implements feed.Store.
func (s *Feeds) DropDraft(ctx context.Context, account, id ids.ID) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(`DELETE FROM feed_drafts WHERE id = ? AND account_id = ?`, id, account)
		return err
	})
}

// Publish implements feed.Store. The unique key on the client id makes it
// happen once; the deleted draft makes a second message of one draft impossible.
func (s *Feeds) Publish(ctx context.Context, m *feed.Message, draft ids.ID, ev feed.Event) (*feed.Message, error) {
	known := false
	err := s.db.Write(ctx, func(tx *Tx) error {
		fresh, err := tx.Insert(`INSERT INTO feed_messages (id, account_id, client_id, published_at, removed_at) VALUES (?, ?, ?, ?, 0)`,
			m.ID, m.AccountID, m.ClientID, Millis(m.PublishedAt))
		if known = err == nil && !fresh; err != nil || known {
			return err
		}
		res, err := tx.Exec(`DELETE FROM feed_drafts WHERE id = ? AND account_id = ?`, draft, m.AccountID)
		if err := tx.MustAffect(res, err, errs.Missing("草稿")); err != nil {
			return err
		}
		for i := range m.Items {
			if err := addItem(tx, &m.Items[i]); err != nil {
				return err
			}
		}
		return s.tell(tx, m.AccountID, ev)
	})
	if err != nil {
		return nil, err
	}
	if known {
		return s.MessageByClient(ctx, m.AccountID, m.ClientID)
	}
	return m, nil
}

func addItem(tx *Tx, it *feed.Item) error {
	_, err := tx.Exec(`INSERT INTO feed_items (`+feedItemCols+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)`,
		it.ID, it.AccountID, it.MessageID, it.Position, it.Title, it.Author, it.Digest, it.HTML, it.Cover, it.SourceURL, Millis(it.PublishedAt))
	for _, hash := range it.Pictures {
		if err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT INTO feed_shown (account_id, hash, item_id) VALUES (?, ?, ?)`, it.AccountID, hash, it.ID)
	}
	return err
}

const (
	feedItemCols    = `id, account_id, message_id, position, title, author, digest, html, cover, source_url, published_at, removed_at`
	feedMessageCols = `id, account_id, client_id, published_at, removed_at`
)

func scanFeedItem(r Scanner) (it feed.Item, err error) {
	err = r.Scan(&it.ID, &it.AccountID, &it.MessageID, &it.Position, &it.Title, &it.Author, &it.Digest, &it.HTML,
		&it.Cover, &it.SourceURL, moment{&it.PublishedAt}, moment{&it.RemovedAt})
	return it, err
}

func scanFeedMessage(r Scanner) (m feed.Message, err error) {
	err = r.Scan(&m.ID, &m.AccountID, &m.ClientID, moment{&m.PublishedAt}, moment{&m.RemovedAt})
	return m, err
}

// MessageByClient implements feed.Store.
func (s *Feeds) MessageByClient(ctx context.Context, account ids.ID, clientID string) (*feed.Message, error) {
	return s.message(ctx, `account_id = ? AND client_id = ?`, account, clientID)
}

// Message implements feed.Store.
func (s *Feeds) Message(ctx context.Context, account, id ids.ID) (*feed.Message, error) {
	return s.message(ctx, `account_id = ? AND id = ?`, account, id)
}

func (s *Feeds) message(ctx context.Context, where string, args ...any) (m *feed.Message, err error) {
	err = s.db.Read(ctx, func(q Queryer) error {
		found, err := One(ctx, q, scanFeedMessage, errs.Missing("发布记录"), `SELECT `+feedMessageCols+` FROM feed_messages WHERE `+where, args...)
		if err != nil {
			return err
		}
		m = &found
		m.Items, err = All(ctx, q, scanFeedItem, `SELECT `+feedItemCols+` FROM feed_items WHERE message_id = ? ORDER BY position`, m.ID)
		return err
	})
	return m, err
}

// Messages implements feed.Store.
func (s *Feeds) Messages(ctx context.Context, account ids.ID, offset, limit int) (ms []feed.Message, err error) {
	err = s.db.Read(ctx, func(q Queryer) error {
		ms, err = All(ctx, q, scanFeedMessage, `SELECT `+feedMessageCols+` FROM feed_messages
			WHERE account_id = ? AND removed_at = 0 ORDER BY id DESC LIMIT ? OFFSET ?`, account, limit, offset)
		if err != nil || len(ms) == 0 {
			return err
		}
		at := make(map[ids.ID]int, len(ms))
		keys := make([]ids.ID, len(ms))
		for i, m := range ms {
			at[m.ID], keys[i] = i, m.ID
		}
		where, args := In("message_id", padded(keys))
		items, err := All(ctx, q, scanFeedItem, `SELECT `+feedItemCols+` FROM feed_items WHERE `+where+` ORDER BY message_id, position`, args...)
		for _, it := range items {
			m := &ms[at[it.MessageID]]
			m.Items = append(m.Items, it)
		}
		return err
	})
	return ms, err
}

// Remove implements feed.Store.
func (s *Feeds) Remove(ctx context.Context, account, message ids.ID, ev feed.Event) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		res, err := tx.Exec(`UPDATE feed_messages SET removed_at = ? WHERE id = ? AND account_id = ? AND removed_at = 0`,
			Millis(ev.At), message, account)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		if _, err := tx.Exec(`DELETE FROM feed_shown WHERE item_id IN (SELECT id FROM feed_items WHERE message_id = ?)`, message); err != nil {
			return err
		}
		if _, err := tx.Exec(`UPDATE feed_items SET removed_at = ? WHERE message_id = ?`, Millis(ev.At), message); err != nil {
			return err
		}
		return s.tell(tx, account, ev)
	})
}

// Items implements feed.Store. Items of one message keep their order.
func (s *Feeds) Items(ctx context.Context, account ids.ID, limit int) ([]feed.Item, error) {
	return All(ctx, s.db, scanFeedItem, `SELECT `+feedItemCols+` FROM feed_items
		WHERE account_id = ? AND removed_at = 0 ORDER BY message_id DESC, position LIMIT ?`, account, limit)
}

// Item implements feed.Store.
func (s *Feeds) Item(ctx context.Context, account, id ids.ID) (*feed.Item, error) {
	it, err := One(ctx, s.db, scanFeedItem, errs.Missing("文章"), `SELECT `+feedItemCols+` FROM feed_items WHERE id = ? AND account_id = ?`, id, account)
	return &it, err
}

// Stamp implements feed.Store: ids only grow and removals only add, so the
// newest id with both counts never repeats.
func (s *Feeds) Stamp(ctx context.Context, account ids.ID) (string, error) {
	var newest, out, gone int64
	err := s.db.QueryRow(ctx, `SELECT COALESCE(MAX(id), 0), COUNT(*), COALESCE(SUM(CASE WHEN removed_at > 0 THEN 1 ELSE 0 END), 0)
		FROM feed_messages WHERE account_id = ?`, account).Scan(&newest, &out, &gone)
	return fmt.Sprintf("%d/%d/%d", newest, out, gone), err
}

// Sweep implements feed.Store, in steps that keep each transaction short.
func (s *Feeds) Sweep(ctx context.Context, drafts, jobs time.Time) (int, error) {
	total := 0
	for {
		old, err := All(ctx, s.db, scanID, `SELECT id FROM feed_jobs WHERE done_at > 0 AND done_at < ? ORDER BY done_at LIMIT 500`, Millis(jobs))
		if err != nil {
			return total, err
		}
		if len(old) == 0 {
			break
		}
		err = s.db.Write(ctx, func(tx *Tx) error { return deleteJobs(tx, old) })
		if err != nil {
			return total, err
		}
		total += len(old)
	}
	err := s.db.Write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(`DELETE FROM feed_drafts WHERE created_at < ?`, Millis(drafts))
		return err
	})
	return total, err
}

func scanID(r Scanner) (id ids.ID, err error) {
	err = r.Scan(&id)
	return id, err
}

func deleteJobs(tx *Tx, jobs []ids.ID) error {
	where, args := In("job_id", padded(jobs))
	if _, err := tx.Exec(`DELETE FROM feed_attempts WHERE `+where, args...); err != nil {
		return err
	}
	where, args = In("id", padded(jobs))
	_, err := tx.Exec(`DELETE FROM feed_jobs WHERE `+where, args...)
	return err
}
