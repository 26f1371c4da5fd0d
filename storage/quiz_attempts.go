package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/trail"
	"tongxin/quiz"
)

// What the sweep has to do with an attempt at todo_at.
const (
	todoClose = "close"
	todoBook  = "book"
)

const attemptCols = `a.id, a.paper_id, a.member_id, a.org_id, a.kind, a.number, a.title, a.state, a.expired, a.seed, a.items, a.started_at,
	a.due_at, a.ended_at, a.score_milli, a.points_milli, a.pending, a.answered, a.addr, a.todo, a.todo_at, a.version`

func scanAttempt(r Scanner) (a quiz.Attempt, err error) {
	var todo string
	var at time.Time
	var seed int64
	err = r.Scan(&a.ID, &a.PaperID, &a.MemberID, &a.OrgID, &a.Kind, &a.Number, &a.Title, &a.State, &a.Expired, &seed, itemText{&a.Items},
		moment{&a.Started}, moment{&a.Due}, moment{&a.EndedAt}, milli{&a.Score}, milli{&a.Points}, &a.Pending, &a.Answered, &a.Addr, &todo, moment{&at}, &a.Version)
	a.Seed, a.Booked = uint64(seed), a.State != quiz.AttemptOpen && todo != todoBook
	if todo == todoBook {
		a.KnownFrom = at
	}
	return a, err
}

// itemText keeps the questions of an attempt in a few bytes each.
type itemText struct{ v *[]quiz.Item }

func itemsText(items []quiz.Item) string {
	b := make([]byte, 0, 28*len(items))
	for i, it := range items {
		if i > 0 {
			b = append(b, ';')
		}
		b = strconv.AppendInt(b, int64(it.ID), 10)
		b = append(b, '.')
		b = strconv.AppendInt(b, int64(it.Revision), 10)
		b = append(b, '.')
		b = strconv.AppendInt(b, thousandths(it.Points), 10)
	}
	return string(b)
}

// Scan implements sql.Scanner.
func (t itemText) Scan(v any) error {
	var s string
	switch v := v.(type) {
	case string:
		s = v
	case []byte:
		s = string(v)
	default:
		return fmt.Errorf("storage: %T is no list of questions", v)
	}
	if s == "" {
		*t.v = nil
		return nil
	}
	for part := range strings.SplitSeq(s, ";") {
		f := strings.Split(part, ".")
		var n [3]int64
		if len(f) != len(n) {
			return fmt.Errorf("storage: broken list of questions")
		}
		for i := range n {
			var err error
			if n[i], err = strconv.ParseInt(f[i], 10, 64); err != nil {
				return err
			}
		}
		*t.v = append(*t.v, quiz.Item{Ref: quiz.Ref{ID: ids.ID(n[0]), Revision: int(n[1])}, Points: float64(n[2]) / 1000})
	}
	return nil
}

// Attempt implements quiz.AttemptStore.
func (s *Exams) Attempt(ctx context.Context, id ids.ID) (*quiz.Attempt, error) {
	return attempt(ctx, s.db, id, "")
}

func attempt(ctx context.Context, q Queryer, id ids.ID, lock string) (*quiz.Attempt, error) {
	a, err := One(ctx, q, scanAttempt, errs.Missing("答卷"), `SELECT `+attemptCols+` FROM quiz_attempts a WHERE a.id = ?`+lock, id)
	if err != nil {
		return nil, err
	}
	return &a, nil
}

// Of implements quiz.AttemptStore.
func (s *Exams) Of(ctx context.Context, member ids.ID, papers []ids.ID) ([]quiz.Attempt, error) {
	in, args := In("a.paper_id", padded(papers))
	return All(ctx, s.db, scanAttempt, `SELECT `+attemptCols+` FROM quiz_attempts a WHERE a.member_id = ? AND `+in+` ORDER BY a.paper_id, a.number`,
		append([]any{member}, args...)...)
}

// errMet tells two starts of one member apart that met at the same number.
func errMet() error {
	return errs.New(errs.Unavailable, "您在另一台设备上刚刚开始作答，请刷新后继续。")
}

// Start implements quiz.AttemptStore.
func (s *Exams) Start(ctx context.Context, a *quiz.Attempt, allowed int, e trail.Entry) (out *quiz.Attempt, err error) {
	for range 3 {
		err = s.db.Write(ctx, func(tx *Tx) error {
			out, err = s.start(tx, *a, allowed, e)
			return err
		})
		if !errs.Is(err, errs.Unavailable) {
			break
		}
	}
	return out, err
}

func (s *Exams) start(tx *Tx, a quiz.Attempt, allowed int, e trail.Entry) (*quiz.Attempt, error) {
	type newest struct {
		id     ids.ID
		number int
		state  quiz.AttemptState
	}
	last, err := One(tx.Ctx, tx, func(r Scanner) (n newest, err error) { err = r.Scan(&n.id, &n.number, &n.state); return n, err }, sql.ErrNoRows,
		`SELECT id, number, state FROM quiz_attempts WHERE member_id = ? AND paper_id = ? ORDER BY number DESC LIMIT 1`, a.MemberID, a.PaperID)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	if last.state == quiz.AttemptOpen && a.PaperID != 0 {
		return attempt(tx.Ctx, tx, last.id, "")
	}
	id, seen, err := tx.Once(e.Actor, a.ID)
	if err != nil {
		return nil, err
	}
	if seen {
		return attempt(tx.Ctx, tx, id, "")
	}
	if allowed > 0 && last.number >= allowed {
		return nil, errs.New(errs.Conflict, "您已经用完 %d 次作答机会。", allowed)
	}
	if err := tx.paperOpen(a.PaperID); err != nil {
		return nil, err
	}
	a.Number = last.number + 1
	todo := ""
	if !a.Due.IsZero() {
		todo = todoClose
	}
	fresh, err := tx.Insert(`INSERT INTO quiz_attempts (id, paper_id, member_id, org_id, kind, number, title, state, expired, seed, items, started_at,
		due_at, ended_at, score_milli, points_milli, pending, answered, addr, todo, todo_at, version)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, 0, 0, ?, 0, 0, ?, ?, ?, ?)`, a.ID, a.PaperID, a.MemberID, a.OrgID, a.Kind, a.Number, a.Title, a.State,
		int64(a.Seed), itemsText(a.Items), Millis(a.Started), Millis(a.Due), thousandths(a.Points), a.Addr, todo, Millis(a.Due), a.Version)
	if err != nil {
		return nil, err
	}
	if !fresh {
		return nil, errMet()
	}
	tx.Audit(e)
	return &a, nil
}

// paperOpen refuses attempts at a paper that was closed a moment ago.
func (tx *Tx) paperOpen(id ids.ID) error {
	if id == 0 {
		return nil
	}
	open, err := One(tx.Ctx, tx, ScanInt64, errs.Missing("试卷"), `SELECT CASE WHEN state = ? AND (ends_at = 0 OR ends_at > ?) THEN 1 ELSE 0 END
		FROM quiz_papers WHERE id = ?`, quiz.PaperPublished, Millis(tx.Now), id)
	if err == nil && open == 0 {
		return errs.New(errs.Conflict, "这份试卷已经结束，不能再作答。")
	}
	return err
}

// Finish implements quiz.AttemptStore.
func (s *Exams) Finish(ctx context.Context, id ids.ID, end quiz.Ending, grade func([]quiz.Given, time.Time) quiz.Graded, e trail.Entry) (out *quiz.Attempt, err error) {
	err = s.db.Write(ctx, func(tx *Tx) error {
		out, err = s.finish(tx, id, end, grade, e)
		return err
	})
	return out, err
}

func (s *Exams) finish(tx *Tx, id ids.ID, end quiz.Ending, grade func([]quiz.Given, time.Time) quiz.Graded, e trail.Entry) (*quiz.Attempt, error) {
	a, err := attempt(tx.Ctx, tx, id, tx.ForUpdate())
	if err != nil || a.State != quiz.AttemptOpen {
		return a, err
	}
	if !end.DueBefore.IsZero() && a.Due.After(end.DueBefore) {
		return a, nil // extended meanwhile
	}
	a.EndedAt = end.At
	if end.State == quiz.AttemptExpired {
		a.EndedAt, a.Expired = a.Due, true
	}
	list, err := givens(tx.Ctx, tx, id)
	if err != nil {
		return nil, err
	}
	g := grade(list, a.EndedAt)
	if a.State = end.State; g.Pending == 0 {
		a.State = quiz.AttemptGraded
	}
	a.Score, a.Pending, a.Answered, a.KnownFrom = g.Score, g.Pending, g.Answered, g.KnownFrom
	a.Version++
	todo := ""
	if !g.KnownFrom.IsZero() {
		todo = todoBook
	}
	a.Booked = todo == ""
	if _, err := tx.Exec(`UPDATE quiz_attempts SET state = ?, expired = ?, ended_at = ?, score_milli = ?, pending = ?, answered = ?, todo = ?, todo_at = ?,
		version = ? WHERE id = ?`, a.State, flag(a.Expired), Millis(a.EndedAt), thousandths(a.Score), a.Pending, a.Answered, todo, Millis(a.KnownFrom),
		a.Version, id); err != nil {
		return nil, err
	}
	rows := make([][]any, len(g.Marks))
	for i, m := range g.Marks {
		rows[i] = []any{
			id, m.N, a.PaperID, m.Ref.ID, m.Ref.Revision, thousandths(m.Points), millionths(m.Share), flag(m.Given), flag(m.Pending),
			m.Comment, m.Grader, Millis(m.GradedAt), m.Version,
		}
	}
	tx.Audit(e)
	return a, tx.insertRows("quiz_marks", []string{
		"attempt_id", "n", "paper_id", "question_id", "revision", "points_milli", "share_ppm", "given", "pending", "comment", "grader", "graded_at", "version",
	}, "", rows)
}

func millionths(f float64) int64 { return int64(math.Round(f * 1e6)) }

const markCols = `m.attempt_id, m.n, m.question_id, m.revision, m.points_milli, m.share_ppm, m.given, m.pending, m.comment, m.grader, m.graded_at, m.version`

func scanMark(r Scanner) (m quiz.Marked, err error) {
	err = r.Scan(&m.AttemptID, &m.N, &m.Ref.ID, &m.Ref.Revision, milli{&m.Points}, ppm{&m.Share}, &m.Given, &m.Pending, &m.Comment, &m.Grader,
		moment{&m.GradedAt}, &m.Version)
	return m, err
}

// Marks implements quiz.AttemptStore.
func (s *Exams) Marks(ctx context.Context, id ids.ID) ([]quiz.Marked, error) {
	return All(ctx, s.db, scanMark, `SELECT `+markCols+` FROM quiz_marks m WHERE m.attempt_id = ? ORDER BY m.n`, id)
}

// Overdue implements quiz.AttemptStore.
func (s *Exams) Overdue(ctx context.Context, before time.Time, limit int) ([]ids.ID, error) {
	return s.due(ctx, todoClose, before, limit)
}

func (s *Exams) due(ctx context.Context, todo string, before time.Time, limit int) ([]ids.ID, error) {
	list, err := All(ctx, s.db, ScanInt64, `SELECT id FROM quiz_attempts WHERE todo = ? AND todo_at <= ? ORDER BY todo_at LIMIT ?`, todo, Millis(before), limit)
	return asIDs(list), err
}
