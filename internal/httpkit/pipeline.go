package httpkit

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"time"

	"github.com/gofiber/fiber/v2"

	"tongxin/internal/authz"
	"tongxin/internal/call"
	"tongxin/internal/errs"
)

// pipeline is everything between the router and a handler, in reading order.
// It is one function and not a chain of middleware, because every step needs
// the entry of the table and most of them cost less than a chain would.
func (k *Kit) pipeline(e *entry, next fiber.Handler) fiber.Handler {
	m := k.metrics.route(e)
	return func(c *fiber.Ctx) error {
		rq := k.begin(c, e)
		k.headers(c, e)
		err := k.admit(rq, c)
		if err == nil {
			err = k.run(rq, c, next)
		}
		if err != nil {
			rq.err = err
			if err = ProblemOf(parserError(err), rq.info.RequestID).write(c); err != nil {
				return err
			}
		}
		k.compress(c)
		k.finish(rq, c, m)
		return nil
	}
}

// begin takes the facts of the request.
func (k *Kit) begin(c *fiber.Ctx, e *entry) *request {
	rq := &request{Context: k.base, c: c, entry: e, start: time.Now()}
	rq.info.RequestID = k.requestID(c)
	rq.info.Addr = k.address(c)
	if ua := c.Get(fiber.HeaderUserAgent); len(ua) > 200 {
		rq.info.UserAgent = ua[:200]
	} else {
		rq.info.UserAgent = ua
	}
	return rq
}

// admit decides whether the handler may see the request at all.
func (k *Kit) admit(rq *request, c *fiber.Ctx) error {
	e := rq.entry
	if err := k.rate(rq, c); err != nil {
		return err
	}
	if err := allow(e.limits, bucketOf(rq.info.Addr)); err != nil {
		return err
	}
	if len(c.Request().Body()) > e.maxBody {
		return fiber.ErrRequestEntityTooLarge
	}
	// Fiber would unpack a packed body without a limit.
	if enc := c.Request().Header.Peek(fiber.HeaderContentEncoding); len(enc) > 0 && string(enc) != "identity" {
		return errs.New(errs.Unsupported, "请不要压缩提交的内容。")
	}
	if err := k.identify(rq, c); err != nil {
		return err
	}
	if !safe(e.Method) && !e.noCSRF {
		if err := k.checkOrigin(rq, c); err != nil {
			return err
		}
	}
	return k.idempotency(rq, c)
}

// rate counts the request with those of its address, or apart from them.
func (k *Kit) rate(rq *request, c *fiber.Ctx) error {
	from, of := bucketOf(rq.info.Addr), rq.entry.apart
	if of.all == nil {
		return allow(k.byAddress, from)
	}
	if err := allow(of.all, from); err != nil {
		return err
	}
	path := c.Path()
	return allow(of.each, from+" "+path[:min(len(path), 64)])
}

// identify finds the actor and asks for the right of the route.
func (k *Kit) identify(rq *request, c *fiber.Ctx) error {
	e := rq.entry
	if e.Right == Public || e.surface == nil {
		return nil
	}
	who, err := e.surface.cfg.Auth(call.With(rq.Context, rq.info), c)
	if err != nil {
		return err
	}
	if who.Actor == nil {
		return nobody()
	}
	rq.who = who
	if err := allow(k.byActor, who.Key); err != nil {
		return err
	}
	if e.Right == SignedIn {
		return nil
	}
	if who.Refusal != "" {
		return errs.New(errs.Forbidden, "%s", who.Refusal)
	}
	if !who.Actor.Has(e.Right) {
		return errs.New(errs.Forbidden, "您没有进行此操作的权限，如有需要请联系管理员。")
	}
	return nil
}

func nobody() error {
	return errs.New(errs.Unauthorized, "请先登录。登录可能已过期，重新登录后可以继续。")
}

// run calls the handler under its deadline; a panic becomes an error.
func (k *Kit) run(rq *request, c *fiber.Ctx, next fiber.Handler) (err error) {
	ctx, cancel := context.WithTimeout(rq.Context, rq.entry.timeout)
	defer cancel()
	rq.Context = call.With(ctx, rq.info)
	c.SetUserContext(rq)
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("httpkit: panic: %v\n%s", p, debug.Stack())
			c.Response().ResetBody()
			c.Response().Header.DelAllCookies()
		}
	}()
	if err := rq.entry.gate.pass(ctx); err != nil {
		return err
	}
	defer rq.entry.gate.leave()
	return overtime(next(c))
}

func (g Gate) pass(ctx context.Context) error {
	if g == nil {
		return nil
	}
	select {
	case g <- struct{}{}:
		return nil
	case <-ctx.Done():
		e := errs.Wrap(ctx.Err(), errs.Unavailable, "现在使用的人较多，请稍等几秒再试。")
		e.RetryAfter = 5 * time.Second
		return e
	}
}

func (g Gate) leave() {
	if g != nil {
		<-g
	}
}

// overtime gives the end of a request's own time a sentence. A domain's error
// about somebody else's time (a platform's) keeps its own.
func overtime(err error) error {
	var known *errs.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return errs.Wrap(err, errs.Unavailable, "处理超时，请稍后再试。")
	}
	return err
}

// requestID takes a sane id from a proxy before us, or makes one of 128 bits.
func (k *Kit) requestID(c *fiber.Ctx) string {
	if b := c.Request().Header.Peek(fiber.HeaderXRequestID); len(b) >= 8 && len(b) <= 64 && plain(b) {
		return string(b)
	}
	var raw [16]byte
	if _, err := io.ReadFull(k.cfg.Random, raw[:]); err != nil {
		k.cfg.Log.Error("no randomness for a request id", "error", err)
	}
	return hex.EncodeToString(raw[:])
}

// plain reports text of letters, digits, '-', '_' and '.'.
func plain(b []byte) bool {
	for _, c := range b {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}

// outside answers what no route took: unknown paths, wrong methods, requests
// that could not be parsed.
func (k *Kit) outside(c *fiber.Ctx, err error) error {
	e := &entry{Route: Route{Method: c.Method(), Path: "(none)", Right: Public}}
	rq := k.begin(c, e)
	k.headers(c, e)
	rq.err = parserError(err)
	var fe *fiber.Error
	if errors.As(rq.err, &fe) { // its message holds the path, which may hold a token
		rq.err = fiber.NewError(fe.Code)
		if h := &c.Request().Header; fe.Code == fiber.StatusRequestEntityTooLarge {
			if e := k.largeBody(h); e != nil && h.ContentLength() <= e.maxBody {
				rq.err = nobody() // bodyLimit reads that much for people who are signed in
			}
		}
	}
	if limited := allow(k.byAddress, bucketOf(rq.info.Addr)); limited != nil {
		rq.err = limited
	}
	if werr := ProblemOf(rq.err, rq.info.RequestID).write(c); werr != nil {
		return werr
	}
	k.finish(rq, c, k.metrics.route(e))
	return nil
}

// ActorOf is the actor of a request of the kit; nil on public routes.
func ActorOf(ctx context.Context) *authz.Actor {
	if r := requestOf(ctx); r != nil {
		return r.who.Actor
	}
	return nil
}
