package httpkit

import (
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// StrictCSP is the policy of every answer unless a route says otherwise.
const StrictCSP = "default-src 'self'; img-src 'self' data: blob:; style-src 'self'; script-src 'self'; " +
	"connect-src 'self'; frame-src 'self'; frame-ancestors 'none'; form-action 'self'; base-uri 'none'; object-src 'none'"

// compressFrom is the size in bytes from which packing pays.
const compressFrom = 1024

// headers sets what every answer carries. A handler may overwrite one.
func (k *Kit) headers(c *fiber.Ctx, e *entry) {
	h := &c.Response().Header
	csp := e.csp
	if csp == "" {
		csp = StrictCSP
	}
	h.Set("Content-Security-Policy", csp)
	for _, kv := range k.fixed {
		h.SetCanonical(kv[0], kv[1])
	}
}

// fixedHeaders are the same on every answer. Their names are canonical, which
// saves looking at them letter by letter each time.
func fixedHeaders(https bool) (out [][2][]byte) {
	add := func(name, value string) { out = append(out, [2][]byte{[]byte(name), []byte(value)}) }
	add("X-Content-Type-Options", "nosniff")
	add("Referrer-Policy", "same-origin")
	add("Permissions-Policy", "camera=(self), microphone=(self), display-capture=(self), geolocation=(), payment=(), usb=()")
	add("Cross-Origin-Opener-Policy", "same-origin")
	add("Cross-Origin-Resource-Policy", "same-origin")
	add(fiber.HeaderCacheControl, "no-store")
	if https {
		add("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	}
	return out
}

// compress packs text answers of some size, at the fastest level: what the
// program answers is small, and the machine is, too.
func (k *Kit) compress(c *fiber.Ctx) {
	r := c.Response()
	if r.IsBodyStream() || len(r.Body()) < compressFrom || len(r.Header.ContentEncoding()) > 0 || !packable(string(r.Header.ContentType())) {
		return
	}
	r.Header.Add(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
	accept := c.Request().Header.Peek(fiber.HeaderAcceptEncoding)
	if len(accept) == 0 || r.StatusCode() == fiber.StatusPartialContent {
		return
	}
	switch s := string(accept); {
	case accepts(s, "br"):
		r.SetBodyRaw(fasthttp.AppendBrotliBytesLevel(nil, r.Body(), fasthttp.CompressBrotliBestSpeed))
		r.Header.SetContentEncoding("br")
	case accepts(s, "gzip"):
		r.SetBodyRaw(fasthttp.AppendGzipBytesLevel(nil, r.Body(), fasthttp.CompressBestSpeed))
		r.Header.SetContentEncoding("gzip")
	}
}

func packable(contentType string) bool {
	t, _, _ := strings.Cut(contentType, ";")
	return strings.HasPrefix(t, "text/") || strings.HasSuffix(t, "json") || strings.HasSuffix(t, "xml") || t == "application/javascript"
}

// accepts reads Accept-Encoding; "br;q=0" refuses.
func accepts(header, coding string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(strings.TrimSpace(name), coding) {
			q := strings.ReplaceAll(params, " ", "")
			return q != "q=0" && q != "q=0.0" && q != "q=0.00" && q != "q=0.000"
		}
	}
	return false
}
