package storage

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/quiz"
)

// answerBatch is how many answers share one transaction.
const answerBatch = 128

// answerWrite is one answer on its way, and what became of it.
type answerWrite struct {
	in   quiz.Keep
	text string // the answer as stored

	missing bool
	kept    quiz.Kept
}

// answerShape holds the statements of a batch by the power of two that it is
// padded to, so that nothing is built while callers wait.
type answerShape struct {
	lock, read, put map[int]string
}

func newAnswerShape(d dialect) answerShape {
	s := answerShape{map[int]string{}, map[int]string{}, map[int]string{}}
	set := d.upsert([]string{"attempt_id", "n"}, []string{"seq", "answer", "saved_at"})
	for n := 1; n <= answerBatch; n *= 2 {
		s.lock[n] = `SELECT id, state, due_at, ended_at FROM quiz_attempts WHERE id IN (` + marks(n) + `) ORDER BY id` + d.forUpdate()
		s.read[n] = `SELECT attempt_id, n, seq, saved_at FROM quiz_answers WHERE ` +
			strings.TrimSuffix(strings.Repeat(`attempt_id = ? AND n = ? OR `, n), " OR ")
		s.put[n] = insertSQL("quiz_answers", []string{"attempt_id", "n", "seq", "answer", "saved_at"}, n) + set
	}
	return s
}

// Save implements quiz.AttemptStore.
func (s *Exams) Save(ctx context.Context, in quiz.Keep) (quiz.Kept, error) {
	text, err := json.Marshal(in.Answer)
	if err != nil {
		return quiz.Kept{}, err
	}
	w := &answerWrite{in: in, text: string(text)}
	if err := s.answers.do(ctx, w); err != nil {
		return quiz.Kept{}, err
	}
	if w.missing {
		return quiz.Kept{}, errs.Missing("答卷")
	}
	return w.kept, nil
}

type sittingState struct {
	state      quiz.AttemptState
	due, ended int64
}

type answerKey struct {
	attempt ids.ID
	n       int
}

type answerRow struct {
	seq, at int64
	text    string
	known   bool // text was read or written here
	changed bool
}

// saveAnswers stores a batch. The attempts are locked first, so that no answer
// and no end of an attempt can cross; then nobody else writes these answers,
// and what stands may be decided here.
func (s *Exams) saveAnswers(tx *Tx, batch []*answerWrite) error {
	open, err := s.lockAttempts(tx, batch)
	if err != nil {
		return err
	}
	rows, err := s.readAnswers(tx, batch)
	if err != nil {
		return err
	}
	changed := make([]answerKey, 0, len(batch))
	for _, w := range batch {
		w.missing, w.kept = false, quiz.Kept{}
		a, ok := open[w.in.Attempt]
		at := Millis(w.in.At)
		switch {
		case !ok:
			w.missing = true
			continue
		case a.state != quiz.AttemptOpen:
			w.kept = quiz.Kept{Refused: true, State: a.state, EndedAt: FromMillis(a.ended)}
			continue
		case a.due != 0 && at >= a.due:
			w.kept = quiz.Kept{Refused: true, State: quiz.AttemptExpired, EndedAt: FromMillis(a.due)}
			continue
		}
		key := answerKey{w.in.Attempt, w.in.N}
		row := rows[key]
		stands, err := s.stands(tx, key, row, w)
		if err != nil {
			return err
		}
		if !stands {
			if row == nil || !row.changed {
				changed = append(changed, key)
			}
			row = &answerRow{seq: w.in.Seq, at: at, text: w.text, known: true, changed: true}
			rows[key] = row
		}
		if err := s.readText(tx, key, row); err != nil {
			return err
		}
		w.kept.Given = quiz.Given{N: w.in.N, Seq: row.seq, SavedAt: FromMillis(row.at)}
		if w.kept.Taken = row.seq == w.in.Seq && row.text == w.text; w.kept.Taken {
			w.kept.Answer = w.in.Answer
			continue
		}
		if err := json.Unmarshal([]byte(row.text), &w.kept.Answer); err != nil {
			return err
		}
	}
	return s.putAnswers(tx, changed, rows)
}

// stands reports that what is stored wins over w.
func (s *Exams) stands(tx *Tx, key answerKey, row *answerRow, w *answerWrite) (bool, error) {
	if row == nil {
		return false, nil
	}
	if row.seq >= w.in.Seq {
		return true, nil
	}
	if !w.in.Final {
		return false, nil
	}
	if err := s.readText(tx, key, row); err != nil {
		return false, err
	}
	var a quiz.Answer
	err := json.Unmarshal([]byte(row.text), &a)
	return !a.Empty(), err
}

func (s *Exams) readText(tx *Tx, key answerKey, row *answerRow) (err error) {
	if row.known {
		return nil
	}
	row.text, err = One(tx.Ctx, tx, ScanString, errs.Missing("答案"), `SELECT answer FROM quiz_answers WHERE attempt_id = ? AND n = ?`, key.attempt, key.n)
	row.known = err == nil
	return err
}

func (s *Exams) lockAttempts(tx *Tx, batch []*answerWrite) (map[ids.ID]sittingState, error) {
	list := make([]ids.ID, 0, len(batch))
	for _, w := range batch {
		list = append(list, w.in.Attempt)
	}
	slices.Sort(list)
	list = padded(slices.Compact(list))
	args := make([]any, len(list))
	for i, id := range list {
		args[i] = int64(id)
	}
	out := make(map[ids.ID]sittingState, len(list))
	rows, err := tx.Query(tx.Ctx, s.shape.lock[len(list)], args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // closed below on success
	for rows.Next() {
		var id int64
		var a sittingState
		if err := rows.Scan(&id, &a.state, &a.due, &a.ended); err != nil {
			return nil, err
		}
		out[ids.ID(id)] = a
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return out, rows.Close()
}

func (s *Exams) readAnswers(tx *Tx, batch []*answerWrite) (map[answerKey]*answerRow, error) {
	list := padded(batch)
	args := make([]any, 0, 2*len(list))
	for _, w := range list {
		args = append(args, int64(w.in.Attempt), int64(w.in.N))
	}
	out := make(map[answerKey]*answerRow, len(batch))
	rows, err := tx.Query(tx.Ctx, s.shape.read[len(list)], args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // closed below on success
	for rows.Next() {
		var id int64
		var key answerKey
		row := &answerRow{}
		if err := rows.Scan(&id, &key.n, &row.seq, &row.at); err != nil {
			return nil, err
		}
		key.attempt = ids.ID(id)
		out[key] = row
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return out, rows.Close()
}

func (s *Exams) putAnswers(tx *Tx, changed []answerKey, rows map[answerKey]*answerRow) error {
	for _, n := range powers(len(changed), answerBatch) {
		args := make([]any, 0, 5*n)
		for _, key := range changed[:n] {
			row := rows[key]
			args = append(args, int64(key.attempt), int64(key.n), row.seq, row.text, row.at)
		}
		if _, err := tx.Exec(s.shape.put[n], args...); err != nil {
			return err
		}
		changed = changed[n:]
	}
	return nil
}

// Givens implements quiz.AttemptStore.
func (s *Exams) Givens(ctx context.Context, attempt ids.ID) ([]quiz.Given, error) {
	return givens(ctx, s.db, attempt)
}

func givens(ctx context.Context, q Queryer, attempt ids.ID) ([]quiz.Given, error) {
	return All(ctx, q, func(r Scanner) (g quiz.Given, err error) {
		err = r.Scan(&g.N, &g.Seq, jsonText{&g.Answer}, moment{&g.SavedAt})
		return g, err
	}, `SELECT n, seq, answer, saved_at FROM quiz_answers WHERE attempt_id = ? ORDER BY n`, attempt)
}
