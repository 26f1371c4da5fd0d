package feed

import (
	"html"
	"net/url"
	"slices"
	"strings"

	xhtml "golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"tongxin/publish"
)

// item makes the public form of one article. The renderer's allow-list has run
// already; this second, smaller one is there because the result is served from
// our own origin to anybody.
func (s *Service) item(m *Message, i int, art publish.Rendered) (Item, error) {
	it := Item{
		ID: s.IDs.New(), AccountID: m.AccountID, MessageID: m.ID, Position: i,
		Title: plain(art.Title), Author: plain(art.Author), Digest: plain(art.Digest),
		PublishedAt: m.PublishedAt,
	}
	if u, err := url.Parse(art.SourceURL); err == nil && (u.Scheme == "https" || u.Scheme == "http") {
		it.SourceURL = u.String()
	}
	if isHash(art.CoverID) {
		it.Cover = art.CoverID
		it.Pictures = []string{art.CoverID}
	}
	base := s.pictureBase(m.AccountID)
	body := art.HTML
	if art.Kind == publish.Pictures {
		body = pictureBody(base, art)
	}
	c := cleaner{base: base}
	clean, err := c.clean(body)
	it.HTML = clean
	for _, h := range c.pictures {
		if !slices.Contains(it.Pictures, h) {
			it.Pictures = append(it.Pictures, h)
		}
	}
	return it, err
}

// pictureBody lays a picture post out: its pictures in order, then its text.
func pictureBody(base string, art publish.Rendered) string {
	var b strings.Builder
	for _, id := range art.ImageIDs {
		if isHash(id) {
			b.WriteString(`<p><img src="` + html.EscapeString(base+id) + `" alt=""></p>`)
		}
	}
	for _, line := range strings.Split(art.Text, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			b.WriteString("<p>" + html.EscapeString(line) + "</p>")
		}
	}
	return b.String()
}

// plain removes what XML 1.0 cannot carry; feeds with one such character are
// refused whole by readers.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' || r == '\r' || (r >= 0x20 && r != 0xFFFE && r != 0xFFFF) {
			return r
		}
		return -1
	}, s)
}

type cleaner struct {
	base     string
	pictures []string
}

func (c *cleaner) clean(body string) (string, error) {
	root := &xhtml.Node{Type: xhtml.ElementNode, Data: "section", DataAtom: atom.Section}
	nodes, err := xhtml.ParseFragment(strings.NewReader(body), root)
	if err != nil {
		return "", err
	}
	for _, n := range nodes {
		root.AppendChild(n)
	}
	c.walk(root)
	var b strings.Builder
	for n := root.FirstChild; n != nil; n = n.NextSibling {
		if err := xhtml.Render(&b, n); err != nil {
			return "", err
		}
	}
	return b.String(), nil
}

func (c *cleaner) walk(n *xhtml.Node) {
	for child := n.FirstChild; child != nil; {
		next := child.NextSibling
		if c.keep(child) {
			c.walk(child)
		} else {
			n.RemoveChild(child)
		}
		child = next
	}
}

// keep reports whether a node may stay and trims its attributes.
func (c *cleaner) keep(n *xhtml.Node) bool {
	switch n.Type {
	case xhtml.TextNode:
		n.Data = plain(n.Data)
		return true
	case xhtml.ElementNode:
	default:
		return false
	}
	if !allowed(n) {
		return false
	}
	n.Attr = slices.DeleteFunc(n.Attr, func(a xhtml.Attribute) bool { return !c.attr(n, a) })
	if n.Data != "img" {
		return true
	}
	for _, a := range n.Attr {
		if a.Key == "src" {
			return true
		}
	}
	return false // an outside picture: readers' addresses would leak to it
}

func allowed(n *xhtml.Node) bool {
	if n.Namespace == "svg" { // formulas
		switch n.Data {
		case "svg", "g", "path", "rect", "line", "title", "desc":
			return true
		}
		return false
	}
	switch n.DataAtom {
	case atom.Section, atom.P, atom.Span, atom.Strong, atom.B, atom.Em, atom.I, atom.U, atom.S, atom.Del,
		atom.Br, atom.Hr, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Ul, atom.Ol, atom.Li,
		atom.Blockquote, atom.Pre, atom.Code, atom.Table, atom.Caption, atom.Thead, atom.Tbody, atom.Tfoot,
		atom.Tr, atom.Th, atom.Td, atom.Img, atom.A, atom.Sup, atom.Sub, atom.Div, atom.Figure, atom.Figcaption,
		atom.Svg:
		return true
	}
	return false
}

func (c *cleaner) attr(n *xhtml.Node, a xhtml.Attribute) bool {
	key := strings.ToLower(a.Key)
	if n.Namespace == "svg" {
		switch key {
		case "xmlns", "viewbox", "width", "height", "d", "fill", "stroke", "stroke-width", "transform",
			"x", "y", "x1", "y1", "x2", "y2", "style", "role", "aria-label", "fill-rule":
			return key != "style" || safeStyle(a.Val)
		}
		return false
	}
	switch key {
	case "style":
		return safeStyle(a.Val)
	case "alt", "title", "colspan", "rowspan", "width", "height", "start", "lang":
		return true
	case "href":
		u, err := url.Parse(a.Val)
		return n.Data == "a" && err == nil && (u.Scheme == "https" || u.Scheme == "http" || u.Scheme == "mailto")
	case "src":
		return n.Data == "img" && c.own(a.Val)
	}
	return false
}

// own notes and allows a picture of this account.
func (c *cleaner) own(src string) bool {
	rest, ok := strings.CutPrefix(src, c.base)
	if !ok || len(rest) < 64 || !isHash(rest[:64]) || strings.ContainsAny(rest, "/?#") {
		return false
	}
	if !slices.Contains(c.pictures, rest[:64]) {
		c.pictures = append(c.pictures, rest[:64])
	}
	return true
}

// safeStyle refuses declarations that load something or leave their place.
func safeStyle(v string) bool {
	v = strings.ToLower(v)
	for _, bad := range []string{"url(", "expression", "@import", "position", "\\", "image-set", "behavior"} {
		if strings.Contains(v, bad) {
			return false
		}
	}
	return true
}
