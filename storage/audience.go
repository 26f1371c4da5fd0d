package storage

import (
	"cmp"
	"context"
	"slices"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/member"
	"tongxin/notify"
)

// bindings is the table of members and their ids at the platform's apps.
const bindings = "member_wechat"

// selectors are the parts of a target that name people, each a condition of
// its own: who fits two of them was named twice.
func selectors(t notify.Target) (list []string, args []any) {
	var narrow filter
	narrow.add("1=1")
	if t.Kind != "" {
		narrow.add("m.kind = ?", t.Kind)
	}
	if len(t.Posts) > 0 {
		var any filter
		for _, p := range t.Posts {
			any.add("m.posts LIKE ? ESCAPE '!'", containing(`"`+p+`"`))
		}
		narrow.add("("+join(any.where, " OR ")+")", any.args...)
	}
	add := func(cond string, more []any, narrowed bool) {
		if narrowed {
			cond, more = cond+" AND "+narrow.String(), append(slices.Clone(more), narrow.args...)
		}
		list, args = append(list, "("+cond+")"), append(args, more...)
	}
	for _, path := range t.Under {
		cond, more := ScopeSQL("o.path", authz.Scope{Paths: []string{path}})
		add(cond, more, true)
	}
	if len(t.Groups) > 0 {
		cond, more := In("m.group_id", padded(t.Groups))
		add(cond, more, true)
	}
	for _, part := range chunks(t.Members) {
		cond, more := In("m.id", padded(part))
		add(cond, more, false)
	}
	if len(list) == 0 && t.Campaign != 0 {
		add("1=1", nil, true)
	}
	return list, args
}

func join(list []string, sep string) string {
	out := ""
	for i, s := range list {
		if i > 0 {
			out += sep
		}
		out += s
	}
	return out
}

// targetSQL is the condition on members m and their branches o.
func targetSQL(t notify.Target) (string, []any) {
	var w filter
	w.add("m.state = ?", member.Active)
	scope, args := ScopeSQL("o.path", t.Scope)
	w.add(scope, args...)
	list, args := selectors(t)
	if len(list) == 0 {
		return "1=0", nil
	}
	w.add("("+join(list, " OR ")+")", args...)
	if t.Campaign != 0 {
		col := "w.read_at"
		if t.For == "answer" {
			col = "w.answered_at"
		}
		w.add("EXISTS (SELECT 1 FROM inbox w WHERE w.campaign_id = ? AND w.member_id = m.id AND "+col+" = 0)", t.Campaign)
	}
	for _, part := range chunks(t.Except) {
		cond, args := In("m.id", padded(part))
		w.add("NOT "+cond, args...)
	}
	return w.String(), w.args
}

const peopleFrom = ` FROM members m JOIN orgs o ON o.id = m.org_id WHERE `

// peopleInOrder makes SQLite walk the members by id: it would rather begin with
// the organisations and sort all that is left in every step. On MySQL CROSS
// JOIN means JOIN.
const peopleInOrder = ` FROM members m CROSS JOIN orgs o ON o.id = m.org_id WHERE `

// firstNames is how many people a preview names; mostBranches how many branches.
const (
	firstNames   = 12
	mostBranches = 200
)

// Reach implements notify.CampaignStore.
func (s *Notify) Reach(ctx context.Context, t notify.Target, way notify.Way) (*notify.Reach, error) {
	out := &notify.Reach{Branches: []notify.ReachBranch{}, Names: []string{}, Channels: []notify.ReachChannel{}}
	err := s.db.Read(ctx, func(q Queryer) error {
		where, args := targetSQL(t)
		list, named := selectors(t)
		if len(list) == 0 {
			return nil
		}
		cases := ""
		for i, cond := range list {
			if i > 0 {
				cases += " + "
			}
			cases += "(CASE WHEN " + cond + " THEN 1 ELSE 0 END)"
		}
		_, err := One(ctx, q, func(r Scanner) (struct{}, error) {
			return struct{}{}, r.Scan(&out.Count, &out.Duplicates)
		}, nil, `SELECT COUNT(*), COALESCE(SUM(CASE WHEN (`+cases+`) > 1 THEN 1 ELSE 0 END), 0)`+peopleFrom+where, append(named, args...)...)
		if err != nil {
			return err
		}
		out.Branches, err = All(ctx, q, func(r Scanner) (b notify.ReachBranch, err error) {
			err = r.Scan(&b.OrgID, &b.OrgName, &b.Count)
			return b, err
		}, `SELECT o.id, o.name, COUNT(*) AS n`+peopleFrom+where+` GROUP BY o.id, o.name ORDER BY n DESC, o.id LIMIT ?`, append(slices.Clone(args), mostBranches)...)
		if err != nil {
			return err
		}
		out.Names, err = All(ctx, q, ScanString, `SELECT m.name`+peopleFrom+where+` ORDER BY m.id LIMIT ?`, append(slices.Clone(args), firstNames)...)
		if err != nil {
			return err
		}
		out.InboxOnly = out.Count
		var before []string
		var beforeArgs []any
		for _, tpl := range way {
			cond, more := reachedBy(tpl, "m.id")
			all, allArgs := where+" AND "+cond, append(slices.Clone(args), more...)
			for _, b := range before {
				all += " AND NOT " + b
			}
			n, err := One(ctx, q, ScanInt64, nil, `SELECT COUNT(*)`+peopleFrom+all, append(allArgs, beforeArgs...)...)
			if err != nil {
				return err
			}
			out.Channels = append(out.Channels, notify.ReachChannel{Channel: tpl.Channel, TemplateID: tpl.ID, Title: tpl.Title, Count: int(n)})
			out.InboxOnly -= int(n)
			before, beforeArgs = append(before, cond), append(beforeArgs, more...)
		}
		return nil
	})
	if out.Branches == nil {
		out.Branches = []notify.ReachBranch{}
	}
	if out.Names == nil {
		out.Names = []string{}
	}
	return out, err
}

// reachedBy is the condition that a template can reach the member in col.
func reachedBy(t notify.Template, col string) (string, []any) {
	cond := "EXISTS (SELECT 1 FROM " + bindings + " b WHERE b.member_id = " + col + " AND b.app_id = ?)"
	args := []any{t.AppID}
	if t.NeedsGrant() {
		cond += " AND EXISTS (SELECT 1 FROM grants g WHERE g.member_id = " + col + " AND g.template_id = ? AND g.left_n > 0)"
		args = append(args, t.ID)
	}
	return "(" + cond + ")", args
}

// ClaimFanOut implements notify.CampaignStore.
func (s *Notify) ClaimFanOut(ctx context.Context, owner string, now, until time.Time) (*notify.Campaign, error) {
	id, err := One(ctx, s.db, ScanInt64, nil, `SELECT id FROM campaigns WHERE state = ? AND lease_until <= ? ORDER BY id LIMIT 1`, notify.Fanning, Millis(now))
	if err != nil || id == 0 {
		return nil, err
	}
	var out *notify.Campaign
	err = s.db.Write(ctx, func(tx *Tx) error {
		out = nil
		res, err := tx.Exec(`UPDATE campaigns SET lease_owner = ?, lease_until = ?, fence = fence + 1 WHERE id = ? AND state = ? AND lease_until <= ?`,
			owner, Millis(until), id, notify.Fanning, Millis(now))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		c, err := One(tx.Ctx, tx, scanCampaignRow, errs.Missing("通知"), `SELECT `+campaignCols+campaignFrom+`c.id = ?`, id)
		out = &c
		return err
	})
	return out, err
}

// FanOut implements notify.CampaignStore. The last row that is there says where
// to go on, so a node that died in the middle leaves nothing to repair.
func (s *Notify) FanOut(ctx context.Context, c *notify.Campaign, way notify.Way, owner string, until time.Time, n int) (done bool, err error) {
	where, args := targetSQL(c.Target)
	err = s.db.Write(ctx, func(tx *Tx) error {
		done = false
		res, err := tx.Exec(`UPDATE campaigns SET lease_owner = ?, lease_until = ?, fence = fence + 1 WHERE id = ? AND state = ? AND fence = ?`,
			owner, Millis(until), c.ID, notify.Fanning, c.Fence)
		if err := tx.MustAffect(res, err, stale("通知")); err != nil {
			return err
		}
		after, err := One(tx.Ctx, tx, ScanInt64, nil, `SELECT COALESCE(MAX(member_id), 0) FROM inbox WHERE campaign_id = ?`, c.ID)
		if err != nil {
			return err
		}
		all := append([]any{c.ID, c.SentID, Millis(tx.Now)}, args...)
		res, err = tx.Exec(`INSERT INTO inbox (campaign_id, member_id, seq, at, read_at, choice, answer, answered_at)
			SELECT ?, m.id, ?, ?, 0, 0, '', 0`+peopleInOrder+where+` AND m.id > ? ORDER BY m.id LIMIT ?`, append(all, after, n)...)
		if err != nil {
			return err
		}
		wrote, err := res.RowsAffected()
		if err != nil {
			return err
		}
		if wrote > 0 {
			if err := tx.addSends(c.ID, after, way); err != nil {
				return err
			}
		}
		if done = int(wrote) < n; !done {
			return nil
		}
		return tx.fannedOut(c.ID)
	})
	if err == nil {
		c.Fence++
	}
	return done, err
}

// addSends writes the messages for new inbox rows: by the first channel that
// can reach the person.
func (tx *Tx) addSends(campaign ids.ID, after int64, way notify.Way) error {
	for i, t := range way {
		cond, args := reachedBy(t, "i.member_id")
		if i > 0 {
			cond += " AND NOT EXISTS (SELECT 1 FROM sends x WHERE x.campaign_id = i.campaign_id AND x.member_id = i.member_id)"
		}
		_, err := tx.Exec(`INSERT INTO sends (campaign_id, member_id, channel, app_id, template_id, state, next_at, lease_owner, lease_until, version,
			attempt, err_kind, err_code, note, msg_id, intent_at, done_at) SELECT i.campaign_id, i.member_id, ?, ?, ?, ?, ?, '', 0, 1, 0, '', 0, '', '', 0, 0
			FROM inbox i WHERE i.campaign_id = ? AND i.member_id > ? AND `+cond,
			append([]any{t.Channel, t.AppID, t.ID, notify.SendWaiting, Millis(tx.Now), campaign, after}, args...)...)
		if err != nil {
			return err
		}
	}
	return nil
}

// fannedOut moves a campaign on whose inboxes are written.
func (tx *Tx) fannedOut(id ids.ID) error {
	people, err := One(tx.Ctx, tx, ScanInt64, nil, `SELECT COUNT(*) FROM inbox WHERE campaign_id = ?`, id)
	if err != nil {
		return err
	}
	waiting, err := One(tx.Ctx, tx, ScanInt64, nil, `SELECT COUNT(*) FROM sends WHERE campaign_id = ?`, id)
	if err != nil {
		return err
	}
	state, done := notify.Sending, int64(0)
	if waiting == 0 {
		state, done = notify.Done, Millis(tx.Now)
	}
	_, err = tx.Exec(`UPDATE campaigns SET state = ?, recipients = ?, done_at = ?, lease_owner = '', lease_until = 0 WHERE id = ?`, state, people, done, id)
	return err
}

// Progress implements notify.CampaignStore.
func (s *Notify) Progress(ctx context.Context, id ids.ID) (*notify.Progress, error) {
	out := &notify.Progress{ByState: map[string]int{}, Choices: make([]int, 4)}
	err := s.db.Read(ctx, func(q Queryer) error {
		_, err := All(ctx, q, func(r Scanner) (struct{}, error) {
			state, n := "", 0
			err := r.Scan(&state, &n)
			out.ByState[state], out.Total = n, out.Total+n
			return struct{}{}, err
		}, `SELECT state, COUNT(*) FROM sends WHERE campaign_id = ? GROUP BY state`, id)
		if err != nil {
			return err
		}
		if _, err := One(ctx, q, func(r Scanner) (struct{}, error) { return struct{}{}, r.Scan(&out.Read, &out.Answered) }, nil,
			`SELECT COALESCE(SUM(CASE WHEN read_at > 0 THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN answered_at > 0 THEN 1 ELSE 0 END), 0)
			FROM inbox WHERE campaign_id = ?`, id); err != nil {
			return err
		}
		if out.Answered == 0 {
			return nil
		}
		_, err = All(ctx, q, func(r Scanner) (struct{}, error) {
			choice, n := 0, 0
			err := r.Scan(&choice, &n)
			if choice >= 0 && choice < len(out.Choices) {
				out.Choices[choice] = n
			}
			return struct{}{}, err
		}, `SELECT choice, COUNT(*) FROM inbox WHERE campaign_id = ? AND answered_at > 0 GROUP BY choice`, id)
		return err
	})
	return out, err
}

// Branches implements notify.CampaignStore.
func (s *Notify) Branches(ctx context.Context, id ids.ID, scope authz.Scope) ([]notify.BranchCount, error) {
	where, args := ScopeSQL("o.path", scope)
	list, err := All(ctx, s.db, func(r Scanner) (b notify.BranchCount, err error) {
		err = r.Scan(&b.OrgID, &b.OrgName, &b.Total, &b.Read, &b.Answered)
		return b, err
	}, `SELECT o.id, o.name, COUNT(*), SUM(CASE WHEN i.read_at > 0 THEN 1 ELSE 0 END), SUM(CASE WHEN i.answered_at > 0 THEN 1 ELSE 0 END)
		FROM inbox i JOIN members m ON m.id = i.member_id JOIN orgs o ON o.id = m.org_id WHERE i.campaign_id = ? AND `+where+`
		GROUP BY o.id, o.name`, append([]any{id}, args...)...)
	slices.SortFunc(list, func(a, b notify.BranchCount) int {
		return cmp.Or(cmp.Compare(b.Total-b.Read, a.Total-a.Read), cmp.Compare(a.OrgID, b.OrgID))
	})
	return list, err
}
