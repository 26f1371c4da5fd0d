package storage

import (
	"context"
	"time"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/trail"
	"tongxin/staff"
)

func scanCredentials(s Scanner) (c staff.Credentials, err error) {
	err = s.Scan(&c.ID, &c.Login, &c.Name, &c.OrgID, &c.OrgPath, &c.State, &c.Hash, jsonText{&c.History}, moment{&c.PasswordAt},
		&c.TOTP, &c.TOTPStep, jsonText{&c.Recovery}, &c.Version)
	return c, err
}

func credentials(ctx context.Context, q Queryer, where string, args ...any) (staff.Credentials, error) {
	return One(ctx, q, scanCredentials, errs.Missing("账号"), `SELECT a.id, a.login, a.name, a.org_id, o.path, a.state, a.password_hash,
		a.password_history, a.password_at, a.totp_sealed, a.totp_step, a.recovery, a.cred_version
		FROM staff_accounts a JOIN orgs o ON o.id = a.org_id WHERE `+where, args...)
}

// Credentials implements staff.SignInStore.
func (s *Staff) Credentials(ctx context.Context, login string) (staff.Credentials, error) {
	c, err := credentials(ctx, s.db, `a.login = ?`, login)
	if errs.Is(err, errs.NotFound) {
		return staff.Credentials{Login: login}, nil
	}
	return c, err
}

// CredentialsOf implements staff.SignInStore.
func (s *Staff) CredentialsOf(ctx context.Context, account ids.ID) (staff.Credentials, error) {
	return credentials(ctx, s.db, `a.id = ?`, account)
}

// swap writes the secrets of c if nobody did since they were read.
func (tx *Tx) swap(c staff.Credentials) error {
	res, err := tx.Exec(`UPDATE staff_accounts SET password_hash = ?, password_history = ?, password_at = ?, totp_sealed = ?,
		totp_step = ?, recovery = ?, cred_version = cred_version + 1 WHERE id = ? AND cred_version = ?`,
		c.Hash, jsonText{&c.History}, Millis(c.PasswordAt), c.TOTP, c.TOTPStep, jsonText{&c.Recovery}, c.ID, c.Version)
	return tx.MustAffect(res, err, errs.New(errs.Conflict, "账号的登录信息刚刚被修改，请重试。"))
}

// unchanged holds the account while the secrets of c are still the newest, so
// that a change of password ends every session the old one begins.
func (tx *Tx) unchanged(c *staff.Credentials) error {
	v, err := One(tx.Ctx, tx, ScanInt64, errs.Missing("账号"), `SELECT cred_version FROM staff_accounts WHERE id = ?`+tx.ForUpdate(), c.ID)
	if err == nil && v != c.Version {
		err = errs.New(errs.Conflict, "账号的登录信息刚刚被修改，请重试。")
	}
	return err
}

// SetPassword implements staff.SignInStore.
func (s *Staff) SetPassword(ctx context.Context, c staff.Credentials, link, keep ids.ID, e trail.Entry) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		if err := tx.swap(c); err != nil {
			return err
		}
		if link != 0 {
			if err := tx.useLink(link); err != nil {
				return err
			}
			if err := tx.activate(c.ID); err != nil {
				return err
			}
		}
		tx.Audit(e)
		_, err := tx.Exec(`DELETE FROM staff_sessions WHERE account_id = ? AND id <> ?`, c.ID, keep)
		return err
	})
}

func (tx *Tx) activate(account ids.ID) error {
	_, err := tx.Exec(`UPDATE staff_accounts SET state = ?, version = version + 1 WHERE id = ? AND state = ?`, staff.Active, account, staff.Invited)
	return err
}

// SaveCredentials implements staff.SignInStore.
func (s *Staff) SaveCredentials(ctx context.Context, c staff.Credentials, e trail.Entry) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		tx.Audit(e)
		return tx.swap(c)
	})
}

// Failures implements staff.SignInStore.
func (s *Staff) Failures(ctx context.Context, names []string) ([]staff.Failure, error) {
	where, args := In("name", names)
	return All(ctx, s.db, scanFailure, failureSQL+where, args...)
}

const failureSQL = `SELECT name, tries, last_at, until_at FROM staff_failures WHERE `

func scanFailure(r Scanner) (f staff.Failure, err error) {
	err = r.Scan(&f.Name, &f.Tries, moment{&f.Last}, moment{&f.Until})
	return f, err
}

// NoteFailures implements staff.SignInStore. Each row is made first, so that
// there is one to lock: two transactions that both find none would both count
// one.
func (s *Staff) NoteFailures(ctx context.Context, names []string, next func(int, staff.Failure) staff.Failure, e trail.Entry) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		for i, name := range names {
			if _, err := tx.Insert(`INSERT INTO staff_failures (name, tries, last_at, until_at) VALUES (?, 0, 0, 0)`, name); err != nil {
				return err
			}
			f, err := One(tx.Ctx, tx, scanFailure, errs.Missing("记录"), failureSQL+`name = ?`+tx.ForUpdate(), name)
			if err != nil {
				return err
			}
			f = next(i, f)
			_, err = tx.Exec(`UPDATE staff_failures SET tries = ?, last_at = ?, until_at = ? WHERE name = ?`,
				f.Tries, Millis(f.Last), Millis(f.Until), name)
			if err != nil {
				return err
			}
		}
		tx.Audit(e)
		return nil
	})
}

// StartSession implements staff.SignInStore.
func (s *Staff) StartSession(ctx context.Context, st staff.Start, e trail.Entry) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		x := &st.Session
		if st.Link != 0 {
			if err := tx.useLink(st.Link); err != nil {
				return err
			}
		}
		if st.Activate {
			if err := tx.activate(x.AccountID); err != nil {
				return err
			}
		}
		if st.Judged != nil {
			if err := tx.unchanged(st.Judged); err != nil {
				return err
			}
		}
		if st.Creds != nil {
			if err := tx.swap(*st.Creds); err != nil {
				return err
			}
		}
		if len(st.Clear) > 0 {
			where, args := In("name", st.Clear)
			if _, err := tx.Exec(`DELETE FROM staff_failures WHERE `+where, args...); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(`UPDATE staff_accounts SET last_signin_at = ? WHERE id = ?`, Millis(tx.Now), x.AccountID); err != nil {
			return err
		}
		tx.Audit(e)
		_, err := tx.Exec(`INSERT INTO staff_sessions (id, account_id, token_hash, created_at, seen_at, expires_at, addr, user_agent, method)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`, x.ID, x.AccountID, st.Hash, Millis(x.CreatedAt), Millis(x.SeenAt), Millis(x.ExpiresAt),
			clip(x.Addr, 64), clip(x.UserAgent, 200), x.Method)
		return err
	})
}

const sessionCols = `id, account_id, created_at, seen_at, expires_at, addr, user_agent, method`

func scanSession(s Scanner) (x staff.Session, err error) {
	err = s.Scan(&x.ID, &x.AccountID, moment{&x.CreatedAt}, moment{&x.SeenAt}, moment{&x.ExpiresAt}, &x.Addr, &x.UserAgent, &x.Method)
	return x, err
}

// Session implements staff.SignInStore.
func (s *Staff) Session(ctx context.Context, hash string) (*staff.Session, *staff.Account, error) {
	x, err := One(ctx, s.db, scanSession, errs.Missing("登录"), `SELECT `+sessionCols+` FROM staff_sessions WHERE token_hash = ?`, hash)
	if err != nil {
		return nil, nil, err
	}
	a, err := accountWhere(ctx, s.db, `a.id = ?`, x.AccountID)
	return &x, a, err
}

// Sessions implements staff.SignInStore.
func (s *Staff) Sessions(ctx context.Context, account ids.ID) ([]staff.Session, error) {
	return All(ctx, s.db, scanSession, `SELECT `+sessionCols+` FROM staff_sessions WHERE account_id = ? ORDER BY id DESC`, account)
}

// TouchSession implements staff.SignInStore.
func (s *Staff) TouchSession(ctx context.Context, id ids.ID, at time.Time) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(`UPDATE staff_sessions SET seen_at = ? WHERE id = ? AND seen_at < ?`, Millis(at), id, Millis(at))
		return err
	})
}

// EndSessions implements staff.SignInStore.
func (s *Staff) EndSessions(ctx context.Context, account, only ids.ID, e trail.Entry) (n int, err error) {
	err = s.db.Write(ctx, func(tx *Tx) error {
		q, args := `DELETE FROM staff_sessions WHERE account_id = ?`, []any{account}
		if only != 0 {
			q, args = q+` AND id = ?`, append(args, only)
		} else if err := tx.dropCalendar(account); err != nil {
			return err
		}
		res, err := tx.Exec(q, args...)
		if err != nil {
			return err
		}
		gone, err := res.RowsAffected()
		if n = int(gone); n > 0 {
			tx.Audit(e)
		}
		return err
	})
	return n, err
}

func (tx *Tx) putLink(l staff.Link) error {
	_, err := tx.Exec(`INSERT INTO staff_links (id, kind, token_hash, account_id, created_at, expires_at, used_at) VALUES (?, ?, ?, ?, ?, ?, 0)`,
		l.ID, l.Kind, l.Hash, l.AccountID, Millis(l.CreatedAt), Millis(l.ExpiresAt))
	return err
}

func (tx *Tx) useLink(id ids.ID) error {
	res, err := tx.Exec(`UPDATE staff_links SET used_at = ? WHERE id = ? AND used_at = 0`, Millis(tx.Now), id)
	return tx.MustAffect(res, err, errs.New(errs.Conflict, "这个链接已经用过了。"))
}

// AddLink implements staff.SignInStore.
func (s *Staff) AddLink(ctx context.Context, l staff.Link, spent ids.ID, e trail.Entry) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		if spent != 0 {
			if err := tx.useLink(spent); err != nil {
				return err
			}
		}
		tx.Audit(e)
		return tx.putLink(l)
	})
}

// Link implements staff.SignInStore.
func (s *Staff) Link(ctx context.Context, kind staff.LinkKind, hash string) (*staff.Link, error) {
	l, err := One(ctx, s.db, func(r Scanner) (l staff.Link, err error) {
		err = r.Scan(&l.ID, &l.Kind, &l.Hash, &l.AccountID, moment{&l.CreatedAt}, moment{&l.ExpiresAt})
		return l, err
	}, errs.Missing("链接"), `SELECT id, kind, token_hash, account_id, created_at, expires_at FROM staff_links
		WHERE token_hash = ? AND kind = ? AND used_at = 0`, hash, kind)
	if err != nil {
		return nil, err
	}
	return &l, nil
}

// Sweep implements staff.SignInStore.
func (s *Staff) Sweep(ctx context.Context, before time.Time) (n int, err error) {
	err = s.db.Write(ctx, func(tx *Tx) error {
		n = 0
		for _, q := range []string{
			`DELETE FROM staff_sessions WHERE expires_at < ?`,
			`DELETE FROM staff_links WHERE expires_at < ?`,
			`DELETE FROM staff_failures WHERE last_at < ?`, // a lock lasts an hour at most
		} {
			res, err := tx.Exec(q, Millis(before))
			if err != nil {
				return err
			}
			gone, err := res.RowsAffected()
			if err != nil {
				return err
			}
			n += int(gone)
		}
		return nil
	})
	return n, err
}
