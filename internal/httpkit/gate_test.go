package httpkit

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
)

// What finds the gate full waits within its own time and is told to come again;
// what finds room goes through.
func TestGate(t *testing.T) {
	inside, leave := make(chan struct{}), make(chan struct{})
	b := build(t, nil)
	b.kit.Surface(SurfaceConfig{}).Post("/heavy", Public, "heavy", Raw(func(c *fiber.Ctx) error {
		inside <- struct{}{}
		<-leave
		return c.SendStatus(http.StatusNoContent)
	}, NoCSRF(), Through(NewGate(1)), Timeout(50*time.Millisecond)))
	answers := make(chan *http.Response, 1)
	ask := func() *http.Response {
		res, err := b.kit.App().Test(httptest.NewRequest(http.MethodPost, "/heavy", nil), -1)
		if err != nil {
			t.Error(err)
		}
		return res
	}
	go func() { answers <- ask() }()
	<-inside
	res := ask()
	if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") != "5" {
		t.Fatalf("%d, Retry-After %q", res.StatusCode, res.Header.Get("Retry-After"))
	}
	leave <- struct{}{}
	if res := <-answers; res.StatusCode != http.StatusNoContent {
		t.Fatalf("the first: %d", res.StatusCode)
	}
	go func() { answers <- ask() }()
	<-inside // the place is free again
	leave <- struct{}{}
	<-answers
}
