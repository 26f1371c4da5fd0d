package contest_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain holds that neither rooms nor clients leave a goroutine behind. The
// database server of the tests lives as long as they do.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("tongxin/internal/testkit.ready.func1"), goleak.IgnoreAnyFunction("os/exec.(*Cmd).Wait"))
}
