package main

import (
	"html"
	"strings"
	"sync"

	"tongxin/publish/render"
)

// quizHTML renders the Markdown of questions for our own pages: inline-styled,
// formulas as pictures, which rich-text of mini-programs needs. picture gives
// the address of a picture of the library; it may be signed and expire, so what
// holds pictures is rendered each time and everything else only once.
func quizHTML(picture func(hash string) string) func(markdown string) string {
	cache := &htmlCache{kept: map[string]string{}}
	return func(md string) string {
		if plainText(md) {
			return html.EscapeString(md)
		}
		if out, ok := cache.get(md); ok {
			return out
		}
		res, err := render.Render(render.Source{Format: render.Markdown, Text: md}, render.Options{
			Embedded: true, KeepLinks: true,
			Picture: func(ref string) (string, string, bool) {
				hash, ours := strings.CutPrefix(ref, render.AssetPrefix)
				return picture(hash), "", ours
			},
		})
		if err != nil { // too long for the renderer, never for a checked question
			return html.EscapeString(md)
		}
		if len(res.Images) == 0 {
			cache.put(md, res.HTML)
		}
		return res.HTML
	}
}

// plainText reports a short line that Markdown shows as it is: most options.
func plainText(md string) bool {
	return len(md) < 1000 && md == strings.TrimSpace(md) && !strings.ContainsFunc(md, func(r rune) bool {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r >= 0x4e00 && r <= 0x9fff:
			return false
		}
		return !strings.ContainsRune("，。；：？！、（）“”《》—％/", r)
	})
}

// htmlCache keeps what was rendered. It is emptied when full: questions of one
// paper come again and again, those of the next replace them.
type htmlCache struct {
	mu   sync.Mutex
	kept map[string]string
	size int
}

const htmlCacheSize = 16 << 20 // bytes

func (c *htmlCache) get(md string) (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	out, ok := c.kept[md]
	return out, ok
}

func (c *htmlCache) put(md, out string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.size += len(md) + len(out); c.size > htmlCacheSize {
		clear(c.kept)
		c.size = len(md) + len(out)
	}
	c.kept[md] = out
}
