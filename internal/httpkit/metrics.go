package httpkit

import (
	"log/slog"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"

	"tongxin/internal/errs"
)

type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newMetrics(reg *prometheus.Registry) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "http_requests_total", Help: "Requests by method, route pattern and status.",
		}, []string{"method", "route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "http_request_seconds", Help: "Time from the parsed request to the finished answer, in seconds.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"method", "route"}),
	}
	reg.MustRegister(m.requests, m.seconds)
	return m
}

// routeMetrics is looked up once per route instead of once per request.
type routeMetrics struct {
	requests *prometheus.CounterVec
	seconds  prometheus.Observer
}

func (m *metrics) route(e *entry) routeMetrics {
	labels := prometheus.Labels{"method": knownMethod(e.Method), "route": e.Path}
	return routeMetrics{requests: m.requests.MustCurryWith(labels), seconds: m.seconds.With(labels)}
}

// knownMethod keeps clients from inventing label values.
func knownMethod(m string) string {
	switch m {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS":
		return m
	}
	return "other"
}

// finish writes the access log and the metrics. The path is the pattern: real
// paths may hold tokens. Queries and bodies are never logged.
func (k *Kit) finish(rq *request, c *fiber.Ctx, m routeMetrics) {
	c.Set(fiber.HeaderXRequestID, rq.info.RequestID)
	took, status := time.Since(rq.start), c.Response().StatusCode()
	m.requests.WithLabelValues(strconv.Itoa(status)).Inc()
	m.seconds.Observe(took.Seconds())
	level := slog.LevelInfo
	if status >= 500 {
		level = slog.LevelError
	}
	if !k.cfg.Log.Enabled(rq, level) {
		return
	}
	attrs := make([]slog.Attr, 0, 10)
	attrs = append(attrs,
		slog.String("request", rq.info.RequestID), slog.String("method", rq.entry.Method),
		slog.String("route", rq.entry.Path), slog.Int("status", status),
		slog.Float64("ms", float64(took.Microseconds())/1000), slog.String("addr", rq.info.Addr))
	if !c.Response().IsBodyStream() {
		attrs = append(attrs, slog.Int("bytes", len(c.Response().Body())))
	}
	if rq.who.Actor != nil {
		attrs = append(attrs, slog.String("actor", string(rq.who.Actor.Kind)+":"+rq.who.Actor.ID.String()))
	}
	if rq.err != nil {
		attrs = append(attrs, slog.String("code", string(errs.CodeOf(rq.err))), slog.String("error", rq.err.Error()))
	}
	k.cfg.Log.LogAttrs(rq, level, "request", attrs...)
}
