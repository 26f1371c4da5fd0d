package storage

import (
	"context"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/trail"
	"tongxin/quiz"
	"tongxin/quiz/analysis"
	"tongxin/quiz/results"
)

// Results implements results.Store over the tables of Exams.
type Results struct{ db *DB }

var _ results.Store = (*Results)(nil)

// NewResults makes the store of results and certificates.
func NewResults(db *DB) *Results { return &Results{db: db} }

// counted picks, in each member's row with pick = 1, the attempt that counts.
// What waits for grading counts only where nothing else is there.
func counted(c quiz.Counting) string {
	order := `a.score_milli DESC, a.ended_at - a.started_at, a.number`
	if c == quiz.CountLast {
		order = `a.number DESC`
	}
	return `WITH counted AS (SELECT a.id, a.member_id, a.score_milli, a.pending, a.started_at, a.ended_at,
		ROW_NUMBER() OVER (PARTITION BY a.member_id ORDER BY CASE WHEN a.pending > 0 THEN 1 ELSE 0 END, ` + order + `) AS pick,
		COUNT(*) OVER (PARTITION BY a.member_id) AS tries FROM quiz_attempts a WHERE a.paper_id = ? AND a.state <> '` + string(quiz.AttemptOpen) + `') `
}

const countedFrom = ` FROM counted c JOIN members m ON m.id = c.member_id JOIN orgs o ON o.id = m.org_id WHERE c.pick = 1 AND `

// standingSQL is the list of standings of an area, with places among them.
func standingSQL(c results.Choice) (string, []any) {
	area, args := ScopeSQL("o.path", c.Area)
	return counted(c.Counting) + `, placed AS (SELECT c.id, c.member_id, m.name, m.org_id, o.name AS org_name, c.tries, c.score_milli, c.pending,
		c.started_at, c.ended_at, CASE WHEN c.pending > 0 THEN 1 ELSE 0 END AS waits,
		RANK() OVER (ORDER BY CASE WHEN c.pending > 0 THEN 1 ELSE 0 END, c.score_milli DESC) AS place` + countedFrom + area + `)
		SELECT p.place, p.member_id, p.name, p.org_id, p.org_name, p.id, p.tries, p.score_milli, p.pending, p.started_at, p.ended_at FROM placed p`,
		append([]any{c.Paper}, args...)
}

const standingOrder = ` ORDER BY p.waits, p.score_milli DESC, p.ended_at - p.started_at, p.member_id LIMIT ? OFFSET ?`

func scanStanding(pass float64) func(Scanner) (results.Standing, error) {
	return func(r Scanner) (s results.Standing, err error) {
		var started time.Time
		err = r.Scan(&s.Rank, &s.MemberID, &s.Name, &s.OrgID, &s.OrgName, &s.AttemptID, &s.Attempts, milli{&s.Score}, &s.Pending,
			moment{&started}, moment{&s.EndedAt})
		s.UsedSec = int(s.EndedAt.Sub(started) / time.Second)
		if s.Passed = s.Pending == 0 && s.Score >= pass; s.Pending > 0 {
			s.Rank, s.Score = 0, 0
		}
		return s, err
	}
}

// Standings implements results.Reader.
func (s *Results) Standings(ctx context.Context, c results.Choice, skip, limit int) ([]results.Standing, error) {
	q, args := standingSQL(c)
	if c.Member != 0 {
		q, args = q+` WHERE p.member_id = ?`, append(args, c.Member)
	}
	return All(ctx, s.db, scanStanding(c.Pass), q+standingOrder, append(args, limit, skip)...)
}

// optionalMilli scans thousandths or NULL.
func optionalMilli(v *float64) *float64 {
	if v == nil {
		return nil
	}
	f := *v / 1000
	return &f
}

// Summary implements results.Reader.
func (s *Results) Summary(ctx context.Context, c results.Choice) (results.Summary, error) {
	area, args := ScopeSQL("o.path", c.Area)
	return One(ctx, s.db, func(r Scanner) (out results.Summary, err error) {
		var mean, high, low *float64
		err = r.Scan(&out.Took, &out.Graded, &out.Passed, &mean, &high, &low)
		out.Mean, out.Highest, out.Lowest = optionalMilli(mean), optionalMilli(high), optionalMilli(low)
		return out, err
	}, nil, counted(c.Counting)+`SELECT COUNT(*), COALESCE(SUM(CASE WHEN c.pending = 0 THEN 1 ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN c.pending = 0 AND c.score_milli >= ? THEN 1 ELSE 0 END), 0), AVG(CASE WHEN c.pending = 0 THEN c.score_milli END),
		MAX(CASE WHEN c.pending = 0 THEN c.score_milli END), MIN(CASE WHEN c.pending = 0 THEN c.score_milli END)`+countedFrom+area,
		append([]any{c.Paper, thousandths(c.Pass)}, args...)...)
}

// Turnout implements results.Reader.
func (s *Results) Turnout(ctx context.Context, c results.Choice, under string) ([]results.Turnout, error) {
	area, args := ScopeSQL("o.path", c.Area)
	below, more := ScopeSQL("o.path", authz.Scope{Paths: []string{under}})
	args = append(append([]any{c.Paper, thousandths(c.Pass)}, args...), more...)
	return All(ctx, s.db, func(r Scanner) (t results.Turnout, err error) {
		var mean *float64
		err = r.Scan(&t.OrgID, &t.OrgName, &t.Should, &t.Took, &t.Passed, &mean)
		t.Mean = optionalMilli(mean)
		return t, err
	}, counted(c.Counting)+`SELECT o.id, o.name, COUNT(m.id), COUNT(c.member_id),
		COALESCE(SUM(CASE WHEN c.pending = 0 AND c.score_milli >= ? THEN 1 ELSE 0 END), 0), AVG(CASE WHEN c.pending = 0 THEN c.score_milli END)
		FROM orgs o LEFT JOIN members m ON m.org_id = o.id AND m.state = 'active' LEFT JOIN counted c ON c.member_id = m.id AND c.pick = 1
		WHERE o.kind = 'branch' AND o.archived_at = 0 AND `+area+` AND `+below+` GROUP BY o.id, o.name, o.path ORDER BY o.path`, args...)
}

// Held implements results.Reader.
func (s *Results) Held(ctx context.Context, scope authz.Scope, above []ids.ID, r page.Request) ([]results.Held, error) {
	in, args := ScopeSQL("o.path", scope)
	up, more := In("p.org_id", padded(above))
	args = append(args, more...)
	after := ""
	if r.After != 0 {
		after, args = ` AND p.id < ?`, append(args, r.After)
	}
	list, err := All(ctx, s.db, func(r Scanner) (h results.Held, err error) {
		err = r.Scan(&h.ID, &h.OrgName, &h.Kind, &h.State, &h.Title, &h.Day, moment{&h.OpensAt}, moment{&h.ClosesAt}, milli{&h.Points})
		return h, err
	}, `SELECT p.id, o.name, p.kind, p.state, p.title, p.day, p.opens_at, p.ends_at, p.points_milli FROM quiz_papers p JOIN orgs o ON o.id = p.org_id
		WHERE p.state <> 'draft' AND (`+in+` OR `+up+`)`+after+` ORDER BY p.id DESC LIMIT ?`, append(args, r.Limit+1)...)
	if err != nil || len(list) == 0 {
		return list, err
	}
	return list, s.tookPart(ctx, scope, list)
}

func (s *Results) tookPart(ctx context.Context, scope authz.Scope, list []results.Held) error {
	papers := make([]ids.ID, len(list))
	at := map[ids.ID]int{}
	for i, h := range list {
		papers[i], at[h.ID] = h.ID, i
	}
	in, args := In("a.paper_id", padded(papers))
	area, more := ScopeSQL("o.path", scope)
	_, err := All(ctx, s.db, func(r Scanner) (id ids.ID, err error) {
		var n int
		var last time.Time
		if err = r.Scan(&id, &n, moment{&last}); err == nil {
			list[at[id]].Took, list[at[id]].LastAt = n, last
		}
		return id, err
	}, `SELECT a.paper_id, COUNT(DISTINCT a.member_id), MAX(a.ended_at) FROM quiz_attempts a JOIN members m ON m.id = a.member_id JOIN orgs o ON o.id = m.org_id
		WHERE `+in+` AND a.state <> 'open' AND `+area+` GROUP BY a.paper_id`, append(args, more...)...)
	return err
}

// firsts are the attempts that an analysis looks at.
func firsts(paper ids.ID, area authz.Scope) (from, where string, args []any) {
	where, args = `a.paper_id = ? AND a.number = 1 AND a.state = 'graded'`, []any{paper}
	if area.All {
		return "", where, args
	}
	in, more := ScopeSQL("o.path", area)
	return ` JOIN members p ON p.id = a.member_id JOIN orgs o ON o.id = p.org_id`, where + ` AND ` + in, append(args, more...)
}

// Totals implements results.Reader.
func (s *Results) Totals(ctx context.Context, paper ids.ID, area authz.Scope) ([]analysis.Count, error) {
	from, where, args := firsts(paper, area)
	return All(ctx, s.db, func(r Scanner) (c analysis.Count, err error) {
		err = r.Scan(milli{&c.Total}, &c.N)
		return c, err
	}, `SELECT a.score_milli, COUNT(*) FROM quiz_attempts a`+from+` WHERE `+where+` GROUP BY a.score_milli ORDER BY a.score_milli`, args...)
}

// Cells implements results.Reader.
func (s *Results) Cells(ctx context.Context, paper ids.ID, area authz.Scope) ([]results.Cell, error) {
	from, where, args := firsts(paper, area)
	return All(ctx, s.db, func(r Scanner) (c results.Cell, err error) {
		err = r.Scan(&c.Question, &c.Revision, milli{&c.Points}, milli{&c.Share}, milli{&c.Total}, &c.N)
		c.Share /= 1000
		return c, err
	}, `SELECT m.question_id, MAX(m.revision), m.points_milli, m.share_ppm, a.score_milli, COUNT(*)
		FROM quiz_attempts a JOIN quiz_marks m ON m.attempt_id = a.id`+from+` WHERE `+where+`
		GROUP BY m.question_id, m.points_milli, m.share_ppm, a.score_milli ORDER BY m.question_id, m.points_milli, m.share_ppm, a.score_milli`, args...)
}

// Answers implements results.Reader.
func (s *Results) Answers(ctx context.Context, paper, question ids.ID, area authz.Scope, limit int) ([]results.AnswerCount, error) {
	from, where, args := firsts(paper, area)
	return All(ctx, s.db, func(r Scanner) (c results.AnswerCount, err error) {
		err = r.Scan(jsonText{&c.Answer}, &c.N)
		return c, err
	}, `SELECT COALESCE(g.answer, '{}') AS reply, COUNT(*) AS times FROM quiz_marks m JOIN quiz_attempts a ON a.id = m.attempt_id
		LEFT JOIN quiz_answers g ON g.attempt_id = m.attempt_id AND g.n = m.n`+from+`
		WHERE m.paper_id = ? AND m.question_id = ? AND `+where+` GROUP BY reply ORDER BY times DESC, reply LIMIT ?`,
		append(append([]any{paper, question}, args...), limit)...)
}

func scanAsked(r Scanner) (a results.Asked, err error) {
	var right int64
	err = r.Scan(&a.Question, &a.Revision, &a.Answered, &right, &a.People, moment{&a.LastAt})
	a.Right = float64(right) / 1e6
	return a, err
}

// Asked implements results.Reader.
func (s *Results) Asked(ctx context.Context, area authz.Scope, since, now time.Time) ([]results.Asked, error) {
	in, args := ScopeSQL("o.path", area)
	at := Millis(now)
	return All(ctx, s.db, scanAsked, `SELECT m.question_id, MAX(m.revision), COUNT(*), SUM(m.share_ppm), COUNT(DISTINCT a.member_id), MAX(a.ended_at)
		FROM quiz_attempts a JOIN quiz_marks m ON m.attempt_id = a.id JOIN members u ON u.id = a.member_id JOIN orgs o ON o.id = u.org_id
		LEFT JOIN quiz_papers p ON p.id = a.paper_id
		WHERE a.state <> 'open' AND a.ended_at >= ? AND m.pending = 0 AND (a.kind = 'practice' OR p.state = 'closed' OR p.ends_at <> 0 AND p.ends_at <= ?)
		AND (p.held_to IS NULL OR p.held_to <= ?) AND `+in+` GROUP BY m.question_id ORDER BY m.question_id`, append([]any{Millis(since), at, at}, args...)...)
}

// Known implements results.Reader: the cards are made of what a member may know.
func (s *Results) Known(ctx context.Context, member ids.ID) ([]results.Asked, error) {
	return All(ctx, s.db, scanAsked, `SELECT question_id, revision, right_times + wrong_times, right_times * 1000000, 1, last_at FROM quiz_cards
		WHERE member_id = ? AND right_times + wrong_times > 0 ORDER BY question_id`, member)
}

// TopicsOf implements results.Reader.
func (s *Results) TopicsOf(ctx context.Context, questions []ids.ID) (map[ids.ID][]string, error) {
	out := make(map[ids.ID][]string, len(questions))
	for _, part := range chunks(questions) {
		in, args := In("question_id", padded(part))
		_, err := All(ctx, s.db, func(r Scanner) (id ids.ID, err error) {
			var topic string
			err = r.Scan(&id, &topic)
			out[id] = append(out[id], topic)
			return id, err
		}, `SELECT question_id, topic FROM question_topics WHERE `+in+` ORDER BY question_id, topic`, args...)
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Own implements results.Reader.
func (s *Results) Own(ctx context.Context, member ids.ID, r page.Request) ([]results.Own, error) {
	args, after := []any{member}, ""
	if r.After != 0 {
		after, args = ` AND a.id < ?`, append(args, r.After)
	}
	return All(ctx, s.db, func(r Scanner) (o results.Own, err error) {
		err = r.Scan(&o.AttemptID, &o.PaperID, &o.Number, &o.State, moment{&o.Started}, moment{&o.EndedAt}, milli{&o.Score}, milli{&o.Points}, &o.Pending, &o.Certificate)
		return o, err
	}, `SELECT a.id, a.paper_id, a.number, a.state, a.started_at, a.ended_at, a.score_milli, a.points_milli, a.pending, COALESCE(c.id, 0)
		FROM quiz_attempts a LEFT JOIN quiz_certificates c ON c.paper_id = a.paper_id AND c.member_id = a.member_id AND c.attempt_id = a.id AND c.revoked_at = 0
		WHERE a.member_id = ? AND a.paper_id <> 0 AND a.state <> 'open'`+after+` ORDER BY a.id DESC LIMIT ?`, append(args, r.Limit+1)...)
}

// Record implements results.Reader.
func (s *Results) Record(ctx context.Context, e trail.Entry) error { return s.db.Record(ctx, e) }

// RankingsOff tells which members switched rankings off. The settings belong to
// the roster; the reader of rankings asks for many at once.
func (s *Results) RankingsOff(ctx context.Context, members []ids.ID) (map[ids.ID]bool, error) {
	out := map[ids.ID]bool{}
	for _, part := range chunks(members) {
		in, args := In("member_id", padded(part))
		_, err := All(ctx, s.db, func(r Scanner) (id ids.ID, err error) {
			err = r.Scan(&id)
			out[id] = true
			return id, err
		}, `SELECT member_id FROM member_settings WHERE rankings = 0 AND `+in, args...)
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
