package storage

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/trail"
	"tongxin/quiz"
)

// Exams implements quiz.ExamStore.
type Exams struct {
	db      *DB
	answers *gatherer[answerWrite]
	shape   answerShape
}

var _ quiz.ExamStore = (*Exams)(nil)

// NewExams makes the store of papers and attempts.
func NewExams(db *DB) *Exams {
	s := &Exams{db: db, shape: newAnswerShape(db.dialect)}
	s.answers = &gatherer[answerWrite]{db: db, limit: answerBatch, lanes: db.dialect.lanes(), run: s.saveAnswers}
	return s
}

// paperBody is the part of a paper that no query looks into.
type paperBody struct {
	Items []quiz.PaperItem `json:"items,omitempty"`
	Draws []quiz.DrawRule  `json:"draws,omitempty"`
	Rules quiz.PaperRules  `json:"rules"`
}

const paperSQL = `SELECT p.id, p.org_id, o.name, o.path, p.kind, p.state, p.day, p.title, p.about, p.body, p.pinned, p.questions, p.points_milli,
	p.held_to, p.published_at, p.closed_at, p.version, p.created_at, p.updated_at, p.updated_by FROM quiz_papers p JOIN orgs o ON o.id = p.org_id WHERE `

func scanPaper(r Scanner) (p quiz.Paper, err error) {
	var body paperBody
	err = r.Scan(&p.ID, &p.OrgID, &p.OrgName, &p.OrgPath, &p.Kind, &p.State, &p.Day, &p.Title, &p.About, jsonText{&body}, jsonText{&p.Pinned},
		&p.Questions, milli{&p.Points}, moment{&p.HeldTo}, moment{&p.PublishedAt}, moment{&p.ClosedAt}, &p.Version, moment{&p.CreatedAt},
		moment{&p.UpdatedAt}, &p.UpdatedBy)
	p.Items, p.Draws, p.Rules = body.Items, body.Draws, body.Rules
	if p.Items == nil {
		p.Items = []quiz.PaperItem{}
	}
	if p.Draws == nil {
		p.Draws = []quiz.DrawRule{}
	}
	return p, err
}

// milli scans thousandths, ppm millionths.
type (
	milli struct{ v *float64 }
	ppm   struct{ v *float64 }
)

// Scan implements sql.Scanner.
func (m milli) Scan(v any) error { return scanParts(m.v, v, 1e3) }

// Scan implements sql.Scanner.
func (m ppm) Scan(v any) error { return scanParts(m.v, v, 1e6) }

func scanParts(to *float64, v any, parts float64) error {
	switch v := v.(type) {
	case int64:
		*to = float64(v) / parts
		return nil
	case []byte:
		n, err := strconv.ParseInt(string(v), 10, 64)
		*to = float64(n) / parts
		return err
	}
	return fmt.Errorf("storage: %T is no stored number", v)
}

func thousandths(f float64) int64 { return int64(math.Round(f * 1000)) }

// Paper implements quiz.PaperStore.
func (s *Exams) Paper(ctx context.Context, id ids.ID) (*quiz.Paper, error) {
	p, err := One(ctx, s.db, scanPaper, errs.Missing("试卷"), paperSQL+`p.id = ?`, id)
	if err != nil {
		return nil, err
	}
	return &p, nil
}

// Papers implements quiz.PaperStore.
func (s *Exams) Papers(ctx context.Context, f quiz.PaperFilter, r page.Request) ([]quiz.Paper, error) {
	var w filter
	if f.Open || f.Past {
		in, args := In("p.org_id", padded(f.Orgs))
		w.add(in, args...)
	} else {
		scope, args := ScopeSQL("o.path", f.Scope)
		w.add(scope, args...)
	}
	at := Millis(f.At)
	if f.Open {
		w.add("p.state = ? AND (p.ends_at = 0 OR p.ends_at > ?)", quiz.PaperPublished, at)
	}
	if f.Past {
		w.add("(p.state = ? OR p.state = ? AND p.ends_at <> 0 AND p.ends_at <= ?)", quiz.PaperClosed, quiz.PaperPublished, at)
	}
	if r.After != 0 {
		w.add("p.id < ?", r.After)
	}
	if f.OrgID != 0 {
		w.add("p.org_id = ?", f.OrgID)
	}
	if f.State != "" {
		w.add("p.state = ?", f.State)
	}
	if f.Kind != "" {
		w.add("p.kind = ?", f.Kind)
	}
	if f.Query != "" {
		w.add("LOWER(p.title) LIKE ? ESCAPE '!'", containing(f.Query))
	}
	return All(ctx, s.db, scanPaper, paperSQL+w.String()+` ORDER BY p.id DESC LIMIT ?`, append(w.args, r.Limit+1)...)
}

func endsAt(p *quiz.Paper) int64 {
	end := Millis(p.Rules.ClosesAt)
	if by := Millis(p.ClosedAt); by != 0 && (end == 0 || by < end) {
		end = by
	}
	return end
}

// CreatePaper implements quiz.PaperStore.
func (s *Exams) CreatePaper(ctx context.Context, p *quiz.Paper, e trail.Entry) (id ids.ID, err error) {
	err = s.db.Write(ctx, func(tx *Tx) error {
		made, seen, err := tx.Once(e.Actor, p.ID)
		if id = made; err != nil || seen {
			return err
		}
		tx.Audit(e)
		return tx.addPaper(p)
	})
	return id, err
}

func paperSlot(p *quiz.Paper) string {
	if p.Kind == quiz.DailyPaper {
		return "daily:" + p.OrgID.String() + ":" + p.Day
	}
	return "#" + p.ID.String()
}

func (tx *Tx) addPaper(p *quiz.Paper) error {
	_, err := tx.Exec(`INSERT INTO quiz_papers (org_id, kind, state, slot, day, title, about, body, pinned, questions, points_milli, opens_at, ends_at,
		held_to, reserved_to, published_at, closed_at, certificate, version, updated_at, updated_by, id, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		append(paperValues(p), p.ID, Millis(p.CreatedAt))...)
	if err != nil {
		return err
	}
	return tx.paperQuestions(p)
}

func paperValues(p *quiz.Paper) []any {
	return []any{
		p.OrgID, p.Kind, p.State, paperSlot(p), p.Day, p.Title, p.About,
		jsonText{paperBody{p.Items, p.Draws, p.Rules}},
		jsonText{p.Pinned},
		p.Questions, thousandths(p.Points), Millis(p.Rules.OpensAt), endsAt(p), Millis(p.HeldTo), Millis(p.ReservedTo()),
		Millis(p.PublishedAt), Millis(p.ClosedAt), p.Rules.Certificate, p.Version, Millis(p.UpdatedAt), p.UpdatedBy,
	}
}

// paperQuestions notes which questions a published paper may ask.
func (tx *Tx) paperQuestions(p *quiz.Paper) error {
	if p.State == quiz.PaperDraft {
		return nil
	}
	if _, err := tx.Exec(`DELETE FROM quiz_paper_questions WHERE paper_id = ?`, p.ID); err != nil {
		return err
	}
	var rows [][]any
	seen := map[ids.ID]bool{}
	for _, r := range p.Pinned.Refs() {
		if !seen[r.ID] {
			seen[r.ID] = true
			rows = append(rows, []any{p.ID, r.ID})
		}
	}
	return tx.insertRows("quiz_paper_questions", []string{"paper_id", "question_id"}, "", rows)
}

// SavePaper implements quiz.PaperStore.
func (s *Exams) SavePaper(ctx context.Context, p *quiz.Paper, expect int64, e trail.Entry) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		tx.Audit(e)
		err := swap(tx, "quiz_papers", p.ID, "试卷", `UPDATE quiz_papers SET org_id = ?, kind = ?, state = ?, slot = ?, day = ?, title = ?, about = ?,
			body = ?, pinned = ?, questions = ?, points_milli = ?, opens_at = ?, ends_at = ?, held_to = ?, reserved_to = ?, published_at = ?,
			closed_at = ?, certificate = ?, version = ?, updated_at = ?, updated_by = ? WHERE id = ? AND version = ?`, append(paperValues(p), p.ID, expect)...)
		if err != nil {
			return err
		}
		if by := Millis(p.ClosedAt); by != 0 {
			_, err := tx.Exec(`UPDATE quiz_attempts SET due_at = ?, todo_at = ?, version = version + 1
				WHERE paper_id = ? AND state = ? AND (due_at = 0 OR due_at > ?)`, by, by, p.ID, quiz.AttemptOpen, by)
			return err
		}
		return tx.paperQuestions(p)
	})
}

// DeletePaper implements quiz.PaperStore.
func (s *Exams) DeletePaper(ctx context.Context, id ids.ID, version int64, e trail.Entry) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		tx.Audit(e)
		return swap(tx, "quiz_papers", id, "试卷", `DELETE FROM quiz_papers WHERE id = ? AND version = ? AND state = ?`, id, version, quiz.PaperDraft)
	})
}

// Reserved implements quiz.PaperStore.
func (s *Exams) Reserved(ctx context.Context, now time.Time) ([]ids.ID, error) {
	list, err := All(ctx, s.db, ScanInt64, `SELECT DISTINCT q.question_id FROM quiz_papers p JOIN quiz_paper_questions q ON q.paper_id = p.id
		WHERE p.reserved_to > ? ORDER BY q.question_id`, Millis(now))
	return asIDs(list), err
}
