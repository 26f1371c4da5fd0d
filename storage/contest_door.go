package storage

import (
	"context"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/trail"
	"tongxin/quiz/contest"
)

// Join implements contest.DoorStore.
func (s *Contests) Join(ctx context.Context, id ids.ID, p contest.Player, t contest.Ticket) (*contest.Player, error) {
	var out contest.Player
	err := s.db.Write(ctx, func(tx *Tx) error {
		c, err := One(tx.Ctx, tx, func(r Scanner) (c contest.Contest, err error) {
			err = r.Scan(&c.Mode, &c.State, &c.Locked, &c.Match.Size, &c.Players)
			return c, err
		}, errs.Missing("比赛"), `SELECT mode, state, locked, match_size, players FROM contests WHERE id = ?`+tx.ForUpdate(), id)
		if err != nil {
			return err
		}
		old, err := One(tx.Ctx, tx, scanPlayer, errs.Missing("选手"), `SELECT `+playerCols+` FROM contest_players p
			WHERE p.contest_id = ? AND p.player_id = ?`, id, p.ID)
		known := err == nil
		if err != nil && !errs.Is(err, errs.NotFound) {
			return err
		}
		if err := mayJoin(&c, known, !old.RemovedAt.IsZero()); err != nil {
			return err
		}
		if out = p; known {
			out = old
			out.Name, out.Hidden = p.Name, p.Hidden
			_, err = tx.Exec(`UPDATE contest_players SET name = ?, hidden = ? WHERE contest_id = ? AND player_id = ?`, p.Name, p.Hidden, id, p.ID)
		} else {
			out.JoinedAt = tx.Now
			if _, err = tx.Exec(`INSERT INTO contest_players (contest_id, player_id, name, org_id, org_name, team, hidden, joined_at, entered_at, removed_at)
				VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0)`, id, p.ID, p.Name, p.OrgID, p.OrgName, p.Team, p.Hidden, Millis(tx.Now)); err == nil {
				_, err = tx.Exec(`UPDATE contests SET players = players + 1 WHERE id = ?`, id)
			}
		}
		if err != nil {
			return err
		}
		return tx.addTicket(t)
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// mayJoin says why somebody may not.
func mayJoin(c *contest.Contest, known, removed bool) error {
	full := contest.MaxPlayers
	if c.Mode == contest.Match {
		full = c.Match.Size
	}
	switch {
	case c.State == contest.Draft:
		return errs.Missing("比赛")
	case removed:
		return errs.New(errs.Forbidden, "您已被主持人移出这场比赛，不能再次进入。")
	case known:
		return nil
	case c.State == contest.Finished:
		return errs.New(errs.Conflict, "这场比赛已经结束。")
	case c.Locked:
		return errs.New(errs.Conflict, "主持人已锁定比赛，现在不能加入。")
	case c.Mode == contest.Match && c.State != contest.Lobby:
		return errs.New(errs.Conflict, "这场对战已经开始。")
	case c.Players >= full:
		return errs.New(errs.Conflict, "这场比赛的人数已满。")
	}
	return nil
}

func (tx *Tx) addTicket(t contest.Ticket) error {
	_, err := tx.Exec(`INSERT INTO contest_tickets (hash, contest_id, holder_id, role, expires_at) VALUES (?, ?, ?, ?, ?)`,
		t.Hash, t.ContestID, t.Holder, t.Role, Millis(t.ExpiresAt))
	return err
}

// Ticket implements contest.DoorStore.
func (s *Contests) Ticket(ctx context.Context, t contest.Ticket, e trail.Entry) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		tx.Audit(e)
		return tx.addTicket(t)
	})
}

// Redeem implements contest.DoorStore.
func (s *Contests) Redeem(ctx context.Context, hash string) (*contest.Pass, error) {
	bad := errs.New(errs.Unauthorized, "入场凭证无效或已过期，请重新进入比赛。")
	var out contest.Pass
	err := s.db.Write(ctx, func(tx *Tx) error {
		out = contest.Pass{}
		t, err := One(tx.Ctx, tx, func(r Scanner) (t contest.Ticket, err error) {
			err = r.Scan(&t.ContestID, &t.Holder, &t.Role, moment{&t.ExpiresAt})
			return t, err
		}, bad, `SELECT contest_id, holder_id, role, expires_at FROM contest_tickets WHERE hash = ?`, hash)
		if err != nil {
			return err
		}
		res, err := tx.Exec(`DELETE FROM contest_tickets WHERE hash = ?`, hash)
		if err := tx.MustAffect(res, err, bad); err != nil {
			return err
		}
		if !t.ExpiresAt.After(tx.Now) {
			return bad
		}
		out = contest.Pass{ContestID: t.ContestID, Holder: t.Holder, Role: t.Role}
		if t.Role != contest.RolePlayer {
			return nil
		}
		return tx.enterPlayer(&out)
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// enterPlayer notes the first connection of a player.
func (tx *Tx) enterPlayer(pass *contest.Pass) error {
	p, err := One(tx.Ctx, tx, scanPlayer, errs.Missing("选手"), `SELECT `+playerCols+` FROM contest_players p
		WHERE p.contest_id = ? AND p.player_id = ?`, pass.ContestID, pass.Holder)
	if err != nil {
		return err
	}
	pass.Player = &p
	if !p.RemovedAt.IsZero() {
		return errs.New(errs.Forbidden, "您已被主持人移出这场比赛，不能再次进入。")
	}
	if !p.EnteredAt.IsZero() {
		return nil
	}
	p.EnteredAt = tx.Now
	_, err = tx.Exec(`UPDATE contest_players SET entered_at = ? WHERE contest_id = ? AND player_id = ?`, Millis(tx.Now), pass.ContestID, p.ID)
	return err
}

// OpenMatch implements contest.DoorStore.
func (s *Contests) OpenMatch(ctx context.Context, org ids.ID, size int, topic string, member ids.ID) (*contest.Contest, error) {
	const open, seated = `c.state = ? AND c.mode = ? AND c.org_id = ? AND c.match_size = ? AND c.match_topic = ? AND c.match_private = 0`,
		`EXISTS (SELECT 1 FROM contest_players p WHERE p.contest_id = c.id AND p.player_id = ?`
	args := []any{contest.Lobby, contest.Match, org, size, topic, member}
	c, err := s.one(ctx, s.db, open+` AND `+seated+` AND p.removed_at = 0) ORDER BY c.id LIMIT 1`, args...)
	if errs.Is(err, errs.NotFound) {
		c, err = s.one(ctx, s.db, open+` AND NOT `+seated+`) AND c.players < c.match_size ORDER BY c.id LIMIT 1`, args...)
	}
	if errs.Is(err, errs.NotFound) {
		return nil, nil
	}
	return c, err
}

// Joined implements contest.DoorStore.
func (s *Contests) Joined(ctx context.Context, member ids.ID, contests []ids.ID) (map[ids.ID]bool, error) {
	out := map[ids.ID]bool{}
	for _, part := range chunks(contests) {
		in, args := In("contest_id", padded(part))
		list, err := All(ctx, s.db, ScanInt64, `SELECT contest_id FROM contest_players WHERE player_id = ? AND removed_at = 0 AND `+in,
			append([]any{member}, args...)...)
		if err != nil {
			return nil, err
		}
		for _, id := range list {
			out[ids.ID(id)] = true
		}
	}
	return out, nil
}

// Sweep implements contest.DoorStore.
func (s *Contests) Sweep(ctx context.Context) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(`DELETE FROM contest_tickets WHERE expires_at < ?`, Millis(tx.Now))
		return err
	})
}
