package contest_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain holds that neither rooms nor clients leave a goroutine behind.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/valyala/fasthttp.updateServerDate.func1"))
}
