package storage

import (
	"context"

	"tongxin/staff"
)

// Holders implements staff.HolderStore.
func (s *Staff) Holders(ctx context.Context, roles, paths []string) ([]staff.Holder, error) {
	as, args := In("r.role", padded(roles))
	on, more := In("o.path", padded(paths))
	return All(ctx, s.db, func(r Scanner) (h staff.Holder, err error) {
		err = r.Scan(&h.ID, &h.Name)
		return h, err
	}, `SELECT DISTINCT a.id, a.name FROM orgs o JOIN staff_roles r ON r.org_id = o.id JOIN staff_accounts a ON a.id = r.account_id
		WHERE a.state <> ? AND `+as+` AND `+on+` ORDER BY a.id`, append(append([]any{staff.Disabled}, args...), more...)...)
}
