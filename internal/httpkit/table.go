package httpkit

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"tongxin/internal/authz"
	"tongxin/internal/limit"
)

// What a route asks for when no single right fits.
const (
	// Public routes are open to anybody; nobody is identified on them.
	Public authz.Right = "(public)"
	// SignedIn routes ask for an actor and no right: a person's own things.
	SignedIn authz.Right = "(signed-in)"
)

// Route is one line of the table, for tests that walk it.
type Route struct {
	Method  string
	Path    string // full, with {name} parameters
	Right   authz.Right
	Summary string
}

// entry is a route with what the pipeline must know about it.
type entry struct {
	Route
	fiberPath  string
	surface    *Surface
	maxBody    int
	timeout    time.Duration
	idempotent bool // an Idempotency-Key is read
	noCSRF     bool
	csp        string
	limits     *limit.Buckets // per address, for this route alone
	apart      apart
	gate       Gate
	op         opDoc
}

// opDoc is what only the OpenAPI document needs.
type opDoc struct {
	id, about string
	consumes  string
	produces  string
	query     [][2]string
	hidden    bool
}

// Option changes one route.
type Option func(*entry)

// MaxBody allows a larger (or smaller) request body, in bytes.
func MaxBody(n int) Option { return func(e *entry) { e.maxBody = n } }

// Timeout sets how long the handler's context lives.
func Timeout(d time.Duration) Option { return func(e *entry) { e.timeout = d } }

// Limit adds a rate limit per client address that this route has for itself.
func Limit(b *limit.Buckets) Option { return func(e *entry) { e.limits = b } }

// Gate lets a number of requests through at once; the others wait.
type Gate chan struct{}

// NewGate makes a gate for n requests at once.
func NewGate(n int) Gate { return make(Gate, n) }

// Through is for routes whose work is heavy: a request waits at the gate within
// its own time, and is told to come again when that is over.
func Through(g Gate) Option { return func(e *entry) { e.gate = g } }

// Idempotent reads the Idempotency-Key header on an endpoint that is not Create.
func Idempotent() Option { return func(e *entry) { e.idempotent = true } }

// apart are the limits of a route that does not count with the rest of its
// address.
type apart struct{ each, all *limit.Buckets }

// Apart is for platforms that send a lot from few addresses: such requests do
// not count with the others of their address, but by address and path in each,
// and by address in all.
func Apart(each, all *limit.Buckets) Option { return func(e *entry) { e.apart = apart{each, all} } }

// NoCSRF is for routes that prove the sender otherwise (signed callbacks).
func NoCSRF() Option { return func(e *entry) { e.noCSRF = true } }

// CSP replaces the Content-Security-Policy of the answer.
func CSP(policy string) Option { return func(e *entry) { e.csp = policy } }

// About is the description in the OpenAPI document.
func About(text string) Option { return func(e *entry) { e.op.about = text } }

// Named gives the operation's id in the document to an endpoint that is not a
// method, which has no name of its own.
func Named(id string) Option { return func(e *entry) { e.op.id = id } }

// Consumes and Produces document the media types of a raw route.
func Consumes(mediaType string) Option { return func(e *entry) { e.op.consumes = mediaType } }

// Produces documents the media type a raw route answers with.
func Produces(mediaType string) Option { return func(e *entry) { e.op.produces = mediaType } }

// Query documents a query parameter of a raw route.
func Query(name, about string) Option {
	return func(e *entry) { e.op.query = append(e.op.query, [2]string{name, about}) }
}

// Hidden keeps the route out of the OpenAPI document.
func Hidden() Option { return func(e *entry) { e.op.hidden = true } }

// Routes lists the table in the order of registration.
func (k *Kit) Routes() []Route {
	out := make([]Route, len(k.table))
	for i, e := range k.table {
		out[i] = e.Route
	}
	return out
}

// Verify compares Fiber's own routes with the table: a route that went around
// it, a right that is missing and a route that can never match are errors.
func (k *Kit) Verify() error {
	known := map[string]bool{}
	var bad []error
	for i, e := range k.table {
		if e.Right == "" {
			bad = append(bad, fmt.Errorf("%s %s has no right", e.Method, e.Path))
		}
		if e.Summary == "" {
			bad = append(bad, fmt.Errorf("%s %s has no summary", e.Method, e.Path))
		}
		known[e.Method+" "+e.fiberPath] = true
		for _, before := range k.table[:i] {
			if before.Method == e.Method && before.matches(e.Path) {
				bad = append(bad, fmt.Errorf("%s %s can never match: %s stands before it", e.Method, e.Path, before.Path))
			}
		}
	}
	for _, stack := range k.app.Stack() {
		for _, r := range stack {
			if !known[r.Method+" "+r.Path] {
				bad = append(bad, fmt.Errorf("%s %s is not in the route table", r.Method, r.Path))
			}
		}
	}
	return errors.Join(bad...)
}

// add enters a route and wraps its handlers into the pipeline.
func (k *Kit) add(e *entry, h fiber.Handler) {
	if e.Right == "" || !strings.HasPrefix(e.Path, "/") {
		panic(fmt.Sprintf("httpkit: route %q %q needs a path and a right", e.Method, e.Path))
	}
	e.fiberPath = strings.NewReplacer("{", ":", "}", "").Replace(e.Path)
	if e.maxBody == 0 {
		e.maxBody = DefaultMaxBody
	}
	if e.timeout == 0 {
		e.timeout = k.cfg.Timeout
	}
	k.table = append(k.table, e)
	k.app.Add(e.Method, e.fiberPath, k.pipeline(e, h))
}

// matches reports whether a concrete path (or a pattern) falls under e.
func (e *entry) matches(path string) bool {
	want, have := strings.Split(e.Path, "/"), strings.Split(strings.TrimSuffix(path, "/"), "/")
	if e.Path == "/" {
		return path == "/"
	}
	for i, w := range want {
		if w == "*" {
			return true
		}
		if i >= len(have) || (w != have[i] && !(strings.HasPrefix(w, "{") && have[i] != "")) {
			return false
		}
	}
	return len(want) == len(have)
}

func safe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}
