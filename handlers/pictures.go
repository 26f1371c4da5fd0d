package handlers

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"tongxin/internal/errs"
	"tongxin/internal/signed"
	"tongxin/publish"
)

// pictures serves pictures of the library to whoever holds a link that the
// program signed: members' phones, whose picture elements send no token.
type pictures struct {
	svc  *publish.Service
	sign *signed.Signer
}

// PictureLife is the least time that a signed picture link works.
const PictureLife = 12 * time.Hour

// PictureLink is the path of a picture of the library in one of its sizes.
func PictureLink(sign *signed.Signer, hash string, size int) string {
	return "/pictures/" + sign.Token(hash+":"+strconv.Itoa(size), PictureLife)
}

func (h *pictures) getPicture(c *fiber.Ctx) error {
	value, end, err := h.sign.Open(c.Params("token"))
	if err != nil {
		return err
	}
	hash, text, _ := strings.Cut(value, ":")
	size, err := strconv.Atoi(text)
	if err != nil {
		return errs.Missing("图片")
	}
	f, err := h.svc.OpenPicture(c.UserContext(), hash, size)
	if err != nil {
		return err
	}
	left := max(int(time.Until(end).Seconds()), 0)
	shareable(c, fmt.Sprintf("public, max-age=%d, immutable", left))
	return sendFile(c, f.Body, f.Size, f.Mime, f.ETag)
}
