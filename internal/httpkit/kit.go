// Package httpkit is the HTTP ground both surfaces stand on: one route table
// with the right on every line, errors as problems, limits, headers, logs and
// metrics. It knows actors and rights but no domain, and never a database.
package httpkit

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"

	"tongxin/internal/clock"
	"tongxin/internal/limit"
)

// Defaults of a Config.
const (
	DefaultMaxBody = 1 << 20 // bytes of a request body, where a route says nothing else
	DefaultTimeout = 30 * time.Second
	DefaultDrain   = 10 * time.Second
	limitKeys      = 50_000 // addresses and actors remembered by the rate limits
)

// Config is what a Kit needs. Log, Clock and Random are required.
type Config struct {
	Log     *slog.Logger
	Clock   clock.Clock
	Random  io.Reader            // request ids
	Metrics *prometheus.Registry // nil: an own one, see Kit.Metrics

	PublicURL      string         // "https://host": its origin is trusted, https switches HSTS on
	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed

	PerAddress limit.Rate // all routes; zero: no limit
	PerActor   limit.Rate

	Timeout      time.Duration // of one request; a route may say otherwise
	ReadTimeout  time.Duration // of reading one request; 0: 60 s
	WriteTimeout time.Duration // of writing one answer; 0: a little more than the longest Stream may take
	IdleTimeout  time.Duration // of a kept-alive connection; 0: 120 s
	DrainTimeout time.Duration // how long a shutdown waits for running requests
}

// Kit owns the Fiber app. Build surfaces on it, then Serve.
type Kit struct {
	cfg       Config
	app       *fiber.App
	metrics   *metrics
	https     bool
	fixed     [][2][]byte // see fixedHeaders
	origin    string      // of PublicURL, lower case; may be empty
	byAddress *limit.Buckets
	byActor   *limit.Buckets
	table     []*entry
	surfaces  []*Surface
	checks    []Check
	stopping  atomic.Bool
	base      context.Context // ends when draining is over
	cut       context.CancelFunc
}

// New builds a kit without routes.
func New(cfg Config) *Kit {
	cfg.Timeout = cmp.Or(cfg.Timeout, DefaultTimeout)
	cfg.DrainTimeout = cmp.Or(cfg.DrainTimeout, DefaultDrain)
	if cfg.Metrics == nil {
		cfg.Metrics = prometheus.NewRegistry()
	}
	k := &Kit{cfg: cfg, metrics: newMetrics(cfg.Metrics)}
	k.byAddress = limit.New(cfg.Clock, cfg.PerAddress, limitKeys)
	k.byActor = limit.New(cfg.Clock, cfg.PerActor, limitKeys)
	k.base, k.cut = context.WithCancel(context.Background())
	if u, err := url.Parse(cfg.PublicURL); err == nil && u.Host != "" {
		k.https = u.Scheme == "https"
		k.origin = strings.ToLower(u.Scheme + "://" + u.Host)
	}
	k.fixed = fixedHeaders(k.https)
	k.app = fiber.New(fiber.Config{
		Immutable:             true, // strings taken from a request outlive it
		CaseSensitive:         true,
		DisableStartupMessage: true,
		DisableDefaultDate:    false,
		ServerHeader:          "",
		BodyLimit:             DefaultMaxBody,
		ReadBufferSize:        16 << 10,
		ReadTimeout:           cmp.Or(cfg.ReadTimeout, time.Minute),
		WriteTimeout:          cmp.Or(cfg.WriteTimeout, 11*time.Minute),
		IdleTimeout:           cmp.Or(cfg.IdleTimeout, 2*time.Minute),
		ErrorHandler:          k.outside,
	})
	// fasthttp reads the whole body before any route is known, so the limit of
	// the few routes that take more is found by path as soon as the header is in.
	k.app.Server().HeaderReceived = func(h *fasthttp.RequestHeader) fasthttp.RequestConfig {
		return fasthttp.RequestConfig{MaxRequestBodySize: k.bodyLimit(h)}
	}
	return k
}

// App is the Fiber app underneath: for tests and for nothing that adds routes
// (Verify refuses a route that is not in the table).
func (k *Kit) App() *fiber.App { return k.app }

// Metrics is the registry to add collectors to.
func (k *Kit) Metrics() *prometheus.Registry { return k.cfg.Metrics }

// HTTPS reports whether the public URL is https: cookies are Secure then.
func (k *Kit) HTTPS() bool { return k.https }

// bodyLimit is how much of a request is read into memory. More than the default
// is for people who are signed in: nobody else may fill it.
func (k *Kit) bodyLimit(h *fasthttp.RequestHeader) int {
	e := k.largeBody(h)
	if e == nil || h.ContentLength() > e.maxBody || e.surface == nil || e.surface.cfg.Known == nil {
		return DefaultMaxBody
	}
	ctx, cancel := context.WithTimeout(k.base, k.cfg.Timeout)
	defer cancel()
	if !e.surface.cfg.Known(ctx, func(cookie string) string { return string(h.Cookie(cookie)) }) {
		return DefaultMaxBody
	}
	return e.maxBody
}

// largeBody is the route of a request that brings more than the default, if
// the route takes that much; nil for all others.
func (k *Kit) largeBody(h *fasthttp.RequestHeader) *entry {
	if n := h.ContentLength(); n >= 0 && n <= DefaultMaxBody {
		return nil // nearly every request: no need to look further
	}
	path, _, _ := strings.Cut(string(h.RequestURI()), "?")
	for _, e := range k.table {
		if e.maxBody > DefaultMaxBody && e.Method == string(h.Method()) && e.matches(path) {
			return e
		}
	}
	return nil
}
