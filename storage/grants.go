package storage

import (
	"context"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/notify"
)

// grantStep appends one row to a member's ledger of a template. change gets the
// balance and says the kind of the row and by how much it moves. The balance is
// locked, so rows of one ledger are made one after the other.
func (tx *Tx) grantStep(member ids.ID, template string, change func(left int64) (notify.GrantKind, int64), source notify.GrantSource, campaign ids.ID, at time.Time) error {
	type balance struct{ left, seq int64 }
	read := func() (balance, error) {
		return One(tx.Ctx, tx, func(r Scanner) (b balance, err error) {
			err = r.Scan(&b.left, &b.seq)
			return b, err
		}, errs.Missing("订阅"),
			`SELECT left_n, seq FROM grants WHERE member_id = ? AND template_id = ?`+tx.ForUpdate(), member, template)
	}
	b, err := read()
	if errs.Is(err, errs.NotFound) {
		if _, err := tx.Insert(`INSERT INTO grants (member_id, template_id, left_n, seq) VALUES (?, ?, 0, 0)`, member, template); err != nil {
			return err
		}
		b, err = read()
	}
	if err != nil {
		return err
	}
	kind, n := change(b.left)
	if kind == "" {
		return nil
	}
	if b.left+n < 0 {
		return errs.New(errs.Conflict, "没有可用的订阅次数。")
	}
	if _, err := tx.Exec(`UPDATE grants SET left_n = ?, seq = ? WHERE member_id = ? AND template_id = ?`, b.left+n, b.seq+1, member, template); err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO grant_rows (member_id, template_id, seq, kind, n, left_n, source, campaign_id, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		member, template, b.seq+1, kind, n, b.left+n, source, campaign, Millis(at))
	return err
}

// Grant implements notify.GrantStore.
func (s *Notify) Grant(ctx context.Context, member ids.ID, template string, source notify.GrantSource, at time.Time, pairing time.Duration) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		at, seen := orNow(at, tx.Now), int64(0)
		open := int64(0)
		var inner error
		err := tx.grantStep(member, template, func(left int64) (notify.GrantKind, int64) {
			// What the other source told and nothing of this one confirmed yet.
			if source == notify.FromEvent {
				seen, inner = One(tx.Ctx, tx, ScanInt64, nil, `SELECT COUNT(*) FROM grant_rows WHERE member_id = ? AND template_id = ? AND source = ? AND at = ?`,
					member, template, source, Millis(at))
			}
			if inner != nil || seen > 0 {
				return "", 0
			}
			open, inner = One(tx.Ctx, tx, ScanInt64, nil, `SELECT COALESCE(SUM(CASE WHEN kind = ? AND source <> ? THEN 1 WHEN kind = ? AND source = ? THEN -1 ELSE 0 END), 0)
				FROM grant_rows WHERE member_id = ? AND template_id = ? AND at >= ?`, notify.Granted, source, notify.Confirmed, source, member, template,
				Millis(at.Add(-pairing)))
			switch {
			case inner != nil || left >= notify.MaxGrants:
				return "", 0
			case open > 0:
				return notify.Confirmed, 0
			}
			return notify.Granted, 1
		}, source, 0, at)
		if inner != nil {
			return inner
		}
		return err
	})
}

// Empty implements notify.GrantStore.
func (s *Notify) Empty(ctx context.Context, member ids.ID, template string, kind notify.GrantKind, source notify.GrantSource) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		return tx.grantStep(member, template, func(left int64) (notify.GrantKind, int64) {
			if left == 0 {
				return "", 0
			}
			return kind, -left
		}, source, 0, tx.Now)
	})
}

// GrantRows implements notify.GrantStore.
func (s *Notify) GrantRows(ctx context.Context, member ids.ID, template string) ([]notify.GrantRow, error) {
	return All(ctx, s.db, func(r Scanner) (g notify.GrantRow, err error) {
		err = r.Scan(&g.Member, &g.Template, &g.Seq, &g.Kind, &g.N, &g.Left, &g.Source, &g.Campaign, moment{&g.At})
		return g, err
	}, `SELECT member_id, template_id, seq, kind, n, left_n, source, campaign_id, at FROM grant_rows WHERE member_id = ? AND template_id = ? ORDER BY seq`,
		member, template)
}

// GrantSummary implements notify.GrantStore.
func (s *Notify) GrantSummary(ctx context.Context, scope authz.Scope) ([]notify.GrantCount, error) {
	where, args := ScopeSQL("o.path", scope)
	return All(ctx, s.db, func(r Scanner) (g notify.GrantCount, err error) {
		err = r.Scan(&g.TemplateID, &g.Members, &g.Left)
		return g, err
	}, `SELECT g.template_id, COUNT(*), SUM(g.left_n) FROM grants g JOIN members m ON m.id = g.member_id JOIN orgs o ON o.id = m.org_id
		WHERE g.left_n > 0 AND `+where+` GROUP BY g.template_id ORDER BY g.template_id`, args...)
}

// MemberOf implements notify.GrantStore.
func (s *Notify) MemberOf(ctx context.Context, appID, openID string) (ids.ID, error) {
	n, err := One(ctx, s.db, ScanInt64, errs.Missing("党员"), `SELECT member_id FROM `+bindings+` WHERE app_id = ? AND openid = ?`, appID, openID)
	return ids.ID(n), err
}

// Balance implements notify.GrantStore.
func (s *Notify) Balance(ctx context.Context, member ids.ID) (map[string]int64, error) {
	out := map[string]int64{}
	_, err := All(ctx, s.db, func(r Scanner) (struct{}, error) {
		id, n := "", int64(0)
		err := r.Scan(&id, &n)
		out[id] = n
		return struct{}{}, err
	}, `SELECT template_id, left_n FROM grants WHERE member_id = ?`, member)
	return out, err
}
