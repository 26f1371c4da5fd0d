package storage

import (
	"context"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/trail"
	"tongxin/quiz"
)

const seatSQL = `SELECT a.id, a.member_id, COALESCE(m.name, ''), a.org_id, COALESCE(o.name, ''), a.number, a.state, a.expired, a.started_at, a.due_at, a.ended_at,
	COALESCE(g.n, 0), a.items, COALESCE(g.last_at, 0), a.score_milli, a.points_milli, a.pending, a.version, COALESCE(po.path, ''), a.addr
	FROM quiz_attempts a LEFT JOIN members m ON m.id = a.member_id LEFT JOIN orgs o ON o.id = a.org_id
	LEFT JOIN quiz_papers p ON p.id = a.paper_id LEFT JOIN orgs po ON po.id = p.org_id
	LEFT JOIN (SELECT attempt_id, COUNT(*) AS n, MAX(saved_at) AS last_at FROM quiz_answers WHERE attempt_id IN (`

func scanSeat(r Scanner) (f quiz.SeatFacts, err error) {
	var score float64
	s := &f.Seat
	err = r.Scan(&s.ID, &s.MemberID, &s.MemberName, &s.OrgID, &s.OrgName, &s.Number, &s.State, &s.Expired, moment{&s.StartedAt}, moment{&s.DueAt},
		moment{&s.EndedAt}, &s.Answered, itemText{&f.Items}, moment{&s.LastAt}, milli{&score}, milli{&s.Points}, &s.Pending, &s.Version, &s.OrgPath, &f.Addr)
	s.Questions = len(f.Items)
	if s.State != quiz.AttemptOpen {
		s.Score = &score
	}
	return f, err
}

// seats reads attempts by id: the ids come first, so that answers are counted
// for one page only.
func (s *Exams) seats(ctx context.Context, list []int64, order string) (out []quiz.SeatFacts, err error) {
	for _, part := range chunks(list) {
		in, args := In("a.id", padded(part))
		more, err := All(ctx, s.db, scanSeat, seatSQL+marks(len(args))+`) GROUP BY attempt_id) g ON g.attempt_id = a.id WHERE `+in+` ORDER BY a.id `+order,
			append(args, args...)...)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}

// Seats implements quiz.MarkStore.
func (s *Exams) Seats(ctx context.Context, f quiz.SeatFilter, r page.Request) ([]quiz.Seat, error) {
	var w filter
	w.add("a.paper_id = ?", f.Paper)
	scope, args := ScopeSQL("o.path", f.Scope)
	w.add(scope, args...)
	if r.After != 0 {
		w.add("a.id < ?", r.After)
	}
	if f.State != "" {
		w.add("a.state = ?", f.State)
	}
	list, err := All(ctx, s.db, ScanInt64, `SELECT a.id FROM quiz_attempts a JOIN orgs o ON o.id = a.org_id WHERE `+w.String()+` ORDER BY a.id DESC LIMIT ?`,
		append(w.args, r.Limit+1)...)
	if err != nil {
		return nil, err
	}
	rows, err := s.seats(ctx, list, "DESC")
	out := make([]quiz.Seat, len(rows))
	for i := range rows {
		out[i] = rows[i].Seat
	}
	return out, err
}

// Seat implements quiz.MarkStore.
func (s *Exams) Seat(ctx context.Context, id ids.ID) (*quiz.Seat, error) {
	rows, err := s.seats(ctx, []int64{int64(id)}, "")
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, errs.Missing("答卷")
	}
	return &rows[0].Seat, nil
}

// Facts implements quiz.MarkStore.
func (s *Exams) Facts(ctx context.Context, paper ids.ID, scope authz.Scope, limit int) ([]quiz.SeatFacts, error) {
	where, args := ScopeSQL("o.path", scope)
	list, err := All(ctx, s.db, ScanInt64, `SELECT a.id FROM quiz_attempts a JOIN orgs o ON o.id = a.org_id WHERE a.paper_id = ? AND a.state <> ? AND `+where+
		` ORDER BY a.id LIMIT ?`, append(append([]any{paper, quiz.AttemptOpen}, args...), limit)...)
	if err != nil {
		return nil, err
	}
	out, err := s.seats(ctx, list, "")
	if err != nil {
		return nil, err
	}
	at := make(map[ids.ID]*quiz.SeatFacts, len(out))
	for i := range out {
		out[i].Wrong = map[int]string{}
		at[out[i].ID] = &out[i]
	}
	for _, part := range chunks(list) {
		in, args := In("g.attempt_id", padded(part))
		_, err := All(ctx, s.db, func(r Scanner) (struct{}, error) {
			var attempt ids.ID
			var g quiz.Given
			var text string
			var share *int64
			if err := r.Scan(&attempt, &g.N, jsonText{&g.Answer}, &text, moment{&g.SavedAt}, &share); err != nil {
				return struct{}{}, err
			}
			f := at[attempt]
			f.Given = append(f.Given, g)
			if share != nil && *share == 0 && !g.Answer.Empty() {
				f.Wrong[g.N] = text
			}
			return struct{}{}, nil
		}, `SELECT g.attempt_id, g.n, g.answer, g.answer, g.saved_at, k.share_ppm FROM quiz_answers g
			LEFT JOIN quiz_marks k ON k.attempt_id = g.attempt_id AND k.n = g.n AND k.pending = 0 WHERE `+in+` ORDER BY g.attempt_id, g.n`, args...)
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Extend implements quiz.MarkStore.
func (s *Exams) Extend(ctx context.Context, a *quiz.Attempt, due time.Time, e trail.Entry) error {
	ended := errs.New(errs.Conflict, "这份答卷已经结束，不能再延长时间。")
	return s.db.Write(ctx, func(tx *Tx) error {
		res, err := tx.Exec(`UPDATE quiz_attempts SET due_at = ?, todo_at = ?, version = version + 1 WHERE id = ? AND state = ? AND version = ?`,
			Millis(due), Millis(due), a.ID, quiz.AttemptOpen, a.Version)
		if err := tx.MustAffect(res, err, ended); err != nil {
			return err
		}
		tx.Audit(e)
		_, err = tx.Exec(`UPDATE quiz_papers SET held_to = ?, reserved_to = CASE WHEN reserved_to < ? THEN ? ELSE reserved_to END, version = version + 1
			WHERE id = ? AND held_to < ?`, Millis(due), Millis(due), Millis(due), a.PaperID, Millis(due))
		return err
	})
}

const waitingSQL = `SELECT k.attempt_id, k.n, k.paper_id, a.title, COALESCE(m.name, ''), COALESCE(g.answer, '{}'), k.points_milli, k.version, k.question_id, k.revision, o.path, a.member_id, a.org_id
	FROM quiz_marks k JOIN quiz_attempts a ON a.id = k.attempt_id JOIN quiz_papers p ON p.id = a.paper_id JOIN orgs o ON o.id = p.org_id
	LEFT JOIN members m ON m.id = a.member_id LEFT JOIN quiz_answers g ON g.attempt_id = k.attempt_id AND g.n = k.n WHERE `

func scanWaiting(r Scanner) (w quiz.Waiting, err error) {
	var a quiz.Answer
	err = r.Scan(&w.AttemptID, &w.N, &w.PaperID, &w.Title, &w.MemberName, jsonText{&a}, milli{&w.Points}, &w.Version, &w.Ref.ID, &w.Ref.Revision, &w.OrgPath, &w.MemberID, &w.MemberOrg)
	w.Text = a.Text
	return w, err
}

// Waiting implements quiz.MarkStore.
func (s *Exams) Waiting(ctx context.Context, f quiz.WaitingFilter, r page.Request) ([]quiz.Waiting, error) {
	var w filter
	scope, args := ScopeSQL("o.path", f.Scope)
	w.add(scope, args...)
	w.add("a.pending > 0 AND a.state <> ? AND a.id > ?", quiz.AttemptOpen, r.After)
	if f.Paper != 0 {
		w.add("a.paper_id = ?", f.Paper)
	}
	list, err := All(ctx, s.db, ScanInt64, `SELECT a.id FROM quiz_attempts a JOIN quiz_papers p ON p.id = a.paper_id JOIN orgs o ON o.id = p.org_id WHERE `+w.String()+
		` ORDER BY a.id LIMIT ?`, append(w.args, r.Limit+1)...)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	in, args := In("k.attempt_id", padded(list))
	return All(ctx, s.db, scanWaiting, waitingSQL+in+` AND k.pending = 1 ORDER BY k.attempt_id, k.n`, args...)
}

// Answer implements quiz.MarkStore.
func (s *Exams) Answer(ctx context.Context, attempt ids.ID, n int) (*quiz.Waiting, error) {
	w, err := One(ctx, s.db, scanWaiting, errs.Missing("答案"), waitingSQL+`k.attempt_id = ? AND k.n = ?`, attempt, n)
	if err != nil {
		return nil, err
	}
	return &w, nil
}

// MarksOf implements quiz.MarkStore.
func (s *Exams) MarksOf(ctx context.Context, paper, question ids.ID, attempts []ids.ID) ([]quiz.MarkedAnswer, error) {
	var w filter
	w.add("m.paper_id = ? AND m.question_id = ?", paper, question)
	if len(attempts) > 0 {
		in, args := In("m.attempt_id", padded(attempts))
		w.add(in, args...)
	}
	return All(ctx, s.db, func(r Scanner) (m quiz.MarkedAnswer, err error) {
		err = r.Scan(&m.AttemptID, &m.N, &m.Ref.ID, &m.Ref.Revision, milli{&m.Points}, ppm{&m.Share}, &m.Given, &m.Pending, &m.Comment, &m.Grader,
			moment{&m.GradedAt}, &m.Version, jsonText{&m.Answer})
		return m, err
	}, `SELECT `+markCols+`, COALESCE(g.answer, '{}') FROM quiz_marks m LEFT JOIN quiz_answers g ON g.attempt_id = m.attempt_id AND g.n = m.n
		WHERE `+w.String()+` ORDER BY m.attempt_id`, w.args...)
}

// Mark implements quiz.MarkStore.
func (s *Exams) Mark(ctx context.Context, list []quiz.Marked, by, reason string, entries []trail.Entry) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		for _, e := range entries {
			tx.Audit(e)
		}
		var touched []ids.ID
		for i, m := range list {
			if err := tx.putMark(s.db.IDs().New(), m, by, reason); err != nil {
				return err
			}
			if i == 0 || m.AttemptID != list[i-1].AttemptID {
				touched = append(touched, m.AttemptID)
			}
		}
		for _, id := range touched {
			if err := tx.addUp(id); err != nil {
				return err
			}
		}
		return nil
	})
}

func (tx *Tx) putMark(old ids.ID, m quiz.Marked, by, reason string) error {
	_, err := tx.Exec(`INSERT INTO quiz_marks_old (id, attempt_id, n, revision, points_milli, share_ppm, pending, comment, grader, graded_at, version, replaced_at,
		replaced_by, reason) SELECT ?, attempt_id, n, revision, points_milli, share_ppm, pending, comment, grader, graded_at, version, ?, ?, ?
		FROM quiz_marks WHERE attempt_id = ? AND n = ?`, old, Millis(tx.Now), by, reason, m.AttemptID, m.N)
	if err != nil {
		return err
	}
	res, err := tx.Exec(`UPDATE quiz_marks SET revision = ?, share_ppm = ?, pending = ?, comment = ?, grader = ?, graded_at = ?, version = ?
		WHERE attempt_id = ? AND n = ? AND version = ?`, m.Ref.Revision, millionths(m.Share), flag(m.Pending), m.Comment, m.Grader, Millis(m.GradedAt),
		m.Version, m.AttemptID, m.N, m.Version-1)
	return tx.MustAffect(res, err, errs.New(errs.Stale, "这个答案刚刚被别人评过分，请刷新后再看。"))
}

// addUp computes an attempt's score of its marks.
func (tx *Tx) addUp(id ids.ID) error {
	a, err := attempt(tx.Ctx, tx, id, tx.ForUpdate())
	if err != nil {
		return err
	}
	list, err := All(tx.Ctx, tx, scanMark, `SELECT `+markCols+` FROM quiz_marks m WHERE m.attempt_id = ? ORDER BY m.n`, id)
	if err != nil {
		return err
	}
	g := quiz.AddUp(list)
	state := quiz.AttemptGraded
	if g.Pending > 0 {
		if state = quiz.AttemptSubmitted; a.Expired {
			state = quiz.AttemptExpired
		}
	}
	_, err = tx.Exec(`UPDATE quiz_attempts SET state = ?, score_milli = ?, pending = ?, version = version + 1 WHERE id = ? AND state <> ?`, state,
		thousandths(g.Score), g.Pending, id, quiz.AttemptOpen)
	return err
}

// Record implements quiz.MarkStore.
func (s *Exams) Record(ctx context.Context, e trail.Entry) error { return s.db.Record(ctx, e) }
