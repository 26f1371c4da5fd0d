package results

import (
	"context"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/quiz"
)

// Sheet is the list of results of a paper as staff see it.
type Sheet struct {
	PaperID ids.ID          `json:"paperId"`
	Title   string          `json:"title"`
	State   quiz.PaperState `json:"state" enum:"draft,published,closed"`
	Points  float64         `json:"points"`
	Pass    float64         `json:"passPoints"`
	Whole   bool            `json:"whole" doc:"everybody's; false: only people of organisations whose results you may see, and ranks among them"`
	Over    bool            `json:"over" doc:"nobody can take it any more"`
	Summary Summary         `json:"summary"`
	Items   []Standing      `json:"items"`
	Next    string          `json:"next,omitempty"`
	Notes   []string        `json:"notes,omitempty"`
}

func choice(p *quiz.Paper, area authz.Scope) Choice {
	return Choice{Paper: p.ID, Counting: p.Rules.Counting, Pass: p.Rules.PassPoints, Area: area}
}

// Sheet lists who took a paper, the best first. The cursor is a place in the
// list. org narrows to an organisation and everything under it.
func (s *Service) Sheet(ctx context.Context, actor *authz.Actor, id, org ids.ID, r page.Request) (*Sheet, error) {
	v, err := s.view(ctx, actor, id, org)
	if err != nil {
		return nil, err
	}
	c := choice(v.paper, v.area)
	skip := int(r.After)
	list, err := s.cfg.Store.Standings(ctx, c, skip, r.Limit+1)
	if err != nil {
		return nil, err
	}
	rows := page.Of(list, r.Limit, func(Standing) ids.ID { return ids.ID(skip + r.Limit) })
	sum, err := s.summary(ctx, v)
	if err != nil {
		return nil, err
	}
	p := v.paper
	out := &Sheet{
		PaperID: p.ID, Title: p.Title, State: p.State, Points: p.Points, Pass: p.Rules.PassPoints, Whole: v.whole,
		Over: over(p, s.now()), Summary: sum, Items: rows.Items, Next: rows.Next,
	}
	if !out.Over {
		out.Notes = append(out.Notes, "还没有结束，名次和人数会变化。")
	}
	if waiting := sum.Took - sum.Graded; waiting > 0 {
		out.Notes = append(out.Notes, "有简答题等待评分的答卷暂不排名。")
	}
	return out, nil
}

// summary counts; should-take is what the turnout of all branches adds up to.
func (s *Service) summary(ctx context.Context, v *view) (Summary, error) {
	c := choice(v.paper, v.area)
	sum, err := s.cfg.Store.Summary(ctx, c)
	if err != nil {
		return sum, err
	}
	list, err := s.cfg.Store.Turnout(ctx, c, v.paper.OrgPath)
	for _, t := range list {
		sum.Should += t.Should
	}
	return sum, err
}

// TurnoutList is who should take a paper, who took it and who passed.
type TurnoutList struct {
	Summary Summary   `json:"summary"`
	Items   []Turnout `json:"items"`
}

// Turnout counts participation for each branch that the actor may see.
func (s *Service) Turnout(ctx context.Context, actor *authz.Actor, id, org ids.ID) (*TurnoutList, error) {
	v, err := s.view(ctx, actor, id, org)
	if err != nil {
		return nil, err
	}
	c := choice(v.paper, v.area)
	out := &TurnoutList{}
	if out.Summary, err = s.cfg.Store.Summary(ctx, c); err != nil {
		return nil, err
	}
	if out.Items, err = s.cfg.Store.Turnout(ctx, c, v.paper.OrgPath); err != nil {
		return nil, err
	}
	for _, t := range out.Items {
		out.Summary.Should += t.Should
	}
	if out.Items == nil {
		out.Items = []Turnout{}
	}
	return out, nil
}

// Papers lists the papers whose results the actor may see at least a part of.
func (s *Service) Papers(ctx context.Context, actor *authz.Actor, r page.Request) (*page.Result[Held], error) {
	list, err := s.cfg.Store.Held(ctx, actor.Scope(Right), actor.Above(Right), r)
	if err != nil {
		return nil, err
	}
	out := page.Of(list, r.Limit, func(h Held) ids.ID { return h.ID })
	return &out, nil
}
