package httpkit

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"runtime"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"tongxin/internal/authz"
)

// Endpoint is a handler with its options, ready for a line of the table.
type Endpoint interface {
	mount(s *Surface, e *entry, path string)
}

// Func is a typed handler: it decodes nothing, calls a domain once and returns
// what the answer's body shall be.
//
// I is a struct of huma inputs: fields tagged path, query or header, and Body
// for JSON. It may embed Match (edits) or Paging (lists). O is the body itself;
// when it has a field Version int64 the answer carries it as ETag.
type Func[I, O any] func(ctx context.Context, actor *authz.Actor, in *I) (*O, error)

// Read answers 200 and changes nothing. Lists are Reads of *page.Result[T].
func Read[I, O any](fn Func[I, O], opts ...Option) Endpoint {
	return &typed[I, O]{fn: fn, status: http.StatusOK, name: nameOf(fn), opts: opts}
}

// Create answers 201 and honours Idempotency-Key.
func Create[I, O any](fn Func[I, O], opts ...Option) Endpoint {
	return &typed[I, O]{fn: fn, status: http.StatusCreated, name: nameOf(fn), opts: append([]Option{Idempotent()}, opts...)}
}

// Edit answers 200 and asks for If-Match: I must embed Match.
func Edit[I, O any](fn Func[I, O], opts ...Option) Endpoint {
	if _, ok := any(new(I)).(interface{ readMatch() error }); !ok {
		panic("httpkit: the input of an Edit must embed httpkit.Match: " + nameOf(fn))
	}
	return &typed[I, O]{fn: fn, status: http.StatusOK, name: nameOf(fn), opts: opts}
}

// Do is an action that answers 200 with a body.
func Do[I, O any](fn Func[I, O], opts ...Option) Endpoint {
	return &typed[I, O]{fn: fn, status: http.StatusOK, name: nameOf(fn), opts: opts}
}

// Done is an action without an answer: 204.
func Done[I any](fn func(ctx context.Context, actor *authz.Actor, in *I) error, opts ...Option) Endpoint {
	return &done[I]{fn: fn, name: nameOf(fn), opts: opts}
}

// Raw is a plain Fiber handler: files, WebSocket, callbacks, feeds. The request
// has passed the same pipeline; c.UserContext() is its context and ActorOf
// finds the actor. Body limit, rights and CSRF hold as for every route.
func Raw(fn fiber.Handler, opts ...Option) Endpoint {
	return &raw{fn: fn, name: nameOf(fn), opts: opts}
}

type typed[I, O any] struct {
	fn     Func[I, O]
	status int
	name   string
	opts   []Option
}

type output[O any] struct{ Body *O }

func (t *typed[I, O]) mount(s *Surface, e *entry, path string) {
	e.op.id = t.name
	for _, o := range t.opts {
		o(e)
	}
	visible(reflect.TypeFor[I](), t.name)
	op := s.operation(e, path)
	op.DefaultStatus = t.status
	version := versionField(reflect.TypeFor[O]())
	s.reg.next = e
	huma.Register(s.api, op, func(ctx context.Context, in *I) (*output[O], error) {
		rq := requestOf(ctx)
		if err := prepare(in); err != nil {
			return nil, rq.fail(err)
		}
		out, err := t.fn(rq, rq.who.Actor, in)
		if err != nil {
			return nil, rq.fail(err)
		}
		if version != nil && out != nil {
			rq.c.Set(fiber.HeaderETag, ETag(reflect.ValueOf(out).Elem().FieldByIndex(version).Int()))
		}
		return &output[O]{Body: out}, nil
	})
}

type done[I any] struct {
	fn   func(ctx context.Context, actor *authz.Actor, in *I) error
	name string
	opts []Option
}

func (d *done[I]) mount(s *Surface, e *entry, path string) {
	e.op.id = d.name
	for _, o := range d.opts {
		o(e)
	}
	visible(reflect.TypeFor[I](), d.name)
	op := s.operation(e, path)
	op.DefaultStatus = http.StatusNoContent
	s.reg.next = e
	huma.Register(s.api, op, func(ctx context.Context, in *I) (*struct{}, error) {
		rq := requestOf(ctx)
		if err := prepare(in); err != nil {
			return nil, rq.fail(err)
		}
		if err := d.fn(rq, rq.who.Actor, in); err != nil {
			return nil, rq.fail(err)
		}
		return nil, nil
	})
}

type raw struct {
	fn   fiber.Handler
	name string
	opts []Option
}

func (r *raw) mount(s *Surface, e *entry, path string) {
	e.op.id = r.name
	for _, o := range r.opts {
		o(e)
	}
	if s.cfg.Prefix != "" && !e.op.hidden {
		op := s.operation(e, path)
		r.describe(&op, e)
		s.api.OpenAPI().AddOperation(&op)
	}
	s.kit.add(e, r.fn)
}

// describe documents what huma cannot see in a plain handler.
func (r *raw) describe(op *huma.Operation, e *entry) {
	for seg := range strings.SplitSeq(op.Path, "/") {
		if name, ok := strings.CutPrefix(seg, "{"); ok {
			op.Parameters = append(op.Parameters, &huma.Param{Name: strings.TrimSuffix(name, "}"), In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}})
		}
	}
	for _, q := range e.op.query {
		op.Parameters = append(op.Parameters, &huma.Param{Name: q[0], In: "query", Description: q[1], Schema: &huma.Schema{Type: huma.TypeString}})
	}
	file := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	if e.op.consumes != "" {
		op.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{e.op.consumes: file}}
	}
	if e.op.produces != "" {
		op.Responses["200"] = &huma.Response{Description: "OK", Content: map[string]*huma.MediaType{e.op.produces: file}}
	}
}

// fail notes the error for the log and shapes it for the client.
func (r *request) fail(err error) error {
	err = overtime(err)
	r.err = err
	p := ProblemOf(err, r.info.RequestID)
	p.headers(r.c)
	return p
}

// prepare reads the embedded parts of an input.
func prepare(in any) error {
	if m, ok := in.(interface{ readMatch() error }); ok {
		if err := m.readMatch(); err != nil {
			return err
		}
	}
	if p, ok := in.(interface{ readPage() error }); ok {
		return p.readPage()
	}
	return nil
}

// visible panics when an input embeds a struct with a name of its own package:
// huma would silently read nothing into it, and an id that is never read is
// worse than a program that does not start.
func visible(t reflect.Type, handler string) {
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous && !f.IsExported() {
			panic(fmt.Sprintf("httpkit: the input of %s embeds %s, which huma cannot see: embed an exported type", handler, f.Name))
		}
		if f.Anonymous && f.Type.Kind() == reflect.Struct {
			visible(f.Type, handler)
		}
	}
}

// versionField finds Version int64 of a body, nil when there is none.
func versionField(t reflect.Type) []int {
	if t.Kind() != reflect.Struct {
		return nil
	}
	if f, ok := t.FieldByName("Version"); ok && f.Type.Kind() == reflect.Int64 {
		return f.Index
	}
	return nil
}

// nameOf is the name of a method or function: the operation id.
func nameOf(fn any) string {
	name := runtime.FuncForPC(reflect.ValueOf(fn).Pointer()).Name()
	name = strings.TrimSuffix(name[strings.LastIndex(name, ".")+1:], "-fm")
	if _, err := strconv.Atoi(strings.TrimPrefix(name, "func")); err == nil {
		return "" // a literal has no name of its own
	}
	return name
}

func problemType() reflect.Type { return reflect.TypeFor[Problem]() }
