package storage

import (
	"context"
	"time"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/trail"
	"tongxin/publish/feed"
)

const (
	feedHookCols = `id, account_id, url, secret, enabled, note, created_by, created_at`
	feedJobCols  = `id, webhook_id, account_id, event, body, state, attempt, next_at, lease_owner, version, status, note, created_at, done_at`
)

// hookContext binds a sealed secret to its webhook.
func hookContext(id ids.ID) string { return "feed.webhook:" + id.String() }

// AddWebhook implements feed.Store.
func (s *Feeds) AddWebhook(ctx context.Context, h *feed.Webhook, e trail.Entry) (id ids.ID, err error) {
	sealed, err := s.seal.Seal(h.Secret, hookContext(h.ID))
	if err != nil {
		return 0, err
	}
	err = s.db.Write(ctx, func(tx *Tx) error {
		made, seen, err := tx.Once(e.Actor, h.ID)
		if id = made; err != nil || seen {
			return err
		}
		fresh, err := tx.Insert(`INSERT INTO feed_webhooks (`+feedHookCols+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			h.ID, h.AccountID, h.URL, sealed, flag(h.Enabled), h.Note, h.CreatedBy, Millis(h.CreatedAt))
		if err == nil && !fresh {
			err = errs.Bad("url", "这个推送地址已经添加过了。")
		}
		tx.Audit(e)
		return err
	})
	return id, err
}

// flag is a bool as the database keeps it.
func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (s *Feeds) scanHook(r Scanner) (h feed.Webhook, err error) {
	var sealed string
	var enabled int
	err = r.Scan(&h.ID, &h.AccountID, &h.URL, &sealed, &enabled, &h.Note, &h.CreatedBy, moment{&h.CreatedAt})
	if err != nil {
		return h, err
	}
	h.Enabled = enabled == 1
	h.Secret, err = s.seal.Open(sealed, hookContext(h.ID))
	return h, err
}

// Webhook implements feed.Store.
func (s *Feeds) Webhook(ctx context.Context, id ids.ID) (*feed.Webhook, error) {
	h, err := One(ctx, s.db, s.scanHook, errs.Missing("推送地址"), `SELECT `+feedHookCols+` FROM feed_webhooks WHERE id = ?`, id)
	return &h, err
}

// Webhooks implements feed.Store.
func (s *Feeds) Webhooks(ctx context.Context, account ids.ID) ([]feed.Webhook, error) {
	return All(ctx, s.db, s.scanHook, `SELECT `+feedHookCols+` FROM feed_webhooks WHERE account_id = ? ORDER BY id`, account)
}

// SaveWebhook implements feed.Store.
func (s *Feeds) SaveWebhook(ctx context.Context, h *feed.Webhook, e trail.Entry) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		res, err := tx.Exec(`UPDATE feed_webhooks SET enabled = ?, note = ? WHERE id = ?`, flag(h.Enabled), h.Note, h.ID)
		tx.Audit(e)
		return tx.MustAffect(res, err, errs.Missing("推送地址"))
	})
}

// DeleteWebhook implements feed.Store.
func (s *Feeds) DeleteWebhook(ctx context.Context, id ids.ID, e trail.Entry) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		res, err := tx.Exec(`DELETE FROM feed_webhooks WHERE id = ?`, id)
		if err := tx.MustAffect(res, err, errs.Missing("推送地址")); err != nil {
			return err
		}
		if _, err := tx.Exec(`DELETE FROM feed_attempts WHERE job_id IN (SELECT id FROM feed_jobs WHERE webhook_id = ?)`, id); err != nil {
			return err
		}
		tx.Audit(e)
		_, err = tx.Exec(`DELETE FROM feed_jobs WHERE webhook_id = ?`, id)
		return err
	})
}

// tell adds a job for every enabled webhook of the account. The locking read
// keeps a webhook from being deleted between the look and the job.
func (s *Feeds) tell(tx *Tx, account ids.ID, ev feed.Event) error {
	hooks, err := All(tx.Ctx, tx, scanID, `SELECT id FROM feed_webhooks WHERE account_id = ? AND enabled = 1 ORDER BY id`+tx.ForUpdate(), account)
	if err != nil {
		return err
	}
	for _, hook := range hooks {
		if err := s.addJob(tx, hook, account, ev); err != nil {
			return err
		}
	}
	return nil
}

func (s *Feeds) addJob(tx *Tx, hook, account ids.ID, ev feed.Event) error {
	_, err := tx.Exec(`INSERT INTO feed_jobs (`+feedJobCols+`) VALUES (?, ?, ?, ?, ?, ?, 0, ?, '', 1, 0, '', ?, 0)`,
		s.db.IDs().New(), hook, account, ev.Type, ev.Body, feed.JobWaiting, Millis(ev.At), Millis(ev.At))
	return err
}

// AddJob implements feed.Store.
func (s *Feeds) AddJob(ctx context.Context, h *feed.Webhook, ev feed.Event) error {
	return s.db.Write(ctx, func(tx *Tx) error { return s.addJob(tx, h.ID, h.AccountID, ev) })
}

func scanFeedJob(r Scanner) (*feed.Job, error) {
	var j feed.Job
	err := r.Scan(&j.ID, &j.WebhookID, &j.AccountID, &j.Event, &j.Body, &j.State, &j.Attempt, moment{&j.NextAt},
		&j.LeaseOwner, &j.Version, &j.Status, &j.Note, moment{&j.CreatedAt}, moment{&j.DoneAt})
	return &j, err
}

// ClaimJobs implements feed.Store. While a job is leased its next_at is the end
// of the lease, so one index answers what is due and what was abandoned.
func (s *Feeds) ClaimJobs(ctx context.Context, owner string, now, until time.Time, limit int) ([]*feed.Job, error) {
	due, err := All(ctx, s.db, scanFeedJob, `SELECT `+feedJobCols+` FROM feed_jobs
		WHERE state = ? AND next_at <= ? ORDER BY next_at, id LIMIT ?`, feed.JobWaiting, Millis(now), limit)
	if err != nil || len(due) == 0 {
		return nil, err
	}
	var mine []*feed.Job
	err = s.db.Write(ctx, func(tx *Tx) error {
		mine = nil
		for _, j := range due {
			res, err := tx.Exec(`UPDATE feed_jobs SET next_at = ?, lease_owner = ?, version = version + 1 WHERE id = ? AND version = ?`,
				Millis(until), owner, j.ID, j.Version)
			if err != nil {
				return err
			}
			n, err := res.RowsAffected()
			if err != nil {
				return err
			}
			if n == 1 {
				mine = append(mine, j)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, j := range mine {
		j.NextAt, j.LeaseOwner = until, owner
		j.Version++
	}
	return mine, nil
}

// NextJob implements feed.Store.
func (s *Feeds) NextJob(ctx context.Context) (time.Time, error) {
	next, err := One(ctx, s.db, ScanInt64, nil, `SELECT COALESCE(MIN(next_at), 0) FROM feed_jobs WHERE state = ?`, feed.JobWaiting)
	return FromMillis(next), err
}

// SaveJob implements feed.Store.
func (s *Feeds) SaveJob(ctx context.Context, j *feed.Job, expect int64, a feed.Attempt, disable string) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		err := swap(tx, "feed_jobs", j.ID, "推送任务", `UPDATE feed_jobs SET state = ?, attempt = ?, next_at = ?, lease_owner = ?,
			status = ?, note = ?, done_at = ?, version = ? WHERE id = ? AND version = ?`, j.State, j.Attempt, Millis(j.NextAt),
			j.LeaseOwner, j.Status, j.Note, Millis(j.DoneAt), expect+1, j.ID, expect)
		if err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT INTO feed_attempts (job_id, attempt, at, status, millis, note) VALUES (?, ?, ?, ?, ?, ?)`,
			j.ID, a.Attempt, Millis(a.At), a.Status, a.Millis, a.Note)
		if err == nil && disable != "" {
			_, err = tx.Exec(`UPDATE feed_webhooks SET enabled = 0, note = ? WHERE id = ?`, disable, j.WebhookID)
		}
		return err
	})
}

// Jobs implements feed.Store.
func (s *Feeds) Jobs(ctx context.Context, account ids.ID, r page.Request) ([]feed.Job, error) {
	var f filter
	f.add("account_id = ?", account)
	if r.After != 0 {
		f.add("id < ?", r.After)
	}
	jobs, err := All(ctx, s.db, scanFeedJob, `SELECT `+feedJobCols+` FROM feed_jobs WHERE `+f.String()+` ORDER BY id DESC LIMIT ?`,
		append(f.args, r.Limit+1)...)
	out := make([]feed.Job, len(jobs))
	for i, j := range jobs {
		out[i] = *j
	}
	return out, err
}

// Attempts implements feed.Store.
func (s *Feeds) Attempts(ctx context.Context, account, job ids.ID) ([]feed.Attempt, error) {
	_, err := One(ctx, s.db, ScanInt64, errs.Missing("推送任务"), `SELECT 1 FROM feed_jobs WHERE id = ? AND account_id = ?`, job, account)
	if err != nil {
		return nil, err
	}
	return All(ctx, s.db, func(r Scanner) (a feed.Attempt, err error) {
		err = r.Scan(&a.Attempt, moment{&a.At}, &a.Status, &a.Millis, &a.Note)
		return a, err
	}, `SELECT attempt, at, status, millis, note FROM feed_attempts WHERE job_id = ? ORDER BY attempt`, job)
}

// HookHealth implements feed.Store.
func (s *Feeds) HookHealth(ctx context.Context, account ids.ID, since time.Time) (hooks, disabled, failed int, err error) {
	err = s.db.QueryRow(ctx, `SELECT COUNT(*), COALESCE(SUM(CASE WHEN enabled = 0 THEN 1 ELSE 0 END), 0) FROM feed_webhooks
		WHERE account_id = ?`, account).Scan(&hooks, &disabled)
	if err == nil {
		err = s.db.QueryRow(ctx, `SELECT COUNT(*) FROM feed_jobs WHERE account_id = ? AND state = ? AND done_at >= ?`,
			account, feed.JobFailed, Millis(since)).Scan(&failed)
	}
	return hooks, disabled, failed, err
}
