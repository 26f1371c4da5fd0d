package main

import (
	"testing"

	"tongxin/quiz"
)

func TestDemoQuestions(t *testing.T) {
	kinds, stems := map[quiz.Kind]int{}, map[string]string{}
	list := demoQuestions()
	for _, c := range list {
		if err := c.Check(); err != nil {
			t.Errorf("%s: %v", c.Stem, err)
		}
		if other, twice := stems[quiz.StemKey(&c)]; twice {
			t.Errorf("%q and %q read the same", c.Stem, other)
		}
		stems[quiz.StemKey(&c)] = c.Stem
		kinds[c.Kind]++
		if share, _ := c.Grade(c.Right(), true); c.Kind != quiz.Short && share != 1 {
			t.Errorf("%s: its own key earns %v", c.Stem, share)
		}
		if c.Explanation == "" {
			t.Errorf("%s: without explanation", c.Stem)
		}
	}
	if len(list) < 60 || len(kinds) != len(quiz.Kinds()) || kinds[quiz.Order] < 3 || kinds[quiz.Short] < 3 {
		t.Fatalf("%d questions: %v", len(list), kinds)
	}
}
