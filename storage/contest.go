package storage

import (
	"context"
	"strings"
	"time"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/trail"
	"tongxin/quiz/contest"
)

// Contests implements contest.Store.
type Contests struct{ db *DB }

var _ contest.Store = (*Contests)(nil)

// NewContests makes the store of live contests.
func NewContests(db *DB) *Contests { return &Contests{db: db} }

const contestCols = `c.id, c.org_id, o.name, o.path, c.title, c.mode, c.state, c.code, c.plan, c.seed, c.rule_version, c.starts_at, c.finished_at,
	c.created_at, c.created_by, c.locked, c.question, c.questions, c.phase, c.opened_at, c.ends_at, c.closed_at, c.left_ms, c.match_size,
	c.match_topic, c.match_private, c.players, c.lease_owner, c.fence, c.lease_until, c.version`

const contestFrom = ` FROM contests c JOIN orgs o ON o.id = c.org_id WHERE `

func scanContest(r Scanner) (c contest.Contest, err error) {
	var left int64
	err = r.Scan(&c.ID, &c.OrgID, &c.OrgName, &c.OrgPath, &c.Title, &c.Mode, &c.State, &c.Code, jsonText{&c.Plan}, &c.Seed, &c.Rule,
		moment{&c.StartsAt}, moment{&c.FinishedAt}, moment{&c.CreatedAt}, &c.CreatedBy, &c.Locked, &c.N, &c.Total, &c.Phase, moment{&c.OpenedAt},
		moment{&c.EndsAt}, moment{&c.ClosedAt}, &left, &c.Match.Size, &c.Match.Topic, &c.Match.Private, &c.Players, &c.Lease.Owner, &c.Lease.Fence,
		moment{&c.Lease.Until}, &c.Version)
	c.Left = time.Duration(left) * time.Millisecond
	return c, err
}

// codeKey is what the unique column of codes holds.
func codeKey(c *contest.Contest) string {
	if c.Code == "" {
		return "#" + c.ID.String()
	}
	return c.Code
}

// Contest implements contest.PlanStore.
func (s *Contests) Contest(ctx context.Context, id ids.ID) (*contest.Contest, error) {
	return s.one(ctx, s.db, `c.id = ?`, id)
}

// ByCode implements contest.DoorStore.
func (s *Contests) ByCode(ctx context.Context, code string) (*contest.Contest, error) {
	if code == "" || strings.HasPrefix(code, "#") {
		return nil, errs.Missing("比赛")
	}
	return s.one(ctx, s.db, `c.code_key = ?`, code)
}

func (s *Contests) one(ctx context.Context, q Queryer, where string, args ...any) (*contest.Contest, error) {
	c, err := One(ctx, q, scanContest, errs.Missing("比赛"), `SELECT `+contestCols+contestFrom+where, args...)
	if err != nil {
		return nil, err
	}
	return &c, nil
}

// Contests implements contest.PlanStore.
func (s *Contests) Contests(ctx context.Context, f contest.Filter, r page.Request) ([]contest.Contest, error) {
	var w filter
	switch {
	case f.Member != 0:
		in, args := In("c.org_id", f.Orgs)
		w.add("("+in+" OR EXISTS (SELECT 1 FROM contest_players p WHERE p.contest_id = c.id AND p.player_id = ? AND p.removed_at = 0))",
			append(args, f.Member)...)
	default:
		scope, args := ScopeSQL("o.path", f.Scope)
		w.add(scope, args...)
	}
	if len(f.States) > 0 {
		in, args := In("c.state", f.States)
		w.add(in, args...)
	}
	if !f.Match {
		w.add("c.mode <> ?", contest.Match)
	}
	if r.After != 0 {
		w.add("c.id < ?", r.After)
	}
	return All(ctx, s.db, scanContest, `SELECT `+contestCols+contestFrom+w.String()+` ORDER BY c.id DESC LIMIT ?`, append(w.args, r.Limit+1)...)
}

// Create implements contest.PlanStore.
func (s *Contests) Create(ctx context.Context, c *contest.Contest, e trail.Entry) (id ids.ID, err error) {
	err = s.db.Write(ctx, func(tx *Tx) error {
		made, seen, err := tx.Once(e.Actor, c.ID)
		if id = made; err != nil || seen {
			return err
		}
		tx.Audit(e)
		_, err = tx.Exec(`INSERT INTO contests (id, org_id, title, mode, state, code, code_key, plan, seed, rule_version, starts_at, finished_at,
			created_at, created_by, locked, question, questions, phase, opened_at, ends_at, closed_at, left_ms, match_size, match_topic, match_private,
			players, lease_owner, fence, lease_until, version)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, 0, 0, ?, '', 0, 0, 0, 0, ?, ?, ?, 0, '', 0, 0, ?)`,
			c.ID, c.OrgID, c.Title, c.Mode, c.State, c.Code, codeKey(c), jsonText{c.Plan}, c.Seed, c.Rule, Millis(c.StartsAt),
			Millis(c.CreatedAt), c.CreatedBy, len(c.Plan.Questions), c.Match.Size, c.Match.Topic, c.Match.Private, c.Version)
		return codeTaken(err)
	})
	return id, err
}

func codeTaken(err error) error {
	if Duplicate(err) {
		return errs.New(errs.Conflict, "参赛码重复，请再试一次。")
	}
	return err
}

// Save implements contest.PlanStore.
func (s *Contests) Save(ctx context.Context, c *contest.Contest, expect int64, e trail.Entry) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		tx.Audit(e)
		err := swap(tx, "contests", c.ID, "比赛", `UPDATE contests SET title = ?, mode = ?, state = ?, code = ?, code_key = ?, plan = ?, questions = ?,
			starts_at = ?, version = ? WHERE id = ? AND version = ?`, c.Title, c.Mode, c.State, c.Code, codeKey(c), jsonText{c.Plan},
			len(c.Plan.Questions), Millis(c.StartsAt), c.Version, c.ID, expect)
		return codeTaken(err)
	})
}

// Delete implements contest.PlanStore.
func (s *Contests) Delete(ctx context.Context, id ids.ID, expect int64, e trail.Entry) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		tx.Audit(e)
		return swap(tx, "contests", id, "比赛", `DELETE FROM contests WHERE id = ? AND version = ? AND state = ?`, id, expect, contest.Draft)
	})
}

const playerCols = `p.player_id, p.name, p.org_id, p.org_name, p.team, p.hidden, p.joined_at, p.entered_at, p.removed_at`

func scanPlayer(r Scanner) (p contest.Player, err error) {
	err = r.Scan(&p.ID, &p.Name, &p.OrgID, &p.OrgName, &p.Team, &p.Hidden, moment{&p.JoinedAt}, moment{&p.EnteredAt}, moment{&p.RemovedAt})
	return p, err
}

// Players implements contest.PlanStore.
func (s *Contests) Players(ctx context.Context, id ids.ID, q string, r page.Request) ([]contest.Player, error) {
	var w filter
	w.add("p.contest_id = ? AND p.player_id > ?", id, r.After)
	if q != "" {
		w.add("LOWER(p.name) LIKE ? ESCAPE '!'", containing(q))
	}
	return All(ctx, s.db, scanPlayer, `SELECT `+playerCols+` FROM contest_players p WHERE `+w.String()+` ORDER BY p.player_id LIMIT ?`,
		append(w.args, r.Limit+1)...)
}

// Results implements contest.PlanStore.
func (s *Contests) Results(ctx context.Context, id ids.ID) (list []contest.Player, totals map[ids.ID]*contest.Total, err error) {
	err = s.db.Read(ctx, func(q Queryer) error {
		list, totals, err = standings(ctx, q, id)
		return err
	})
	return list, totals, err
}

func standings(ctx context.Context, q Queryer, id ids.ID) ([]contest.Player, map[ids.ID]*contest.Total, error) {
	list, err := All(ctx, q, scanPlayer, `SELECT `+playerCols+` FROM contest_players p WHERE p.contest_id = ? AND p.entered_at > 0`, id)
	if err != nil {
		return nil, nil, err
	}
	totals := map[ids.ID]*contest.Total{}
	_, err = All(ctx, q, func(r Scanner) (struct{}, error) {
		var who ids.ID
		t := &contest.Total{}
		err := r.Scan(&who, &t.Score, &t.Right)
		totals[who] = t
		return struct{}{}, err
	}, `SELECT a.player_id, SUM(a.points), SUM(a.is_right) FROM contest_answers a
		JOIN contest_rounds r ON r.contest_id = a.contest_id AND r.n = a.n
		WHERE a.contest_id = ? AND r.phase = ? GROUP BY a.player_id`, id, contest.Closed)
	return list, totals, err
}
