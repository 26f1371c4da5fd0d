package contest

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"time"
)

//go:embed rules.json
var ruleData []byte

// Rule turns the time of a right answer into points. A contest keeps the version
// it was made under: a new rule never changes an old result.
type Rule struct {
	Version int     `json:"version"`
	Since   string  `json:"since"` // day
	Base    int     `json:"base"`  // points of a right answer at once
	Floor   float64 `json:"floor"` // share that a right answer keeps at the last moment, 0..1
	Text    string  `json:"text"`  // for people
	Source  string  `json:"source"`
}

// Rules reads all versions, oldest first.
func Rules() ([]Rule, error) {
	var list []Rule
	if err := json.Unmarshal(ruleData, &list); err != nil {
		return nil, fmt.Errorf("contest: rules.json: %w", err)
	}
	for i, r := range list {
		if r.Version != i+1 || r.Base <= 0 || r.Floor < 0 || r.Floor > 1 || r.Text == "" || r.Source == "" {
			return nil, fmt.Errorf("contest: rules.json: rule %d is not complete", i+1)
		}
	}
	return list, nil
}

// Points of a right answer with so much of limit left; both bounds are kept when
// left lies outside 0..limit.
func (r Rule) Points(left, limit time.Duration) int {
	if limit <= 0 {
		return 0
	}
	share := min(1, max(0, float64(left)/float64(limit)))
	return int(math.Round(float64(r.Base) * (r.Floor + (1-r.Floor)*share)))
}
