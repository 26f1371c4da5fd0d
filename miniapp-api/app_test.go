package miniapp_test

import (
	"crypto/rand"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tongxin/internal/clock"
	"tongxin/internal/httpkit"
	miniapp "tongxin/miniapp-api"
)

func TestInfoAndDocument(t *testing.T) {
	c := clock.NewManual(time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC))
	k := httpkit.New(httpkit.Config{Log: slog.New(slog.DiscardHandler), Clock: c, Random: rand.Reader})
	miniapp.Mount(k, miniapp.Deps{Clock: c, Name: "同心", Version: "1.2.3"})
	if err := k.Verify(); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/api/member/v1/info":         `{"name":"同心","version":"1.2.3","now":"2026-03-02T00:00:00Z"}`,
		"/api/member/v1/openapi.json": `"openapi":"3.1.0"`,
	} {
		res, err := k.App().Test(httptest.NewRequestWithContext(t.Context(), "GET", path, nil))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != 200 || !strings.Contains(string(body), want) {
			t.Errorf("%s: %d %s %v", path, res.StatusCode, body, err)
		}
	}
}
