package notify

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"tongxin/internal/clock"
)

// rulesJSON holds what platforms ask of messages, with source and date.
//
//go:embed rules.json
var rulesJSON []byte

// OutcomeKind says what to do about a message that was refused.
type OutcomeKind string

// Kinds of refusals.
const (
	Later    OutcomeKind = "later"    // try again after a pause
	GiveUp   OutcomeKind = "give_up"  // this person cannot be reached like that
	WrongOne OutcomeKind = "field"    // every message of the campaign would fail: stop
	NoGrant  OutcomeKind = "grant"    // the person allows no message: next channel
	NoFan    OutcomeKind = "follower" // the person does not follow: next channel
	Quota    OutcomeKind = "quota"    // used up until tomorrow
	Token    OutcomeKind = "token"    // keys or rights: a person must act
)

// rules are the versioned data of this domain.
type rules struct {
	Version string      `json:"version"`
	Fields  fieldRules  `json:"fields"`
	Codes   outcomeRows `json:"codes"`
}

type fieldRules struct {
	Source string      `json:"source"`
	Date   string      `json:"date"`
	Types  []fieldRule `json:"types"`
}

// fieldRule is what one type of field takes.
type fieldRule struct {
	Type string `json:"type"`
	Max  int    `json:"max"`
	As   string `json:"as"` // "": text; "time", "date", "word" (no punctuation)
}

type outcomeRows struct {
	Source string       `json:"source"`
	Date   string       `json:"date"`
	Rows   []outcomeRow `json:"rows"`
}

type outcomeRow struct {
	Code int         `json:"code"`
	Kind OutcomeKind `json:"kind"`
	Say  string      `json:"say"`
}

func builtIn() (*rules, error) {
	var r rules
	if err := json.Unmarshal(rulesJSON, &r); err != nil {
		return nil, fmt.Errorf("notify: rules: %w", err)
	}
	return &r, nil
}

// outcome finds what to do about a code.
func (r *rules) outcome(code int) (outcomeRow, bool) {
	for _, row := range r.Codes.Rows {
		if row.Code == code && code != 0 {
			return row, true
		}
	}
	return outcomeRow{}, false
}

// field finds the rule of a key such as "thing1".
func (r *rules) field(key string) fieldRule {
	kind := strings.TrimRight(key, "0123456789")
	for _, f := range r.Fields.Types {
		if f.Type == kind {
			return f
		}
	}
	return fieldRule{Type: kind, Max: 200}
}

// Part is one field of a message as a person will read it.
type Part struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	Cut   bool   `json:"cut" doc:"shortened to what the template takes"`
}

// values fills a template from a campaign. Empty values become "—": platforms
// refuse empty fields.
func (r *rules) values(c *Campaign, t Template) []Part {
	out := make([]Part, 0, len(t.Fields))
	for _, x := range t.Fields {
		rule := r.field(x.Key)
		full := source(c, x, rule)
		if full == "" {
			full = strings.TrimSpace(x.Text)
		}
		if full == "" {
			full = blank(c, rule)
		}
		v := fit(full, rule)
		out = append(out, Part{Key: x.Key, Value: v, Cut: v != full})
	}
	return out
}

func source(c *Campaign, x Field, rule fieldRule) string {
	switch x.Source {
	case "title":
		return c.Title
	case "summary":
		return strings.Join(strings.Fields(c.Summary), " ")
	case "time":
		return when(c, rule)
	case "place":
		return c.Place
	case "remark":
		return c.Remark
	case "from":
		return c.OrgName
	case "kind":
		return kindName(c.Kind)
	default:
		return strings.TrimSpace(x.Text)
	}
}

// when writes a time as the platform wants it: "2019年10月1日 15:01". A notice
// without a time of its own shows when it was sent.
func when(c *Campaign, rule fieldRule) string {
	t := c.EventAt
	if t.IsZero() {
		t = c.StartedAt
	}
	if t.IsZero() {
		return ""
	}
	t = t.In(clock.Shanghai())
	if rule.As == "date" {
		return t.Format("2006年1月2日")
	}
	return t.Format("2006年1月2日 15:04")
}

func blank(c *Campaign, rule fieldRule) string {
	switch rule.As {
	case "time", "date":
		return when(&Campaign{EventAt: c.UpdatedAt}, rule)
	case "number":
		return "0"
	case "word":
		return "无"
	}
	return "—"
}

// fit cuts a value to what a field takes.
func fit(v string, rule fieldRule) string {
	if rule.As == "word" {
		v = strings.Map(func(r rune) rune {
			if r < 0x80 || strings.ContainsRune("，。、；：“”‘’（）《》！？…—·", r) {
				return -1
			}
			return r
		}, v)
		if r := []rune(v); len(r) > rule.Max { // no room for a sign that something is missing
			v = string(r[:rule.Max])
		}
		if v == "" {
			return "通知"
		}
		return v
	}
	if rule.Max <= 0 || rule.As != "" {
		return v
	}
	return cut(v, rule.Max)
}

func kindName(k Kind) string {
	switch k {
	case Post:
		return "学习文章"
	case Quiz:
		return "答题"
	case Contest:
		return "知识竞赛"
	case Meeting:
		return "会议"
	case System:
		return "系统消息"
	default:
		return "通知"
	}
}

// nextDay is shortly after the next midnight in China, when daily quotas start
// anew.
func nextDay(now time.Time) time.Time {
	t := now.In(clock.Shanghai())
	return time.Date(t.Year(), t.Month(), t.Day()+1, 0, 5, 0, 0, t.Location()).UTC()
}

func itoa(n int) string { return strconv.Itoa(n) }
