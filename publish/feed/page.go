package feed

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"io"
	"strings"

	"tongxin/internal/clock"
	"tongxin/publish"
)

// style of the public pages. Its hash is in PageCSP, so no other style element
// can run; the articles' own inline styles are attributes.
const style = `:root{color-scheme:light}body{margin:0 auto;max-width:42rem;padding:1.5rem 1rem 4rem;` +
	`font:17px/1.8 system-ui,"PingFang SC","Microsoft YaHei",sans-serif;color:#222;background:#fff}` +
	`h1{font-size:1.5rem;line-height:1.4;margin:0 0 .5rem}a{color:#a61b1b}img,svg{max-width:100%;height:auto}` +
	`table{max-width:100%}pre{overflow-x:auto}.meta{color:#666;font-size:.9rem;margin:0 0 1.5rem}` +
	`ul.list{list-style:none;padding:0}ul.list li{padding:1rem 0;border-bottom:1px solid #eee}` +
	`footer{margin-top:3rem;color:#666;font-size:.9rem}`

// PageCSP is the policy of the public pages: nothing runs, pictures come from
// here, and nobody frames them.
func PageCSP() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; img-src 'self'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; style-src-attr 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

func pageTemplate() *template.Template {
	return template.Must(template.New("").Funcs(template.FuncMap{
		"style": func() template.CSS { return template.CSS(style) },
	}).Parse(`{{define "head"}}<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}}</title>
<link rel="alternate" type="application/rss+xml" title="RSS" href="{{.Links.RSS}}">
<link rel="alternate" type="application/atom+xml" title="Atom" href="{{.Links.Atom}}">
<link rel="alternate" type="application/feed+json" title="JSON Feed" href="{{.Links.JSON}}">
<style>{{style}}</style></head><body>
{{end}}{{define "item"}}{{template "head" .}}<article>
<h1>{{.Title}}</h1>
<p class="meta">{{with .Author}}{{.}} · {{end}}<a href="{{.Links.Page}}">{{.Feed}}</a> · <time datetime="{{.ISO}}">{{.Date}}</time></p>
{{.Body}}
</article>
{{with .Source}}<footer><a href="{{.}}" rel="noopener noreferrer">阅读原文</a></footer>
{{end}}</body></html>
{{end}}{{define "index"}}{{template "head" .}}<h1>{{.Title}}</h1>
<p class="meta">{{.About}}。订阅：<a href="{{.Links.RSS}}">RSS</a> · <a href="{{.Links.Atom}}">Atom</a> · <a href="{{.Links.JSON}}">JSON Feed</a></p>
{{if .Items}}<ul class="list">
{{range .Items}}<li><a href="{{.URL}}">{{.Title}}</a><br><span class="meta">{{.Date}}{{with .Digest}} · {{.}}{{end}}</span></li>
{{end}}</ul>{{else}}<p>这里还没有文章，发布之后会出现在这里。</p>{{end}}
</body></html>
{{end}}{{define "missing"}}<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>没有找到</title><style>{{style}}</style></head><body>
<h1>没有找到这个页面</h1>
<p>它可能已被发布者撤回，或者地址不完整。请核对地址，或回到您看到链接的地方。</p>
</body></html>
{{end}}`))
}

// WritePage writes an item's public page.
func (s *Service) WritePage(w io.Writer, a *publish.Account, it *Item) error {
	at := it.PublishedAt.In(clock.Shanghai())
	return s.pages.ExecuteTemplate(w, "item", map[string]any{
		"Title": it.Title, "Author": it.Author, "Feed": a.Name, "Links": s.Links(a.ID),
		"ISO": at.Format("2006-01-02T15:04:05-07:00"), "Date": at.Format("2006年1月2日 15:04"),
		"Body": template.HTML(it.HTML), "Source": it.SourceURL, // HTML was sanitised when it was published
	})
}

// WriteMissing writes the page for addresses at which nothing is.
func (s *Service) WriteMissing(w io.Writer) error {
	return s.pages.ExecuteTemplate(w, "missing", nil)
}

func (s *Service) writeIndex(buf *bytes.Buffer, a *publish.Account, items []Item) error {
	type line struct{ URL, Title, Date, Digest string }
	lines := make([]line, len(items))
	for i, it := range items {
		lines[i] = line{
			URL: s.itemURL(a.ID, it.ID), Title: strings.TrimSpace(it.Title), Digest: it.Digest,
			Date: it.PublishedAt.In(clock.Shanghai()).Format("2006年1月2日"),
		}
	}
	return s.pages.ExecuteTemplate(buf, "index", map[string]any{
		"Title": a.Name, "About": describe(a), "Links": s.Links(a.ID), "Items": lines,
	})
}
