package quiz

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
)

// PracticeInput asks for practice from the bank.
type PracticeInput struct {
	Source string `json:"source" enum:"topic,wrong,gaps" doc:"wrong: the wrong-answer book, what is due first; gaps: topics with many wrong answers"`
	Topic  string `json:"topic,omitempty" maxLength:"30" doc:"of source topic and wrong; none: all"`
	Count  int    `json:"count,omitempty" minimum:"0" maximum:"50" doc:"10 when absent"`
}

// How practice is dealt.
const (
	practiceCount = 10
	practiceLasts = 24 * time.Hour
	gapAnswers    = 3 // answers in a topic before it can be a gap
	gapTopics     = 3
)

// TopicShare is how a member does in one topic.
type TopicShare struct {
	Name       string  `json:"name"`
	Questions  int     `json:"questions" doc:"that can be practised"`
	Answered   int     `json:"answered" doc:"answers whose result the member knows"`
	RightShare float64 `json:"rightShare" minimum:"0" maximum:"1"`
}

// open lists questions for practice and daily quizzes: what the program can
// grade, of the organisations, without what exams keep back.
func (s *Exams) open(ctx context.Context, orgs []ids.ID, topic string, without map[ids.ID]bool) ([]Ref, error) {
	reserved, err := s.cfg.Store.Reserved(ctx, s.now())
	if err != nil {
		return nil, err
	}
	kept := make(map[ids.ID]bool, len(reserved))
	for _, id := range reserved {
		kept[id] = true
	}
	list, err := s.cfg.Bank.Pool(ctx, DrawQuery{Orgs: orgs, Topic: topic})
	if err != nil {
		return nil, err
	}
	short, err := s.cfg.Bank.Pool(ctx, DrawQuery{Orgs: orgs, Topic: topic, Kind: Short})
	if err != nil {
		return nil, err
	}
	for _, r := range short {
		kept[r.ID] = true
	}
	return slices.DeleteFunc(slices.Clone(list), func(r Ref) bool { return kept[r.ID] || without[r.ID] }), nil
}

// Practice begins practice from the bank: every answer is final and is answered
// with its key.
func (s *Exams) Practice(ctx context.Context, actor *authz.Actor, in PracticeInput) (*Sheet, error) {
	if actor == nil || actor.Kind != authz.Member || !actor.Has(Take) {
		return nil, errs.Missing("练习")
	}
	count := cmp.Or(in.Count, practiceCount)
	if count < 1 || count > 50 {
		return nil, errs.Bad("count", "题数请填 1 到 50。")
	}
	in.Topic = strings.TrimSpace(in.Topic)
	var refs []Ref
	var err error
	title := "练习"
	switch in.Source {
	case "topic":
		if in.Topic != "" {
			title = "练习：" + clip(in.Topic, MaxTopic)
		}
		refs, err = s.byTopic(ctx, actor, []string{in.Topic}, count)
	case "wrong":
		title = "错题练习"
		refs, err = s.fromBook(ctx, actor, in.Topic, count)
	case "gaps":
		title = "薄弱知识点练习"
		refs, err = s.fromGaps(ctx, actor, count)
	default:
		err = errs.Bad("source", "请选择按知识点、错题或薄弱知识点练习。")
	}
	if err != nil {
		return nil, err
	}
	if len(refs) == 0 {
		return nil, errs.New(errs.Conflict, "现在没有可以练习的题目，请换一个知识点，或者过些时候再来。")
	}
	now := s.now()
	a := &Attempt{
		ID: s.cfg.IDs.New(), MemberID: actor.ID, Kind: PracticePaper, Title: title, State: AttemptOpen, Seed: seed(),
		Started: now, Due: now.Add(practiceLasts), Points: float64(len(refs)), Version: 1,
	}
	for _, r := range refs {
		a.Items = append(a.Items, Item{r, 1})
	}
	return s.begin(ctx, actor, fromBank(title, len(refs)), a, 0)
}

// byTopic draws from topics, what the member has answered least first.
func (s *Exams) byTopic(ctx context.Context, actor *authz.Actor, topics []string, count int) ([]Ref, error) {
	var pool []Ref
	for _, t := range topics {
		list, err := s.open(ctx, actor.Above(Take), t, nil)
		if err != nil {
			return nil, err
		}
		pool = append(pool, list...)
	}
	slices.SortFunc(pool, byID)
	pool = slices.Compact(pool)
	cards, err := s.cfg.Store.Cards(ctx, CardFilter{Member: actor.ID}, maxCards)
	if err != nil {
		return nil, err
	}
	times := make(map[ids.ID]int, len(cards))
	for _, c := range cards {
		times[c.QuestionID] = c.Right + c.Wrong
	}
	mixed := Pick(pool, len(pool), seed())
	slices.SortStableFunc(mixed, func(a, b Ref) int { return times[a.ID] - times[b.ID] })
	return mixed[:min(count, len(mixed))], nil
}

// fromBook takes what is due, then what will be due next.
func (s *Exams) fromBook(ctx context.Context, actor *authz.Actor, topic string, count int) ([]Ref, error) {
	cards, err := s.cfg.Store.Cards(ctx, CardFilter{Member: actor.ID, Book: true, Topic: topic}, maxCards)
	if err != nil {
		return nil, err
	}
	reserved, err := s.cfg.Store.Reserved(ctx, s.now())
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(cards, func(a, b Known) int { return a.Due.Compare(b.Due) })
	var out []Ref
	for _, c := range cards {
		if len(out) < count && !slices.Contains(reserved, c.QuestionID) {
			out = append(out, Ref{c.QuestionID, c.Revision})
		}
	}
	return out, nil
}

// fromGaps practises the topics in which the member was wrong most often. It is
// a recommendation, which a member may switch off.
func (s *Exams) fromGaps(ctx context.Context, actor *authz.Actor, count int) ([]Ref, error) {
	yes, err := s.cfg.Recommends(ctx, actor.ID)
	if err != nil {
		return nil, err
	}
	if !yes {
		return nil, errs.New(errs.Conflict, "您已关闭个性化推荐。可以在设置里打开，或者按知识点练习。")
	}
	shares, err := s.shares(ctx, actor)
	if err != nil {
		return nil, err
	}
	var weak []TopicShare
	for _, t := range shares {
		if t.Answered >= gapAnswers && t.RightShare < 1 {
			weak = append(weak, t)
		}
	}
	if len(weak) == 0 {
		return nil, errs.New(errs.Conflict, "作答还不够多，暂时看不出薄弱知识点。先做几天每日答题再来吧。")
	}
	slices.SortFunc(weak, func(a, b TopicShare) int {
		return cmp.Or(cmp.Compare(a.RightShare, b.RightShare), cmp.Compare(a.Name, b.Name))
	})
	var names []string
	for _, t := range weak[:min(len(weak), gapTopics)] {
		names = append(names, t.Name)
	}
	return s.byTopic(ctx, actor, names, count)
}

// shares adds up the cards of a member by topic.
func (s *Exams) shares(ctx context.Context, actor *authz.Actor) ([]TopicShare, error) {
	cards, err := s.cfg.Store.Cards(ctx, CardFilter{Member: actor.ID}, maxCards)
	if err != nil {
		return nil, err
	}
	right, by := map[string]int{}, map[string]*TopicShare{}
	for _, c := range cards {
		for _, name := range c.Topics {
			t := by[name]
			if t == nil {
				t = &TopicShare{Name: name}
				by[name] = t
			}
			t.Answered += c.Right + c.Wrong
			right[name] += c.Right
		}
	}
	var out []TopicShare
	for name, t := range by {
		if t.Answered > 0 {
			t.RightShare = round2(float64(right[name]) / float64(t.Answered))
		}
		out = append(out, *t)
	}
	slices.SortFunc(out, func(a, b TopicShare) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}

// TopicShares lists the topics that can be practised, with how the member does.
func (s *Exams) TopicShares(ctx context.Context, actor *authz.Actor) ([]TopicShare, error) {
	known, err := s.shares(ctx, actor)
	if err != nil {
		return nil, err
	}
	refs, err := s.open(ctx, actor.Above(Take), "", nil)
	if err != nil {
		return nil, err
	}
	contents, err := s.content(ctx, refs)
	if err != nil {
		return nil, err
	}
	by := map[string]TopicShare{}
	for _, t := range known {
		by[t.Name] = t
	}
	count := map[string]int{}
	for _, c := range contents {
		for _, name := range c.Topics {
			count[name]++
		}
	}
	out := []TopicShare{}
	for name, n := range count {
		t := by[name]
		t.Name, t.Questions = name, n
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b TopicShare) int {
		return cmp.Or(cmp.Compare(b.Questions, a.Questions), cmp.Compare(a.Name, b.Name))
	})
	return out, nil
}
