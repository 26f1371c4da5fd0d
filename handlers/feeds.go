package handlers

import (
	"bytes"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/publish/feed"
)

// feeds serves what is public: no actor, no cookie, nothing that was not
// published.
type feeds struct{ svc *feed.Service }

// document serves one format. What a feed holds is meant to be read anywhere,
// also by readers that run in a browser.
func (h *feeds) document(f feed.Format) fiber.Handler {
	return func(c *fiber.Ctx) error {
		d, err := h.svc.Document(c.UserContext(), feedAccount(c), f)
		if err != nil && f == feed.Page {
			return h.notFound(c, err)
		}
		if err != nil {
			return err
		}
		shareable(c, "public, max-age=300")
		c.Set(fiber.HeaderLastModified, d.Updated.Format(http.TimeFormat))
		c.Set(fiber.HeaderETag, d.ETag)
		if c.Get(fiber.HeaderIfNoneMatch) == d.ETag {
			return c.SendStatus(http.StatusNotModified)
		}
		c.Set(fiber.HeaderContentType, d.Mime)
		return c.Send(d.Body)
	}
}

func (h *feeds) feedItem(c *fiber.Ctx) error {
	id, err := ids.Parse(c.Params("id"))
	if err != nil {
		return h.notFound(c, errs.Missing("文章"))
	}
	a, it, err := h.svc.ItemPage(c.UserContext(), feedAccount(c), id)
	if err != nil {
		return h.notFound(c, err)
	}
	var page bytes.Buffer
	if err := h.svc.WritePage(&page, a, it); err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "public, max-age=300")
	c.Set(fiber.HeaderContentType, "text/html; charset=utf-8")
	return c.Send(page.Bytes())
}

func (h *feeds) feedPicture(c *fiber.Ctx) error {
	body, p, size, err := h.svc.OpenPicture(c.UserContext(), feedAccount(c), c.Params("name"))
	if err != nil {
		return err
	}
	shareable(c, "public, max-age=3600") // not longer: the picture may be taken back
	return sendFile(c, body, size, p.Mime, `"`+p.Hash+`"`)
}

// notFound is a page for people, who follow old links in browsers.
func (h *feeds) notFound(c *fiber.Ctx, err error) error {
	if !errs.Is(err, errs.NotFound) {
		return err
	}
	var page bytes.Buffer
	if err := h.svc.WriteMissing(&page); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "text/html; charset=utf-8")
	return c.Status(http.StatusNotFound).Send(page.Bytes())
}

func feedAccount(c *fiber.Ctx) ids.ID {
	id, err := ids.Parse(c.Params("account"))
	if err != nil {
		return 0 // no account has it
	}
	return id
}

// shareable lets other sites load the answer and caches keep it.
func shareable(c *fiber.Ctx, cache string) {
	c.Set(fiber.HeaderCacheControl, cache)
	c.Set(fiber.HeaderAccessControlAllowOrigin, "*")
	c.Set("Cross-Origin-Resource-Policy", "cross-origin")
}
