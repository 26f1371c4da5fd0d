package httpkit

import (
	"context"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Check is one thing the program needs to be ready. Fn's error goes to the log
// only.
type Check struct {
	Name string
	Fn   func(ctx context.Context) error
}

// Health adds /healthz (the process answers) and /readyz (it can work: every
// check passes and it is not shutting down) to a surface without prefix.
func (k *Kit) Health(root *Surface, checks ...Check) {
	k.checks = append(k.checks, checks...)
	root.Get("/healthz", Public, "进程是否存活", Raw(func(c *fiber.Ctx) error {
		return c.JSON(fiber.Map{"status": "ok"})
	}))
	root.Get("/readyz", Public, "是否可以提供服务", Raw(k.ready, Timeout(5*time.Second)))
}

func (k *Kit) ready(c *fiber.Ctx) error {
	state, status := map[string]string{}, http.StatusOK
	for _, ch := range k.checks {
		state[ch.Name] = "ok"
		if err := ch.Fn(c.UserContext()); err != nil {
			state[ch.Name], status = "failed", http.StatusServiceUnavailable
			k.cfg.Log.Warn("not ready", "check", ch.Name, "error", err)
		}
	}
	if k.stopping.Load() {
		state["shutdown"], status = "stopping", http.StatusServiceUnavailable
	}
	return c.Status(status).JSON(fiber.Map{"ready": status == http.StatusOK, "checks": state})
}

// Local is the handler of the second listener, which must be a local one:
// /metrics and /debug/pprof/.
func (k *Kit) Local() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(k.cfg.Metrics, promhttp.HandlerOpts{}))
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}
