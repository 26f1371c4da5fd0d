package feed

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html"
	"strconv"
	"sync"
	"time"

	"github.com/gorilla/feeds"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/publish"
)

// Format of a feed document.
type Format string

const (
	RSS      Format = "rss"
	Atom     Format = "atom"
	JSONFeed Format = "json"
	Page     Format = "page" // HTML list of the items
)

const (
	// maxItems of a document, newest first.
	maxItems = 30
	// maxFull bounds the full text in one document, in bytes; older items
	// beyond it have their summary only.
	maxFull = 2 << 20
	// maxDocs kept ready; all go when there are more.
	maxDocs = 64
)

// Document is a feed, ready to send.
type Document struct {
	Body    []byte
	Mime    string
	ETag    string // strong, quoted
	Updated time.Time
}

type docKey struct {
	account ids.ID
	format  Format
	stamp   string // changes with every change of what is public
}

// docCache spares building a document again while nothing changed. Keys hold
// the stamp, so it never answers with something that was retracted.
type docCache struct {
	mu   sync.Mutex
	docs map[docKey]Document
}

// Document builds the account's feed. An unknown account is errs.NotFound.
func (s *Service) Document(ctx context.Context, account ids.ID, f Format) (Document, error) {
	a, err := s.Public(ctx, account)
	if err != nil {
		return Document{}, err
	}
	stamp, err := s.Store.Stamp(ctx, account)
	if err != nil {
		return Document{}, err
	}
	k := docKey{account, f, strconv.FormatInt(a.Version, 10) + "/" + stamp}
	s.docs.mu.Lock()
	d, ok := s.docs.docs[k]
	s.docs.mu.Unlock()
	if ok {
		return d, nil
	}
	items, err := s.Store.Items(ctx, account, maxItems)
	if err != nil {
		return Document{}, err
	}
	if d, err = s.compose(a, items, f); err != nil {
		return Document{}, err
	}
	s.docs.mu.Lock()
	if len(s.docs.docs) >= maxDocs {
		clear(s.docs.docs)
	}
	s.docs.docs[k] = d
	s.docs.mu.Unlock()
	return d, nil
}

func (s *Service) compose(a *publish.Account, items []Item, f Format) (Document, error) {
	d := Document{Updated: a.Created}
	if len(items) > 0 {
		d.Updated = items[0].PublishedAt
	}
	var buf bytes.Buffer
	var err error
	switch f {
	case RSS:
		d.Mime = "application/rss+xml; charset=utf-8"
		rss := (&feeds.Rss{Feed: s.feed(a, items, d.Updated, false)}).RssFeed()
		rss.Language, rss.Generator, rss.Ttl = "zh-CN", "Tongxin", 30
		err = feeds.WriteXML(rss, &buf)
	case Atom:
		d.Mime = "application/atom+xml; charset=utf-8"
		at := (&feeds.Atom{Feed: s.feed(a, items, d.Updated, true)}).AtomFeed()
		at.Link.Rel, at.Link.Href = "self", s.Links(a.ID).Atom
		for i, e := range at.Entries {
			e.Published = items[i].PublishedAt.Format(time.RFC3339)
		}
		err = feeds.WriteXML(at, &buf)
	case JSONFeed:
		d.Mime = "application/feed+json; charset=utf-8"
		err = s.writeJSON(&buf, a, items, d.Updated)
	case Page:
		d.Mime = "text/html; charset=utf-8"
		err = s.writeIndex(&buf, a, items)
	default:
		return d, errs.New(errs.NotFound, "没有这种订阅格式，请使用 RSS、Atom 或 JSON Feed。")
	}
	d.Body = buf.Bytes()
	sum := sha256.Sum256(d.Body)
	d.ETag = `"` + base64.RawURLEncoding.EncodeToString(sum[:18]) + `"`
	return d, err
}

// feed is the common form. Author names go to Atom and JSON only: RSS wants a
// mail address there.
func (s *Service) feed(a *publish.Account, items []Item, updated time.Time, authors bool) *feeds.Feed {
	out := &feeds.Feed{
		Title: plain(a.Name), Description: plain(describe(a)), Link: &feeds.Link{Href: s.root(a.ID)},
		Updated: updated, Author: &feeds.Author{Name: plain(a.OrgName)},
	}
	if !authors {
		out.Author = nil
	}
	full := 0
	for _, it := range items {
		u := s.itemURL(it.AccountID, it.ID)
		fi := &feeds.Item{
			Title: it.Title, Link: &feeds.Link{Href: u}, Id: u, IsPermaLink: "true",
			Description: html.EscapeString(it.Digest), Created: it.PublishedAt, Updated: it.PublishedAt,
		}
		if full += len(it.HTML); full <= maxFull {
			fi.Content = it.HTML
		}
		if authors && it.Author != "" {
			fi.Author = &feeds.Author{Name: it.Author}
		}
		out.Items = append(out.Items, fi)
	}
	return out
}

func describe(a *publish.Account) string {
	if a.OrgName == "" || a.OrgName == a.Name {
		return a.Name + "发布的文章"
	}
	return a.OrgName + "通过“" + a.Name + "”发布的文章"
}

// jsonFeed puts back what the library leaves out when there are no items: the
// specification requires the member.
type jsonFeed struct {
	*feeds.JSONFeed
	Items []*feeds.JSONItem `json:"items"`
}

func (s *Service) writeJSON(buf *bytes.Buffer, a *publish.Account, items []Item, updated time.Time) error {
	jf := (&feeds.JSON{Feed: s.feed(a, items, updated, true)}).JSONFeed()
	jf.Language, jf.FeedUrl, jf.Author = "zh-CN", s.Links(a.ID).JSON, nil
	out := jsonFeed{JSONFeed: jf, Items: []*feeds.JSONItem{}}
	for i, ji := range jf.Items {
		ji.Author = nil // the form of version 1.0
		ji.Summary = items[i].Digest
		ji.ExternalUrl = items[i].SourceURL
		if ji.ContentHTML == "" { // one of the two is required
			ji.ContentText = items[i].Digest
		}
		if items[i].Cover != "" {
			ji.Image = s.pictureBase(a.ID) + items[i].Cover
		}
		out.Items = append(out.Items, ji)
	}
	e := json.NewEncoder(buf)
	e.SetEscapeHTML(false)
	return e.Encode(out)
}
