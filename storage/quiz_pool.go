package storage

import (
	"context"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/trail"
	"tongxin/quiz"
)

// Contents implements quiz.BankStore.
func (s *QuizBank) Contents(ctx context.Context, refs []quiz.Ref) ([]quiz.Content, error) {
	list := make([]ids.ID, len(refs))
	for i, r := range refs {
		list[i] = r.ID
	}
	type row struct {
		ref     quiz.Ref
		content quiz.Content
	}
	found := make(map[quiz.Ref]quiz.Content, len(refs))
	for _, part := range chunks(list) {
		where, args := In("q.id", padded(part))
		rows, err := All(ctx, s.db, func(r Scanner) (v row, err error) {
			err = r.Scan(&v.ref.ID, &v.ref.Revision, jsonText{&v.content})
			return v, err
		}, `SELECT q.id, r.revision, r.content FROM questions q JOIN question_revisions r ON r.question_id = q.id WHERE q.active_at <> 0 AND `+where, args...)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			found[r.ref] = r.content
		}
	}
	out := make([]quiz.Content, len(refs))
	for i, r := range refs {
		c, ok := found[r]
		if !ok {
			return nil, errs.Missing("题目")
		}
		out[i] = c
	}
	return out, nil
}

// Pool implements quiz.BankStore.
func (s *QuizBank) Pool(ctx context.Context, d quiz.DrawQuery) ([]quiz.Ref, error) {
	var w filter
	w.add("q.state = ?", quiz.Active)
	org, args := In("q.org_id", padded(d.Orgs))
	w.add(org, args...)
	if d.Kind != "" {
		w.add("q.kind = ?", d.Kind)
	}
	if d.Difficulty != 0 {
		w.add("q.difficulty = ?", d.Difficulty)
	}
	from := "questions q"
	if d.Topic != "" {
		from = "question_topics t JOIN questions q ON q.id = t.question_id"
		w.add("t.topic = ?", d.Topic)
	}
	rows, err := All(ctx, s.db, func(r Scanner) (v quiz.Ref, err error) {
		err = r.Scan(&v.ID, &v.Revision)
		return v, err
	}, `SELECT q.id, q.revision FROM `+from+` WHERE `+w.String()+` ORDER BY q.id`, w.args...)
	if err != nil || len(d.Exclude) == 0 {
		return rows, err
	}
	not := make(map[ids.ID]bool, len(d.Exclude))
	for _, id := range d.Exclude {
		not[id] = true
	}
	out := rows[:0]
	for _, r := range rows {
		if !not[r.ID] {
			out = append(out, r)
		}
	}
	return out, nil
}

// ImportQuestions implements quiz.QuestionStore.
func (s *QuizBank) ImportQuestions(ctx context.Context, list []quiz.Question, e trail.Entry) (made int, err error) {
	err = s.db.Write(ctx, func(tx *Tx) error {
		made = 0
		tx.Audit(e)
		for i := range list {
			q := &list[i]
			// Somebody may have imported the same file in the meantime.
			n, err := One(tx.Ctx, tx, ScanInt64, nil, `SELECT COUNT(*) FROM question_revisions WHERE same_key = ? AND org_id = ?`, q.SameKey, q.OrgID)
			if err != nil {
				return err
			}
			if n > 0 {
				continue
			}
			if err := tx.addQuestion(q); err != nil {
				return err
			}
			made++
		}
		return nil
	})
	return made, err
}

// Holds implements quiz.QuestionStore.
func (s *QuizBank) Holds(ctx context.Context, org ids.ID, keys []string) (map[string]ids.ID, error) {
	out := map[string]ids.ID{}
	for _, part := range chunks(keys) {
		where, args := In("same_key", padded(part))
		_, err := All(ctx, s.db, func(r Scanner) (struct{}, error) {
			var key string
			var id ids.ID
			err := r.Scan(&key, &id)
			out[key] = id
			return struct{}{}, err
		}, `SELECT same_key, question_id FROM question_revisions WHERE `+where+` AND org_id = ?`, append(args, org)...)
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// maxAlike is how many alike questions of one stem are told: more would not help.
const maxAlike = 10

// AlikeStems implements quiz.QuestionStore.
func (s *QuizBank) AlikeStems(ctx context.Context, reach quiz.Reach, keys []string) ([]quiz.Alike, error) {
	var out []quiz.Alike
	count := map[string]int{}
	where, args := reachSQL(reach)
	for _, part := range chunks(keys) {
		in, more := In("q.stem_key", padded(part))
		rows, err := All(ctx, s.db, func(r Scanner) (a quiz.Alike, err error) {
			var c quiz.Content
			err = r.Scan(&a.ID, &a.OrgName, &a.State, &a.StemKey, jsonText{&c})
			a.Kind, a.Stem = c.Kind, c.Stem
			return a, err
		}, `SELECT q.id, o.name, q.state, q.stem_key, r.content FROM questions q`+questionJoin+`WHERE `+in+` AND q.state <> ? AND `+where+` ORDER BY q.id LIMIT ?`,
			append(append(append(more, quiz.Retired), args...), maxAlike*len(part))...)
		if err != nil {
			return nil, err
		}
		for _, a := range rows {
			if count[a.StemKey]++; count[a.StemKey] <= maxAlike {
				out = append(out, a)
			}
		}
	}
	return out, nil
}

// Topics implements quiz.QuestionStore.
func (s *QuizBank) Topics(ctx context.Context, reach quiz.Reach) ([]quiz.Topic, error) {
	where, args := reachSQL(reach)
	return All(ctx, s.db, func(r Scanner) (t quiz.Topic, err error) {
		err = r.Scan(&t.Name, &t.All, &t.Active)
		return t, err
	}, `SELECT t.topic, COUNT(*), SUM(CASE WHEN q.state = ? THEN 1 ELSE 0 END) FROM question_topics t JOIN questions q ON q.id = t.question_id
		JOIN orgs o ON o.id = q.org_id WHERE q.state <> ? AND `+where+` GROUP BY t.topic ORDER BY COUNT(*) DESC, t.topic`,
		append([]any{quiz.Active, quiz.Retired}, args...)...)
}
