package results

import (
	"context"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/quiz"
)

// OwnResult is one attempt of the member who asks, as far as they may know it.
type OwnResult struct {
	AttemptID     ids.ID         `json:"attemptId"`
	PaperID       ids.ID         `json:"paperId"`
	Title         string         `json:"title"`
	Kind          quiz.PaperKind `json:"kind" enum:"exam,daily,practice"`
	Number        int            `json:"number"`
	SubmittedAt   time.Time      `json:"submittedAt"`
	UsedSec       int            `json:"usedSec"`
	Score         *float64       `json:"score,omitempty"`
	Points        float64        `json:"points"`
	Passed        *bool          `json:"passed,omitempty"`
	Hidden        string         `json:"hidden,omitempty" doc:"why there is no score yet"`
	Ranking       bool           `json:"ranking" doc:"a ranking can be seen"`
	CertificateID ids.ID         `json:"certificateId,omitzero"`
}

// OwnResults lists the member's attempts at papers, newest first.
func (s *Service) OwnResults(ctx context.Context, actor *authz.Actor, r page.Request) (*page.Result[OwnResult], error) {
	list, err := s.cfg.Store.Own(ctx, actor.ID, r)
	if err != nil {
		return nil, err
	}
	rows := page.Of(list, r.Limit, func(o Own) ids.ID { return o.AttemptID })
	out := page.Result[OwnResult]{Items: make([]OwnResult, len(rows.Items)), Next: rows.Next}
	papers := map[ids.ID]*quiz.Paper{}
	for i, o := range rows.Items {
		p := papers[o.PaperID]
		if p == nil {
			if p, err = s.cfg.Paper(ctx, o.PaperID); err != nil {
				return nil, err
			}
			papers[o.PaperID] = p
		}
		out.Items[i] = s.ownResult(p, o)
	}
	return &out, nil
}

func (s *Service) ownResult(p *quiz.Paper, o Own) OwnResult {
	out := OwnResult{
		AttemptID: o.AttemptID, PaperID: p.ID, Title: p.Title, Kind: p.Kind, Number: o.Number, SubmittedAt: o.EndedAt,
		UsedSec: int(o.EndedAt.Sub(o.Started) / time.Second), Points: o.Points, CertificateID: o.Certificate,
	}
	switch known := knows(p, p.Rules.ShowScore, o.EndedAt, s.now()); {
	case known && o.Pending > 0:
		out.Hidden = "还有简答题等待评分，评完后公布成绩。"
	case known:
		out.Score, out.Passed, out.Ranking = &o.Score, p.Rules.Passed(o.Score), p.Rules.Ranking
	default:
		from, ever := p.KnownFrom(p.Rules.ShowScore, o.EndedAt)
		if out.Hidden = "按照本次的规则，成绩不公布。"; ever {
			out.Hidden = "成绩将于" + from.In(clock.Shanghai()).Format("2006年1月2日 15:04") + "公布。"
		}
	}
	return out
}

// Ranking is what members see of the places in a paper. Ranks count everybody;
// who switched rankings off is not listed, which leaves a gap and no name.
type Ranking struct {
	Items  []Place `json:"items"`
	Mine   *Place  `json:"mine,omitempty"`
	Hidden string  `json:"hidden,omitempty" doc:"why nothing is shown"`
}

// Place is one line of a ranking.
type Place struct {
	Rank    int     `json:"rank"`
	Name    string  `json:"name"`
	Org     string  `json:"org"`
	Score   float64 `json:"score"`
	UsedSec int     `json:"usedSec"`
	Me      bool    `json:"me"`
}

// listed is how many places a ranking shows.
const listed = 100

// Ranking shows the places in a paper to a member: when the paper allows it and
// the member's own score may be known.
func (s *Service) Ranking(ctx context.Context, actor *authz.Actor, id ids.ID) (*Ranking, error) {
	p, err := s.cfg.Paper(ctx, id)
	if err != nil {
		return nil, err
	}
	if p.State == quiz.PaperDraft || !actor.Within(quiz.Take, p.OrgPath) {
		return nil, missingPaper()
	}
	out := &Ranking{Items: []Place{}}
	if !p.Rules.Ranking {
		out.Hidden = "这份试卷不公布排名。"
		return out, nil
	}
	c := choice(p, authz.Scope{All: true})
	c.Member = actor.ID
	mine, err := s.cfg.Store.Standings(ctx, c, 0, 1)
	if err != nil {
		return nil, err
	}
	if out.Hidden = s.hiddenRanking(p, mine); out.Hidden != "" {
		return out, nil
	}
	c.Member = 0
	top, err := s.cfg.Store.Standings(ctx, c, 0, listed)
	if err != nil {
		return nil, err
	}
	var people []ids.ID
	for _, st := range top {
		people = append(people, st.MemberID)
	}
	off, err := s.cfg.Unlisted(ctx, people)
	if err != nil {
		return nil, err
	}
	for _, st := range top {
		if st.Rank > 0 && !off[st.MemberID] {
			out.Items = append(out.Items, place(st, actor.ID))
		}
	}
	if len(mine) == 1 && mine[0].Rank > 0 {
		m := place(mine[0], actor.ID)
		out.Mine = &m
	}
	return out, nil
}

// hiddenRanking says why a member may not see the ranking yet. Who took no part
// sees it when the paper is over.
func (s *Service) hiddenRanking(p *quiz.Paper, mine []Standing) string {
	now := s.now()
	if p.Rules.ShowScore == quiz.Never {
		return "按照本次的规则，成绩和排名不公布。"
	}
	if over(p, now) {
		return ""
	}
	if len(mine) == 0 {
		return "参加作答后可以查看排名。"
	}
	if !knows(p, p.Rules.ShowScore, mine[0].EndedAt, now) {
		return "排名在全部结束后公布。"
	}
	return ""
}

func place(st Standing, me ids.ID) Place {
	return Place{Rank: st.Rank, Name: st.Name, Org: st.OrgName, Score: st.Score, UsedSec: st.UsedSec, Me: st.MemberID == me}
}
