package member

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
)

// ruleText holds the numbers of regulations as data, each with its source and
// date: they change, and a branch wants to know where they come from.
//
//go:embed rules.json
var ruleText []byte

// Alarm codes of the rules.
const (
	BranchLarge      = "branch_large"
	BranchSmall      = "branch_small"
	ProbationOverdue = "probation_overdue"
	ProbationSoon    = "probation_soon"
	RosterEmpty      = "roster_empty"
)

// Rule is one number of a regulation.
type Rule struct {
	Code     string  `json:"code,omitempty"`
	States   []State `json:"states,omitempty"`
	Value    int     `json:"value"`
	Unit     string  `json:"unit"`
	Severity string  `json:"severity,omitempty" enum:"error,warning,hint"`
	Text     string  `json:"text" doc:"what it says and what to do"`
	Source   string  `json:"source"`
	Date     Date    `json:"date" doc:"of the source"`
}

// Post is a post held in a branch, in Chinese.
type Post struct {
	Code  string `json:"code"`
	Label string `json:"label"`
}

// Rules are all data rules of the roster.
type Rules struct {
	Version   int    `json:"version"`
	Posts     []Post `json:"posts"`
	Alarms    []Rule `json:"alarms"`
	Extension Rule   `json:"extension"`
	Retention []Rule `json:"retention"`
}

func builtIn() (*Rules, error) {
	var r Rules
	dec := json.NewDecoder(bytes.NewReader(ruleText))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r); err != nil {
		return nil, fmt.Errorf("member: rules.json: %w", err)
	}
	for _, code := range []string{BranchLarge, BranchSmall, ProbationOverdue, ProbationSoon, RosterEmpty} {
		if r.alarm(code).Value <= 0 {
			return nil, fmt.Errorf("member: rules.json lacks the alarm %q", code)
		}
	}
	for _, one := range slices.Concat(r.Alarms, r.Retention, []Rule{r.Extension}) {
		if one.Value <= 0 || one.Text == "" || one.Source == "" || one.Date == "" || !one.Date.valid() {
			return nil, fmt.Errorf("member: rules.json: a rule needs value, text, source and date: %q", one.Text)
		}
	}
	return &r, nil
}

func (r *Rules) alarm(code string) Rule {
	for _, a := range r.Alarms {
		if a.Code == code {
			return a
		}
	}
	return Rule{}
}

// post finds a post by code or by its Chinese name.
func (r *Rules) post(name string) (Post, bool) {
	i := slices.IndexFunc(r.Posts, func(p Post) bool { return p.Code == name || p.Label == name })
	if i < 0 {
		return Post{}, false
	}
	return r.Posts[i], true
}

// Rules returns the rules to whoever may read members.
func (s *Service) Rules(actor *authz.Actor) (*Rules, error) {
	if !actor.Has(Read) {
		return nil, errs.New(errs.Forbidden, "您没有查看党员名册的权限。")
	}
	return s.rules, nil
}

// due is the day on which the probation of m ends; none for full members and
// where no joining date is known.
func (s *Service) due(m *Member) Date {
	switch {
	case m.Kind != Probationary || m.State != Active:
		return ""
	case m.ExtendedTo != "":
		return m.ExtendedTo
	}
	return m.JoinedAt.plus(s.rules.alarm(ProbationOverdue).Value, 0)
}
