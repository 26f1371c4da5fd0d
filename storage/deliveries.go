package storage

import (
	"context"
	"errors"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/trail"
	"tongxin/publish"
)

// deliverySet are the columns that SaveDelivery stores, in the order of deliveryArgs.
var deliverySet = []string{
	"mode", "state", "step", "due_at", "next_at", "lease_owner", "lease_until", "attempt", "draft_id",
	"publish_id", "msg_id", "msg_data_id", "submit_at", "done_at", "article_id", "urls", "err_kind", "err_code", "note", "polls",
}

func deliveryArgs(d *publish.Delivery) []any {
	urls := d.URLs
	if urls == nil {
		urls = []string{}
	}
	return []any{
		string(d.Mode), string(d.State), string(d.Step), Millis(d.DueAt), Millis(d.NextAt), d.LeaseOwner, Millis(d.LeaseUntil), d.Attempt, d.DraftID,
		d.Receipt.PublishID, d.Receipt.MsgID, d.Receipt.MsgDataID, Millis(d.SubmitAt), Millis(d.DoneAt), d.ArticleID,
		jsonText{urls},
		string(d.ErrKind), d.ErrCode, d.Note, d.Polls,
	}
}

const (
	deliveryCols = `d.id, d.post_id, d.account_id, a.name, p.title, p.org_id, o.path, a.platform, d.mode, d.state, d.step, d.hash,
		d.post_version, d.due_at, d.next_at, d.lease_owner, d.lease_until, d.version, d.attempt, d.draft_id, d.publish_id, d.msg_id,
		d.msg_data_id, d.submit_at, d.done_at, d.article_id, d.urls, d.err_kind, d.err_code, d.note, d.polls`
	deliveryFrom = ` FROM deliveries d JOIN posts p ON p.id = d.post_id JOIN orgs o ON o.id = p.org_id
		JOIN platform_accounts a ON a.id = d.account_id `
)

func scanDelivery(r Scanner) (publish.Delivery, error) {
	var d publish.Delivery
	err := r.Scan(&d.ID, &d.PostID, &d.AccountID, &d.AccountName, &d.PostTitle, &d.OrgID, &d.OrgPath, &d.Platform, &d.Mode, &d.State, &d.Step,
		&d.Hash, &d.PostVersion, moment{&d.DueAt}, moment{&d.NextAt}, &d.LeaseOwner, moment{&d.LeaseUntil}, &d.Version, &d.Attempt, &d.DraftID,
		&d.Receipt.PublishID, &d.Receipt.MsgID, &d.Receipt.MsgDataID, moment{&d.SubmitAt}, moment{&d.DoneAt}, &d.ArticleID,
		jsonText{&d.URLs}, &d.ErrKind, &d.ErrCode, &d.Note, &d.Polls)
	return d, err
}

func scanDeliveryPtr(r Scanner) (*publish.Delivery, error) {
	d, err := scanDelivery(r)
	return &d, err
}

// Delivery implements publish.QueueStore.
func (s *Publishing) Delivery(ctx context.Context, id ids.ID) (*publish.Delivery, error) {
	return One(ctx, s.db, scanDeliveryPtr, errs.Missing("发布记录"), `SELECT `+deliveryCols+deliveryFrom+`WHERE d.id = ?`, id)
}

// DeliveriesOf implements publish.QueueStore: oldest first.
func (s *Publishing) DeliveriesOf(ctx context.Context, post ids.ID) ([]publish.Delivery, error) {
	return All(ctx, s.db, scanDelivery, `SELECT `+deliveryCols+deliveryFrom+`WHERE d.post_id = ? ORDER BY d.id`, post)
}

// ListDeliveries implements publish.QueueStore: newest first, one row more than
// the limit.
func (s *Publishing) ListDeliveries(ctx context.Context, f publish.DeliveryFilter, r page.Request) ([]publish.Delivery, error) {
	var w filter
	scope, args := ScopeSQL("o.path", f.Scope)
	w.add(scope, args...)
	if len(f.States) > 0 {
		states := make([]string, len(f.States))
		for i, s := range f.States {
			states[i] = string(s)
		}
		in, args := In("d.state", padded(states))
		w.add(in, args...)
	}
	if f.AccountID != 0 {
		w.add("d.account_id = ?", f.AccountID)
	}
	if f.OrgID != 0 {
		w.add("p.org_id = ?", f.OrgID)
	}
	if !f.From.IsZero() {
		w.add("d.due_at >= ?", Millis(f.From))
	}
	if !f.To.IsZero() {
		w.add("d.due_at < ?", Millis(f.To))
	}
	if r.After != 0 {
		w.add("d.id < ?", r.After)
	}
	return All(ctx, s.db, scanDelivery, `SELECT `+deliveryCols+deliveryFrom+`WHERE `+w.String()+` ORDER BY d.id DESC LIMIT ?`,
		append(w.args, r.Limit+1)...)
}

// DeliveryByReceipt implements publish.QueueStore: the newest delivery of the
// account that bears one of the receipt's numbers.
func (s *Publishing) DeliveryByReceipt(ctx context.Context, account ids.ID, r publish.Receipt) (*publish.Delivery, error) {
	for _, n := range []struct{ col, value string }{
		{"d.publish_id", r.PublishID}, {"d.msg_data_id", r.MsgDataID}, {"d.msg_id", r.MsgID},
	} {
		if n.value == "" {
			continue
		}
		d, err := One(ctx, s.db, scanDeliveryPtr, errs.Missing("发布记录"), `SELECT `+deliveryCols+deliveryFrom+
			`WHERE `+n.col+` = ? AND d.account_id = ? ORDER BY d.id DESC LIMIT 1`, n.value, account)
		if err == nil || !errs.Is(err, errs.NotFound) {
			return d, err
		}
	}
	return nil, errs.Missing("发布记录")
}

// DeliveryEvents implements publish.QueueStore: oldest first.
func (s *Publishing) DeliveryEvents(ctx context.Context, id ids.ID) ([]publish.Event, error) {
	return All(ctx, s.db, func(r Scanner) (publish.Event, error) {
		var e publish.Event
		err := r.Scan(&e.ID, &e.DeliveryID, moment{&e.At}, &e.State, &e.Step, &e.Note)
		return e, err
	}, `SELECT id, delivery_id, at, state, step, note FROM delivery_events WHERE delivery_id = ? ORDER BY at, id`, id)
}

// SaveDelivery implements publish.QueueStore.
func (s *Publishing) SaveDelivery(ctx context.Context, d *publish.Delivery, expect int64, note string, e *trail.Entry) error {
	if d.ID == 0 {
		return internal(errors.New("storage: a delivery without an id"))
	}
	err := s.db.Write(ctx, func(tx *Tx) error {
		over := d.State.Over()
		var post publish.PostState
		if over { // the post's row first: two last deliveries must not miss each other
			err := tx.QueryRow(tx.Ctx, `SELECT state FROM posts WHERE id = ?`+tx.ForUpdate(), d.PostID).Scan(&post)
			if err != nil {
				return err
			}
		}
		if err := updateDelivery(tx, d, expect); err != nil {
			return err
		}
		if d.State == publish.Published && d.ArticleID != "" {
			if err := claimArticle(tx, d); err != nil {
				return err
			}
		}
		if note != "" {
			if err := s.insertEvent(tx, d.ID, string(d.State), string(d.Step), note); err != nil {
				return err
			}
		}
		if over && post == publish.Queued {
			if err := finish(tx, d.PostID, e); err != nil {
				return err
			}
		}
		if e != nil {
			tx.Audit(*e)
		}
		return nil
	})
	if err == nil {
		d.Version = expect + 1
	}
	return err
}

const saveDelivery = `UPDATE deliveries SET mode = ?, state = ?, step = ?, due_at = ?, next_at = ?, lease_owner = ?, lease_until = ?,
	attempt = ?, draft_id = ?, publish_id = ?, msg_id = ?, msg_data_id = ?, submit_at = ?, done_at = ?, article_id = ?, urls = ?,
	err_kind = ?, err_code = ?, note = ?, polls = ?, version = version + 1 WHERE id = ? AND version = ?`

func updateDelivery(tx *Tx, d *publish.Delivery, expect int64) error {
	return swap(tx, "deliveries", d.ID, "发布记录", saveDelivery, append(deliveryArgs(d), d.ID, expect)...)
}

// finish ends a queued post when none of its deliveries is under way.
func finish(tx *Tx, post ids.ID, e *trail.Entry) error {
	open, err := One(tx.Ctx, tx, ScanInt64, nil, `SELECT COUNT(*) FROM deliveries WHERE post_id = ? AND `+openState, post)
	if err != nil || open > 0 {
		return err
	}
	if e == nil || e.Actor == nil || e.Actor.Name == "" {
		_, err = tx.Exec(`UPDATE posts SET state = 'finished', version = version + 1, updated_at = ? WHERE id = ? AND state = 'queued'`,
			Millis(tx.Now), post)
		return err
	}
	_, err = tx.Exec(`UPDATE posts SET state = 'finished', version = version + 1, updated_at = ?, updated_by = ? WHERE id = ? AND state = 'queued'`,
		Millis(tx.Now), e.Actor.Name, post)
	return err
}

// claimArticle binds a published article to its delivery, once and for ever.
func claimArticle(tx *Tx, d *publish.Delivery) error {
	fresh, err := tx.Insert(`INSERT INTO article_claims (account_id, article_id, delivery_id) VALUES (?, ?, ?)`, d.AccountID, d.ArticleID, d.ID)
	if err != nil || fresh {
		return err
	}
	owner, err := One(tx.Ctx, tx, ScanInt64, nil, `SELECT delivery_id FROM article_claims WHERE account_id = ? AND article_id = ?`, d.AccountID, d.ArticleID)
	if err != nil {
		return err
	}
	if owner != int64(d.ID) {
		return errs.New(errs.Conflict, "这篇已发布的文章已经对应另一条发布记录，请核对后再操作。")
	}
	return nil
}

// ClaimedArticles implements publish.QueueStore.
func (s *Publishing) ClaimedArticles(ctx context.Context, account ids.ID, articleIDs []string) (map[string]bool, error) {
	out := map[string]bool{}
	for _, part := range chunks(articleIDs) {
		in, args := In("article_id", padded(part))
		found, err := All(ctx, s.db, ScanString, `SELECT article_id FROM article_claims WHERE account_id = ? AND `+in, append([]any{account}, args...)...)
		if err != nil {
			return nil, err
		}
		for _, id := range found {
			out[id] = true
		}
	}
	return out, nil
}
