package storage

import (
	"context"
	"time"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/trail"
	"tongxin/member"
	"tongxin/member/signin"
)

// SignIn implements signin.Store.
type SignIn struct{ db *DB }

var _ signin.Store = (*SignIn)(nil)

// NewSignIn makes the store of the members' sign-in.
func NewSignIn(db *DB) *SignIn { return &SignIn{db: db} }

const memberSessionSQL = `SELECT id, member_id, binding_id, client, device, addr, nonce, generation, created_at, seen_at, rotated_at, expires_at
	FROM member_sessions WHERE ended_at = 0 AND `

func scanMemberSession(r Scanner) (x signin.Session, err error) {
	err = r.Scan(&x.ID, &x.MemberID, &x.BindingID, &x.Client, &x.Device, &x.Addr, &x.Nonce, &x.Generation, moment{&x.CreatedAt}, moment{&x.SeenAt},
		moment{&x.RotatedAt}, moment{&x.ExpiresAt})
	return x, err
}

// Session implements signin.Store.
func (s *SignIn) Session(ctx context.Context, id ids.ID) (*signin.Session, *member.Member, error) {
	x, err := One(ctx, s.db, scanMemberSession, errs.Missing("登录"), memberSessionSQL+`id = ?`, id)
	if err != nil {
		return nil, nil, err
	}
	m, err := NewMembers(s.db).Member(ctx, x.MemberID)
	return &x, m, err
}

// Sessions implements signin.Store.
func (s *SignIn) Sessions(ctx context.Context, of ids.ID) ([]signin.Session, error) {
	return All(ctx, s.db, scanMemberSession, memberSessionSQL+`member_id = ? ORDER BY seen_at DESC, id DESC LIMIT 100`, of)
}

// Start implements signin.Store. The member's row is held, so that leaving the
// roster ends every session that was begun before.
func (s *SignIn) Start(ctx context.Context, st signin.Start, e trail.Entry) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		x := &st.Session
		state, err := One(tx.Ctx, tx, ScanString, errs.Missing("党员"), `SELECT state FROM members WHERE id = ?`+tx.ForUpdate(), x.MemberID)
		if err == nil && member.State(state) != member.Active {
			err = errs.New(errs.Conflict, "这位党员不在册。")
		}
		if err != nil {
			return err
		}
		for _, id := range st.Spend {
			res, err := tx.Exec(`UPDATE member_links SET used_at = ? WHERE id = ? AND used_at = 0`, Millis(tx.Now), id)
			if err := tx.MustAffect(res, err, errs.New(errs.Conflict, "这个链接已经用过了。")); err != nil {
				return err
			}
		}
		if st.Bind != nil {
			if err := tx.bindWeChat(st.Bind); err != nil {
				return err
			}
		}
		tx.Audit(e)
		_, err = tx.Exec(`INSERT INTO member_sessions (id, member_id, binding_id, client, device, addr, nonce, generation, created_at, seen_at, rotated_at,
			expires_at, ended_at, ended_why) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '')`, x.ID, x.MemberID, x.BindingID, x.Client, x.Device, x.Addr,
			x.Nonce, x.Generation, Millis(x.CreatedAt), Millis(x.SeenAt), Millis(x.RotatedAt), Millis(x.ExpiresAt))
		return err
	})
}

// bindWeChat puts b in the place of what the member or the WeChat identity was
// bound with in that app, and signs out the devices that came by it.
func (tx *Tx) bindWeChat(b *signin.Binding) error {
	old, err := All(tx.Ctx, tx, scanID, `SELECT id FROM member_wechat WHERE app_id = ? AND (openid = ? OR member_id = ?)`,
		b.Identity.AppID, b.Identity.OpenID, b.MemberID)
	if err != nil {
		return err
	}
	for _, id := range old {
		if err := tx.unbindWeChat(id); err != nil {
			return err
		}
	}
	_, err = tx.Exec(`INSERT INTO member_wechat (id, member_id, app_id, openid, unionid, how, bound_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		b.ID, b.MemberID, b.Identity.AppID, b.Identity.OpenID, b.Identity.UnionID, b.How, Millis(b.BoundAt))
	if Duplicate(err) { // another sign-in of the same person at the same moment
		return errs.New(errs.Conflict, "这个微信刚刚完成了绑定。")
	}
	return err
}

func (tx *Tx) unbindWeChat(id ids.ID) error {
	if _, err := tx.Exec(`DELETE FROM member_wechat WHERE id = ?`, id); err != nil {
		return err
	}
	_, err := tx.Exec(`UPDATE member_sessions SET ended_at = ?, ended_why = 'unbound' WHERE binding_id = ? AND ended_at = 0`, Millis(tx.Now), id)
	return err
}

// Rotate implements signin.Store.
func (s *SignIn) Rotate(ctx context.Context, id ids.ID, from int64, at time.Time, addr string) (moved bool, err error) {
	err = s.db.Write(ctx, func(tx *Tx) error {
		res, err := tx.Exec(`UPDATE member_sessions SET generation = ?, rotated_at = ?, seen_at = ?, addr = ? WHERE id = ? AND generation = ? AND ended_at = 0`,
			from+1, Millis(at), Millis(at), addr, id, from)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		moved = n == 1
		return err
	})
	return moved, err
}

// Touch implements signin.Store.
func (s *SignIn) Touch(ctx context.Context, id ids.ID, at time.Time) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(`UPDATE member_sessions SET seen_at = ? WHERE id = ? AND seen_at < ?`, Millis(at), id, Millis(at))
		return err
	})
}

// End implements signin.Store.
func (s *SignIn) End(ctx context.Context, of, id ids.ID, why string, e trail.Entry) (n int, err error) {
	err = s.db.Write(ctx, func(tx *Tx) error {
		q, args := `UPDATE member_sessions SET ended_at = ?, ended_why = ? WHERE member_id = ? AND ended_at = 0`, []any{Millis(tx.Now), why, of}
		if id != 0 {
			q, args = q+` AND id = ?`, append(args, id)
		}
		res, err := tx.Exec(q, args...)
		if err != nil {
			return err
		}
		rows, err := res.RowsAffected()
		if n = int(rows); n > 0 {
			tx.Audit(e)
		}
		return err
	})
	return n, err
}

const memberLinkSQL = `SELECT id, kind, hash, member_id, app_id, openid, unionid, client, created_at, expires_at, used_at, tries FROM member_links WHERE `

func scanMemberLink(r Scanner) (l signin.Link, err error) {
	err = r.Scan(&l.ID, &l.Kind, &l.Hash, &l.MemberID, &l.Identity.AppID, &l.Identity.OpenID, &l.Identity.UnionID, &l.Client, moment{&l.CreatedAt},
		moment{&l.ExpiresAt}, moment{&l.UsedAt}, &l.Tries)
	return l, err
}

// Link implements signin.Store.
func (s *SignIn) Link(ctx context.Context, kind signin.LinkKind, hash string) (*signin.Link, error) {
	l, err := One(ctx, s.db, scanMemberLink, errs.Missing("链接"), memberLinkSQL+`hash = ? AND kind = ?`, hash, kind)
	if err != nil {
		return nil, err
	}
	return &l, nil
}

// AddLink implements signin.Store.
func (s *SignIn) AddLink(ctx context.Context, l signin.Link, e trail.Entry) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		tx.Audit(e)
		_, err := tx.Exec(`INSERT INTO member_links (id, kind, hash, member_id, app_id, openid, unionid, client, created_at, expires_at, used_at, tries)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0)`, l.ID, l.Kind, l.Hash, l.MemberID, l.Identity.AppID, l.Identity.OpenID, l.Identity.UnionID, l.Client,
			Millis(l.CreatedAt), Millis(l.ExpiresAt))
		return err
	})
}

// Guess implements signin.Store.
func (s *SignIn) Guess(ctx context.Context, ticket ids.ID, e trail.Entry) (tries int, err error) {
	err = s.db.Write(ctx, func(tx *Tx) error {
		res, err := tx.Exec(`UPDATE member_links SET tries = tries + 1 WHERE id = ?`, ticket)
		if err := tx.MustAffect(res, err, errs.Missing("链接")); err != nil {
			return err
		}
		tx.Audit(e)
		n, err := One(tx.Ctx, tx, ScanInt64, errs.Missing("链接"), `SELECT tries FROM member_links WHERE id = ?`, ticket)
		tries = int(n)
		return err
	})
	return tries, err
}

const memberWeChatSQL = `SELECT id, member_id, app_id, openid, unionid, how, bound_at FROM member_wechat WHERE `

func scanMemberWeChat(r Scanner) (b signin.Binding, err error) {
	err = r.Scan(&b.ID, &b.MemberID, &b.Identity.AppID, &b.Identity.OpenID, &b.Identity.UnionID, &b.How, moment{&b.BoundAt})
	return b, err
}

// Bound implements signin.Store.
func (s *SignIn) Bound(ctx context.Context, w signin.Identity) (*signin.Binding, error) {
	none := errs.Missing("微信绑定")
	b, err := One(ctx, s.db, scanMemberWeChat, none, memberWeChatSQL+`app_id = ? AND openid = ?`, w.AppID, w.OpenID)
	if errs.Is(err, errs.NotFound) && w.UnionID != "" {
		b, err = One(ctx, s.db, scanMemberWeChat, none, memberWeChatSQL+`unionid = ? ORDER BY id DESC LIMIT 1`, w.UnionID)
	}
	if err != nil {
		return nil, err
	}
	return &b, nil
}

// Bindings implements signin.Store.
func (s *SignIn) Bindings(ctx context.Context, of ids.ID) ([]signin.Binding, error) {
	return All(ctx, s.db, scanMemberWeChat, memberWeChatSQL+`member_id = ? ORDER BY id`, of)
}

// Unbind implements signin.Store.
func (s *SignIn) Unbind(ctx context.Context, of, id ids.ID, e trail.Entry) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		_, err := One(tx.Ctx, tx, scanID, errs.Missing("微信绑定"), `SELECT id FROM member_wechat WHERE id = ? AND member_id = ?`+tx.ForUpdate(), id, of)
		if err != nil {
			return err
		}
		tx.Audit(e)
		return tx.unbindWeChat(id)
	})
}

// Settings implements signin.Store.
func (s *SignIn) Settings(ctx context.Context, of ids.ID) (signin.Settings, error) {
	set, err := One(ctx, s.db, func(r Scanner) (v signin.Settings, err error) {
		err = r.Scan(&v.TextSize, &v.HighContrast, &v.Recommendations, &v.Rankings)
		return v, err
	}, errs.Missing("设置"), `SELECT text_size, high_contrast, recommendations, rankings FROM member_settings WHERE member_id = ?`, of)
	if errs.Is(err, errs.NotFound) {
		return signin.Defaults(), nil
	}
	return set, err
}

// SaveSettings implements signin.Store.
func (s *SignIn) SaveSettings(ctx context.Context, of ids.ID, v signin.Settings, e trail.Entry) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		tx.Audit(e)
		set := []string{"text_size", "high_contrast", "recommendations", "rankings", "updated_at"}
		return tx.Upsert("member_settings", []string{"member_id"}, append([]string{"member_id"}, set...), set,
			of, v.TextSize, v.HighContrast, v.Recommendations, v.Rankings, Millis(tx.Now))
	})
}

// Sweep implements signin.Store.
func (s *SignIn) Sweep(ctx context.Context, before time.Time) (n int, err error) {
	err = s.db.Write(ctx, func(tx *Tx) error {
		n = 0
		for _, q := range []string{
			`DELETE FROM member_sessions WHERE ended_at > 0 AND ended_at < ?`, `DELETE FROM member_sessions WHERE expires_at < ?`,
			`DELETE FROM member_links WHERE expires_at < ?`,
		} {
			res, err := tx.Exec(q, Millis(before))
			if err != nil {
				return err
			}
			rows, err := res.RowsAffected()
			if err != nil {
				return err
			}
			n += int(rows)
		}
		return nil
	})
	return n, err
}
