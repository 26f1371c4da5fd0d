package authz_test

import (
	"slices"
	"testing"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
)

func TestThingsAboveAMember(t *testing.T) {
	m := &authz.Actor{Kind: authz.Member, Grants: []authz.Grant{{Path: "/1/20/300/", Rights: []authz.Right{"quiz.take"}}}}
	for path, want := range map[string]bool{"/1/": true, "/1/20/": true, "/1/20/300/": true, "/1/20/300/4/": false, "/1/2/": false, "/1/20/30/": false, "": false} {
		if got := m.Within("quiz.take", path); got != want {
			t.Errorf("Within(%q) = %v", path, got)
		}
		if m.Within("quiz.manage", path) {
			t.Errorf("Within(%q) for a right that is not held", path)
		}
	}
	if got := m.Above("quiz.take"); !slices.Equal(got, []ids.ID{1, 20, 300}) {
		t.Errorf("Above = %v", got)
	}
	if m.Above("quiz.manage") != nil || (*authz.Actor)(nil).Above("quiz.take") != nil {
		t.Error("Above without the right")
	}
}
