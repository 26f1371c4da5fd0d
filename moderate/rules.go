package moderate

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

//go:embed rules.json
var rulesJSON []byte

// Limit is one figure with where it comes from.
type Limit struct {
	Value  int    `json:"value"`
	Unit   string `json:"unit"`
	Source string `json:"source"`
	Date   string `json:"date"`
}

// Rules are the figures and labels of the check, with their sources.
type Rules struct {
	Version string           `json:"version"`
	Limits  map[string]Limit `json:"limits"`
	Labels  []struct {
		Code int    `json:"code"`
		Text string `json:"text"`
	} `json:"labels"`
}

func builtIn() (*Rules, error) { return parseRules(rulesJSON) }

// parseRules wants every limit that the code asks for, above zero, with a source.
func parseRules(data []byte) (*Rules, error) {
	var r Rules
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("moderate: rules: %w", err)
	}
	for _, name := range []string{"textChars", "textOverlap", "textMax", "resultMinutes", "inactiveHours", "downHours", "keepDays"} {
		if l := r.Limits[name]; l.Value <= 0 || l.Source == "" || l.Date == "" {
			return nil, fmt.Errorf("moderate: rules: limit %q needs a value, a source and a date", name)
		}
	}
	if r.limit("textOverlap") >= r.limit("textChars") {
		return nil, fmt.Errorf("moderate: rules: pieces must be longer than what they share")
	}
	return &r, nil
}

func (r *Rules) limit(name string) int { return r.Limits[name].Value }

func (r *Rules) minutes(name string) time.Duration {
	return time.Duration(r.limit(name)) * time.Minute
}
func (r *Rules) hours(name string) time.Duration { return time.Duration(r.limit(name)) * time.Hour }

// label names what WeChat found; "" for nothing.
func (r *Rules) label(code int) string {
	if code == 0 {
		return ""
	}
	for _, l := range r.Labels {
		if l.Code == code {
			return l.Text
		}
	}
	return "其他"
}

// pieces cuts a text for calls of at most limit characters. Neighbours share
// overlap characters, so that a phrase at a border is seen whole.
func pieces(text string, limit, overlap int) []string {
	r := []rune(text)
	var out []string
	for from := 0; ; from += limit - overlap {
		if len(r)-from <= limit {
			return append(out, string(r[from:]))
		}
		out = append(out, string(r[from:from+limit]))
	}
}

func sorted(kinds []Kind) []Kind {
	slices.SortFunc(kinds, func(a, b Kind) int { return strings.Compare(a.Name, b.Name) })
	return kinds
}
