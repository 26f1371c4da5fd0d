package wechat

import (
	"bytes"
	"context"
	"net/url"
)

// Limits of uploads, in bytes. Source: the pages on uploadimg and add_material.
const (
	MaxContentImage = 1<<20 - 1 // uploadimg: jpg or png, less than 1 MB
	MaxImage        = 10 << 20  // add_material image: bmp, png, jpg, gif
	MaxThumb        = 64 << 10  // add_material thumb: jpg
)

// MaterialKind is a kind of permanent picture material.
type MaterialKind string

const (
	ImageMaterial MaterialKind = "image"
	ThumbMaterial MaterialKind = "thumb"
)

// Material is a permanent material.
type Material struct {
	MediaID string
	URL     string // empty for thumbs
}

// UploadImage stores a picture for use inside an article and returns its
// address. It must be jpg or png of less than 1 MB; anything else fails with
// Content before it is sent. It does not count towards the library.
func (a *Account) UploadImage(ctx context.Context, data []byte) (string, error) {
	o := op{path: "/cgi-bin/media/uploadimg", effect: true, upload: true}
	f, err := picture(o, data, MaxContentImage, "jpg", "png")
	if err != nil {
		return "", err
	}
	var out struct {
		URL string `json:"url"`
	}
	if err := a.upload(ctx, o, nil, f, &out); err != nil {
		return "", err
	}
	if out.URL == "" {
		return "", missing(o, "url")
	}
	return out.URL, nil
}

// AddMaterial stores a permanent picture, as covers and picture posts need it.
func (a *Account) AddMaterial(ctx context.Context, kind MaterialKind, data []byte) (Material, error) {
	o := op{path: "/cgi-bin/material/add_material", effect: true, upload: true}
	limit, types := MaxImage, []string{"jpg", "png", "gif", "bmp"}
	if kind == ThumbMaterial {
		limit, types = MaxThumb, []string{"jpg"}
	} else if kind != ImageMaterial {
		return Material{}, refusal(o.name(), Permanent, 40004, "kind of material is not offered")
	}
	f, err := picture(o, data, limit, types...)
	if err != nil {
		return Material{}, err
	}
	var out struct {
		MediaID string `json:"media_id"`
		URL     string `json:"url"`
	}
	if err := a.upload(ctx, o, url.Values{"type": {string(kind)}}, f, &out); err != nil {
		return Material{}, err
	}
	if out.MediaID == "" {
		return Material{}, missing(o, "media_id")
	}
	return Material{MediaID: out.MediaID, URL: out.URL}, nil
}

// picture checks size and type by content and names the file neutrally.
func picture(o op, data []byte, limit int, types ...string) (file, error) {
	if len(data) == 0 {
		return file{}, refusal(o.name(), Content, 41005, "empty file")
	}
	ext := imageType(data)
	for _, t := range types {
		if ext != t {
			continue
		}
		if len(data) > limit {
			return file{}, refusal(o.name(), Content, 40009, "%d bytes, limit %d", len(data), limit)
		}
		mime := "image/" + ext
		if ext == "jpg" {
			mime = "image/jpeg"
		}
		return file{name: "image." + ext, contentType: mime, data: data}, nil
	}
	return file{}, refusal(o.name(), Content, 40113, "type of picture is not accepted")
}

// imageType tells a picture by its first bytes; "" for anything else.
func imageType(data []byte) string {
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xd8\xff")):
		return "jpg"
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		return "png"
	case bytes.HasPrefix(data, []byte("GIF87a")), bytes.HasPrefix(data, []byte("GIF89a")):
		return "gif"
	case bytes.HasPrefix(data, []byte("BM")):
		return "bmp"
	}
	return ""
}

// missing is a success without what it must carry: something was accepted, and
// nobody knows what.
func missing(o op, field string) *Error {
	return &Error{Op: o.name(), Kind: Unknown, Outcome: MayBeAccepted, Msg: "answer without " + field}
}
