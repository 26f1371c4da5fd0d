package miniapp

import (
	"context"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"tongxin/internal/httpkit"
	"tongxin/member/signin"
)

// sessions serves signing in and out and a member's own sign-in matters.
type sessions struct {
	d     Deps
	https bool
}

// authenticate is the surface's httpkit.Authenticator: a bearer token, which
// browsers do not send by themselves, so no CSRF token is needed.
func (h *sessions) authenticate(ctx context.Context, c *fiber.Ctx) (httpkit.Identity, error) {
	token, ok := strings.CutPrefix(c.Get(fiber.HeaderAuthorization), "Bearer ")
	if !ok {
		return httpkit.Identity{}, nil
	}
	live, err := h.d.SignIn.Resolve(ctx, token)
	if err != nil || live == nil {
		return httpkit.Identity{}, err
	}
	return httpkit.Identity{Actor: live.Actor, Key: live.Key, Session: live}, nil
}

func current(ctx context.Context) *signin.Live {
	l, _ := httpkit.SessionOf(ctx).(*signin.Live)
	return l
}

// The H5 page keeps its refresh token in a cookie that scripts cannot read and
// that goes to the session routes only; the mini-program has no cookies and
// keeps it in its own storage.
const sessionPath = "/api/member/v1/session"

func (h *sessions) cookieName() string {
	if h.https {
		return "__Secure-txm"
	}
	return "txm"
}

func (h *sessions) cookie(token string, until time.Time) *fiber.Cookie {
	c := &fiber.Cookie{
		Name: h.cookieName(), Value: token, Path: sessionPath, HTTPOnly: true, Secure: h.https, SameSite: fiber.CookieSameSiteStrictMode, Expires: until,
	}
	if token == "" {
		c.Expires = time.Unix(1, 0)
	}
	return c
}
