package handlers

import (
	"context"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"tongxin/internal/errs"
	"tongxin/internal/httpkit"
	"tongxin/internal/limit"
	"tongxin/live/sfu"
)

// LiveAdmit decides whether the bearer of a token may publish into a room, or
// watch it. It is set by the program. A refusal is errs.Unauthorized or
// errs.Missing.
type LiveAdmit func(ctx context.Context, room, bearer string, publish bool) error

// Media types of WHIP and WHEP.
const (
	sdpMime      = "application/sdp"
	fragmentMime = "application/trickle-ice-sdpfrag"
)

// whip speaks WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep): they differ in
// nothing but the direction.
type whip struct {
	node    *sfu.Node
	admit   LiveAdmit
	prefix  string
	publish bool
}

// liveMedia is the part of the table about WHIP and WHEP. Tokens and not cookies
// say who comes, so pages of any site may ask.
func liveMedia(root *httpkit.Surface, d Deps) {
	// A hall comes through one address within a minute.
	crowd := httpkit.Apart(limit.New(d.Clock, limit.Rate{PerSecond: 300, Burst: 2000}, 10_000), limit.New(d.Clock, limit.Rate{PerSecond: 600, Burst: 4000}, 10_000))
	for _, m := range []*whip{
		{node: d.Live, admit: d.LiveAdmit, prefix: "/whip", publish: true},
		{node: d.Live, admit: d.LiveAdmit, prefix: "/whep"},
	} {
		about := map[bool]string{true: "直播推流（WHIP）", false: "直播观看（WHEP）"}[m.publish]
		root.Post(m.prefix+"/{room}", httpkit.Public, about, httpkit.Raw(m.open, crowd, httpkit.NoCSRF(), httpkit.MaxBody(sfu.MaxSDP)))
		root.Options(m.prefix+"/{room}", httpkit.Public, about+"：跨域询问", httpkit.Raw(m.preflight, crowd))
		root.Patch(m.prefix+"/{room}/{session}", httpkit.Public, about+"：候选地址与重连", httpkit.Raw(m.patch, crowd, httpkit.NoCSRF(), httpkit.MaxBody(sfu.MaxSDP)))
		root.Delete(m.prefix+"/{room}/{session}", httpkit.Public, about+"：结束", httpkit.Raw(m.end, crowd, httpkit.NoCSRF()))
		root.Options(m.prefix+"/{room}/{session}", httpkit.Public, about+"：跨域询问", httpkit.Raw(m.preflight, crowd))
	}
}

// preflight answers what a browser asks before it calls from another site.
func (m *whip) preflight(c *fiber.Ctx) error {
	cors(c)
	c.Set(fiber.HeaderAccessControlAllowMethods, "OPTIONS, POST, PATCH, DELETE")
	c.Set(fiber.HeaderAccessControlAllowHeaders, "Authorization, Content-Type, If-Match")
	c.Set(fiber.HeaderAccessControlMaxAge, "86400")
	c.Set("Accept-Post", sdpMime)
	c.Set("Accept-Patch", fragmentMime)
	return c.SendStatus(http.StatusNoContent)
}

func cors(c *fiber.Ctx) {
	c.Set(fiber.HeaderAccessControlAllowOrigin, "*")
	c.Set(fiber.HeaderAccessControlExposeHeaders, "Location, ETag, Link, Accept-Patch, WWW-Authenticate, Retry-After")
	c.Set("Cross-Origin-Resource-Policy", "cross-origin")
}

// open makes a session of an offer.
func (m *whip) open(c *fiber.Ctx) error {
	room, token, err := m.enter(c, sdpMime)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	if err := m.admit(ctx, room, token, m.publish); err != nil {
		return unauthorized(c, err)
	}
	join := m.node.Watch
	if m.publish {
		join = m.node.Publish
	}
	a, err := join(ctx, room, token, string(c.Body()))
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderLocation, m.prefix+"/"+room+"/"+a.ID)
	c.Set(fiber.HeaderETag, `"`+a.ETag+`"`)
	c.Set("Accept-Patch", fragmentMime)
	c.Set(fiber.HeaderContentType, sdpMime)
	return c.Status(http.StatusCreated).SendString(a.SDP)
}

// patch takes candidates, or restarts ICE.
func (m *whip) patch(c *fiber.Ctx) error {
	room, token, err := m.enter(c, fragmentMime)
	if err != nil {
		return err
	}
	match := strings.Trim(strings.TrimPrefix(c.Get(fiber.HeaderIfMatch), "W/"), `"`)
	answer, tag, err := m.node.Patch(c.UserContext(), room, c.Params("session"), token, match, string(c.Body()))
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderETag, `"`+tag+`"`)
	if answer == "" {
		return c.SendStatus(http.StatusNoContent)
	}
	c.Set(fiber.HeaderContentType, fragmentMime)
	return c.SendString(answer)
}

// end leaves.
func (m *whip) end(c *fiber.Ctx) error {
	room, token, err := m.enter(c, "")
	if err != nil {
		return err
	}
	return m.node.Leave(room, c.Params("session"), token)
}

// enter reads what every call has: the room, the token, the media type.
func (m *whip) enter(c *fiber.Ctx, mime string) (room, token string, err error) {
	cors(c)
	if m.node == nil {
		return "", "", errs.New(errs.Unavailable, "这台服务器没有开启直播。")
	}
	if got, _, _ := strings.Cut(c.Get(fiber.HeaderContentType), ";"); mime != "" && !strings.EqualFold(strings.TrimSpace(got), mime) {
		return "", "", errs.New(errs.Unsupported, "请以 %s 提交。", mime)
	}
	if room = c.Params("room"); !roomName(room) {
		return "", "", errs.Missing("直播间")
	}
	scheme, token, _ := strings.Cut(c.Get(fiber.HeaderAuthorization), " ")
	if token = strings.TrimSpace(token); !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", "", unauthorized(c, errs.New(errs.Unauthorized, "请带上直播间的令牌（Authorization: Bearer …）。"))
	}
	return room, token, nil
}

func unauthorized(c *fiber.Ctx, err error) error {
	if errs.Is(err, errs.Unauthorized) {
		c.Set(fiber.HeaderWWWAuthenticate, "Bearer")
	}
	return err
}

// roomName reports whether a room's name may stand in an address.
func roomName(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == ""
}
