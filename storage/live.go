package storage

import (
	"context"
	"strings"
	"time"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/trail"
	"tongxin/live"
)

// Live implements live.Store.
type Live struct{ db *DB }

var _ live.Store = (*Live)(nil)

// NewLive makes the store of rooms.
func NewLive(db *DB) *Live { return &Live{db: db} }

const roomCols = `r.id, r.org_id, o.name, o.path, r.kind, r.state, r.title, r.speaker, r.agenda, r.code, r.most, r.locked, r.starts_at,
	r.opened_at, r.ended_at, r.created_at, r.created_by, r.version,
	(SELECT COUNT(DISTINCT s.person_id) FROM live_seats s WHERE s.room_id = r.id AND s.left_at = 0)`

const roomFrom = ` FROM live_rooms r JOIN orgs o ON o.id = r.org_id WHERE `

func scanRoom(r Scanner) (m live.Room, err error) {
	err = r.Scan(&m.ID, &m.OrgID, &m.OrgName, &m.OrgPath, &m.Kind, &m.State, &m.Title, &m.Speaker, jsonText{&m.Agenda}, &m.Code, &m.Most, &m.Locked,
		moment{&m.StartsAt}, moment{&m.OpenedAt}, moment{&m.EndedAt}, moment{&m.CreatedAt}, &m.CreatedBy, &m.Version, &m.Present)
	return m, err
}

// roomCode is what the unique column of codes holds.
func roomCode(r *live.Room) string {
	if r.State == live.Ended {
		return "#" + r.ID.String()
	}
	return r.Code
}

// Room implements live.Store.
func (s *Live) Room(ctx context.Context, id ids.ID) (*live.Room, error) {
	return s.one(ctx, `r.id = ?`, id)
}

// ByCode implements live.Store.
func (s *Live) ByCode(ctx context.Context, code string) (*live.Room, error) {
	if code == "" || strings.HasPrefix(code, "#") {
		return nil, errs.Missing("讲座")
	}
	return s.one(ctx, `r.code_key = ?`, code)
}

func (s *Live) one(ctx context.Context, where string, args ...any) (*live.Room, error) {
	r, err := One(ctx, s.db, scanRoom, errs.Missing("讲座"), `SELECT `+roomCols+roomFrom+where, args...)
	if err != nil {
		return nil, err
	}
	return &r, nil
}

// Rooms implements live.Store.
func (s *Live) Rooms(ctx context.Context, f live.Filter, r page.Request) ([]live.Room, error) {
	var w filter
	if f.Member {
		in, args := In("r.org_id", f.Orgs)
		w.add(in, args...)
	} else {
		scope, args := ScopeSQL("o.path", f.Scope)
		w.add(scope, args...)
	}
	if len(f.States) > 0 {
		in, args := In("r.state", f.States)
		w.add(in, args...)
	}
	if r.After != 0 {
		w.add("r.id < ?", r.After)
	}
	return All(ctx, s.db, scanRoom, `SELECT `+roomCols+roomFrom+w.String()+` ORDER BY r.id DESC LIMIT ?`, append(w.args, r.Limit+1)...)
}

// Create implements live.Store.
func (s *Live) Create(ctx context.Context, r *live.Room, e trail.Entry) (id ids.ID, err error) {
	err = s.db.Write(ctx, func(tx *Tx) error {
		made, seen, err := tx.Once(e.Actor, r.ID)
		if id = made; err != nil || seen {
			return err
		}
		tx.Audit(e)
		_, err = tx.Exec(`INSERT INTO live_rooms (id, org_id, kind, state, title, speaker, agenda, code, code_key, most, locked, starts_at, opened_at,
			ended_at, created_at, created_by, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			r.ID, r.OrgID, r.Kind, r.State, r.Title, r.Speaker, jsonText{r.Agenda}, r.Code, roomCode(r), r.Most, r.Locked, Millis(r.StartsAt),
			Millis(r.OpenedAt), Millis(r.EndedAt), Millis(r.CreatedAt), r.CreatedBy, r.Version)
		if Duplicate(err) {
			return errs.New(errs.Conflict, "观看码重复，请再试一次。")
		}
		return err
	})
	return id, err
}

// Save implements live.Store.
func (s *Live) Save(ctx context.Context, r *live.Room, expect int64, e trail.Entry) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		tx.Audit(e)
		if err := swap(tx, "live_rooms", r.ID, "讲座", `UPDATE live_rooms SET state = ?, title = ?, speaker = ?, agenda = ?, code_key = ?, most = ?,
			locked = ?, starts_at = ?, opened_at = ?, ended_at = ?, version = ? WHERE id = ? AND version = ?`, r.State, r.Title, r.Speaker,
			jsonText{r.Agenda}, roomCode(r), r.Most, r.Locked, Millis(r.StartsAt), Millis(r.OpenedAt), Millis(r.EndedAt), r.Version, r.ID, expect); err != nil {
			return err
		}
		if r.State != live.Ended {
			return nil
		}
		_, err := tx.Exec(`UPDATE live_seats SET left_at = ? WHERE room_id = ? AND left_at = 0`, Millis(r.EndedAt), r.ID)
		return err
	})
}

// Delete implements live.Store.
func (s *Live) Delete(ctx context.Context, id ids.ID, expect int64, e trail.Entry) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		tx.Audit(e)
		return swap(tx, "live_rooms", id, "讲座", `DELETE FROM live_rooms WHERE id = ? AND version = ? AND state = ?`, id, expect, live.Planned)
	})
}

const personCols = `p.person_id, p.name, p.org_id, p.org_name, p.role, p.removed_at`

func scanRoomPerson(r Scanner) (p live.Person, err error) {
	err = r.Scan(&p.ID, &p.Name, &p.OrgID, &p.OrgName, &p.Role, moment{&p.RemovedAt})
	return p, err
}

// Enter implements live.Store. A room's row is read, not locked: at a rush the
// room may hold a few more than it says, and nobody waits for anybody.
func (s *Live) Enter(ctx context.Context, room ids.ID, p live.Person) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		r, err := One(tx.Ctx, tx, func(sc Scanner) (r live.Room, err error) {
			err = sc.Scan(&r.State, &r.Locked, &r.Most)
			return r, err
		}, errs.Missing("讲座"), `SELECT state, locked, most FROM live_rooms WHERE id = ?`, room)
		if err != nil {
			return err
		}
		old, err := One(tx.Ctx, tx, scanRoomPerson, errs.Missing("人员"), `SELECT `+personCols+` FROM live_people p WHERE p.room_id = ? AND p.person_id = ?`, room, p.ID)
		known := err == nil
		if err != nil && !errs.Is(err, errs.NotFound) {
			return err
		}
		if err := tx.mayEnter(room, &r, p, known, !old.RemovedAt.IsZero()); err != nil {
			return err
		}
		return tx.Upsert("live_people", []string{"room_id", "person_id"}, []string{"room_id", "person_id", "name", "org_id", "org_name", "role", "removed_at"},
			[]string{"name", "org_id", "org_name", "role"}, room, p.ID, p.Name, p.OrgID, p.OrgName, p.Role, 0)
	})
}

// mayEnter says why somebody may not.
func (tx *Tx) mayEnter(room ids.ID, r *live.Room, p live.Person, known, removed bool) error {
	switch {
	case removed:
		return errs.New(errs.Forbidden, "您已被主持人移出这场讲座，不能再次进入。")
	case r.State == live.Planned:
		return errs.New(errs.Conflict, "讲座还没有开始，请稍后再来。")
	case r.State == live.Ended:
		return errs.New(errs.Conflict, "这场讲座已经结束。")
	case p.Role.Publishes():
		return nil
	case r.Locked && !known:
		return errs.New(errs.Conflict, "主持人已锁定讲座，现在不能进入。")
	case r.Most == 0:
		return nil
	}
	n, err := One(tx.Ctx, tx, ScanInt64, nil, `SELECT COUNT(DISTINCT person_id) FROM live_seats WHERE room_id = ? AND left_at = 0 AND person_id <> ?`, room, p.ID)
	if err == nil && n >= int64(r.Most) {
		err = errs.New(errs.Conflict, "观看人数已满，请稍后再试。")
	}
	return err
}

// Standing implements live.Store.
func (s *Live) Standing(ctx context.Context, room, person ids.ID) (state live.State, removed bool, err error) {
	type standing struct {
		state   live.State
		removed int64
	}
	one, err := One(ctx, s.db, func(r Scanner) (st standing, err error) {
		err = r.Scan(&st.state, &st.removed)
		return st, err
	}, errs.Missing("讲座"), `SELECT r.state, p.removed_at FROM live_people p JOIN live_rooms r ON r.id = p.room_id WHERE p.room_id = ? AND p.person_id = ?`, room, person)
	return one.state, one.removed > 0, err
}

// Remove implements live.Store.
func (s *Live) Remove(ctx context.Context, room, person ids.ID, e trail.Entry) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		tx.Audit(e)
		res, err := tx.Exec(`UPDATE live_people SET removed_at = ? WHERE room_id = ? AND person_id = ?`, Millis(tx.Now), room, person)
		if err := tx.MustAffect(res, err, errs.Missing("人员")); err != nil {
			return err
		}
		_, err = tx.Exec(`UPDATE live_seats SET left_at = ? WHERE room_id = ? AND person_id = ? AND left_at = 0`, Millis(tx.Now), room, person)
		return err
	})
}

// People implements live.Store.
func (s *Live) People(ctx context.Context, room ids.ID) (people []live.Person, seats []live.Seat, err error) {
	err = s.db.Read(ctx, func(q Queryer) error {
		if people, err = All(ctx, q, scanRoomPerson, `SELECT `+personCols+` FROM live_people p WHERE p.room_id = ? ORDER BY p.person_id`, room); err != nil {
			return err
		}
		seats, err = All(ctx, q, func(r Scanner) (t live.Seat, err error) {
			err = r.Scan(&t.ID, &t.RoomID, &t.PersonID, &t.Node, moment{&t.JoinedAt}, moment{&t.SeenAt}, moment{&t.LeftAt})
			return t, err
		}, `SELECT id, room_id, person_id, node, joined_at, seen_at, left_at FROM live_seats WHERE room_id = ? ORDER BY id`, room)
		return err
	})
	return people, seats, err
}

// Refused implements live.Store.
func (s *Live) Refused(ctx context.Context, seats []ids.ID) ([]ids.ID, error) {
	var out []ids.ID
	for _, part := range chunks(seats) {
		in, args := In("s.id", part)
		list, err := All(ctx, s.db, func(r Scanner) (id ids.ID, err error) {
			err = r.Scan(&id)
			return id, err
		}, `SELECT s.id FROM live_seats s JOIN live_rooms r ON r.id = s.room_id JOIN live_people p ON p.room_id = s.room_id AND p.person_id = s.person_id
			WHERE `+in+` AND (r.state <> ? OR p.removed_at > 0)`, append(args, live.Open)...)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}

// Sit implements live.Store.
func (s *Live) Sit(ctx context.Context, seats []live.Seat) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		for _, t := range seats {
			if _, err := tx.Exec(`INSERT INTO live_seats (id, room_id, person_id, node, joined_at, seen_at, left_at) VALUES (?, ?, ?, ?, ?, ?, 0)`,
				t.ID, t.RoomID, t.PersonID, t.Node, Millis(t.JoinedAt), Millis(t.SeenAt)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Stand implements live.Store.
func (s *Live) Stand(ctx context.Context, seats []ids.ID, at time.Time) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		for _, part := range chunks(seats) {
			in, args := In("id", part)
			if _, err := tx.Exec(`UPDATE live_seats SET left_at = ?, seen_at = ? WHERE left_at = 0 AND `+in, append([]any{Millis(at), Millis(at)}, args...)...); err != nil {
				return err
			}
		}
		return nil
	})
}

// Seen implements live.Store.
func (s *Live) Seen(ctx context.Context, node string, at time.Time) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(`UPDATE live_seats SET seen_at = ? WHERE left_at = 0 AND node = ?`, Millis(at), node)
		return err
	})
}

// Expire implements live.Store.
func (s *Live) Expire(ctx context.Context, before time.Time) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(`UPDATE live_seats SET left_at = seen_at WHERE left_at = 0 AND seen_at < ?`, Millis(before))
		return err
	})
}
