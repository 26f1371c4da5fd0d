package results

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/quiz"
	"tongxin/quiz/analysis"
)

// Analysis is the item analysis of a paper.
type Analysis struct {
	PaperID ids.ID         `json:"paperId"`
	Title   string         `json:"title"`
	Points  float64        `json:"points"`
	Whole   bool           `json:"whole" doc:"over everybody; false: over the people whose results you may see"`
	Drawn   bool           `json:"drawn" doc:"questions differ from attempt to attempt: figures that compare totals are absent"`
	Test    analysis.Test  `json:"test"`
	Items   []AnalysedItem `json:"items"`
	Rules   analysis.Rules `json:"rules"`
	Notes   []string       `json:"notes,omitempty"`
}

// AnalysedItem is one question with its figures.
type AnalysedItem struct {
	QuestionID ids.ID           `json:"questionId"`
	Revision   int              `json:"revision"`
	N          int              `json:"n,omitempty" doc:"place in the paper as it was made; absent when drawn"`
	Kind       quiz.Kind        `json:"kind" enum:"single,multiple,truefalse,fill,order,match,short"`
	Stem       string           `json:"stem" doc:"HTML"`
	Topics     []string         `json:"topics"`
	Points     float64          `json:"points"`
	Figures    analysis.Figures `json:"figures"`

	content *quiz.Content
}

// Analyse computes the analysis over the first attempts of a paper, as Moodle
// does: later ones know the questions. Who may not read the paper itself sees
// it when the paper is over, since it shows the questions.
func (s *Service) Analyse(ctx context.Context, actor *authz.Actor, id, org ids.ID) (*Analysis, error) {
	v, err := s.view(ctx, actor, id, org)
	if err != nil {
		return nil, err
	}
	if err := s.mayExamine(actor, v.paper); err != nil {
		return nil, err
	}
	return s.recent(ctx, v)
}

// recentFor is how long an analysis is kept: who looks at one goes on to its
// questions and the export, and each reads every mark of the paper.
const (
	recentFor  = 30 * time.Second
	recentKept = 32
)

type recent struct {
	at time.Time
	a  *Analysis
}

// recent is analyse, remembered for a moment. What it returns is shared: nobody
// may change it. People who ask at the same time wait for one reading.
func (s *Service) recent(ctx context.Context, v *view) (*Analysis, error) {
	key := fmt.Sprintf("%d/%d/%v", v.paper.ID, v.paper.Version, v.area)
	now := s.now()
	s.mu.Lock()
	got, ok := s.analyses[key]
	s.mu.Unlock()
	if ok && now.Sub(got.at) < recentFor {
		return got.a, nil
	}
	out, err, _ := s.once.Do(key, func() (any, error) { return s.analyse(context.WithoutCancel(ctx), v) })
	if err != nil {
		return nil, err
	}
	a := out.(*Analysis)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.analyses) >= recentKept {
		clear(s.analyses)
	}
	s.analyses[key] = recent{now, a}
	return a, nil
}

func (s *Service) mayExamine(actor *authz.Actor, p *quiz.Paper) error {
	if actor.Can(quiz.Read, p.OrgPath) || over(p, s.now()) {
		return nil
	}
	return errs.New(errs.Conflict, "考试还没有结束，题目分析在结束后可以查看。")
}

func (s *Service) analyse(ctx context.Context, v *view) (*Analysis, error) {
	p := v.paper
	totals, err := s.cfg.Store.Totals(ctx, p.ID, v.area)
	if err != nil {
		return nil, err
	}
	cells, err := s.cfg.Store.Cells(ctx, p.ID, v.area)
	if err != nil {
		return nil, err
	}
	out := &Analysis{PaperID: p.ID, Title: p.Title, Points: p.Points, Whole: v.whole, Drawn: len(p.Pinned.Pools) > 0, Rules: *s.rules}
	in, err := s.items(ctx, p, cells, out)
	if err != nil {
		return nil, err
	}
	in.Totals = totals
	test, figures := analysis.Analyse(in, s.rules)
	out.Test = test
	for i := range out.Items {
		out.Items[i].Figures = figures[i]
	}
	out.notes(s.rules, over(p, s.now()))
	return out, nil
}

// items gathers cells by question, in the order of the paper, drawn ones after
// it by id, and reads their contents.
func (s *Service) items(ctx context.Context, p *quiz.Paper, cells []Cell, out *Analysis) (analysis.Paper, error) {
	by := map[ids.ID]*analysis.Item{}
	refs := map[ids.ID]quiz.Ref{}
	for _, it := range p.Pinned.Fixed {
		by[it.ID], refs[it.ID] = &analysis.Item{Max: it.Points}, it.Ref
	}
	for _, c := range cells {
		it := by[c.Question]
		if it == nil {
			it = &analysis.Item{}
			by[c.Question], refs[c.Question] = it, quiz.Ref{ID: c.Question, Revision: c.Revision}
		}
		it.Max = max(it.Max, c.Points)
		it.Cells = append(it.Cells, analysis.Cell{Mark: c.Share * c.Points, Total: c.Total, N: c.N})
		if r := refs[c.Question]; c.Revision > r.Revision { // graded again by a corrected key
			refs[c.Question] = quiz.Ref{ID: c.Question, Revision: c.Revision}
		}
	}
	place := map[ids.ID]int{}
	for i, it := range p.Pinned.Fixed {
		place[it.ID] = i + 1
	}
	order := make([]quiz.Ref, 0, len(refs))
	for _, r := range refs {
		order = append(order, r)
	}
	slices.SortFunc(order, func(a, b quiz.Ref) int {
		const last = 1 << 30
		return cmp.Or(cmp.Compare(cmp.Or(place[a.ID], last), cmp.Or(place[b.ID], last)), cmp.Compare(a.ID, b.ID))
	})
	in := analysis.Paper{Max: p.Points}
	if len(order) == 0 {
		out.Items = []AnalysedItem{}
		return in, nil
	}
	contents, err := s.cfg.Bank.Contents(ctx, order)
	if err != nil {
		return in, err
	}
	for i, r := range order {
		c := &contents[i]
		it := by[r.ID]
		it.Guess = analysis.Guess(c, p.Rules.Partial)
		in.Items = append(in.Items, *it)
		out.Items = append(out.Items, AnalysedItem{
			QuestionID: r.ID, Revision: r.Revision, N: place[r.ID], Kind: c.Kind, Topics: c.Topics, Points: it.Max, content: c,
			Stem: quiz.Shuffle{}.Show(c, s.cfg.HTML).Stem,
		})
	}
	return in, nil
}

func (a *Analysis) notes(r *analysis.Rules, over bool) {
	if !over {
		a.Notes = append(a.Notes, "还没有结束，数据会变化。")
	}
	if a.Test.Attempts < r.Firm {
		a.Notes = append(a.Notes, "参加人数较少，各项指标只作参考；低于 10 人的题目不作评价。")
	}
	if a.Drawn {
		a.Notes = append(a.Notes, "每人抽到的题不同：信度和有效权重不计算，每道题只按抽到它的人统计。")
	}
}

// ItemAnswers is what was answered to one question.
type ItemAnswers struct {
	Item    AnalysedItem  `json:"item"`
	Options []string      `json:"options,omitempty" doc:"HTML, as written: positions of the answers"`
	Answers []GivenAnswer `json:"answers" doc:"the most frequent first"`
	Key     *quiz.Key     `json:"key,omitempty" doc:"only for who may read the bank there"`
}

// GivenAnswer is one answer with its count.
type GivenAnswer struct {
	Answer quiz.Answer `json:"answer"`
	Empty  bool        `json:"empty" doc:"nothing was given"`
	Count  int         `json:"count"`
	Share  float64     `json:"share" doc:"percent of its points that it earns"`
}

// maxAnswers is how many different answers are shown.
const maxAnswers = 20

// Item shows how one question of a paper was answered: which wrong options
// were taken for right. What short answers say stays with their graders.
func (s *Service) Item(ctx context.Context, actor *authz.Actor, id, question, org ids.ID) (*ItemAnswers, error) {
	v, err := s.view(ctx, actor, id, org)
	if err != nil {
		return nil, err
	}
	if err := s.mayExamine(actor, v.paper); err != nil {
		return nil, err
	}
	a, err := s.recent(ctx, v)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(a.Items, func(i AnalysedItem) bool { return i.QuestionID == question })
	if at < 0 {
		return nil, errs.Missing("题目")
	}
	out := &ItemAnswers{Item: a.Items[at], Answers: []GivenAnswer{}}
	c := a.Items[at].content
	shown := quiz.Shuffle{}.Show(c, s.cfg.HTML)
	out.Options = slices.Concat(shown.Options, shown.Items, shown.Rights)
	if actor.Can(quiz.Read, v.paper.OrgPath) {
		key := quiz.Shuffle{}.Key(c, s.cfg.HTML)
		out.Key = &key
	}
	if c.Kind == quiz.Short {
		return out, nil
	}
	list, err := s.cfg.Store.Answers(ctx, id, question, v.area, maxAnswers)
	for _, l := range list {
		share, _ := c.Grade(l.Answer, v.paper.Rules.Partial)
		out.Answers = append(out.Answers, GivenAnswer{Answer: l.Answer, Empty: l.Answer.Empty(), Count: l.N, Share: 100 * share})
	}
	return out, err
}
