package httpkit

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"

	"tongxin/internal/authz"
	"tongxin/internal/call"
)

// Identity is who a request comes from, as an Authenticator found out.
type Identity struct {
	Actor *authz.Actor // nil: nobody
	// Key names the actor in rate limits.
	Key string
	// CSRF is the token that unsafe requests must repeat in X-CSRF-Token; empty
	// when the credential is not a cookie and browsers do not send it by themselves.
	CSRF string
	// Refusal is the sentence for an actor who must do something first (bind a
	// second factor) before any right counts. Empty: none.
	Refusal string
	// Session is whatever the surface wants to find again; see SessionOf.
	Session any
}

// Authenticator finds out who sends a request. Nobody is a zero Identity, not
// an error; an error ends the request.
type Authenticator func(ctx context.Context, c *fiber.Ctx) (Identity, error)

// request is the state of one request. It is also its context, which saves a
// chain of WithValue on every request.
type request struct {
	context.Context
	c     *fiber.Ctx // valid until the handler returns
	entry *entry
	start time.Time
	info  call.Info
	who   Identity
	err   error // what the handler failed with, for the log
}

type requestKey struct{}

// Value implements context.Context.
func (r *request) Value(key any) any {
	if _, ok := key.(requestKey); ok {
		return r
	}
	return r.Context.Value(key)
}

func requestOf(ctx context.Context) *request {
	r, _ := ctx.Value(requestKey{}).(*request)
	return r
}

// SessionOf is what the Authenticator left in Identity.Session, nil outside a
// request of the kit.
func SessionOf(ctx context.Context) any {
	if r := requestOf(ctx); r != nil {
		return r.who.Session
	}
	return nil
}

// SetCookie sets a cookie on the answer of a typed handler. Call it before the
// handler returns, never from a goroutine.
func SetCookie(ctx context.Context, cookie *fiber.Cookie) {
	if r := requestOf(ctx); r != nil && r.c != nil {
		r.c.Cookie(cookie)
	}
}
