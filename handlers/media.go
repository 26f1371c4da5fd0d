package handlers

import (
	"context"
	"io"
	"net/http"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/httpkit"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/publish"
)

// Bodies of the media routes, in bytes: the domain's bound and some room for
// the form around it.
const (
	uploadBody = publish.MaxUpload + 1<<20
	pasteBody  = publish.MaxPaste + 2<<20 // JSON escapes quotes
)

// pictureCSP lets a picture that is opened as a page do nothing at all.
const pictureCSP = "default-src 'none'; frame-ancestors 'none'; sandbox"

// media serves the picture library.
type media struct{ svc *publish.Service }

func (h *media) uploadMedia(c *fiber.Ctx) error {
	org, err := ids.Parse(c.FormValue("orgId"))
	if err != nil || org == 0 {
		return errs.Bad("orgId", "请选择图片所属的组织。")
	}
	head, err := c.FormFile("file")
	if err != nil {
		return errs.Wrap(err, errs.Invalid, "没有收到图片，请重新选择文件后上传。")
	}
	f, err := head.Open()
	if err != nil {
		return err
	}
	data, err := io.ReadAll(io.LimitReader(f, publish.MaxUpload+1))
	if closeErr := f.Close(); err != nil || closeErr != nil {
		return errs.Wrap(err, errs.Unavailable, "图片没有传完，请重新上传。")
	}
	v, err := h.svc.UploadMedia(c.UserContext(), httpkit.ActorOf(c.UserContext()),
		publish.MediaUpload{OrgID: org, Name: head.Filename, Alt: c.FormValue("alt"), Data: data})
	if err != nil {
		return err
	}
	return c.Status(http.StatusCreated).JSON(v)
}

type listMediaIn struct {
	httpkit.Paging
	Q     string     `query:"q" maxLength:"100" doc:"part of the name or the description"`
	OrgID httpkit.ID `query:"orgId"`
}

func (h *media) listMedia(ctx context.Context, actor *authz.Actor, in *listMediaIn) (*page.Result[publish.AssetView], error) {
	return h.svc.Media(ctx, actor, in.OrgID.V, in.Q, in.Page)
}

// getMedia sends the bytes. They never change under their hash, so a browser
// may keep them; a proxy may not, because they ask for a right.
func (h *media) getMedia(c *fiber.Ctx) error {
	size, err := strconv.Atoi(c.Query("size", "0"))
	if err != nil {
		return errs.Bad("size", "图片尺寸只能是 0、200 或 800。")
	}
	f, err := h.svc.OpenMedia(c.UserContext(), httpkit.ActorOf(c.UserContext()), c.Params("hash"), size)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "private, max-age=31536000, immutable")
	return sendFile(c, f.Body, f.Size, f.Mime, f.ETag)
}

// sendFile answers with an open file, or 304 when the client has it. The
// server closes the file when it was sent.
func sendFile(c *fiber.Ctx, body io.ReadCloser, size int64, mime, etag string) error {
	c.Set(fiber.HeaderETag, etag)
	if c.Get(fiber.HeaderIfNoneMatch) == etag {
		c.Status(http.StatusNotModified)
		return body.Close()
	}
	c.Set(fiber.HeaderContentType, mime)
	c.Set(fiber.HeaderContentDisposition, "inline")
	return c.SendStream(body, int(size))
}

// ByHash is exported so that huma sees it embedded.
type ByHash struct {
	Hash string `path:"hash" pattern:"^[0-9a-f]{64}$"`
}

type saveMediaIn struct {
	Hash  string     `path:"hash" pattern:"^[0-9a-f]{64}$"`
	OrgID httpkit.ID `query:"orgId" doc:"whose library; without it the oldest that one manages"`
	Body  struct {
		Name string `json:"name" minLength:"1" maxLength:"100"`
		Alt  string `json:"alt,omitempty" maxLength:"200"`
	}
}

func (h *media) saveMedia(ctx context.Context, actor *authz.Actor, in *saveMediaIn) (*publish.AssetView, error) {
	return h.svc.UpdateMedia(ctx, actor, in.OrgID.V, in.Hash, in.Body.Name, in.Body.Alt)
}

type deleteMediaIn struct {
	ByHash
	OrgID httpkit.ID `query:"orgId" doc:"whose library; without it the oldest that one manages"`
}

func (h *media) deleteMedia(ctx context.Context, actor *authz.Actor, in *deleteMediaIn) error {
	return h.svc.DeleteMedia(ctx, actor, in.OrgID.V, in.Hash)
}

type pasteIn struct {
	Body struct {
		OrgID ids.ID `json:"orgId"`
		HTML  string `json:"html"`
	}
}

func (h *media) cleanPaste(ctx context.Context, actor *authz.Actor, in *pasteIn) (*publish.Pasted, error) {
	return h.svc.CleanPaste(ctx, actor, in.Body.OrgID, in.Body.HTML)
}
