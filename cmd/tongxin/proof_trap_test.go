//go:build proof

package main

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
)

// eventStep stands for the path of a callback.
const eventStep = "event"

// proofStep is a named outside step of the queue, by the call that makes it.
type proofStep struct {
	name, path string
	span       int // a trap of the big run springs within this many calls
}

func proofSteps() []proofStep {
	return []proofStep{
		{"token", "/cgi-bin/stable_token", 2},
		{"upload picture", "/cgi-bin/media/uploadimg", 8},
		{"upload cover", "/cgi-bin/material/add_material", 3},
		{"draft", "/cgi-bin/draft/add", 400},
		{"submit", "/cgi-bin/freepublish/submit", 400},
		{"result", "/cgi-bin/freepublish/get", 10},
		{"look at the list", "/cgi-bin/freepublish/batchget", 20},
		{"look at the draft", "/cgi-bin/draft/get", 10},
		{"event", eventStep, 100},
	}
}

// trap kills a node at the first call of a path that is not before number at:
// before the call's effect, or after it.
type trap struct {
	step   proofStep
	after  bool
	at     int
	sprung bool
}

func (t *trap) name() string {
	if t.after {
		return t.step.name + " after"
	}
	return t.step.name + " before"
}

// traps are safe for concurrent use.
type traps struct {
	mu   sync.Mutex
	hits map[string]int
	all  []*trap
}

func newTraps(all ...*trap) *traps { return &traps{hits: map[string]int{}, all: all} }

// everyStep sets one trap before and one after each step, at a chance place,
// and more at the steps that matter most.
func everyStep(r *rand.Rand) *traps {
	t := newTraps()
	for _, s := range proofSteps() {
		rounds := 1
		if s.name == "draft" || s.name == "submit" {
			rounds = 2
		}
		for range rounds {
			for _, after := range []bool{false, true} {
				t.all = append(t.all, &trap{step: s, after: after, at: 1 + r.IntN(s.span)})
			}
		}
	}
	return t
}

// hit counts a call and returns the trap that it springs, nil for most.
func (t *traps) hit(path string) *trap {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.hits[path]++
	for _, tr := range t.all {
		if tr.step.path == path && !tr.sprung && t.hits[path] >= tr.at {
			tr.sprung = true
			return tr
		}
	}
	return nil
}

// rearm sets a trap again that found its node dead already.
func (t *traps) rearm(tr *trap) {
	t.mu.Lock()
	defer t.mu.Unlock()
	tr.sprung = false
}

// waiting names the traps that have not sprung.
func (t *traps) waiting() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var names []string
	for _, tr := range t.all {
		if !tr.sprung {
			names = append(names, fmt.Sprintf("%s at %d, of %d", tr.name(), tr.at, t.hits[tr.step.path]))
		}
	}
	return names
}

// tally counts kills by their reason.
type tally struct {
	mu sync.Mutex
	n  map[string]int
}

func (t *tally) add(why string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n == nil {
		t.n = map[string]int{}
	}
	t.n[why]++
}

func (t *tally) of(why string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.n[why]
}

func (t *tally) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(t.n)) {
		parts = append(parts, fmt.Sprintf("%s %d", k, t.n[k]))
	}
	return strings.Join(parts, ", ")
}
