package sandbox

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"time"

	"tongxin/internal/clock"
)

//go:embed page
var pageFiles embed.FS

// pageCSP lets the page run its own script and frame its own articles, nothing else.
const pageCSP = "default-src 'self'; base-uri 'none'; form-action 'none'; object-src 'none'; frame-ancestors 'self'"

// articleCSP lets an article show its inline style and pictures, as a phone
// does, and run nothing.
const articleCSP = "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"

// pages adds the page, its files, the pictures and the articles.
func (s *Sandbox) pages(m *http.ServeMux) {
	articles := &articlePage{
		tmpl:   template.Must(template.ParseFS(pageFiles, "page/article.html")),
		images: regexp.MustCompile(`https?://mmbiz\.qpic\.cn/[a-z_]+/([0-9a-f]{32})/[^"'\s)&]*(?:&amp;[^"'\s)&]*)*`),
	}
	m.HandleFunc("GET /sandbox", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/sandbox/", http.StatusMovedPermanently)
	})
	m.HandleFunc("GET /sandbox/{$}", s.static("index.html"))
	for _, name := range []string{"app.css", "app.js", "article.css", "icon.svg"} {
		m.HandleFunc("GET /sandbox/"+name, s.static(name))
	}
	ask := template.Must(template.ParseFS(pageFiles, "page/authorize.html"))
	m.HandleFunc("GET /sandbox"+authorizePath, func(w http.ResponseWriter, r *http.Request) { s.askWho(w, r, ask) })
	m.HandleFunc("GET /sandbox/open/{id}", s.openAs)
	m.HandleFunc("GET /sandbox/img/{hash}", s.serveImage)
	m.HandleFunc("GET /sandbox/article/{appid}/{id}/{idx}", func(w http.ResponseWriter, r *http.Request) {
		s.serveArticle(w, r, articles)
	})
}

// static serves an embedded file.
func (s *Sandbox) static(name string) http.HandlerFunc {
	mime := map[string]string{".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}[path.Ext(name)]
	return func(w http.ResponseWriter, _ *http.Request) {
		data, err := pageFiles.ReadFile("page/" + name)
		if err != nil {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		safe(w, mime+"; charset=utf-8", pageCSP)
		s.write(w, data)
	}
}

func safe(w http.ResponseWriter, mime, csp string) {
	h := w.Header()
	h.Set("Content-Type", mime)
	h.Set("Content-Security-Policy", csp)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-cache")
}

func (s *Sandbox) serveImage(w http.ResponseWriter, r *http.Request) {
	data, ok := s.images.get(r.PathValue("hash"))
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	safe(w, contentType(data), articleCSP)
	w.Header().Set("Cache-Control", "private, max-age=86400, immutable")
	s.write(w, data)
}

// articlePage renders articles as a phone shows them.
type articlePage struct {
	tmpl   *template.Template
	images *regexp.Regexp // the platform's addresses in stored content
}

// articleView is what the template shows.
type articleView struct {
	Account, Title, Author, At, Source string
	Gone, Banned                       bool
	Pictures                           []string
	Content                            template.HTML
}

func (s *Sandbox) serveArticle(w http.ResponseWriter, r *http.Request, page *articlePage) {
	view, ok := s.article(r.PathValue("appid"), r.PathValue("id"), r.PathValue("idx"), page)
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	var buf bytes.Buffer
	if err := page.tmpl.Execute(&buf, view); err != nil {
		s.log.Error("sandbox: article", "err", err)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	safe(w, "text/html; charset=utf-8", articleCSP)
	s.write(w, buf.Bytes())
}

// article finds one article and maps its pictures to this server.
func (s *Sandbox) article(appid, id, idx string, page *articlePage) (articleView, bool) {
	a := s.account(appid)
	n, err := strconv.Atoi(idx)
	if a == nil || err != nil {
		return articleView{}, false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	m := a.Messages[id]
	if m == nil || n < 1 || n > len(m.Articles) {
		return articleView{}, false
	}
	art := m.Articles[n-1]
	v := articleView{
		Account: a.Settings.Name, Title: art.Title, Author: art.Author, Source: art.ContentSourceURL,
		At: chineseTime(m.At), Gone: art.Deleted,
	}
	if j := a.Jobs[m.JobID]; j != nil {
		v.Banned = j.State == stateBanned
	}
	if art.Type == "newspic" && art.Images != nil {
		for _, p := range art.Images.List {
			if mat := a.Materials[p.MediaID]; mat != nil {
				v.Pictures = append(v.Pictures, "/sandbox/img/"+mat.Hash)
			}
		}
		v.Content = template.HTML(template.HTMLEscapeString(art.Content)) //nolint:gosec // escaped here
		return v, true
	}
	// The content was reduced to the allow-list when it was stored, and the
	// policy of this page runs no script.
	v.Content = template.HTML(page.images.ReplaceAllString(art.Content, "/sandbox/img/$1")) //nolint:gosec // see above
	return v, true
}

func chineseTime(t time.Time) string {
	t = t.In(clock.Shanghai())
	return fmt.Sprintf("%d年%d月%d日 %02d:%02d", t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute())
}
