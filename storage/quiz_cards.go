package storage

import (
	"context"
	"time"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/trail"
	"tongxin/quiz"
)

func scanDaily(r Scanner) (d quiz.Daily, err error) {
	err = r.Scan(&d.OrgID, &d.OrgName, &d.OrgPath, jsonText{&d.DailyInput}, &d.Version, moment{&d.UpdatedAt}, &d.UpdatedBy)
	if d.Topics == nil {
		d.Topics = []string{}
	}
	return d, err
}

// Dailies implements quiz.DailyStore.
func (s *Exams) Dailies(ctx context.Context, orgs []ids.ID) ([]quiz.Daily, error) {
	in, args := In("d.org_id", padded(orgs))
	return All(ctx, s.db, scanDaily, `SELECT d.org_id, o.name, o.path, d.body, d.version, d.updated_at, d.updated_by
		FROM quiz_daily d JOIN orgs o ON o.id = d.org_id WHERE `+in+` ORDER BY d.org_id`, args...)
}

// SaveDaily implements quiz.DailyStore.
func (s *Exams) SaveDaily(ctx context.Context, d *quiz.Daily, expect int64, e trail.Entry) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		tx.Audit(e)
		if expect != 0 {
			return swapBy(tx, `UPDATE quiz_daily SET body = ?, version = ?, updated_at = ?, updated_by = ? WHERE org_id = ? AND version = ?`,
				jsonText{d.DailyInput}, d.Version, Millis(d.UpdatedAt), d.UpdatedBy, d.OrgID, expect)
		}
		fresh, err := tx.Insert(`INSERT INTO quiz_daily (org_id, body, version, updated_at, updated_by) VALUES (?, ?, ?, ?, ?)`, d.OrgID,
			jsonText{d.DailyInput}, d.Version, Millis(d.UpdatedAt), d.UpdatedBy)
		if err == nil && !fresh {
			return stale("设置")
		}
		return err
	})
}

func swapBy(tx *Tx, q string, args ...any) error {
	res, err := tx.Exec(q, args...)
	return tx.MustAffect(res, err, stale("设置"))
}

// DailyPaper implements quiz.DailyStore.
func (s *Exams) DailyPaper(ctx context.Context, org ids.ID, day string) (*quiz.Paper, error) {
	p, err := One(ctx, s.db, scanPaper, errs.Missing("每日答题"), paperSQL+`p.slot = ?`, paperSlot(&quiz.Paper{Kind: quiz.DailyPaper, OrgID: org, Day: day}))
	if err != nil {
		return nil, err
	}
	return &p, nil
}

// AddDailyPaper implements quiz.DailyStore.
func (s *Exams) AddDailyPaper(ctx context.Context, p *quiz.Paper, e trail.Entry) error {
	err := s.db.Write(ctx, func(tx *Tx) error {
		tx.Audit(e)
		return tx.addPaper(p)
	})
	if Duplicate(err) {
		return nil
	}
	return err
}

// DailyRecent implements quiz.DailyStore.
func (s *Exams) DailyRecent(ctx context.Context, org ids.ID, since time.Time) ([]ids.ID, error) {
	list, err := All(ctx, s.db, ScanInt64, `SELECT DISTINCT q.question_id FROM quiz_papers p JOIN quiz_paper_questions q ON q.paper_id = p.id
		WHERE p.org_id = ? AND p.kind = ? AND p.opens_at >= ? ORDER BY q.question_id`, org, quiz.DailyPaper, Millis(since))
	return asIDs(list), err
}

func asIDs(list []int64) []ids.ID {
	out := make([]ids.ID, len(list))
	for i, id := range list {
		out[i] = ids.ID(id)
	}
	return out
}

// DailyDays implements quiz.DailyStore.
func (s *Exams) DailyDays(ctx context.Context, member ids.ID, limit int) ([]string, error) {
	return All(ctx, s.db, ScanString, `SELECT DISTINCT p.day FROM quiz_attempts a JOIN quiz_papers p ON p.id = a.paper_id
		WHERE a.member_id = ? AND p.kind = ? AND a.state <> ? ORDER BY p.day DESC LIMIT ?`, member, quiz.DailyPaper, quiz.AttemptOpen, limit)
}

const cardCols = `member_id, question_id, revision, in_book, right_times, wrong_times, last_answer, last_right, last_at, due_at, memory, topics`

func scanCard(r Scanner) (k quiz.Known, err error) {
	err = r.Scan(&k.MemberID, &k.QuestionID, &k.Revision, &k.Book, &k.Right, &k.Wrong, jsonText{&k.Last}, &k.LastRight, moment{&k.LastAt}, moment{&k.Due},
		jsonText{&k.Memory}, jsonText{&k.Topics})
	return k, err
}

// Cards implements quiz.CardStore.
func (s *Exams) Cards(ctx context.Context, f quiz.CardFilter, limit int) ([]quiz.Known, error) {
	var w filter
	w.add("member_id = ? AND question_id > ?", f.Member, f.After)
	if f.Book {
		w.add("in_book = 1")
	}
	if f.Topic != "" { // kept as ["党章","纪律"]: the quotes make the match exact
		w.add("LOWER(topics) LIKE ? ESCAPE '!'", containing(`"`+f.Topic+`"`))
	}
	if len(f.Questions) > 0 {
		in, args := In("question_id", padded(f.Questions))
		w.add(in, args...)
	}
	if !f.DueBy.IsZero() {
		w.add("due_at <= ?", Millis(f.DueBy))
	}
	return All(ctx, s.db, scanCard, `SELECT `+cardCols+` FROM quiz_cards WHERE `+w.String()+` ORDER BY question_id LIMIT ?`, append(w.args, limit)...)
}

// ToBook implements quiz.CardStore.
func (s *Exams) ToBook(ctx context.Context, now time.Time, limit int) ([]ids.ID, error) {
	return s.due(ctx, todoBook, now, limit)
}

// Postpone implements quiz.CardStore.
func (s *Exams) Postpone(ctx context.Context, attempt ids.ID, at time.Time) error {
	todo := todoBook
	if at.IsZero() {
		todo = ""
	}
	return s.db.Write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(`UPDATE quiz_attempts SET todo = ?, todo_at = ? WHERE id = ? AND todo = ?`, todo, Millis(at), attempt, todoBook)
		return err
	})
}

// Book implements quiz.CardStore.
func (s *Exams) Book(ctx context.Context, attempt, member ids.ID, questions []ids.ID, change func(map[ids.ID]quiz.Known) ([]quiz.Known, error)) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		if attempt != 0 {
			res, err := tx.Exec(`UPDATE quiz_attempts SET todo = '', todo_at = 0 WHERE id = ? AND todo = ?`, attempt, todoBook)
			if err != nil {
				return err
			}
			if n, err := res.RowsAffected(); err != nil || n == 0 {
				return err // booked already
			}
		}
		known := map[ids.ID]quiz.Known{}
		for _, part := range chunks(questions) {
			in, args := In("question_id", padded(part))
			list, err := All(tx.Ctx, tx, scanCard, `SELECT `+cardCols+` FROM quiz_cards WHERE member_id = ? AND `+in+tx.ForUpdate(), append([]any{member}, args...)...)
			if err != nil {
				return err
			}
			for _, k := range list {
				known[k.QuestionID] = k
			}
		}
		list, err := change(known)
		if err != nil {
			return err
		}
		cols := []string{
			"member_id", "question_id", "revision", "in_book", "right_times", "wrong_times", "last_answer", "last_right", "last_at", "due_at", "memory", "topics",
		}
		rows := make([][]any, len(list))
		for i, k := range list {
			rows[i] = []any{
				k.MemberID, k.QuestionID, k.Revision, flag(k.Book), k.Right, k.Wrong,
				jsonText{k.Last},
				flag(k.LastRight), Millis(k.LastAt), Millis(k.Due),
				jsonText{k.Memory},
				jsonText{k.Topics},
			}
		}
		return tx.insertRows("quiz_cards", cols, tx.lane.db.dialect.upsert(cols[:2], cols[2:]), rows)
	})
}
