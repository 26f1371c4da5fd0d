package storage

import (
	"context"
	"strings"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/trail"
	"tongxin/staff"
)

const staffCols = `a.id, a.org_id, o.name, o.path, a.login, a.name, a.phone_sealed, a.state, a.totp_sealed <> '', a.password_at,
	a.last_signin_at, a.version, a.created_at, a.updated_at, a.updated_by`

func scanStaff(s Scanner) (a staff.Account, err error) {
	err = s.Scan(&a.ID, &a.OrgID, &a.OrgName, &a.OrgPath, &a.Login, &a.Name, &a.SealedPhone, &a.State, &a.SecondFactor,
		moment{&a.PasswordAt}, moment{&a.LastSignIn}, &a.Version, moment{&a.CreatedAt}, moment{&a.UpdatedAt}, &a.UpdatedBy)
	a.Roles = []staff.RoleAt{}
	return a, err
}

// roleOf is a role with the account that holds it.
type roleOf struct {
	account ids.ID
	staff.RoleAt
}

func fillRoles(ctx context.Context, q Queryer, list []staff.Account) error {
	at := map[ids.ID]int{}
	var who []ids.ID
	for i, a := range list {
		at[a.ID], who = i, append(who, a.ID)
	}
	where, args := In("r.account_id", who)
	roles, err := All(ctx, q, func(s Scanner) (r roleOf, err error) {
		err = s.Scan(&r.account, &r.Role, &r.OrgID, &r.OrgName, &r.Path)
		return r, err
	}, `SELECT r.account_id, r.role, r.org_id, o.name, o.path FROM staff_roles r JOIN orgs o ON o.id = r.org_id
		WHERE `+where+` ORDER BY r.account_id, o.path, r.role`, args...)
	for _, r := range roles {
		a := &list[at[r.account]]
		a.Roles = append(a.Roles, r.RoleAt)
	}
	return err
}

// Account implements staff.AccountStore.
func (s *Staff) Account(ctx context.Context, id ids.ID) (*staff.Account, error) {
	return accountWhere(ctx, s.db, `a.id = ?`, id)
}

func accountWhere(ctx context.Context, q Queryer, where string, args ...any) (*staff.Account, error) {
	a, err := One(ctx, q, scanStaff, errs.Missing("账号"),
		`SELECT `+staffCols+` FROM staff_accounts a JOIN orgs o ON o.id = a.org_id WHERE `+where, args...)
	if err != nil {
		return nil, err
	}
	one := []staff.Account{a}
	err = fillRoles(ctx, q, one)
	return &one[0], err
}

// Accounts implements staff.AccountStore.
func (s *Staff) Accounts(ctx context.Context, f staff.AccountFilter, r page.Request) ([]staff.Account, error) {
	scope, args := ScopeSQL("o.path", f.Scope)
	where := []string{scope, "a.id > ?"}
	args = append(args, r.After)
	add := func(set bool, cond string, values ...any) {
		if set {
			where, args = append(where, cond), append(args, values...)
		}
	}
	add(f.OrgID != 0, "a.org_id = ?", f.OrgID)
	add(f.State != "", "a.state = ?", f.State)
	add(f.Role != "", "EXISTS (SELECT 1 FROM staff_roles r WHERE r.account_id = a.id AND r.role = ?)", f.Role)
	like := containing(f.Query)
	add(f.Query != "", "(LOWER(a.login) LIKE ? ESCAPE '!' OR LOWER(a.name) LIKE ? ESCAPE '!')", like, like)
	list, err := All(ctx, s.db, scanStaff, `SELECT `+staffCols+` FROM staff_accounts a JOIN orgs o ON o.id = a.org_id
		WHERE `+strings.Join(where, " AND ")+` ORDER BY a.id LIMIT ?`, append(args, r.Limit+1)...)
	if err != nil || len(list) == 0 {
		return list, err
	}
	return list, fillRoles(ctx, s.db, list)
}

// CreateAccount implements staff.AccountStore.
func (s *Staff) CreateAccount(ctx context.Context, a *staff.Account, l staff.Link, e trail.Entry) (id ids.ID, fresh bool, err error) {
	err = s.db.Write(ctx, func(tx *Tx) error {
		made, seen, err := tx.Once(e.Actor, a.ID)
		if id, fresh = made, !seen; err != nil || seen {
			return err
		}
		inserted, err := tx.Insert(`INSERT INTO staff_accounts (id, org_id, login, name, phone_sealed, state, password_hash,
			password_history, password_at, totp_sealed, totp_step, recovery, cred_version, last_signin_at, version, created_at,
			updated_at, updated_by) VALUES (?, ?, ?, ?, ?, ?, '', '[]', 0, '', 0, '[]', 1, 0, ?, ?, ?, ?)`,
			a.ID, a.OrgID, a.Login, a.Name, a.SealedPhone, a.State, a.Version, Millis(a.CreatedAt), Millis(a.UpdatedAt), a.UpdatedBy)
		if err != nil {
			return err
		}
		if !inserted {
			return &errs.Error{
				Code: errs.Conflict, Msg: "这个登录名已有人使用，请换一个。",
				Fields: []errs.Field{{Name: "login", Msg: "这个登录名已有人使用，请换一个。"}},
			}
		}
		if err := tx.putRoles(a.ID, a.Roles); err != nil {
			return err
		}
		if err := tx.putLink(l); err != nil {
			return err
		}
		tx.Audit(e)
		return nil
	})
	return id, fresh, err
}

func (tx *Tx) putRoles(account ids.ID, roles []staff.RoleAt) error {
	for _, r := range roles {
		if _, err := tx.Exec(`INSERT INTO staff_roles (account_id, role, org_id) VALUES (?, ?, ?)`, account, r.Role, r.OrgID); err != nil {
			return err
		}
	}
	return nil
}

// bump moves the version of an account and who changed it.
func (tx *Tx) bump(a *staff.Account, expect int64) error {
	res, err := tx.Exec(`UPDATE staff_accounts SET version = ?, updated_at = ?, updated_by = ? WHERE id = ? AND version = ?`,
		a.Version, Millis(a.UpdatedAt), a.UpdatedBy, a.ID, expect)
	return tx.MustAffect(res, err, errs.New(errs.Stale, "账号已被其他人修改，请刷新后重试。"))
}

// SaveAccount implements staff.AccountStore.
func (s *Staff) SaveAccount(ctx context.Context, a *staff.Account, expect int64, e trail.Entry) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		if err := tx.bump(a, expect); err != nil {
			return err
		}
		_, err := tx.Exec(`UPDATE staff_accounts SET org_id = ?, name = ?, phone_sealed = ? WHERE id = ?`, a.OrgID, a.Name, a.SealedPhone, a.ID)
		tx.Audit(e)
		return err
	})
}

// SetRoles implements staff.AccountStore.
func (s *Staff) SetRoles(ctx context.Context, a *staff.Account, expect int64, roles []staff.RoleAt, e trail.Entry) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		return tx.keepAdmin(func() error {
			if err := tx.bump(a, expect); err != nil {
				return err
			}
			if _, err := tx.Exec(`DELETE FROM staff_roles WHERE account_id = ?`, a.ID); err != nil {
				return err
			}
			tx.Audit(e)
			return tx.putRoles(a.ID, roles)
		})
	})
}

// keepAdmin runs a change and refuses it when it takes away the last active
// administrator of the whole house. Where there was none before (the program
// is being set up) it refuses nothing.
func (tx *Tx) keepAdmin(change func() error) error {
	before, err := tx.admins()
	if err != nil {
		return err
	}
	if err := change(); err != nil || before == 0 {
		return err
	}
	after, err := tx.admins()
	if err == nil && after == 0 {
		return errs.New(errs.Conflict, "这是最后一位管理员，不能停用、重置或取消其角色。请先指定另一位管理员。")
	}
	return err
}

func (tx *Tx) admins() (int, error) {
	list, err := All(tx.Ctx, tx, ScanInt64, `SELECT a.id FROM staff_accounts a JOIN staff_roles r ON r.account_id = a.id
		JOIN orgs o ON o.id = r.org_id WHERE r.role = ? AND o.parent_id = 0 AND a.state = ?`+tx.ForUpdate(), staff.AdminRole, staff.Active)
	return len(list), err
}

// SetState implements staff.AccountStore.
func (s *Staff) SetState(ctx context.Context, a *staff.Account, expect int64, state staff.State, e trail.Entry) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		return tx.keepAdmin(func() error {
			if err := tx.bump(a, expect); err != nil {
				return err
			}
			if _, err := tx.Exec(`UPDATE staff_accounts SET state = ? WHERE id = ?`, state, a.ID); err != nil {
				return err
			}
			tx.Audit(e)
			if state == staff.Active {
				return nil
			}
			return tx.shutOut(a.ID)
		})
	})
}

// shutOut ends the sessions and voids the links of an account, that of its
// calendar too: who has it reads on without a session.
func (tx *Tx) shutOut(account ids.ID) error {
	if _, err := tx.Exec(`DELETE FROM staff_sessions WHERE account_id = ?`, account); err != nil {
		return err
	}
	if err := tx.dropCalendar(account); err != nil {
		return err
	}
	_, err := tx.Exec(`UPDATE staff_links SET used_at = ? WHERE account_id = ? AND used_at = 0`, Millis(tx.Now), account)
	return err
}

func (tx *Tx) dropCalendar(owner ids.ID) error {
	_, err := tx.Exec(`DELETE FROM calendar_tokens WHERE owner_id = ?`, owner)
	return err
}

// Reset implements staff.AccountStore. The last hash moves into the history:
// a reset must not allow the old password again.
func (s *Staff) Reset(ctx context.Context, a *staff.Account, expect int64, l staff.Link, e trail.Entry) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		return tx.keepAdmin(func() error {
			if err := tx.bump(a, expect); err != nil {
				return err
			}
			c, err := credentials(tx.Ctx, tx, `a.id = ?`, a.ID)
			if err != nil {
				return err
			}
			if c.Hash != "" {
				c.History = append([]string{c.Hash}, c.History...)
			}
			_, err = tx.Exec(`UPDATE staff_accounts SET state = ?, password_hash = '', password_history = ?, totp_sealed = '',
				recovery = '[]', cred_version = cred_version + 1 WHERE id = ?`, staff.Invited, jsonText{&c.History}, a.ID)
			if err != nil {
				return err
			}
			if err := tx.shutOut(a.ID); err != nil {
				return err
			}
			tx.Audit(e)
			return tx.putLink(l)
		})
	})
}
