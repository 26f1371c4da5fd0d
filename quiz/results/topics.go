package results

import (
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/quiz"
)

//go:embed topics.json
var topicsJSON []byte

// TopicRules say when a topic is a strength or a gap: data, because they are customs.
type TopicRules struct {
	Version string `json:"version"`
	Source  string `json:"source"`
	// MinOwn answers of one member, MinAnswers of an organisation: fewer are not judged.
	MinOwn     int     `json:"minOwn"`
	MinAnswers int     `json:"minAnswers"`
	GapBelow   float64 `json:"gapBelow" doc:"percent"`
	StrongFrom float64 `json:"strongFrom" doc:"percent"`
	Questions  int     `json:"questions" doc:"how many stand behind a topic"`
	Months     int     `json:"months" doc:"how far an organisation's figures reach back"`
}

func topicRules() (*TopicRules, error) {
	r := new(TopicRules)
	if err := json.Unmarshal(topicsJSON, r); err != nil {
		return nil, errs.Wrap(err, errs.Internal, "知识点规则无法读取。")
	}
	return r, nil
}

// Verdict on a topic: 强项, 一般, 薄弱, 作答太少.
type Verdict string

// Verdicts.
const (
	Strong Verdict = "strong"
	Fair   Verdict = "ok"
	Gap    Verdict = "gap"
	Few    Verdict = "few"
)

// Topic is how questions of one topic were answered.
type Topic struct {
	Topic     string          `json:"topic"`
	Answered  int             `json:"answered" doc:"answers that were graded"`
	Share     float64         `json:"share" doc:"percent of the points"`
	Verdict   Verdict         `json:"verdict" enum:"strong,ok,gap,few"`
	Questions []TopicQuestion `json:"questions" doc:"behind the verdict, the worst first; without what is right"`
}

// TopicQuestion is a question behind a topic.
type TopicQuestion struct {
	QuestionID ids.ID  `json:"questionId"`
	Stem       string  `json:"stem" doc:"HTML"`
	Answered   int     `json:"answered"`
	Share      float64 `json:"share" doc:"percent"`
}

// Topics are strengths and gaps, gaps first.
type Topics struct {
	Items []Topic    `json:"items"`
	Rules TopicRules `json:"rules"`
	Since time.Time  `json:"since,omitzero"`
}

// OwnTopics judges the topics of the member who asks, over answers whose result
// they may know.
func (s *Service) OwnTopics(ctx context.Context, actor *authz.Actor) (*Topics, error) {
	list, err := s.cfg.Store.Known(ctx, actor.ID)
	if err != nil {
		return nil, err
	}
	return s.judge(ctx, list, s.topics.MinOwn, time.Time{})
}

// Topics judges the topics of an organisation and everything under it (none:
// all whose results the actor may see) over the last months. Papers that people
// can still take play no part: a stem shown early would be a leak.
func (s *Service) Topics(ctx context.Context, actor *authz.Actor, org ids.ID) (*Topics, error) {
	area := actor.Scope(Right)
	if org != 0 {
		o, err := s.cfg.Org(ctx, org)
		if err != nil {
			return nil, err
		}
		if !area.Covers(o.Path) {
			return nil, errs.Missing("组织")
		}
		area = authz.Scope{Paths: []string{o.Path}}
	}
	now := s.now()
	since := now.AddDate(0, -s.topics.Months, 0)
	list, err := s.cfg.Store.Asked(ctx, area, since, now)
	if err != nil {
		return nil, err
	}
	return s.judge(ctx, list, s.topics.MinAnswers, since)
}

func (s *Service) judge(ctx context.Context, list []Asked, least int, since time.Time) (*Topics, error) {
	var questions []ids.ID
	for _, a := range list {
		questions = append(questions, a.Question)
	}
	topics, err := s.cfg.Store.TopicsOf(ctx, questions)
	if err != nil {
		return nil, err
	}
	by := map[string][]Asked{}
	for _, a := range list {
		for _, t := range topics[a.Question] {
			by[t] = append(by[t], a)
		}
	}
	out := &Topics{Items: []Topic{}, Rules: *s.topics, Since: since}
	shown := map[ids.ID]bool{}
	for name, asked := range by {
		t := s.topic(name, asked, least)
		for _, q := range t.Questions {
			shown[q.QuestionID] = true
		}
		out.Items = append(out.Items, t)
	}
	slices.SortFunc(out.Items, func(a, b Topic) int {
		return cmp.Or(cmp.Compare(a.Verdict.order(), b.Verdict.order()), cmp.Compare(a.Share, b.Share), cmp.Compare(a.Topic, b.Topic))
	})
	return out, s.stems(ctx, out.Items, list, shown)
}

func (v Verdict) order() int { return slices.Index([]Verdict{Gap, Fair, Strong, Few}, v) }

func (s *Service) topic(name string, asked []Asked, least int) Topic {
	t := Topic{Topic: name, Questions: []TopicQuestion{}}
	right := 0.0
	for _, a := range asked {
		t.Answered += a.Answered
		right += a.Right
	}
	t.Share = percent(right, t.Answered)
	switch {
	case t.Answered < least:
		t.Verdict = Few
	case t.Share < s.topics.GapBelow:
		t.Verdict = Gap
	case t.Share >= s.topics.StrongFrom:
		t.Verdict = Strong
	default:
		t.Verdict = Fair
	}
	slices.SortFunc(asked, func(a, b Asked) int {
		return cmp.Or(cmp.Compare(percent(a.Right, a.Answered), percent(b.Right, b.Answered)), cmp.Compare(b.Answered, a.Answered), cmp.Compare(a.Question, b.Question))
	})
	for _, a := range asked[:min(len(asked), s.topics.Questions)] {
		t.Questions = append(t.Questions, TopicQuestion{QuestionID: a.Question, Answered: a.Answered, Share: percent(a.Right, a.Answered)})
	}
	return t
}

func percent(part float64, of int) float64 {
	if of == 0 {
		return 0
	}
	return 100 * part / float64(of)
}

// stems fills in the texts of the questions shown.
func (s *Service) stems(ctx context.Context, items []Topic, list []Asked, shown map[ids.ID]bool) error {
	var refs []quiz.Ref
	for _, a := range list {
		if shown[a.Question] {
			refs = append(refs, quiz.Ref{ID: a.Question, Revision: a.Revision})
		}
	}
	text, err := s.texts(ctx, refs)
	if err != nil {
		return err
	}
	for i := range items {
		for j := range items[i].Questions {
			q := &items[i].Questions[j]
			q.Stem = text[q.QuestionID]
		}
	}
	return nil
}

// texts renders the stems of revisions, blanks shown as blanks.
func (s *Service) texts(ctx context.Context, refs []quiz.Ref) (map[ids.ID]string, error) {
	out := make(map[ids.ID]string, len(refs))
	if len(refs) == 0 {
		return out, nil
	}
	contents, err := s.cfg.Bank.Contents(ctx, refs)
	if err != nil {
		return nil, err
	}
	for i, r := range refs {
		out[r.ID] = quiz.Shuffle{}.Show(&contents[i], s.cfg.HTML).Stem
	}
	return out, nil
}

// plain is a stem without markup, for spreadsheets.
func plain(c *quiz.Content) string {
	return strings.Join(strings.Fields(strings.NewReplacer("**", "", "`", "", "#", "", "$", "").Replace(c.Stem)), " ")
}
