package storage

import (
	"context"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/notify"
)

// Notify implements notify.Store.
type Notify struct{ db *DB }

// NewNotify makes the store of notices.
func NewNotify(db *DB) *Notify { return &Notify{db: db} }

const itemCols = `c.id, i.seq, c.kind, c.title, c.summary, i.at, i.read_at, o.name, c.event_at, c.place, c.link_kind, c.link_id, c.ask,
	i.choice, i.answer, i.answered_at`

const itemFrom = ` FROM inbox i JOIN campaigns c ON c.id = i.campaign_id JOIN orgs o ON o.id = c.org_id WHERE `

func scanItem(r Scanner, more ...any) (it notify.Item, err error) {
	var link notify.Link
	var answer notify.Answer
	err = r.Scan(append([]any{
		&it.ID, &it.Seq, &it.Kind, &it.Title, &it.Summary,
		moment{&it.At},
		moment{&it.ReadAt},
		&it.From,
		moment{&it.EventAt},
		&it.Place,
		&link.Kind, &link.ID,
		jsonText{&it.Ask},
		&answer.Choice, &answer.Text,
		moment{&answer.At},
	}, more...)...)
	if link.ID != 0 {
		it.Link = &link
	}
	if !answer.At.IsZero() {
		it.Answer = &answer
	}
	return it, err
}

// Inbox implements notify.InboxStore.
func (s *Notify) Inbox(ctx context.Context, f notify.InboxFilter, r page.Request) ([]notify.Item, error) {
	var w filter
	w.add("i.member_id = ?", f.Member)
	if f.Unread {
		w.add("i.read_at = 0")
	}
	if f.Query != "" {
		like := containing(f.Query)
		w.add("(LOWER(c.title) LIKE ? ESCAPE '!' OR LOWER(c.summary) LIKE ? ESCAPE '!')", like, like)
	}
	if r.After != 0 {
		w.add("i.seq < ?", r.After)
	}
	return All(ctx, s.db, func(r Scanner) (notify.Item, error) { return scanItem(r) },
		`SELECT `+itemCols+itemFrom+w.String()+` ORDER BY i.seq DESC LIMIT ?`, append(w.args, r.Limit+1)...)
}

// UnreadCount implements notify.InboxStore.
func (s *Notify) UnreadCount(ctx context.Context, member ids.ID) (int, error) {
	n, err := One(ctx, s.db, ScanInt64, nil, `SELECT COUNT(*) FROM inbox WHERE member_id = ? AND read_at = 0`, member)
	return int(n), err
}

// InboxItem implements notify.InboxStore.
func (s *Notify) InboxItem(ctx context.Context, member, campaign ids.ID) (*notify.Item, string, error) {
	body := ""
	it, err := One(ctx, s.db, func(r Scanner) (notify.Item, error) { return scanItem(r, &body) }, errs.Missing("消息"),
		`SELECT `+itemCols+`, c.body`+itemFrom+`i.campaign_id = ? AND i.member_id = ?`, campaign, member)
	if err != nil {
		return nil, "", err
	}
	return &it, body, nil
}

// MarkRead implements notify.InboxStore. The first receipt stands.
func (s *Notify) MarkRead(ctx context.Context, member, campaign ids.ID) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		res, err := tx.Exec(`UPDATE inbox SET read_at = ? WHERE campaign_id = ? AND member_id = ? AND read_at = 0`, Millis(tx.Now), campaign, member)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n > 0 {
			return err
		}
		_, err = One(tx.Ctx, tx, ScanInt64, errs.Missing("消息"), `SELECT 1 FROM inbox WHERE campaign_id = ? AND member_id = ?`, campaign, member)
		return err
	})
}

// MarkAllRead implements notify.InboxStore.
func (s *Notify) MarkAllRead(ctx context.Context, member, upTo ids.ID) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		if upTo == 0 {
			_, err := tx.Exec(`UPDATE inbox SET read_at = ? WHERE member_id = ? AND read_at = 0`, Millis(tx.Now), member)
			return err
		}
		seq, err := One(tx.Ctx, tx, ScanInt64, errs.Missing("消息"), `SELECT seq FROM inbox WHERE campaign_id = ? AND member_id = ?`, upTo, member)
		if err != nil {
			return err
		}
		_, err = tx.Exec(`UPDATE inbox SET read_at = ? WHERE member_id = ? AND read_at = 0 AND seq <= ?`, Millis(tx.Now), member, seq)
		return err
	})
}

// SaveAnswer implements notify.InboxStore.
func (s *Notify) SaveAnswer(ctx context.Context, member, campaign ids.ID, a notify.Answer) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		res, err := tx.Exec(`UPDATE inbox SET choice = ?, answer = ?, answered_at = ?, read_at = CASE WHEN read_at = 0 THEN ? ELSE read_at END
			WHERE campaign_id = ? AND member_id = ?`, a.Choice, a.Text, Millis(a.At), Millis(a.At), campaign, member)
		return tx.MustAffect(res, err, errs.Missing("消息"))
	})
}
