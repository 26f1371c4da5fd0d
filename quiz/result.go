package quiz

import (
	"context"
	"fmt"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
)

// Result returns what came of an attempt of the member.
func (s *Exams) Result(ctx context.Context, actor *authz.Actor, id ids.ID) (*Result, error) {
	st, err := s.current(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	if st.a.State == AttemptOpen {
		return nil, errs.New(errs.Conflict, "还没有交卷，交卷后可以查看结果。")
	}
	return s.result(ctx, st)
}

func (s *Exams) result(ctx context.Context, st *sitting) (*Result, error) {
	a, p, now := &st.a, st.paper, s.now()
	out := &Result{
		AttemptID: a.ID, Title: a.Title, State: a.State, SubmittedAt: a.EndedAt, Points: a.Points,
		UsedSec: int(a.EndedAt.Sub(a.Started).Round(time.Second).Seconds()),
	}
	score, key := p.known(p.Rules.ShowScore, a, now), p.known(p.Rules.ShowKey, a, now)
	out.Hidden = hidden(p, a, score, key)
	if score && a.Pending == 0 {
		out.Score, out.Passed = &a.Score, p.Rules.Passed(a.Score)
	}
	if !key {
		return out, nil
	}
	questions, err := s.marked(ctx, st)
	out.Questions = questions
	return out, err
}

// hidden says when what is missing will be shown.
func hidden(p *Paper, a *Attempt, score, key bool) string {
	if score && a.Pending > 0 {
		return fmt.Sprintf("还有 %d 道题等待老师评分，评完后公布成绩。", a.Pending)
	}
	what, rule := "成绩和答案", p.Rules.ShowScore
	switch {
	case score && key:
		return ""
	case score:
		what, rule = "答案和解析", p.Rules.ShowKey
	case key || p.Rules.ShowKey != p.Rules.ShowScore:
		what = "成绩"
	}
	from, ever := p.KnownFrom(rule, a.EndedAt)
	if !ever {
		return "按照本次的规则，" + what + "不公布。"
	}
	return what + "将于" + clockText(from) + "公布。"
}

// marked is every question with its mark and key: only for whom they may be known.
func (s *Exams) marked(ctx context.Context, st *sitting) ([]ResultQuestion, error) {
	given, err := s.cfg.Store.Givens(ctx, st.a.ID)
	if err != nil {
		return nil, err
	}
	marks, err := s.cfg.Store.Marks(ctx, st.a.ID)
	if err != nil {
		return nil, err
	}
	by := byNumber(given)
	out := make([]ResultQuestion, 0, len(marks))
	for _, m := range marks {
		c := st.contents[m.N-1]
		sh := st.shuffle(m.N)
		keyed := c
		if m.Ref != st.a.Items[m.N-1].Ref { // graded again by a corrected key
			list, err := s.content(ctx, []Ref{m.Ref})
			if err != nil {
				return nil, err
			}
			keyed = list[0]
		}
		key := sh.Key(keyed, s.render)
		q := ResultQuestion{
			N: m.N, Points: m.Points, Shown: sh.Show(c, s.render), Key: &key,
			Mark: Mark{Share: m.Share, Points: round2(m.Share * m.Points), Right: !m.Pending && m.Share == 1, Pending: m.Pending, Comment: m.Comment},
		}
		if g, ok := by[m.N]; ok {
			shown := sh.Outward(c, g.Answer)
			q.Answer = &shown
		}
		out = append(out, q)
	}
	return out, nil
}

// Card is a paper as a member finds it in a list.
type Card struct {
	ID              ids.ID    `json:"id"`
	Title           string    `json:"title"`
	Kind            PaperKind `json:"kind" enum:"exam,daily,practice"`
	About           string    `json:"about,omitempty"`
	OpensAt         time.Time `json:"opensAt,omitzero"`
	ClosesAt        time.Time `json:"closesAt,omitzero"`
	DurationSec     int       `json:"durationSec" doc:"0: until the paper closes"`
	Questions       int       `json:"questions"`
	Points          float64   `json:"points"`
	PassPoints      float64   `json:"passPoints"`
	AttemptsAllowed int       `json:"attemptsAllowed" doc:"0: without limit"`
	AttemptsUsed    int       `json:"attemptsUsed"`
	OpenAttemptID   ids.ID    `json:"openAttemptId,omitzero"`
	Best            *Best     `json:"best,omitempty" doc:"the attempt that counts, when its score may be known"`
}

// Best is what stands for the member.
type Best struct {
	Score  float64 `json:"score"`
	Passed *bool   `json:"passed,omitempty" doc:"absent where the paper has no pass mark"`
}

// CardAttempt is an attempt in the list of a paper.
type CardAttempt struct {
	ID          ids.ID       `json:"id"`
	Number      int          `json:"number"`
	State       AttemptState `json:"state" enum:"open,submitted,expired,graded"`
	StartedAt   time.Time    `json:"startedAt"`
	SubmittedAt time.Time    `json:"submittedAt,omitzero"`
	Score       *float64     `json:"score,omitempty"`
}

// PaperPage is a paper with its rules in words and the member's attempts.
type PaperPage struct {
	Card
	Rules    []string      `json:"rules"`
	Attempts []CardAttempt `json:"attempts"`
}

// Cards lists the papers meant for the member: those that are open or will be,
// or those that are past.
func (s *Exams) Cards(ctx context.Context, actor *authz.Actor, past bool, r page.Request) (*page.Result[Card], error) {
	now := s.now()
	list, err := s.cfg.Store.Papers(ctx, PaperFilter{Orgs: actor.Above(Take), Open: !past, Past: past, At: now}, r)
	if err != nil {
		return nil, err
	}
	rows := page.Of(list, r.Limit, func(p Paper) ids.ID { return p.ID })
	of, err := s.attemptsOf(ctx, actor, rows.Items)
	if err != nil {
		return nil, err
	}
	out := page.Result[Card]{Items: make([]Card, len(rows.Items)), Next: rows.Next}
	for i := range rows.Items {
		out.Items[i] = card(&rows.Items[i], of[rows.Items[i].ID], now)
	}
	return &out, nil
}

func (s *Exams) attemptsOf(ctx context.Context, actor *authz.Actor, papers []Paper) (map[ids.ID][]Attempt, error) {
	if len(papers) == 0 {
		return nil, nil
	}
	list := make([]ids.ID, len(papers))
	for i, p := range papers {
		list[i] = p.ID
	}
	all, err := s.cfg.Store.Of(ctx, actor.ID, list)
	if err != nil {
		return nil, err
	}
	out := map[ids.ID][]Attempt{}
	for _, a := range all {
		out[a.PaperID] = append(out[a.PaperID], a)
	}
	return out, nil
}

func card(p *Paper, attempts []Attempt, now time.Time) Card {
	c := Card{
		ID: p.ID, Title: p.Title, Kind: p.Kind, About: p.About, OpensAt: p.Rules.OpensAt, ClosesAt: p.endsAt(), DurationSec: p.Rules.DurationSec,
		Questions: p.Questions, Points: p.Points, PassPoints: p.Rules.PassPoints, AttemptsAllowed: p.Rules.Attempts, AttemptsUsed: len(attempts),
	}
	for i := range attempts {
		a := &attempts[i]
		if a.State == AttemptOpen {
			c.OpenAttemptID = a.ID
			continue
		}
		if a.Pending > 0 || !p.known(p.Rules.ShowScore, a, now) {
			continue
		}
		if c.Best == nil || p.Rules.Counting == CountLast || a.Score > c.Best.Score {
			c.Best = &Best{Score: a.Score, Passed: p.Rules.Passed(a.Score)}
		}
	}
	return c
}

// Card returns one paper meant for the member.
func (s *Exams) Card(ctx context.Context, actor *authz.Actor, id ids.ID) (*PaperPage, error) {
	p, err := s.meant(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	of, err := s.attemptsOf(ctx, actor, []Paper{*p})
	if err != nil {
		return nil, err
	}
	now := s.now()
	out := &PaperPage{Card: card(p, of[id], now), Rules: p.sentences(), Attempts: []CardAttempt{}}
	for i := range of[id] {
		a := &of[id][i]
		row := CardAttempt{ID: a.ID, Number: a.Number, State: a.State, StartedAt: a.Started, SubmittedAt: a.EndedAt}
		if a.State != AttemptOpen && a.Pending == 0 && p.known(p.Rules.ShowScore, a, now) {
			row.Score = &a.Score
		}
		out.Attempts = append(out.Attempts, row)
	}
	return out, nil
}

// sentences are the rules of a paper in plain words.
func (p *Paper) sentences() []string {
	r := p.Rules
	out := []string{fmt.Sprintf("共 %d 道题，总分 %g 分。", p.Questions, p.Points)}
	if r.PassPoints > 0 {
		out[0] = fmt.Sprintf("共 %d 道题，总分 %g 分，%g 分及格。", p.Questions, p.Points, r.PassPoints)
	}
	if end := p.endsAt(); !end.IsZero() {
		out = append(out, "作答截止时间："+clockText(end)+"，以服务器时间为准。")
	}
	if r.DurationSec > 0 {
		out = append(out, fmt.Sprintf("开始后限时 %d 分钟，离开页面也会继续计时，到时自动交卷。", (r.DurationSec+59)/60))
	}
	switch {
	case r.Attempts == 1:
		out = append(out, "每人只能作答一次。")
	case r.Attempts > 1 && r.Counting == CountLast:
		out = append(out, fmt.Sprintf("可以作答 %d 次，以最后一次成绩为准。", r.Attempts))
	case r.Attempts > 1:
		out = append(out, fmt.Sprintf("可以作答 %d 次，以最高成绩为准。", r.Attempts))
	}
	if r.Partial {
		out = append(out, "多选、填空、排序、连线题部分答对的，给部分分；多选题选错会扣分，扣完该题为止。")
	}
	out = append(out, "每答一题自动保存，换手机可以接着答。", shownSentence("成绩", r.ShowScore), shownSentence("答案和解析", r.ShowKey))
	return out
}

func shownSentence(what string, w When) string {
	switch w {
	case AtOnce:
		return "每答一题立即显示" + what + "，答过的题不能再改。"
	case AfterSubmit:
		return what + "在交卷后公布。"
	case AfterClose:
		return what + "在全部结束后公布。"
	case Never:
	}
	return what + "不公布。"
}
