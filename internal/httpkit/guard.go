package httpkit

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/netip"
	"strings"

	"github.com/gofiber/fiber/v2"

	"tongxin/internal/errs"
	"tongxin/internal/limit"
)

// HeaderCSRF carries the token that GET /session gave.
const HeaderCSRF = "X-CSRF-Token"

// HeaderIdempotencyKey makes a creating call safe to repeat
// (draft-ietf-httpapi-idempotency-key-header).
const HeaderIdempotencyKey = "Idempotency-Key"

func allow(b *limit.Buckets, key string) error {
	ok, wait := b.Allow(key)
	if ok {
		return nil
	}
	e := errs.New(errs.TooMany, "操作过于频繁，请稍等片刻再试。")
	e.RetryAfter = wait
	return e
}

// address is the client's address: the peer, or what trusted proxies say. The
// header is read from the right, because everything left of the first address
// that is no proxy of ours was written by the client itself.
func (k *Kit) address(c *fiber.Ctx) string {
	peer, ok := netip.AddrFromSlice(c.Context().RemoteIP())
	if !ok {
		return ""
	}
	peer = peer.Unmap()
	if len(k.cfg.TrustedProxies) == 0 || !k.trusted(peer) {
		return peer.String()
	}
	hops := strings.Split(c.Get(fiber.HeaderXForwardedFor), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		if peer = hop.Unmap().WithZone(""); !k.trusted(peer) {
			break
		}
	}
	return peer.String()
}

func (k *Kit) trusted(a netip.Addr) bool {
	for _, p := range k.cfg.TrustedProxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// bucketOf is the key an address is limited under: one IPv6 customer has a /64.
func bucketOf(addr string) string {
	if !strings.Contains(addr, ":") {
		return addr
	}
	a, err := netip.ParseAddr(addr)
	if err != nil {
		return addr
	}
	p, err := a.Prefix(64)
	if err != nil {
		return addr
	}
	return p.String()
}

// checkOrigin refuses unsafe requests that another site made the browser send:
// by Sec-Fetch-Site, by Origin, and for cookie sessions by the token.
func (k *Kit) checkOrigin(rq *request, c *fiber.Ctx) error {
	refuse := errs.New(errs.Forbidden, "请求来源不正确，请在本系统的页面中操作，并刷新后重试。")
	if s := c.Request().Header.Peek("Sec-Fetch-Site"); len(s) > 0 && string(s) != "same-origin" && string(s) != "none" {
		return refuse
	}
	if o := c.Get(fiber.HeaderOrigin); o != "" && !k.ownOrigin(strings.ToLower(o), c) {
		return refuse
	}
	if rq.who.CSRF == "" {
		return nil
	}
	got := c.Request().Header.Peek(HeaderCSRF)
	if subtle.ConstantTimeCompare(got, []byte(rq.who.CSRF)) != 1 {
		return errs.New(errs.Forbidden, "页面已过期，请刷新后重试。")
	}
	return nil
}

// ownOrigin accepts the public origin and the host that was asked. The latter
// is safe with cookies: they belong to that very host.
func (k *Kit) ownOrigin(origin string, c *fiber.Ctx) bool {
	if k.origin != "" && origin == k.origin {
		return true
	}
	host := string(bytes.ToLower(c.Request().Header.Host()))
	return host != "" && (origin == "http://"+host || origin == "https://"+host)
}

// idempotency reads the key of a creating call and the hash of its body.
// Storage keeps both with the result in the transaction of the change.
func (k *Kit) idempotency(rq *request, c *fiber.Ctx) error {
	if !rq.entry.idempotent {
		return nil
	}
	key := c.Request().Header.Peek(HeaderIdempotencyKey)
	if len(key) == 0 {
		return nil
	}
	if len(key) < 8 || len(key) > 64 || !plain(key) {
		return errs.Bad(HeaderIdempotencyKey, "Idempotency-Key 须为 8 至 64 位字母、数字、“-”“_”或“.”。")
	}
	h := sha256.New()
	h.Write([]byte(rq.entry.Method + " " + c.Path() + "\n"))
	h.Write(c.Request().Body())
	rq.info.IdempotencyKey = string(key)
	rq.info.BodyHash = hex.EncodeToString(h.Sum(nil))
	return nil
}
