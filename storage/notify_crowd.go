package storage

import (
	"context"

	"tongxin/notify"
)

// SeedReach makes every member reachable: bound to an app under an openid made
// of prefix and id, with one grant of a template. For benchmarks and proofs on
// databases of their own; it leaves no audit entry.
func (s *Notify) SeedReach(ctx context.Context, appID, prefix, template string) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		for _, q := range []struct {
			sql  string
			args []any
		}{
			{`INSERT INTO ` + bindings + ` (id, member_id, app_id, openid, unionid, how, bound_at) SELECT id, id, ?, CONCAT(?, id), '', 'phone', ? FROM members`, []any{appID, prefix, Millis(tx.Now)}},
			{`INSERT INTO grants (member_id, template_id, left_n, seq) SELECT id, ?, 1, 1 FROM members`, []any{template}},
			{`INSERT INTO grant_rows (member_id, template_id, seq, kind, n, left_n, source, campaign_id, at) SELECT id, ?, 1, ?, 1, 1, ?, 0, ? FROM members`, []any{template, notify.Granted, notify.FromProgram, Millis(tx.Now)}},
		} {
			if _, err := tx.Exec(q.sql, q.args...); err != nil {
				return err
			}
		}
		return nil
	})
}
