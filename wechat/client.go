package wechat

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"tongxin/internal/clock"
)

// DefaultBase is where the platform answers.
const DefaultBase = "https://api.weixin.qq.com"

// Config says where and how to call.
type Config struct {
	// Base replaces every WeChat host: scheme, host and an optional path prefix.
	// Empty means DefaultBase.
	Base string
	// Authorize replaces the address of the page on which a browser inside WeChat
	// is asked who it is. Empty means Base where that is set, else DefaultAuthorize.
	Authorize string
	// Transport carries the calls; nil means an own http.Transport. The client
	// puts its host gate around it.
	Transport http.RoundTripper
	Clock     clock.Clock // nil means the machine's clock
	// Timeout bounds one attempt of one call, default 10 s; UploadTimeout one
	// upload, default 30 s. A shorter deadline of the caller's context wins.
	Timeout       time.Duration
	UploadTimeout time.Duration
	Log           *slog.Logger // nil means silence; never sees tokens or secrets
	Cache         TokenCache   // nil means memory; give a shared store to several nodes
}

// Credentials are one official account's keys, as its console shows them.
type Credentials struct {
	AppID  string
	Secret string
	Token  string // signs callbacks
	AESKey string // 43 characters; set means callbacks must be encrypted
}

// LogValue keeps the keys out of logs.
func (c Credentials) LogValue() slog.Value { return slog.StringValue(c.AppID) }

// String keeps the keys out of formatted text.
func (c Credentials) String() string { return "wechat.Credentials(" + c.AppID + ")" }

// GoString keeps the keys out of %#v.
func (c Credentials) GoString() string { return c.String() }

// Client calls the platform. Safe for concurrent use.
type Client struct {
	http          *http.Client
	clock         clock.Clock
	timeout       time.Duration
	uploadTimeout time.Duration
	log           *slog.Logger
	cache         TokenCache
	authorize     string // without a slash at its end

	mu     sync.Mutex
	tokens map[string]*tokenState // by cache key
}

// New makes a client. It fails when Base is not an http or https address.
func New(cfg Config) (*Client, error) {
	base, err := url.Parse(cmp.Or(strings.TrimRight(cfg.Base, "/"), DefaultBase))
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, fmt.Errorf("wechat: base must be an http or https address")
	}
	if base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return nil, fmt.Errorf("wechat: base takes a scheme, a host and a path only")
	}
	c := &Client{
		clock:         cfg.Clock,
		timeout:       cmp.Or(cfg.Timeout, 10*time.Second),
		uploadTimeout: cmp.Or(cfg.UploadTimeout, 30*time.Second),
		log:           cfg.Log,
		cache:         cfg.Cache,
		tokens:        map[string]*tokenState{},
		authorize:     cmp.Or(strings.TrimRight(cfg.Authorize, "/"), strings.TrimRight(cfg.Base, "/"), DefaultAuthorize),
	}
	if c.clock == nil {
		c.clock = clock.System{}
	}
	if c.log == nil {
		c.log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if c.cache == nil {
		c.cache = NewMemoryCache()
	}
	next := cfg.Transport
	if next == nil {
		next = newTransport()
	}
	c.http = &http.Client{
		Transport: &gate{base: base, next: next},
		// A redirect would carry the token to another place.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c, nil
}

func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		MaxIdleConns:          128,
		MaxIdleConnsPerHost:   128, // everything goes to one host
		IdleConnTimeout:       60 * time.Second,
		TLSHandshakeTimeout:   10 * time.Second,
		ExpectContinueTimeout: time.Second,
		ForceAttemptHTTP2:     true,
	}
}

// Close drops idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Account binds the client to one account. It is cheap: make one a call if
// that is convenient, the token state stays in the client.
func (c *Client) Account(creds Credentials) *Account {
	sum := sha256.Sum256([]byte(creds.AppID + "\x00" + creds.Secret))
	// The secret is part of the key, so that a corrected secret starts afresh
	// and a wrong one cannot hide behind a token fetched with the right one.
	return &Account{client: c, creds: creds, key: creds.AppID + ":" + hex.EncodeToString(sum[:8])}
}

// Account makes calls for one official account. Safe for concurrent use.
type Account struct {
	client *Client
	creds  Credentials
	key    string
}

// AppID names the account.
func (a *Account) AppID() string { return a.creds.AppID }
