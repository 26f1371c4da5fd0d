package handlers

import (
	"net/http"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
)

// simulator serves the WeChat sandbox under /sandbox/. It brings its own
// policy for each page (an article needs inline styles and a frame), and the
// adaptor adds headers instead of replacing them.
func simulator(h http.Handler) fiber.Handler {
	inner := adaptor.HTTPHandler(h)
	return func(c *fiber.Ctx) error {
		for _, name := range []string{fiber.HeaderContentSecurityPolicy, fiber.HeaderXContentTypeOptions, fiber.HeaderReferrerPolicy, fiber.HeaderCacheControl} {
			c.Response().Header.Del(name)
		}
		return inner(c)
	}
}
