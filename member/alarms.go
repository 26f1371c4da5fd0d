package member

import (
	"cmp"
	"context"
	"slices"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
)

// Alarm is something a branch should see to, with the rule behind it.
type Alarm struct {
	Code     string `json:"code"`
	Severity string `json:"severity" enum:"error,warning,hint"`
	OrgID    ids.ID `json:"orgId"`
	OrgName  string `json:"orgName"`
	Count    int    `json:"count,omitempty" doc:"members, for the alarms about numbers"`
	MemberID ids.ID `json:"memberId,omitempty"`
	Name     string `json:"name,omitempty" doc:"of the member, for the alarms about a probation"`
	Due      Date   `json:"due,omitempty"`
	Days     int    `json:"days,omitempty" doc:"until the probation ends; below zero: since"`
	Text     string `json:"text"`
	Source   string `json:"source"`
	Date     Date   `json:"date" doc:"of the source"`

	path string
}

// Alarms are what needs attention in a scope.
type Alarms struct {
	Items []Alarm `json:"items"`
	// Cut is set when there are more probationary members than are looked at.
	Cut bool `json:"cut,omitempty"`
}

// maxProbation bounds how many probationary members one look reads.
const maxProbation = 5000

// Alarms lists what the rules say about the branches the actor may read, most
// severe first.
func (s *Service) Alarms(ctx context.Context, actor *authz.Actor, org ids.ID) (*Alarms, error) {
	scope := actor.Scope(Read)
	if org != 0 {
		o, err := s.org(ctx, actor, Read, org)
		if err != nil {
			return nil, err
		}
		scope = authz.Scope{Paths: []string{o.Path}}
	}
	out := &Alarms{Items: []Alarm{}}
	counts, err := s.cfg.Store.Counts(ctx, scope)
	if err != nil {
		return nil, err
	}
	for _, c := range counts {
		if code, n := s.size(c); code != "" {
			a := s.raise(code, c.OrgID, c.OrgName)
			a.Count, a.path = n, c.Path
			out.Items = append(out.Items, a)
		}
	}
	people, err := s.cfg.Store.Probation(ctx, scope, maxProbation+1)
	if err != nil {
		return nil, err
	}
	out.Cut = len(people) > maxProbation
	for i := range people[:min(len(people), maxProbation)] {
		if a, ok := s.probation(&people[i]); ok {
			out.Items = append(out.Items, a)
		}
	}
	rank := map[string]int{"error": 0, "warning": 1, "hint": 2}
	slices.SortStableFunc(out.Items, func(a, b Alarm) int {
		return cmp.Or(cmp.Compare(rank[a.Severity], rank[b.Severity]), cmp.Compare(a.path, b.path), cmp.Compare(a.Due, b.Due), cmp.Compare(a.MemberID, b.MemberID))
	})
	return out, nil
}

// size is the alarm about how many members a branch has, "" for none.
func (s *Service) size(c Count) (code string, n int) {
	switch {
	case c.All < s.rules.alarm(RosterEmpty).Value:
		return RosterEmpty, 0
	case c.All > s.rules.alarm(BranchLarge).Value:
		return BranchLarge, c.All
	case c.Full < s.rules.alarm(BranchSmall).Value:
		return BranchSmall, c.Full
	}
	return "", 0
}

func (s *Service) raise(code string, org ids.ID, name string) Alarm {
	r := s.rules.alarm(code)
	return Alarm{Code: code, Severity: r.Severity, OrgID: org, OrgName: name, Text: r.Text, Source: r.Source, Date: r.Date}
}

// probation is the alarm about the end of a probation. Overdue is the day after.
func (s *Service) probation(m *Member) (Alarm, bool) {
	due := s.due(m)
	if due == "" {
		return Alarm{}, false
	}
	days := int(due.Time().Sub(s.today().Time()).Hours() / 24)
	code := ProbationSoon
	if days < 0 {
		code = ProbationOverdue
	} else if days > s.rules.alarm(ProbationSoon).Value {
		return Alarm{}, false
	}
	a := s.raise(code, m.OrgID, m.OrgName)
	a.MemberID, a.Name, a.Due, a.Days, a.path = m.ID, m.Name, due, days, m.OrgPath
	return a, true
}
