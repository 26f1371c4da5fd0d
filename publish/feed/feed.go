package feed

import (
	"context"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/outbound"
	"tongxin/publish"
)

// Config is what the program gives the package.
type Config struct {
	Store Store
	Blobs publish.Blobs
	// Account loads an account with its organisation; errs.NotFound when absent.
	Account func(ctx context.Context, id ids.ID) (*publish.Account, error)
	// PublicURL is where readers reach this server, "https://host" without a
	// path. Item and picture addresses are stored with it: changing it later
	// breaks pictures in what is already out.
	PublicURL string
	// Record stores an outcome as platforms tell it by callback, once for each
	// Dedupe: publishing's store does. The queue then knows at once that a submit
	// is public instead of asking later. nil: it asks.
	Record func(ctx context.Context, ev publish.PlatformEvent) (bool, error)
	// AllowPrivate lets webhooks reach loopback and private addresses and plain
	// http: for tests and closed networks only.
	AllowPrivate bool
	Owner        string // names this process in leases
	Clock        clock.Clock
	IDs          *ids.Source
	Rand         io.Reader // of webhook secrets: crypto/rand.Reader
	Log          *slog.Logger
}

// Service is the feed platform. Safe for concurrent use.
type Service struct {
	Config
	base  *url.URL
	http  *http.Client
	wake  chan struct{}
	docs  docCache
	pages *template.Template
}

var _ publish.Platform = (*Service)(nil)

// New makes the service; its webhooks are delivered while Run runs.
func New(c Config) (*Service, error) {
	base, err := url.Parse(strings.TrimSuffix(c.PublicURL, "/"))
	if err != nil || base.Host == "" || (base.Scheme != "https" && base.Scheme != "http") {
		return nil, errs.New(errs.Invalid, "公开访问地址的格式不对，应为 https://域名。")
	}
	return &Service{
		Config: c, base: base, http: outbound.Client(callTimeout, c.AllowPrivate), wake: make(chan struct{}, 1),
		docs: docCache{docs: map[docKey]Document{}}, pages: pageTemplate(),
	}, nil
}

// Links are the public addresses of an account's feed.
type Links struct {
	Page string `json:"page"`
	RSS  string `json:"rss"`
	Atom string `json:"atom"`
	JSON string `json:"json"`
}

// Links of an account.
func (s *Service) Links(account ids.ID) Links {
	at := s.root(account)
	return Links{Page: at, RSS: at + "/rss.xml", Atom: at + "/atom.xml", JSON: at + "/feed.json"}
}

func (s *Service) root(account ids.ID) string {
	return s.base.JoinPath("feeds", account.String()).String()
}

func (s *Service) itemURL(account, item ids.ID) string {
	return s.root(account) + "/items/" + item.String()
}

// pictureBase is what every picture address of the account begins with; the
// 64 hex digits of the hash and an extension follow.
func (s *Service) pictureBase(account ids.ID) string { return s.root(account) + "/pictures/" }

// Public loads a feed account for readers who are not signed in.
func (s *Service) Public(ctx context.Context, id ids.ID) (*publish.Account, error) {
	a, err := s.Account(ctx, id)
	if errs.Is(err, errs.NotFound) || (err == nil && a.Platform != publish.Feed) {
		return nil, errs.New(errs.NotFound, "没有找到这个订阅源，请核对地址。")
	}
	return a, err
}

// ItemPage loads a published item. A retracted one is errs.NotFound.
func (s *Service) ItemPage(ctx context.Context, account, id ids.ID) (*publish.Account, *Item, error) {
	a, err := s.Public(ctx, account)
	if err != nil {
		return nil, nil, err
	}
	it, err := s.Store.Item(ctx, account, id)
	if err != nil {
		return nil, nil, err
	}
	if !it.RemovedAt.IsZero() {
		return nil, nil, errs.New(errs.NotFound, "这篇文章已被发布者撤回。")
	}
	return a, it, nil
}

// OpenPicture opens a picture that a published item shows; any other is
// errs.NotFound, even when the account holds it for a draft. name is the hash
// with or without an extension. The caller closes the reader.
func (s *Service) OpenPicture(ctx context.Context, account ids.ID, name string) (io.ReadCloser, Picture, int64, error) {
	hash, _, _ := strings.Cut(name, ".")
	if !isHash(hash) {
		return nil, Picture{}, 0, errs.Missing("图片")
	}
	p, err := s.Store.Picture(ctx, account, hash)
	if err != nil {
		return nil, Picture{}, 0, err
	}
	r, size, err := s.Blobs.Open(ctx, hash)
	return r, *p, size, err
}

func isHash(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}

// Wake looks for webhooks to deliver now instead of at the next timer.
func (s *Service) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Sweep forgets drafts older than 30 days that were never submitted and
// finished webhook jobs older than keep.
func (s *Service) Sweep(ctx context.Context, keep time.Duration) (int, error) {
	now := s.Clock.Now()
	return s.Store.Sweep(ctx, now.Add(-30*24*time.Hour), now.Add(-keep))
}
