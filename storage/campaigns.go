package storage

import (
	"context"
	"time"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/trail"
	"tongxin/notify"
)

var _ notify.Store = (*Notify)(nil)

const campaignCols = `c.id, c.org_id, o.name, o.path, c.dedupe, c.kind, c.title, c.summary, c.ask, c.link_kind, c.link_id, c.event_at, c.place, c.remark,
	c.audience, c.target, c.push, c.remind_of, c.state, c.problem, c.sent_id, c.recipients, c.fence, c.version, c.created_at, c.created_by,
	c.updated_at, c.updated_by, c.started_at, c.done_at`

const campaignFrom = ` FROM campaigns c JOIN orgs o ON o.id = c.org_id WHERE `

func scanCampaign(r Scanner, more ...any) (c notify.Campaign, err error) {
	var link notify.Link
	err = r.Scan(append([]any{
		&c.ID, &c.OrgID, &c.OrgName, &c.OrgPath, &c.Dedupe, &c.Kind, &c.Title, &c.Summary,
		jsonText{&c.Ask},
		&link.Kind, &link.ID,
		moment{&c.EventAt},
		&c.Place, &c.Remark,
		jsonText{&c.Audience},
		jsonText{&c.Target},
		&c.Push, &c.RemindOf, &c.State, &c.Problem,
		&c.SentID, &c.Recipients, &c.Fence, &c.Version,
		moment{&c.CreatedAt},
		&c.CreatedBy,
		moment{&c.UpdatedAt},
		&c.UpdatedBy,
		moment{&c.StartedAt},
		moment{&c.DoneAt},
	}, more...)...)
	if link.ID != 0 {
		c.Link = &link
	}
	return c, err
}

func scanCampaignRow(r Scanner) (notify.Campaign, error) { return scanCampaign(r) }

// Campaign implements notify.CampaignStore.
func (s *Notify) Campaign(ctx context.Context, id ids.ID) (*notify.Campaign, error) {
	body := ""
	c, err := One(ctx, s.db, func(r Scanner) (notify.Campaign, error) { return scanCampaign(r, &body) }, errs.Missing("通知"),
		`SELECT `+campaignCols+`, c.body`+campaignFrom+`c.id = ?`, id)
	if err != nil {
		return nil, err
	}
	c.Body = body
	return &c, nil
}

// Campaigns implements notify.CampaignStore.
func (s *Notify) Campaigns(ctx context.Context, f notify.CampaignFilter, r page.Request) ([]notify.Campaign, error) {
	var w filter
	scope, args := ScopeSQL("o.path", f.Scope)
	if len(f.Above) > 0 {
		above, ids := In("c.org_id", padded(f.Above))
		scope = "(" + scope + " OR " + above + " AND c.state <> ? AND c.kind <> ?)"
		args = append(append(args, ids...), notify.Draft, notify.System)
	}
	w.add(scope, args...)
	if f.State != "" {
		w.add("c.state = ?", f.State)
	}
	if f.Query != "" {
		w.add("LOWER(c.title) LIKE ? ESCAPE '!'", containing(f.Query))
	}
	if r.After != 0 {
		w.add("c.id < ?", r.After)
	}
	return All(ctx, s.db, scanCampaignRow, `SELECT `+campaignCols+campaignFrom+w.String()+` ORDER BY c.id DESC LIMIT ?`, append(w.args, r.Limit+1)...)
}

// CreateCampaign implements notify.CampaignStore.
func (s *Notify) CreateCampaign(ctx context.Context, c *notify.Campaign, pause time.Duration, e trail.Entry) (id ids.ID, err error) {
	err = s.db.Write(ctx, func(tx *Tx) error {
		made, seen, err := tx.Once(e.Actor, c.ID)
		if id = made; err != nil || seen {
			return err
		}
		if pause > 0 {
			if err := tx.restReminders(c, pause); err != nil {
				return err
			}
		}
		dedupe := c.Dedupe
		if dedupe == "" {
			dedupe = "#" + c.ID.String()
		}
		link := notify.Link{}
		if c.Link != nil {
			link = *c.Link
		}
		fresh, err := tx.Insert(`INSERT INTO campaigns (id, org_id, dedupe, kind, title, summary, body, ask, link_kind, link_id, event_at, place, remark,
			audience, target, push, remind_of, state, problem, sent_id, recipients, lease_owner, lease_until, fence, version, created_at, created_by,
			updated_at, updated_by, started_at, done_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', ?, 0, '', 0, 1, ?, ?, ?, ?, ?, ?, 0)`,
			c.ID, c.OrgID, dedupe, c.Kind, c.Title, c.Summary, c.Body, jsonText{c.Ask}, link.Kind, link.ID, Millis(c.EventAt), c.Place, c.Remark,
			jsonText{c.Audience}, jsonText{c.Target}, c.Push, c.RemindOf, c.State, c.SentID, c.Version, Millis(c.CreatedAt), c.CreatedBy,
			Millis(c.UpdatedAt), c.UpdatedBy, Millis(c.StartedAt))
		if err != nil {
			return err
		}
		if !fresh {
			n, err := One(tx.Ctx, tx, ScanInt64, nil, `SELECT id FROM campaigns WHERE dedupe = ?`, dedupe)
			id = ids.ID(n)
			return err
		}
		tx.Audit(e)
		return nil
	})
	return id, err
}

// restReminders refuses a reminder that comes too soon after the last one. The
// row of the notice is locked, so that two at once are told apart.
func (tx *Tx) restReminders(c *notify.Campaign, pause time.Duration) error {
	if _, err := One(tx.Ctx, tx, ScanInt64, errs.Missing("通知"), `SELECT id FROM campaigns WHERE id = ?`+tx.ForUpdate(), c.RemindOf); err != nil {
		return err
	}
	last, err := One(tx.Ctx, tx, ScanInt64, nil, `SELECT COALESCE(MAX(created_at), 0) FROM campaigns WHERE remind_of = ? AND org_id = ?`, c.RemindOf, c.OrgID)
	if err != nil {
		return err
	}
	if left := pause - tx.Now.Sub(FromMillis(last)); last > 0 && left > 0 {
		return &errs.Error{Code: errs.TooMany, Msg: "一小时内已经提醒过一次，请稍后再提醒。", RetryAfter: left}
	}
	return nil
}

// SaveCampaign implements notify.CampaignStore.
func (s *Notify) SaveCampaign(ctx context.Context, c *notify.Campaign, expect int64, e trail.Entry) error {
	link := notify.Link{}
	if c.Link != nil {
		link = *c.Link
	}
	return s.db.Write(ctx, func(tx *Tx) error {
		// The state is part of the comparison: the program moves it without
		// raising the version that people edit.
		err := swap(tx, "campaigns", c.ID, "通知", `UPDATE campaigns SET org_id = ?, kind = ?, title = ?, summary = ?, body = ?, ask = ?, link_kind = ?,
			link_id = ?, event_at = ?, place = ?, remark = ?, audience = ?, target = ?, push = ?, state = ?, problem = ?, sent_id = ?, fence = fence + 1,
			lease_until = 0, version = ?, updated_at = ?, updated_by = ?, started_at = ?, done_at = ? WHERE id = ? AND version = ? AND state = ?`,
			c.OrgID, c.Kind, c.Title, c.Summary, c.Body, jsonText{c.Ask}, link.Kind, link.ID, Millis(c.EventAt), c.Place, c.Remark,
			jsonText{c.Audience}, jsonText{c.Target}, c.Push, c.State, c.Problem, c.SentID, c.Version, Millis(c.UpdatedAt), c.UpdatedBy,
			Millis(c.StartedAt), Millis(c.DoneAt), c.ID, expect, c.Was)
		if err != nil {
			return err
		}
		switch {
		case c.State == notify.Cancelled:
			_, err = tx.Exec(`UPDATE sends SET state = ?, done_at = ?, version = version + 1 WHERE campaign_id = ? AND state = ?`,
				notify.SendStopped, Millis(tx.Now), c.ID, notify.SendWaiting)
		case c.RetryBy != "":
			_, err = tx.Exec(`UPDATE sends SET state = ?, channel = ?, next_at = ?, attempt = 0, done_at = 0, version = version + 1
				WHERE campaign_id = ? AND state IN (?, ?)`, notify.SendWaiting, c.RetryBy, Millis(tx.Now), c.ID, notify.SendFailed, notify.SendSkipped)
		}
		if err != nil {
			return err
		}
		tx.Audit(e)
		return nil
	})
}

// DeleteCampaign implements notify.CampaignStore.
func (s *Notify) DeleteCampaign(ctx context.Context, id ids.ID, expect int64, e trail.Entry) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		err := swap(tx, "campaigns", id, "通知", `DELETE FROM campaigns WHERE id = ? AND version = ? AND state = ?`, id, expect, notify.Draft)
		if err != nil {
			return err
		}
		tx.Audit(e)
		return nil
	})
}

// settingsName is where the settings of notices are kept.
const settingsName = "notify"

// Settings implements notify.SettingsStore.
func (s *Notify) Settings(ctx context.Context) (*notify.Settings, error) {
	value, version, err := s.db.Setting(ctx, settingsName)
	if err != nil {
		return nil, err
	}
	var set notify.Settings
	if value != "" {
		if err := (jsonText{&set}).Scan(value); err != nil {
			return nil, err
		}
	}
	set.Version = version
	return &set, nil
}

// SaveSettings implements notify.SettingsStore.
func (s *Notify) SaveSettings(ctx context.Context, set *notify.Settings, expect int64, e trail.Entry) error {
	value, err := jsonText{set}.Value()
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *Tx) error {
		if err := tx.SetSetting(settingsName, value.(string), expect); err != nil { //nolint:errcheck // jsonText makes strings
			return err
		}
		tx.Audit(e)
		return nil
	})
}
