//go:build e2e

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestLiveInBrowser publishes and watches with a real browser: web/e2e/live.mjs.
func TestLiveInBrowser(t *testing.T) {
	p := newPlace(t)
	token := func(args ...string) string {
		lines := strings.Fields(tongxin(t, p.env, append([]string{"live", "token", "-room", "hall"}, args...)...).want(t, 0).out)
		return lines[1]
	}
	publish, watch := token("-publish"), token()
	r := p.start(t, "serve")
	node := exec.CommandContext(t.Context(), "node", filepath.Join("e2e", "live.mjs"))
	node.Dir = filepath.Join("..", "..", "web")
	node.Env = append(os.Environ(), "TONGXIN_URL="+r.url, "TONGXIN_PUBLISH="+publish, "TONGXIN_WATCH="+watch, "TONGXIN_TEST_ARTIFACTS="+t.TempDir())
	out, err := node.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatalf("the browser test failed: %v\nlog of the program:\n%s", err, r.log.String())
	}
}
