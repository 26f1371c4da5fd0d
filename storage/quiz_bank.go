package storage

import (
	"context"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/trail"
	"tongxin/quiz"
)

// QuizBank implements quiz.QuestionStore.
type QuizBank struct{ db *DB }

var _ quiz.QuestionStore = (*QuizBank)(nil)

// NewQuizBank makes the store of questions.
func NewQuizBank(db *DB) *QuizBank { return &QuizBank{db: db} }

const questionCols = `q.id, q.org_id, o.name, o.path, q.state, q.revision, r.content, r.same_key, q.stem_key, q.active_at, q.version,
	q.created_at, q.created_by, q.updated_at, q.updated_by`

const questionJoin = ` JOIN orgs o ON o.id = q.org_id JOIN question_revisions r ON r.question_id = q.id AND r.revision = q.revision `

func scanQuestion(r Scanner) (q quiz.Question, err error) {
	err = r.Scan(&q.ID, &q.OrgID, &q.OrgName, &q.OrgPath, &q.State, &q.Revision, jsonText{&q.Content}, &q.SameKey, &q.StemKey, moment{&q.ActiveAt},
		&q.Version, moment{&q.CreatedAt}, &q.CreatedBy, moment{&q.UpdatedAt}, &q.UpdatedBy)
	return q, err
}

// Question implements quiz.QuestionStore.
func (s *QuizBank) Question(ctx context.Context, id ids.ID) (*quiz.Question, error) {
	q, err := One(ctx, s.db, scanQuestion, errs.Missing("题目"), `SELECT `+questionCols+` FROM questions q`+questionJoin+`WHERE q.id = ?`, id)
	if err != nil {
		return nil, err
	}
	q.Find = quiz.FindText(&q.Content)
	return &q, nil
}

// reachSQL is the condition that a question q of an organisation o is in reach.
func reachSQL(r quiz.Reach) (string, []any) {
	where, args := ScopeSQL("o.path", r.Scope)
	if r.Scope.All || len(r.Above) == 0 {
		return where, args
	}
	above, more := In("q.org_id", padded(r.Above))
	return "(" + where + " OR " + above + ")", append(args, more...)
}

// Questions implements quiz.QuestionStore. The ids come first, without contents:
// sorting and filtering those of a large bank would cost more than the page.
func (s *QuizBank) Questions(ctx context.Context, f quiz.QuestionFilter, r page.Request) ([]quiz.Question, error) {
	var w filter
	reach, args := reachSQL(f.Reach)
	w.add(reach, args...)
	if r.After != 0 {
		w.add("q.id < ?", r.After)
	}
	if f.OrgID != 0 {
		w.add("q.org_id = ?", f.OrgID)
	}
	if f.Kind != "" {
		w.add("q.kind = ?", f.Kind)
	}
	if f.State != "" {
		w.add("q.state = ?", f.State)
	}
	if f.Difficulty != 0 {
		w.add("q.difficulty = ?", f.Difficulty)
	}
	if f.Query != "" {
		w.add("q.find_text LIKE ? ESCAPE '!'", containing(f.Query))
	}
	from := "questions q"
	if f.Topic != "" {
		from = "question_topics t JOIN questions q ON q.id = t.question_id"
		w.add("t.topic = ?", f.Topic)
	}
	return All(ctx, s.db, scanQuestion, `SELECT `+questionCols+` FROM (SELECT q.id FROM `+from+` JOIN orgs o ON o.id = q.org_id WHERE `+w.String()+`
		ORDER BY q.id DESC LIMIT ?) listed JOIN questions q ON q.id = listed.id`+questionJoin+`ORDER BY q.id DESC`, append(w.args, r.Limit+1)...)
}

// CreateQuestion implements quiz.QuestionStore.
func (s *QuizBank) CreateQuestion(ctx context.Context, q *quiz.Question, e trail.Entry) (id ids.ID, err error) {
	err = s.db.Write(ctx, func(tx *Tx) error {
		made, seen, err := tx.Once(e.Actor, q.ID)
		if id = made; err != nil || seen {
			return err
		}
		tx.Audit(e)
		return tx.addQuestion(q)
	})
	return id, err
}

func (tx *Tx) addQuestion(q *quiz.Question) error {
	_, err := tx.Exec(`INSERT INTO questions (id, org_id, kind, state, difficulty, revision, stem_key, find_text, active_at, version, created_at,
		created_by, updated_at, updated_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, q.ID, q.OrgID, q.Content.Kind, q.State, q.Content.Difficulty,
		q.Revision, q.StemKey, q.Find, Millis(q.ActiveAt), q.Version, Millis(q.CreatedAt), q.CreatedBy, Millis(q.UpdatedAt), q.UpdatedBy)
	if err != nil {
		return err
	}
	return tx.addRevision(q)
}

// addRevision adds the current content with its topics and pictures.
func (tx *Tx) addRevision(q *quiz.Question) error {
	_, err := tx.Exec(`INSERT INTO question_revisions (question_id, revision, org_id, same_key, content, created_at, created_by) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		q.ID, q.Revision, q.OrgID, q.SameKey, jsonText{q.Content}, Millis(q.UpdatedAt), q.UpdatedBy)
	if err != nil {
		return err
	}
	for _, topic := range q.Content.Topics {
		if _, err := tx.Exec(`INSERT INTO question_topics (question_id, topic) VALUES (?, ?)`, q.ID, topic); err != nil {
			return err
		}
	}
	for _, hash := range q.Content.Pictures() {
		if _, err := tx.Insert(`INSERT INTO question_assets (asset, question_id) VALUES (?, ?)`, hash, q.ID); err != nil {
			return err
		}
	}
	return nil
}

// SaveQuestion implements quiz.QuestionStore.
func (s *QuizBank) SaveQuestion(ctx context.Context, q *quiz.Question, expect int64, e trail.Entry) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		err := swap(tx, "questions", q.ID, "题目", `UPDATE questions SET kind = ?, state = ?, difficulty = ?, revision = ?, stem_key = ?, find_text = ?,
			active_at = ?, version = ?, updated_at = ?, updated_by = ? WHERE id = ? AND version = ?`, q.Content.Kind, q.State, q.Content.Difficulty,
			q.Revision, q.StemKey, q.Find, Millis(q.ActiveAt), q.Version, Millis(q.UpdatedAt), q.UpdatedBy, q.ID, expect)
		if err != nil {
			return err
		}
		tx.Audit(e)
		known, err := One(tx.Ctx, tx, ScanInt64, nil, `SELECT COUNT(*) FROM question_revisions WHERE question_id = ? AND revision = ?`, q.ID, q.Revision)
		if err != nil || known > 0 {
			return err
		}
		if _, err := tx.Exec(`DELETE FROM question_topics WHERE question_id = ?`, q.ID); err != nil {
			return err
		}
		return tx.addRevision(q)
	})
}

// DeleteQuestion implements quiz.QuestionStore.
func (s *QuizBank) DeleteQuestion(ctx context.Context, id ids.ID, expect int64, e trail.Entry) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		res, err := tx.Exec(`DELETE FROM questions WHERE id = ? AND version = ? AND active_at = 0`, id, expect)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil {
			return err
		} else if n == 0 {
			return notDeleted(tx, id)
		}
		tx.Audit(e)
		for _, table := range []string{"question_revisions", "question_topics", "question_assets"} {
			if _, err := tx.Exec("DELETE FROM "+table+" WHERE question_id = ?", id); err != nil {
				return err
			}
		}
		return nil
	})
}

func notDeleted(tx *Tx, id ids.ID) error {
	active, err := One(tx.Ctx, tx, ScanInt64, errs.Missing("题目"), `SELECT active_at FROM questions WHERE id = ?`, id)
	if err != nil {
		return err
	}
	if active != 0 {
		return errs.New(errs.Conflict, "这道题启用过，试卷和作答记录可能用到它，不能删除；请改为停用。")
	}
	return stale("题目")
}

// Revisions implements quiz.QuestionStore.
func (s *QuizBank) Revisions(ctx context.Context, id ids.ID) ([]quiz.QuestionRevision, error) {
	return All(ctx, s.db, func(r Scanner) (v quiz.QuestionRevision, err error) {
		err = r.Scan(&v.Revision, jsonText{&v.Content}, moment{&v.CreatedAt}, &v.CreatedBy)
		return v, err
	}, `SELECT revision, content, created_at, created_by FROM question_revisions WHERE question_id = ? ORDER BY revision DESC`, id)
}

// Record implements quiz.QuestionStore.
func (s *QuizBank) Record(ctx context.Context, e trail.Entry) error { return s.db.Record(ctx, e) }
