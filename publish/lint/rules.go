// Package lint checks a post before it is submitted and again before it is
// published: the limits of the platform, what an article would lose there, and
// what a careful editor would notice. It knows no storage and no network: what
// has to be looked up (dead links, similar posts) the caller passes in.
package lint

import (
	_ "embed"
	"encoding/json"
	"fmt"
)

// Limit is one number a rule goes by, with where it comes from and when that
// was so. Characters are Unicode code points, Chinese or not, as the platform
// counts its form fields.
type Limit struct {
	ID   string `json:"id"`
	Min  int    `json:"min,omitempty"`
	Max  int    `json:"max"`
	Unit string `json:"unit"`
	// Severity of passing the limit, where it is not settled by the platform.
	Severity string `json:"severity,omitempty"`
	Source   string `json:"source"`
	Date     string `json:"date"`
}

// Rules are the limits in force. Platforms change theirs: they are data.
type Rules struct {
	Version string  `json:"version"`
	Limits  []Limit `json:"limits"`
}

//go:embed rules.json
var rulesJSON []byte

// required are the limits Check asks for; ParseRules refuses a set without one.
var required = [...]string{"title", "author", "digest", "content", "content_bytes", "markup", "source_url", "articles", "pictures", "paragraph", "alt"}

// DefaultRules are the rules that ship with the program.
func DefaultRules() (Rules, error) { return ParseRules(rulesJSON) }

// ParseRules reads rules from JSON, the form of rules.json.
func ParseRules(data []byte) (Rules, error) {
	var r Rules
	if err := json.Unmarshal(data, &r); err != nil {
		return Rules{}, fmt.Errorf("lint rules: %w", err)
	}
	for _, id := range required {
		l := r.limit(id)
		if l.Max <= 0 {
			return Rules{}, fmt.Errorf("lint rules: limit %q is missing", id)
		}
		if l.Severity != "" && l.Severity != Error && l.Severity != Warning && l.Severity != Hint {
			return Rules{}, fmt.Errorf("lint rules: limit %q has the unknown severity %q", id, l.Severity)
		}
	}
	return r, nil
}

func (r Rules) limit(id string) Limit {
	for _, l := range r.Limits {
		if l.ID == id {
			return l
		}
	}
	return Limit{ID: id}
}
