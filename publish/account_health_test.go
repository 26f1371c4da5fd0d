package publish_test

import (
	"testing"

	"tongxin/publish"
)

// An account that only keeps drafts is well without the right to publish; one
// that publishes is not.
func TestHealthGoesByTheMode(t *testing.T) {
	for mode, well := range map[publish.Mode]bool{publish.ModeDraft: true, publish.ModePublish: false, publish.ModeMass: false} {
		h := publish.Health{Checks: []publish.Check{{Name: "credentials", OK: true}, {Name: "publish"}}}
		h.Forgive(mode)
		if h.Checks[1].OK != well {
			t.Errorf("mode %s: publish check ok = %v, want %v", mode, h.Checks[1].OK, well)
		}
		h.Checks[0].OK = false
		h.Forgive(mode)
		if h.Checks[0].OK {
			t.Errorf("mode %s forgives wrong credentials", mode)
		}
	}
}
