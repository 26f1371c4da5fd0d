package quiz

import (
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"
	"unicode/utf8"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
)

//go:embed flags.json
var flagsJSON []byte

// FlagRules are the thresholds of the plausibility flags: data with a version.
type FlagRules struct {
	Version string `json:"version"`
	Source  string `json:"source"`
	TooFast struct {
		CharsPerMinute int     `json:"charsPerMinute"`
		LeastSec       float64 `json:"leastSec"`
		Share          float64 `json:"share" doc:"of the questions answered, above which an attempt is flagged"`
		About          string  `json:"about"`
	} `json:"tooFast"`
	SameAnswers struct {
		Chance      float64 `json:"chance"`
		LeastWrong  int     `json:"leastWrong"`
		MaxAttempts int     `json:"maxAttempts" doc:"larger exams are compared branch by branch"`
		About       string  `json:"about"`
	} `json:"sameAnswers"`
	SameAddress struct {
		LeastMembers int    `json:"leastMembers"`
		MostMembers  int    `json:"mostMembers"`
		About        string `json:"about"`
	} `json:"sameAddress"`
}

func flagRules() (r FlagRules, err error) {
	err = json.Unmarshal(flagsJSON, &r)
	return r, err
}

// SeatFacts is what flags are made of.
type SeatFacts struct {
	Seat
	Addr  string
	Items []Item
	Given []Given
	Wrong map[int]string // n → the answer as stored, of marks that earned nothing
}

// Flag is something for a person to look at. It never changes a mark.
type Flag struct {
	Kind   string     `json:"kind" enum:"too_fast,same_answers,same_address"`
	Seats  []FlagSeat `json:"seats"`
	Detail string     `json:"detail" doc:"what was seen, in a sentence"`
	weight float64
}

// FlagSeat names an attempt that a flag is about.
type FlagSeat struct {
	AttemptID  ids.ID `json:"attemptId"`
	MemberName string `json:"memberName"`
	OrgName    string `json:"orgName"`
}

// Flags are the plausibility flags of a paper with the rules they were made by.
type Flags struct {
	Items []Flag    `json:"items"`
	Rules FlagRules `json:"rules"`
	Note  string    `json:"note"`
}

// maxFacts bounds how many attempts flags are computed over.
const maxFacts = 5000

// Flags computes the plausibility flags of a paper, the weightiest first.
func (s *Exams) Flags(ctx context.Context, actor *authz.Actor, paper ids.ID) (*Flags, error) {
	if _, err := s.watched(ctx, actor, paper); err != nil {
		return nil, err
	}
	rules, err := flagRules()
	if err != nil {
		return nil, err
	}
	facts, err := s.cfg.Store.Facts(ctx, paper, actor.Scope(Results), maxFacts)
	if err != nil {
		return nil, err
	}
	out := &Flags{Rules: rules, Items: []Flag{}, Note: "以下只是提示，可能有正当原因（如同一办公室、同一网络）。请核实情况，系统不会据此扣分。"}
	fast, err := s.tooFast(ctx, facts, rules)
	if err != nil {
		return nil, err
	}
	out.Items = append(append(append(out.Items, fast...), sameAnswers(facts, rules)...), sameAddress(facts, rules)...)
	slices.SortStableFunc(out.Items, func(a, b Flag) int { return cmp.Compare(b.weight, a.weight) })
	return out, nil
}

func (f *SeatFacts) seat() FlagSeat {
	return FlagSeat{AttemptID: f.ID, MemberName: f.MemberName, OrgName: f.OrgName}
}

// tooFast looks at the time between one saved answer and the next: about what a
// question took.
func (s *Exams) tooFast(ctx context.Context, facts []SeatFacts, rules FlagRules) (out []Flag, err error) {
	for i := range facts {
		f := &facts[i]
		refs := make([]Ref, len(f.Items))
		for j, it := range f.Items {
			refs[j] = it.Ref
		}
		contents, err := s.content(ctx, refs)
		if err != nil {
			return nil, err
		}
		given := slices.Clone(f.Given)
		slices.SortFunc(given, func(a, b Given) int { return a.SavedAt.Compare(b.SavedAt) })
		last, quick, seen := f.StartedAt, 0, 0
		for _, g := range given {
			if g.N < 1 || g.N > len(contents) || g.Answer.Empty() {
				continue
			}
			seen++
			if g.SavedAt.Sub(last) < readingTime(contents[g.N-1], rules) {
				quick++
			}
			last = g.SavedAt
		}
		if share := portion(quick, seen); seen >= 3 && share > rules.TooFast.Share {
			out = append(out, Flag{
				Kind: "too_fast", Seats: []FlagSeat{f.seat()}, weight: share,
				Detail: fmt.Sprintf("作答的 %d 道题里，有 %d 道的用时短于读完题目所需的时间，全卷用时 %s。", seen, quick, f.EndedAt.Sub(f.StartedAt).Round(time.Second)),
			})
		}
	}
	return out, nil
}

// readingTime is the least time in which a question can be read.
func readingTime(c *Content, rules FlagRules) time.Duration {
	n := utf8.RuneCountInString(c.Stem)
	for _, o := range c.Options {
		n += utf8.RuneCountInString(o.Text)
	}
	for _, p := range c.Pairs {
		n += utf8.RuneCountInString(p.Left) + utf8.RuneCountInString(p.Right)
	}
	for _, t := range append(slices.Clone(c.Items), c.Extra...) {
		n += utf8.RuneCountInString(t)
	}
	sec := math.Max(rules.TooFast.LeastSec, float64(n)/float64(rules.TooFast.CharsPerMinute)*60)
	return time.Duration(sec * float64(time.Second))
}

// sameAnswers looks for pairs with more equal wrong answers than chance gives.
// For each question that both got wrong, chance is how often two wrong answers
// to it are the same in this exam; the tail of the sum over the questions is
// computed exactly and held against the number of pairs.
func sameAnswers(facts []SeatFacts, rules FlagRules) (out []Flag) {
	r := rules.SameAnswers
	groups := map[ids.ID][]*SeatFacts{}
	for i := range facts {
		key := ids.ID(0)
		if len(facts) > r.MaxAttempts {
			key = facts[i].OrgID
		}
		groups[key] = append(groups[key], &facts[i])
	}
	chance := sameWrong(facts)
	pairs := 0
	for _, g := range groups {
		pairs += len(g) * (len(g) - 1) / 2
	}
	for _, g := range groups {
		for i, a := range g {
			for _, b := range g[i+1:] {
				if a.MemberID == b.MemberID {
					continue
				}
				if same, p := compare(a, b, chance); same >= r.LeastWrong && p*float64(max(pairs, 1)) < r.Chance {
					out = append(out, Flag{
						Kind: "same_answers", Seats: []FlagSeat{a.seat(), b.seat()}, weight: 1 + math.Min(-math.Log10(math.Max(p, 1e-300))/300, 1),
						Detail: fmt.Sprintf("有 %d 道题答错且错得一样，偶然出现的可能性约为 %.0e。", same, math.Max(p, 1e-99)),
					})
				}
			}
		}
	}
	return out
}

// sameWrong is for each question how likely two wrong answers to it are equal.
func sameWrong(facts []SeatFacts) map[ids.ID]float64 {
	counts := map[ids.ID]map[string]int{}
	for i := range facts {
		for n, w := range facts[i].Wrong {
			q := facts[i].Items[n-1].ID
			if counts[q] == nil {
				counts[q] = map[string]int{}
			}
			counts[q][w]++
		}
	}
	out := make(map[ids.ID]float64, len(counts))
	for q, by := range counts {
		all, sum := 0, 0.0
		for _, c := range by {
			all += c
		}
		// One more of a kind that nobody chose keeps a rare answer from being proof.
		for _, c := range by {
			p := (float64(c) + 1) / (float64(all) + float64(len(by)) + 1)
			sum += p * p
		}
		out[q] = sum
	}
	return out
}

// compare counts equal wrong answers and tells how likely so many are by chance.
func compare(a, b *SeatFacts, chance map[ids.ID]float64) (same int, p float64) {
	other := make(map[ids.ID]string, len(b.Wrong))
	for n, w := range b.Wrong {
		other[b.Items[n-1].ID] = w
	}
	var odds []float64
	for n, w := range a.Wrong {
		q := a.Items[n-1].ID
		if o, both := other[q]; both {
			odds = append(odds, chance[q])
			if o == w {
				same++
			}
		}
	}
	if same == 0 {
		return 0, 1
	}
	dist := make([]float64, len(odds)+1) // Poisson binomial
	dist[0] = 1
	for i, p := range odds {
		for k := i + 1; k > 0; k-- {
			dist[k] = dist[k]*(1-p) + dist[k-1]*p
		}
		dist[0] *= 1 - p
	}
	for _, d := range dist[same:] {
		p += d
	}
	return same, p
}

func sameAddress(facts []SeatFacts, rules FlagRules) (out []Flag) {
	by := map[string][]*SeatFacts{}
	for i := range facts {
		if a := facts[i].Addr; a != "" && !slices.ContainsFunc(by[a], func(f *SeatFacts) bool { return f.MemberID == facts[i].MemberID }) {
			by[a] = append(by[a], &facts[i])
		}
	}
	for _, list := range by {
		if len(list) < rules.SameAddress.LeastMembers || len(list) > rules.SameAddress.MostMembers {
			continue
		}
		f := Flag{Kind: "same_address", weight: 0.1, Detail: fmt.Sprintf("%d 人从同一个网络地址开始作答。", len(list))}
		for _, x := range list {
			f.Seats = append(f.Seats, x.seat())
		}
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b Flag) int { return cmp.Compare(a.Seats[0].AttemptID, b.Seats[0].AttemptID) })
	return out
}
