package storage

import (
	"context"
	"encoding/json"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/trail"
	"tongxin/publish"
)

const accountCols = `a.id, a.org_id, o.path, o.name, a.platform, a.name, a.kind, a.mode, a.app_id, a.secrets, a.paused, a.note, a.limits,
	a.health, a.version, a.created_at`

// scanAccount reads an account and, still sealed, its secrets.
func scanAccount(r Scanner) (a publish.Account, sealed string, err error) {
	err = r.Scan(&a.ID, &a.OrgID, &a.OrgPath, &a.OrgName, &a.Platform, &a.Name, &a.Kind, &a.Mode, &a.AppID, &sealed, &a.Paused, &a.Note,
		jsonText{&a.Limits}, jsonText{&a.Health}, &a.Version, moment{&a.Created})
	a.HasKeys = sealed != ""
	return a, sealed, err
}

func secretsOf(account ids.ID) string { return "account:" + account.String() }

// open is scanAccount with the secrets opened.
func (s *Publishing) open(r Scanner) (*publish.Account, error) {
	a, sealed, err := scanAccount(r)
	if err != nil || sealed == "" {
		return &a, err
	}
	plain, err := s.seal.Open(sealed, secretsOf(a.ID))
	if err == nil {
		err = json.Unmarshal(plain, &a.Secrets)
	}
	if err != nil {
		return nil, errs.Wrap(err, errs.Internal, "账号“%s”保存的密钥无法解开，请检查服务器的主密钥设置，或重新填写账号密钥。", a.Name)
	}
	return &a, nil
}

// sealed is what the column secrets keeps; empty for no secrets at all.
func (s *Publishing) sealed(a *publish.Account) (string, error) {
	if a.Secrets == (publish.Secrets{}) {
		return "", nil
	}
	plain, err := json.Marshal(a.Secrets)
	if err != nil {
		return "", err
	}
	return s.seal.Seal(plain, secretsOf(a.ID))
}

func appKey(a *publish.Account) string {
	if a.AppID == "" {
		return "#" + a.ID.String()
	}
	return a.Platform + ":" + a.AppID
}

// CreateAccount implements publish.AccountStore.
func (s *Publishing) CreateAccount(ctx context.Context, a *publish.Account, e trail.Entry) (ids.ID, error) {
	s.fill(&a.ID)
	secrets, err := s.sealed(a)
	if err != nil {
		return 0, err
	}
	id := a.ID
	err = s.db.Write(ctx, func(tx *Tx) error {
		made, seen, err := tx.Once(e.Actor, a.ID)
		if id = made; err != nil || seen {
			return err
		}
		fresh, err := tx.Insert(`INSERT INTO platform_accounts (id, org_id, platform, name, kind, mode, app_id, app_key, secrets, paused, note,
			limits, health, version, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			a.ID, a.OrgID, a.Platform, a.Name, a.Kind, string(a.Mode), a.AppID, appKey(a), secrets, flag(a.Paused), a.Note,
			jsonText{a.Limits}, jsonText{a.Health}, a.Version, Millis(orNow(a.Created, tx.Now)))
		if err != nil {
			return err
		}
		if !fresh {
			return appTaken()
		}
		tx.Audit(e)
		return nil
	})
	if err == nil && id == a.ID {
		a.HasKeys = secrets != ""
	}
	return id, err
}

func appTaken() error {
	return errs.New(errs.Conflict, "这个 AppID 的账号已经添加过，不能重复添加。")
}

// Account implements publish.AccountStore.
func (s *Publishing) Account(ctx context.Context, id ids.ID) (*publish.Account, error) {
	return One(ctx, s.db, s.open, errs.Missing("账号"), `SELECT `+accountCols+`
		FROM platform_accounts a JOIN orgs o ON o.id = a.org_id WHERE a.id = ?`, id)
}

// AccountByApp implements publish.AccountStore.
func (s *Publishing) AccountByApp(ctx context.Context, platform, appID string) (*publish.Account, error) {
	if appID == "" {
		return nil, errs.Missing("账号")
	}
	return One(ctx, s.db, s.open, errs.Missing("账号"), `SELECT `+accountCols+`
		FROM platform_accounts a JOIN orgs o ON o.id = a.org_id WHERE a.app_key = ?`, platform+":"+appID)
}

// ListAccounts implements publish.AccountStore: by name, secrets left out.
func (s *Publishing) ListAccounts(ctx context.Context, scope authz.Scope) ([]publish.Account, error) {
	where, args := ScopeSQL("o.path", scope)
	return All(ctx, s.db, func(r Scanner) (publish.Account, error) {
		a, _, err := scanAccount(r)
		return a, err
	}, `SELECT `+accountCols+` FROM platform_accounts a JOIN orgs o ON o.id = a.org_id WHERE `+where+` ORDER BY a.name, a.id`, args...)
}

// SaveAccount implements publish.AccountStore.
func (s *Publishing) SaveAccount(ctx context.Context, a *publish.Account, expect int64, e trail.Entry) error {
	secrets, err := s.sealed(a)
	if err != nil {
		return err
	}
	err = s.db.Write(ctx, func(tx *Tx) error {
		err := swap(tx, "platform_accounts", a.ID, "账号", `UPDATE platform_accounts SET org_id = ?, platform = ?, name = ?, kind = ?, mode = ?,
			app_id = ?, app_key = ?, secrets = ?, paused = ?, note = ?, limits = ?, version = ? WHERE id = ? AND version = ?`,
			a.OrgID, a.Platform, a.Name, a.Kind, string(a.Mode), a.AppID, appKey(a), secrets, flag(a.Paused), a.Note, jsonText{a.Limits},
			expect+1, a.ID, expect)
		if Duplicate(err) {
			return appTaken()
		}
		if err != nil {
			return err
		}
		tx.Audit(e)
		return nil
	})
	if err == nil {
		a.Version, a.HasKeys = expect+1, secrets != ""
	}
	return err
}

// SaveHealth implements publish.AccountStore. The version stays.
func (s *Publishing) SaveHealth(ctx context.Context, id ids.ID, h publish.Health) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		res, err := tx.Exec(`UPDATE platform_accounts SET health = ? WHERE id = ?`, jsonText{h}, id)
		return tx.MustAffect(res, err, errs.Missing("账号"))
	})
}

// LastSuccess implements publish.AccountStore.
func (s *Publishing) LastSuccess(ctx context.Context, scope authz.Scope) (map[ids.ID]time.Time, error) {
	where, args := ScopeSQL("o.path", scope)
	type row struct {
		id ids.ID
		at int64
	}
	rows, err := All(ctx, s.db, func(sc Scanner) (r row, err error) {
		err = sc.Scan(&r.id, &r.at)
		return r, err
	},
		`SELECT d.account_id, MAX(d.done_at) FROM deliveries d JOIN platform_accounts a ON a.id = d.account_id JOIN orgs o ON o.id = a.org_id
		WHERE d.state = 'published' AND `+where+` GROUP BY d.account_id`, args...)
	out := make(map[ids.ID]time.Time, len(rows))
	for _, r := range rows {
		out[r.id] = FromMillis(r.at)
	}
	return out, err
}

// DeleteAccount implements publish.AccountStore. An account that ever had a
// delivery stays, for the record.
func (s *Publishing) DeleteAccount(ctx context.Context, id ids.ID, expect int64, e trail.Entry) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		err := swap(tx, "platform_accounts", id, "账号", `DELETE FROM platform_accounts WHERE id = ? AND version = ?`, id, expect)
		if err != nil {
			return err
		}
		n, err := One(tx.Ctx, tx, ScanInt64, nil, `SELECT COUNT(*) FROM deliveries WHERE account_id = ?`, id)
		if err != nil {
			return err
		}
		if n > 0 {
			return errs.New(errs.Conflict, "这个账号有发布记录，不能删除；如不再使用，请暂停它。")
		}
		for _, table := range []string{"slots", "uploads", "budgets", "platform_events"} {
			if _, err := tx.Exec("DELETE FROM "+table+" WHERE account_id = ?", id); err != nil {
				return err
			}
		}
		tx.Audit(e)
		return nil
	})
}

// WakeAccount implements publish.AccountStore.
func (s *Publishing) WakeAccount(ctx context.Context, id ids.ID, now time.Time, state publish.DeliveryState) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(`UPDATE deliveries SET next_at = ? WHERE account_id = ? AND state = ?
			AND (next_at > ? OR next_at = 0)`, Millis(now), id, string(state), Millis(now))
		return err
	})
}
