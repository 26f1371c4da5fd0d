package httpkit

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"
	"github.com/gofiber/fiber/v2"

	"tongxin/internal/authz"
)

// SurfaceConfig describes one surface.
type SurfaceConfig struct {
	Prefix  string // "/api/staff/v1"; empty for the root, which has no document
	Title   string
	Version string
	Auth    Authenticator // required unless every route is Public
	// Known reports whether one of the request's cookies belongs to somebody who
	// is signed in. It is asked before a body above DefaultMaxBody is read; nil:
	// the surface takes no such bodies.
	Known func(ctx context.Context, cookie func(name string) string) bool
}

// Surface is a set of routes under one prefix with one OpenAPI document.
type Surface struct {
	kit *Kit
	cfg SurfaceConfig
	api huma.API
	reg *registrar
}

// Surface starts a surface. With a prefix it also serves
// {prefix}/openapi.json, public. It is built at the first request for it: all
// routes must stand by then.
func (k *Kit) Surface(cfg SurfaceConfig) *Surface {
	s := &Surface{kit: k, cfg: cfg}
	s.reg = &registrar{Router: k.app, s: s}
	registry := huma.NewMapRegistry("#/components/schemas/", schemaNamer())
	// Built by hand instead of huma.DefaultConfig: no docs page (it loads
	// scripts from a CDN), no $schema links, and the document is served by us,
	// because huma builds its own lazily and without a lock.
	s.api = humafiber.NewV2WithGroup(k.app, s.reg, huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info:    &huma.Info{Title: cfg.Title, Version: cfg.Version},
			Servers: []*huma.Server{{URL: cfg.Prefix}},
			Components: &huma.Components{
				Schemas: registry,
			},
		},
		Formats:       map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat},
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{newTranslator().transform},
	})
	k.surfaces = append(k.surfaces, s)
	if cfg.Prefix != "" {
		s.Get("/openapi.json", Public, "接口说明（OpenAPI 3.1）", serveDocument(sync.OnceValue(s.document)))
	}
	return s
}

func serveDocument(build func() []byte) Endpoint {
	return Raw(func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderCacheControl, "no-cache")
		c.Set(fiber.HeaderContentType, "application/openapi+json")
		return c.Send(build())
	}, Hidden())
}

// Get adds a GET route; the others are alike. Paths write parameters as
// {name}; fixed segments go before parameters, which Verify checks.
func (s *Surface) Get(path string, right authz.Right, summary string, e Endpoint) {
	s.add(http.MethodGet, path, right, summary, e)
}

// Head adds a HEAD route: GET routes of files want one.
func (s *Surface) Head(path string, right authz.Right, summary string, e Endpoint) {
	s.add(http.MethodHead, path, right, summary, e)
}

// Post adds a POST route.
func (s *Surface) Post(path string, right authz.Right, summary string, e Endpoint) {
	s.add(http.MethodPost, path, right, summary, e)
}

// Put adds a PUT route.
func (s *Surface) Put(path string, right authz.Right, summary string, e Endpoint) {
	s.add(http.MethodPut, path, right, summary, e)
}

// Patch adds a PATCH route.
func (s *Surface) Patch(path string, right authz.Right, summary string, e Endpoint) {
	s.add(http.MethodPatch, path, right, summary, e)
}

// Options adds an OPTIONS route: what other sites' pages ask first.
func (s *Surface) Options(path string, right authz.Right, summary string, e Endpoint) {
	s.add(http.MethodOptions, path, right, summary, e)
}

// Delete adds a DELETE route.
func (s *Surface) Delete(path string, right authz.Right, summary string, e Endpoint) {
	s.add(http.MethodDelete, path, right, summary, e)
}

func (s *Surface) add(method, path string, right authz.Right, summary string, ep Endpoint) {
	if right != Public && s.cfg.Auth == nil {
		panic(fmt.Sprintf("httpkit: %s %s needs a right, but the surface has no Auth", method, path))
	}
	e := &entry{Route: Route{Method: method, Path: s.cfg.Prefix + path, Right: right, Summary: summary}, surface: s}
	ep.mount(s, e, path)
}

// operation is the OpenAPI side of an entry.
func (s *Surface) operation(e *entry, path string) huma.Operation {
	op := huma.Operation{
		Method: e.Method, Path: path, Summary: e.Summary, Description: e.op.about, OperationID: e.op.id,
		MaxBodyBytes: -1, BodyReadTimeout: -1, // the pipeline and the server hold both
		Hidden:     e.op.hidden,
		Responses:  map[string]*huma.Response{"default": s.problemResponse()},
		Extensions: map[string]any{"x-right": string(e.Right)},
	}
	if tag := strings.SplitN(strings.TrimPrefix(path, "/"), "/", 2)[0]; tag != "" {
		op.Tags = []string{tag}
	}
	if e.idempotent {
		op.Parameters = append(op.Parameters, &huma.Param{
			Name: HeaderIdempotencyKey, In: "header",
			Description: "repeat a call with the same key and body to get its first result again",
			Schema:      &huma.Schema{Type: huma.TypeString, MinLength: ptr(8), MaxLength: ptr(64)},
		})
	}
	return op
}

func (s *Surface) problemResponse() *huma.Response {
	schema := s.api.OpenAPI().Components.Schemas.Schema(problemType(), true, "Problem")
	return &huma.Response{Description: "Problem", Content: map[string]*huma.MediaType{ProblemType: {Schema: schema}}}
}

// document is the OpenAPI document. huma registers its own error model with
// every operation; nothing refers to it any more.
func (s *Surface) document() []byte {
	schemas := s.api.OpenAPI().Components.Schemas.Map()
	delete(schemas, "ErrorModel")
	delete(schemas, "ErrorDetail")
	b, err := json.Marshal(s.api.OpenAPI())
	if err != nil {
		panic(fmt.Sprintf("httpkit: OpenAPI of %s: %v", s.cfg.Prefix, err))
	}
	return b
}

// OpenAPI is the document of the surface.
func (s *Surface) OpenAPI() []byte { return s.document() }

// registrar is the router huma sees: it sends what huma registers through the
// table instead of straight into Fiber.
type registrar struct {
	fiber.Router
	s    *Surface
	next *entry
}

// Add implements fiber.Router for huma's adapter.
func (r *registrar) Add(_, _ string, handlers ...fiber.Handler) fiber.Router {
	r.s.kit.add(r.next, handlers[0])
	return r
}

func ptr[T any](v T) *T { return &v }
