package handlers

import (
	"context"
	"net/url"

	"github.com/gofiber/fiber/v2"
)

// Callback takes a platform's callback and returns what to answer with. It is
// set by the program, because this package knows no platform. An error is a
// refusal; the platform tries again.
type Callback func(ctx context.Context, appID, method string, query url.Values, body []byte) (answer string, err error)

// callbacks serves /wechat/{appid}.
type callbacks struct{ take Callback }

func (h *callbacks) wechat(c *fiber.Ctx) error {
	query, err := url.ParseQuery(string(c.Request().URI().QueryString()))
	if err != nil {
		return fiber.ErrBadRequest
	}
	answer, err := h.take(c.UserContext(), c.Params("appid"), c.Method(), query, c.Body())
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMETextPlainCharsetUTF8)
	return c.SendString(answer)
}
