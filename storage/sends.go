package storage

import (
	"context"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/member"
	"tongxin/notify"
)

// SendingCampaigns implements notify.SendStore.
func (s *Notify) SendingCampaigns(ctx context.Context) ([]notify.Campaign, error) {
	return All(ctx, s.db, scanCampaignRow, `SELECT `+campaignCols+campaignFrom+`c.state = ? ORDER BY c.id`, notify.Sending)
}

// due is a row that a claim looks at.
type due struct {
	member, version int64
	attempt         int
	openID          string
	usable          bool
}

// ClaimSends implements notify.SendStore.
//
// Lock order on MySQL: campaigns, send_budgets, sends, grants.
func (s *Notify) ClaimSends(ctx context.Context, c notify.Claim) (*notify.Claimed, error) {
	var out *notify.Claimed
	err := s.db.Write(ctx, func(tx *Tx) error {
		out = &notify.Claimed{}
		state, err := One(tx.Ctx, tx, ScanString, errs.Missing("通知"), `SELECT state FROM campaigns WHERE id = ?`+tx.ForUpdate(), c.Campaign)
		if err != nil || state != string(notify.Sending) {
			return err
		}
		from, room, err := tx.room(c, out)
		if err != nil || room <= 0 {
			return err
		}
		rows, err := tx.dueSends(c, min(room, c.Max, maxClaim))
		if err != nil || len(rows) == 0 {
			return err
		}
		if err := tx.reachable(c, rows); err != nil {
			return err
		}
		return tx.lease(c, rows, from, out)
	})
	return out, err
}

// room is how many messages the account's rate has room for, and from when on,
// in microseconds. It locks the rate for this transaction.
func (tx *Tx) room(c notify.Claim, out *notify.Claimed) (from int64, n int, err error) {
	read := func() (int64, error) {
		return One(tx.Ctx, tx, ScanInt64, errs.Missing("速率"), `SELECT spoken_to FROM send_budgets WHERE app_id = ?`+tx.ForUpdate(), c.Template.AppID)
	}
	spoken, err := read()
	if errs.Is(err, errs.NotFound) {
		if _, err := tx.Insert(`INSERT INTO send_budgets (app_id, spoken_to) VALUES (?, 0)`, c.Template.AppID); err != nil {
			return 0, 0, err
		}
		spoken, err = read()
	}
	if err != nil {
		return 0, 0, err
	}
	now := tx.Now.UnixMicro()
	from = max(spoken, now-notify.Burst.Microseconds())
	step := 1e6 / c.Rate
	n = int(float64(now+notify.Horizon.Microseconds()-from) / step)
	if n <= 0 {
		out.Wait = time.Duration(float64(from-now-notify.Horizon.Microseconds())+step) * time.Microsecond
	}
	return from, n, nil
}

func (tx *Tx) dueSends(c notify.Claim, n int) ([]due, error) {
	return All(tx.Ctx, tx, func(r Scanner) (d due, err error) {
		err = r.Scan(&d.member, &d.version, &d.attempt)
		return d, err
	}, `SELECT member_id, version, attempt FROM sends WHERE campaign_id = ? AND state = ? AND channel = ? AND next_at <= ?
		ORDER BY next_at LIMIT ?`+tx.ForUpdate(), c.Campaign, notify.SendWaiting, c.Template.Channel, Millis(tx.Now), n)
}

// reachable finds who can be reached by the channel: bound to the app, still in
// the roster, and with a grant where one is needed. The grants are taken.
func (tx *Tx) reachable(c notify.Claim, rows []due) error {
	at := map[int64]int{}
	list := make([]int64, len(rows))
	for i, d := range rows {
		at[d.member], list[i] = i, d.member
	}
	where, args := In("b.member_id", padded(list))
	_, err := All(tx.Ctx, tx, func(r Scanner) (struct{}, error) {
		var id int64
		open := ""
		if err := r.Scan(&id, &open); err != nil {
			return struct{}{}, err
		}
		d := &rows[at[id]]
		d.openID, d.usable = open, open != ""
		return struct{}{}, nil
	}, `SELECT b.member_id, b.openid FROM `+bindings+` b JOIN members m ON m.id = b.member_id WHERE b.app_id = ? AND m.state = ? AND `+where,
		append([]any{c.Template.AppID, member.Active}, args...)...)
	if err != nil || !c.Template.NeedsGrant() {
		return err
	}
	return tx.takeGrants(c, rows, at)
}

// takeGrants takes one grant of each reachable member who has one left.
func (tx *Tx) takeGrants(c notify.Claim, rows []due, at map[int64]int) error {
	var bound []int64
	for i := range rows {
		if rows[i].usable {
			bound = append(bound, rows[i].member)
		}
		rows[i].usable = false
	}
	if len(bound) == 0 {
		return nil
	}
	where, args := In("member_id", padded(bound))
	have, err := All(tx.Ctx, tx, ScanInt64, `SELECT member_id FROM grants WHERE template_id = ? AND left_n > 0 AND `+where+tx.ForUpdate(),
		append([]any{c.Template.ID}, args...)...)
	if err != nil || len(have) == 0 {
		return err
	}
	where, args = In("member_id", padded(have))
	args = append([]any{c.Template.ID}, args...)
	if _, err := tx.Exec(`UPDATE grants SET left_n = left_n - 1, seq = seq + 1 WHERE template_id = ? AND `+where, args...); err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO grant_rows (member_id, template_id, seq, kind, n, left_n, source, campaign_id, at)
		SELECT member_id, template_id, seq, ?, -1, left_n, ?, ?, ? FROM grants WHERE template_id = ? AND `+where,
		append([]any{notify.Used, notify.FromProgram, c.Campaign, Millis(tx.Now)}, args...)...)
	for _, id := range have {
		rows[at[id]].usable = true
	}
	return err
}

// lease stores the intents and the account's rate, and moves on who cannot be
// reached by this channel.
func (tx *Tx) lease(c notify.Claim, rows []due, from int64, out *notify.Claimed) error {
	var go_, move []int64
	step := 1e6 / c.Rate
	for _, d := range rows {
		if !d.usable {
			move = append(move, d.member)
			continue
		}
		at := time.UnixMicro(from + int64(float64(len(go_))*step)).UTC()
		out.Sends = append(out.Sends, notify.Outgoing{MemberID: ids.ID(d.member), OpenID: d.openID, Version: d.version + 1, Attempt: d.attempt, At: at})
		go_ = append(go_, d.member)
	}
	if len(move) > 0 {
		where, args := In("member_id", padded(move))
		state, done := notify.SendWaiting, int64(0)
		if c.Next == "" {
			state, done = notify.SendSkipped, Millis(tx.Now)
		}
		channel := c.Next
		if channel == "" {
			channel = c.Template.Channel
		}
		_, err := tx.Exec(`UPDATE sends SET channel = ?, state = ?, done_at = ?, version = version + 1 WHERE campaign_id = ? AND state = ? AND `+where,
			append([]any{channel, state, done, c.Campaign, notify.SendWaiting}, args...)...)
		if err != nil {
			return err
		}
		out.Moved = len(move)
	}
	if len(go_) == 0 {
		return nil
	}
	where, args := In("member_id", padded(go_))
	_, err := tx.Exec(`UPDATE sends SET state = ?, app_id = ?, template_id = ?, lease_owner = ?, lease_until = ?, intent_at = ?, version = version + 1
		WHERE campaign_id = ? AND state = ? AND `+where, append([]any{
		notify.SendIntent, c.Template.AppID, c.Template.ID, c.Owner, Millis(c.Until), Millis(tx.Now), c.Campaign, notify.SendWaiting,
	}, args...)...)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`UPDATE send_budgets SET spoken_to = ? WHERE app_id = ?`, from+int64(float64(len(go_))*step), c.Template.AppID)
	return err
}

// StoreResults implements notify.SendStore.
func (s *Notify) StoreResults(ctx context.Context, list []notify.Result) (n int, err error) {
	err = s.db.Write(ctx, func(tx *Tx) error {
		n = 0
		for _, r := range list {
			kept, err := tx.storeResult(r)
			if err != nil {
				return err
			}
			if kept {
				n++
			}
		}
		return nil
	})
	return n, err
}

func (tx *Tx) storeResult(r notify.Result) (bool, error) {
	done := Millis(r.At)
	if r.State == notify.SendWaiting {
		done = 0
	}
	res, err := tx.Exec(`UPDATE sends SET state = ?, channel = CASE WHEN ? = '' THEN channel ELSE ? END, next_at = ?, lease_owner = '', lease_until = 0,
		version = version + 1, attempt = ?, err_kind = ?, err_code = ?, note = ?, msg_id = ?, done_at = ?
		WHERE campaign_id = ? AND member_id = ? AND state = ? AND version = ?`,
		r.State, r.Channel, r.Channel, Millis(r.NextAt), r.Attempt, r.Kind, r.Code, cutText(r.Note, 255), r.MsgID, done,
		r.Campaign, r.Member, notify.SendIntent, r.Version)
	if err != nil {
		return false, err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return false, err
	}
	switch {
	case r.GiveBack:
		err = tx.grantStep(r.Member, r.Template, func(int64) (notify.GrantKind, int64) { return notify.Returned, 1 }, notify.FromProgram, r.Campaign, tx.Now)
	case r.Empty:
		err = tx.grantStep(r.Member, r.Template, func(left int64) (notify.GrantKind, int64) { return notify.Refused, -left }, notify.FromProgram, r.Campaign, tx.Now)
	}
	return true, err
}

func cutText(v string, n int) string {
	if r := []rune(v); len(r) > n {
		return string(r[:n])
	}
	return v
}

// LoseSends implements notify.SendStore.
func (s *Notify) LoseSends(ctx context.Context, now time.Time) (int, error) {
	n, err := One(ctx, s.db, ScanInt64, nil, `SELECT COUNT(*) FROM sends WHERE state = ? AND lease_until < ?`, notify.SendIntent, Millis(now))
	if err != nil || n == 0 {
		return 0, err
	}
	var lost int64
	err = s.db.Write(ctx, func(tx *Tx) error {
		res, err := tx.Exec(`UPDATE sends SET state = ?, lease_owner = '', lease_until = 0, done_at = ?, note = ?, version = version + 1
			WHERE state = ? AND lease_until < ?`, notify.SendUnknown, Millis(tx.Now), "程序在发送途中中断，不能确定是否已送达；系统不会重复发送。",
			notify.SendIntent, Millis(now))
		if err != nil {
			return err
		}
		lost, err = res.RowsAffected()
		return err
	})
	return int(lost), err
}

// NextSend implements notify.SendStore. What is being sent counts as due soon:
// the campaign is not over.
func (s *Notify) NextSend(ctx context.Context, id ids.ID) (time.Time, error) {
	ms, err := One(ctx, s.db, ScanInt64, nil, `SELECT COALESCE(MIN(CASE WHEN state = ? THEN next_at ELSE intent_at + 1000 END), 0) FROM sends
		WHERE campaign_id = ? AND state IN (?, ?)`, notify.SendWaiting, id, notify.SendWaiting, notify.SendIntent)
	return FromMillis(ms), err
}

// FinishCampaign implements notify.SendStore.
func (s *Notify) FinishCampaign(ctx context.Context, id ids.ID) (done bool, err error) {
	err = s.db.Write(ctx, func(tx *Tx) error {
		res, err := tx.Exec(`UPDATE campaigns SET state = ?, done_at = ? WHERE id = ? AND state = ?
			AND NOT EXISTS (SELECT 1 FROM sends x WHERE x.campaign_id = campaigns.id AND x.state IN (?, ?))`,
			notify.Done, Millis(tx.Now), id, notify.Sending, notify.SendWaiting, notify.SendIntent)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		done = n > 0
		return err
	})
	return done, err
}

// HaltCampaign implements notify.SendStore.
func (s *Notify) HaltCampaign(ctx context.Context, id ids.ID, problem string) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(`UPDATE campaigns SET state = ?, problem = ? WHERE id = ? AND state = ?`, notify.Paused, cutText(problem, 255), id, notify.Sending)
		return err
	})
}

// DeferSends implements notify.SendStore.
func (s *Notify) DeferSends(ctx context.Context, id ids.ID, channel notify.Channel, until time.Time) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(`UPDATE sends SET next_at = ? WHERE campaign_id = ? AND state = ? AND channel = ? AND next_at < ?`,
			Millis(until), id, notify.SendWaiting, channel, Millis(until))
		return err
	})
}

// SentMessage implements notify.SendStore.
func (s *Notify) SentMessage(ctx context.Context, msgID string) (campaign, member ids.ID, err error) {
	type pair struct{ campaign, member ids.ID }
	p, err := One(ctx, s.db, func(r Scanner) (p pair, err error) {
		err = r.Scan(&p.campaign, &p.member)
		return p, err
	},
		errs.Missing("消息"), `SELECT campaign_id, member_id FROM sends WHERE msg_id = ? LIMIT 1`, msgID)
	return p.campaign, p.member, err
}

// SettleSend implements notify.SendStore.
func (s *Notify) SettleSend(ctx context.Context, campaign, member ids.ID, state notify.SendState, code int, note string) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(`UPDATE sends SET state = ?, err_kind = ?, err_code = ?, note = ?, done_at = ?, version = version + 1
			WHERE campaign_id = ? AND member_id = ? AND state IN (?, ?)`, state, notify.GiveUp, code, cutText(note, 255), Millis(tx.Now), campaign, member,
			notify.SendSent, notify.SendUnknown)
		return err
	})
}

// Recipients implements notify.CampaignStore.
func (s *Notify) Recipients(ctx context.Context, f notify.RecipientFilter, r page.Request) ([]notify.Recipient, error) {
	var w filter
	w.add("i.campaign_id = ?", f.Campaign)
	w.add("i.member_id > ?", r.After)
	scope, args := ScopeSQL("o.path", f.Scope)
	w.add(scope, args...)
	if f.Under != "" {
		under, args := ScopeSQL("o.path", authz.Scope{Paths: []string{f.Under}})
		w.add(under, args...)
	}
	switch f.Outcome {
	case "":
	case "inbox":
		w.add("s.state IS NULL")
	default:
		w.add("s.state = ?", f.Outcome)
	}
	if f.Kind != "" {
		w.add("s.err_kind = ?", f.Kind)
	}
	switch f.Missing {
	case "read":
		w.add("i.read_at = 0")
	case "answer":
		w.add("i.answered_at = 0")
	}
	return All(ctx, s.db, func(r Scanner) (x notify.Recipient, err error) {
		var a notify.Answer
		err = r.Scan(&x.MemberID, &x.Name, &x.OrgID, &x.OrgName, moment{&x.ReadAt}, &a.Choice, &a.Text, moment{&a.At}, &x.Outcome, &x.Channel, &x.Kind,
			&x.Code, &x.Note, moment{&x.At})
		if !a.At.IsZero() {
			x.Answer = &a
		}
		return x, err
	}, `SELECT m.id, m.name, o.id, o.name, i.read_at, i.choice, i.answer, i.answered_at, COALESCE(s.state, 'inbox'), COALESCE(s.channel, ''),
		COALESCE(s.err_kind, ''), COALESCE(s.err_code, 0), COALESCE(s.note, ''), COALESCE(s.done_at, i.at)
		FROM inbox i JOIN members m ON m.id = i.member_id JOIN orgs o ON o.id = m.org_id
		LEFT JOIN sends s ON s.campaign_id = i.campaign_id AND s.member_id = i.member_id WHERE `+w.String()+` ORDER BY i.member_id LIMIT ?`,
		append(w.args, r.Limit+1)...)
}
