package httpkit

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"path"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// Site is a built front end.
type Site struct {
	Files fs.FS // with index.html at its top when built
	// Unbuilt is the page shown when Files has no index.html.
	Unbuilt []byte
	// Immutable reports files whose name holds a hash of their content; nil:
	// what lies under assets/.
	Immutable func(name string) bool
}

// asset is what is known of a file before anybody asks for it.
type asset struct {
	etag, ctype string
	br, gz      bool // a packed twin lies beside it
}

// Static serves a site under prefix ("/console") of a surface without prefix.
// Unknown paths without an extension get index.html, as single-page
// applications want; unknown files get 404.
func (s *Surface) Static(prefix, summary string, site Site) error {
	assets, err := manifest(site.Files)
	if err != nil {
		return fmt.Errorf("httpkit: site %s: %w", prefix, err)
	}
	if site.Immutable == nil {
		site.Immutable = func(name string) bool { return strings.HasPrefix(name, "assets/") }
	}
	serve := Raw(func(c *fiber.Ctx) error { return site.serve(c, assets, c.Params("*")) }, Hidden())
	slash := Raw(func(c *fiber.Ctx) error {
		if !strings.HasSuffix(c.Path(), "/") {
			return c.Redirect(prefix+"/", fiber.StatusMovedPermanently)
		}
		return site.serve(c, assets, "")
	}, Hidden())
	for _, add := range []func(string, Endpoint){
		func(p string, e Endpoint) { s.Get(p, Public, summary, e) },
		func(p string, e Endpoint) { s.Head(p, Public, summary, e) },
	} {
		add(prefix, slash)
		add(prefix+"/*", serve)
	}
	return nil
}

func manifest(files fs.FS) (map[string]asset, error) {
	out := map[string]asset{}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if name == "." && errors.Is(err, fs.ErrNotExist) {
			return nil // not built at all
		}
		if err != nil || d.IsDir() || strings.HasPrefix(path.Base(name), ".") {
			return err
		}
		b, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(b)
		out[name] = asset{etag: base64.RawURLEncoding.EncodeToString(sum[:12]), ctype: contentType(name)}
		return nil
	})
	for name, a := range out {
		_, a.br = out[name+".br"]
		_, a.gz = out[name+".gz"]
		out[name] = a
	}
	return out, err
}

func contentType(name string) string {
	switch path.Ext(name) { // the machine's mime tables differ; these matter
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".html":
		return "text/html; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".woff2":
		return "font/woff2"
	case ".webmanifest":
		return "application/manifest+json"
	case ".wasm":
		return "application/wasm"
	}
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		return t
	}
	return "application/octet-stream"
}

func (site Site) serve(c *fiber.Ctx, assets map[string]asset, name string) error {
	a, ok := assets[name]
	if !ok {
		if path.Ext(name) != "" {
			return fiber.ErrNotFound
		}
		name = "index.html"
		if a, ok = assets[name]; !ok {
			return site.unbuilt(c)
		}
	}
	c.Set(fiber.HeaderContentType, a.ctype)
	c.Set(fiber.HeaderCacheControl, "no-cache")
	if site.Immutable(name) {
		c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	}
	tag := `"` + a.etag + `"`
	accept := c.Get(fiber.HeaderAcceptEncoding)
	file := name
	switch {
	case a.br && accepts(accept, "br"):
		file, tag = name+".br", `"`+a.etag+`-br"`
		c.Set(fiber.HeaderContentEncoding, "br")
	case a.gz && accepts(accept, "gzip"):
		file, tag = name+".gz", `"`+a.etag+`-gz"`
		c.Set(fiber.HeaderContentEncoding, "gzip")
	}
	if a.br || a.gz {
		c.Set(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
	}
	c.Set(fiber.HeaderETag, tag)
	if strings.Contains(c.Get(fiber.HeaderIfNoneMatch), tag) {
		c.Response().Header.Del(fiber.HeaderContentEncoding)
		return c.SendStatus(fiber.StatusNotModified)
	}
	b, err := fs.ReadFile(site.Files, file)
	if errors.Is(err, fs.ErrNotExist) {
		return fiber.ErrNotFound
	}
	if err != nil {
		return err
	}
	return c.Send(b)
}

func (site Site) unbuilt(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentType, "text/html; charset=utf-8")
	return c.Status(fiber.StatusServiceUnavailable).Send(site.Unbuilt)
}
