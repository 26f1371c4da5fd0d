package storage

import (
	"context"
	"time"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/trail"
	"tongxin/quiz/contest"
)

type leaseRow struct {
	contest.Lease
	state contest.State
}

func scanLease(r Scanner) (l leaseRow, err error) {
	err = r.Scan(&l.Owner, &l.Fence, moment{&l.Until}, &l.state)
	return l, err
}

const leaseSQL = `SELECT lease_owner, fence, lease_until, state FROM contests WHERE id = ?`

// Claim implements contest.RoomStore. It looks first, so that asking for a
// contest that another node runs costs the writer nothing.
func (s *Contests) Claim(ctx context.Context, id ids.ID, owner string, until time.Duration, force bool) (now, before contest.Lease, won bool, err error) {
	l, err := One(ctx, s.db, scanLease, errs.Missing("比赛"), leaseSQL, id)
	if err != nil {
		return now, before, false, err
	}
	if l.state == contest.Draft {
		return now, before, false, errs.Missing("比赛")
	}
	if l.Until.After(s.db.clock.Now()) && !force && l.Owner != "" {
		return l.Lease, l.Lease, false, nil
	}
	err = s.db.Write(ctx, func(tx *Tx) error {
		won = false
		l, err := One(tx.Ctx, tx, scanLease, errs.Missing("比赛"), leaseSQL+tx.ForUpdate(), id)
		if err != nil {
			return err
		}
		if now, before = l.Lease, l.Lease; l.Owner != "" && l.Until.After(tx.Now) && !force {
			return nil
		}
		now = contest.Lease{Owner: owner, Fence: l.Fence + 1, Until: tx.Now.Add(until)}
		won = true
		_, err = tx.Exec(`UPDATE contests SET lease_owner = ?, fence = ?, lease_until = ? WHERE id = ?`, owner, now.Fence, Millis(now.Until), id)
		return err
	})
	return now, before, won && err == nil, err
}

// moved is the answer to an owner whose contest has another one.
func moved() error { return errs.New(errs.Stale, "这场比赛由另一台服务器主持。") }

// Renew implements contest.RoomStore.
func (s *Contests) Renew(ctx context.Context, id ids.ID, l contest.Lease, until time.Duration) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		res, err := tx.Exec(`UPDATE contests SET lease_until = ? WHERE id = ? AND fence = ? AND lease_owner = ?`,
			Millis(tx.Now.Add(until)), id, l.Fence, l.Owner)
		return tx.MustAffect(res, err, moved())
	})
}

// Free implements contest.RoomStore.
func (s *Contests) Free(ctx context.Context, id ids.ID, l contest.Lease) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(`UPDATE contests SET lease_owner = '', lease_until = 0 WHERE id = ? AND fence = ? AND lease_owner = ?`, id, l.Fence, l.Owner)
		return err
	})
}

// Load implements contest.RoomStore.
func (s *Contests) Load(ctx context.Context, id ids.ID) (*contest.Saved, error) {
	var out contest.Saved
	err := s.db.Read(ctx, func(q Queryer) error {
		c, err := s.one(ctx, q, `c.id = ?`, id)
		if err != nil {
			return err
		}
		out.Contest = *c
		if out.Players, out.Totals, err = standings(ctx, q, id); err != nil {
			return err
		}
		out.Given, err = All(ctx, q, scanGiven, givenSQL+`contest_id = ? AND n = ?`, id, c.N)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

const givenSQL = `SELECT player_id, n, received_at, answer, is_right, points FROM contest_answers WHERE `

func scanGiven(r Scanner) (g contest.Given, err error) {
	err = r.Scan(&g.Player, &g.N, moment{&g.ReceivedAt}, jsonText{&g.Answer}, &g.Right, &g.Points)
	return g, err
}

// Step implements contest.RoomStore.
func (s *Contests) Step(ctx context.Context, fence int64, st *contest.Step, e trail.Entry) error {
	c := &st.Next
	return s.db.Write(ctx, func(tx *Tx) error {
		res, err := tx.Exec(`UPDATE contests SET state = ?, code = ?, code_key = ?, finished_at = ?, locked = ?, question = ?, phase = ?, opened_at = ?,
			ends_at = ?, closed_at = ?, left_ms = ?, version = ? WHERE id = ? AND fence = ? AND version = ?`, c.State, c.Code, codeKey(c),
			Millis(c.FinishedAt), c.Locked, c.N, c.Phase, Millis(c.OpenedAt), Millis(c.EndsAt), Millis(c.ClosedAt), c.Left.Milliseconds(),
			c.Version+1, c.ID, fence, c.Version)
		if err := tx.MustAffect(res, err, moved()); err != nil {
			return err
		}
		tx.Audit(e)
		if st.Player != 0 {
			res, err := tx.Exec(`UPDATE contest_players SET removed_at = ? WHERE contest_id = ? AND player_id = ? AND removed_at = 0`,
				Millis(tx.Now), c.ID, st.Player)
			if err := tx.MustAffect(res, err, errs.Missing("选手")); err != nil {
				return err
			}
			if _, err := tx.Exec(`UPDATE contests SET players = players - 1 WHERE id = ?`, c.ID); err != nil {
				return err
			}
		}
		if r := st.Round; r != nil {
			return tx.Upsert("contest_rounds", []string{"contest_id", "n"},
				[]string{"contest_id", "n", "phase", "opened_at", "ends_at", "closed_at"}, []string{"phase", "opened_at", "ends_at", "closed_at"},
				c.ID, r.N, r.Phase, Millis(r.OpenedAt), Millis(r.EndsAt), Millis(r.ClosedAt))
		}
		return nil
	})
}

// answersPerStmt keeps the arguments of one INSERT few.
const answersPerStmt = 64

// SaveAnswers implements contest.RoomStore. The lock on the contest's row keeps
// another owner out until the commit, so what is read here is what stands.
func (s *Contests) SaveAnswers(ctx context.Context, id ids.ID, fence int64, list []contest.Given) ([]contest.Given, error) {
	var out []contest.Given
	err := s.db.Write(ctx, func(tx *Tx) error {
		out = append(out[:0], list...)
		now, err := One(tx.Ctx, tx, ScanInt64, errs.Missing("比赛"), `SELECT fence FROM contests WHERE id = ?`+tx.ForUpdate(), id)
		if err != nil {
			return err
		}
		if now != fence {
			return moved()
		}
		for at := 0; at < len(out); at += answersPerStmt {
			if err := tx.addAnswers(id, out[at:min(at+answersPerStmt, len(out))]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

type givenKey struct {
	player ids.ID
	n      int
}

// standing reads the earlier answers of the players of part to its questions:
// nearly always one question.
func (tx *Tx) standing(id ids.ID, part []contest.Given) (map[givenKey]contest.Given, error) {
	asked := map[int][]ids.ID{}
	for _, g := range part {
		asked[g.N] = append(asked[g.N], g.Player)
	}
	stand := map[givenKey]contest.Given{}
	for n, players := range asked {
		in, args := In("player_id", padded(players))
		old, err := All(tx.Ctx, tx, scanGiven, givenSQL+`contest_id = ? AND n = ? AND `+in, append([]any{id, n}, args...)...)
		if err != nil {
			return nil, err
		}
		for _, g := range old {
			stand[givenKey{g.Player, n}] = g
		}
	}
	return stand, nil
}

// addAnswers inserts the new ones of part and puts what stands in the place of
// the others.
func (tx *Tx) addAnswers(id ids.ID, part []contest.Given) error {
	stand, err := tx.standing(id, part)
	if err != nil {
		return err
	}
	cols := []string{"contest_id", "n", "player_id", "received_at", "answer", "is_right", "points"}
	var values []any
	rows := 0
	for i, g := range part {
		key := givenKey{g.Player, g.N}
		if was, known := stand[key]; known {
			part[i] = was
			continue
		}
		stand[key] = g
		values = append(values, id, g.N, g.Player, Millis(g.ReceivedAt), jsonText{g.Answer}, g.Right, g.Points)
		rows++
	}
	if rows == 0 {
		return nil
	}
	if tx.lane.db.dialect.prepares() { // one prepared row each is faster than a statement of many lengths
		one := insertSQL("contest_answers", cols, 1)
		for i := range rows {
			if _, err := tx.Exec(one, values[i*len(cols):(i+1)*len(cols)]...); err != nil {
				return err
			}
		}
		return nil
	}
	_, err = tx.Exec(insertSQL("contest_answers", cols, rows), values...)
	return err
}

// Orphans implements contest.RoomStore. With all, also those with a lease: it is
// of a process that is no more.
func (s *Contests) Orphans(ctx context.Context, all bool) ([]ids.ID, error) {
	now := Millis(s.db.clock.Now())
	if all {
		now = 1 << 62
	}
	list, err := All(ctx, s.db, ScanInt64, `SELECT id FROM contests WHERE lease_until <= ? AND (state = ? OR state = ? AND (mode = ? OR starts_at > 0))
		ORDER BY id LIMIT 100`, now, contest.Running, contest.Lobby, contest.Match)
	out := make([]ids.ID, len(list))
	for i, id := range list {
		out[i] = ids.ID(id)
	}
	return out, err
}
