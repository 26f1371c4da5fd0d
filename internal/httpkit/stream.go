package httpkit

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"

	"tongxin/internal/call"
)

// Stream answers with a body that is written piece by piece, for exports that
// do not fit in memory. fn runs after the handler has returned, so it gets a
// context of its own that lives for at most d and ends with the server; c must
// not be used in it. The status is 200 by then: a failure in the middle can
// only be said in the body, which fn does before it returns the error.
func Stream(c *fiber.Ctx, contentType, filename string, d time.Duration, fn func(ctx context.Context, w io.Writer) error) error {
	rq := requestOf(c.UserContext())
	if rq == nil {
		return fmt.Errorf("httpkit: Stream outside a request of the kit")
	}
	k, info := rq.entry.surface.kit, rq.info
	c.Set(fiber.HeaderContentType, contentType)
	if filename != "" {
		c.Set(fiber.HeaderContentDisposition, "attachment; filename*=UTF-8''"+url.PathEscape(filename))
	}
	c.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
		ctx, cancel := context.WithTimeout(call.With(k.base, info), d)
		defer cancel()
		defer func() { // a panic here would end the process: it is fasthttp's goroutine
			if p := recover(); p != nil {
				k.cfg.Log.Error("stream panicked", "request", info.RequestID, "panic", fmt.Sprint(p))
			}
		}()
		if err := fn(ctx, w); err != nil {
			k.cfg.Log.Error("stream broke off", "request", info.RequestID, "error", err)
		}
	})
	return nil
}
