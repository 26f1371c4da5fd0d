package sandbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"tongxin/internal/clock"
)

// Config says what to simulate. Only Accounts is needed.
type Config struct {
	Accounts []Account
	Users    []User      // people with WeChat; those of the snapshot are kept beside them
	Clock    clock.Clock // nil means the machine's clock
	Seed     uint64      // of every random choice
	// StateFile keeps the state over restarts; pictures lie in StateFile+".img".
	// Empty means memory only.
	StateFile string
	// Quotas replaces daily and minute figures per path ("/cgi-bin/draft/add");
	// "*" replaces those of every call that has no row of its own here.
	Quotas map[string]Quota
	Faults Faults
	// PublishDelay is how long publishing and mass sending take; default 1.5 s.
	PublishDelay time.Duration
	// CallbackTimeout is the time for one answer (default 5 s), CallbackPause the
	// wait before the next of three tries (default 1 s).
	CallbackTimeout time.Duration
	CallbackPause   time.Duration
	Client          *http.Client // pushes callbacks; nil means an own one
	// VisibleText counts an article's 20,000 characters without its markup. The
	// platform's page does not say which; the default counts everything.
	VisibleText bool
	// Program is where the product is, for "open as …" on the page; empty: where
	// the page is.
	Program string
	// CheckWords are what the content check knows; nil means a short list.
	CheckWords []CheckWord
	Log        *slog.Logger // nil means silence
}

// Account is one simulated official account.
type Account struct {
	AppID      string `json:"appid"`
	Secret     string `json:"secret"`
	Token      string `json:"token"`  // signs callbacks
	AESKey     string `json:"aeskey"` // 43 characters, for compat and aes
	Name       string `json:"name"`
	OriginalID string `json:"original_id"` // gh_…; made up when empty
	Kind       string `json:"kind"`        // "subscription" (default), "service" or "mini" (a mini-program)
	// Deny takes rights away: "draft", "publish", "mass", "stats", "message", "oauth"
	// answer 48001. The platform gives "oauth" to verified service accounts only.
	Deny        []string      `json:"deny,omitempty"`
	CallbackURL string        `json:"callback_url"`
	Mode        string        `json:"mode"`                   // callbacks: "plain" (default), "compat", "aes"
	Whitelist   []string      `json:"ip_whitelist,omitempty"` // empty allows every address
	Followers   int           `json:"followers"`              // default 128
	Templates   []MsgTemplate `json:"templates,omitempty"`
	Pages       []string      `json:"pages,omitempty"` // of the mini-program; empty allows every page
	Crowd       bool          `json:"crowd,omitempty"` // openids that begin with Crowd exist
	// OAuthDomains may be returned to from the authorisation page; empty: the
	// host of CallbackURL.
	OAuthDomains []string `json:"oauth_domains,omitempty"`
	MassPerDay   int      `json:"mass_per_day,omitempty"` // to all followers; 0 means 1, -1 no limit
}

// Sandbox is the simulator. Safe for concurrent use.
type Sandbox struct {
	cfg    Config
	clock  clock.Clock
	log    *slog.Logger
	client *http.Client
	routes map[string]route
	mux    *http.ServeMux
	faults *faultBox
	calls  *callLog
	images *imageStore
	tokens *tokenIndex
	people *people
	pushes chan struct{} // bounds concurrent pushes

	mu       sync.RWMutex
	accounts map[string]*account
	order    []string

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	jobsMu sync.Mutex     // no job may be added once Close waits
	closed bool           // under jobsMu
	jobs   sync.WaitGroup // running goroutines and armed timers
	dirty  chan struct{}
}

// New makes a sandbox, reads its snapshot and takes up what was under way.
// Accounts of cfg win over those of the snapshot, whose other state is kept.
func New(cfg Config) (*Sandbox, error) {
	s := &Sandbox{
		cfg: cfg, clock: cfg.Clock, log: cfg.Log, client: cfg.Client,
		calls: newCallLog(), tokens: newTokenIndex(), people: newPeople(), accounts: map[string]*account{},
		pushes: make(chan struct{}, 32), dirty: make(chan struct{}, 1),
	}
	s.defaults()
	s.images = newImageStore(cfg.StateFile)
	var err error
	if s.faults, err = newFaultBox(cfg.Faults, cfg.Seed); err != nil {
		return nil, err
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.routes = s.table()
	s.mux = s.handlers()
	if err := s.load(); err != nil {
		s.cancel()
		return nil, err
	}
	for _, a := range cfg.Accounts {
		if err := s.PutAccount(a); err != nil {
			s.cancel()
			return nil, err
		}
	}
	for _, u := range cfg.Users {
		if err := s.PutUser(u); err != nil {
			s.cancel()
			return nil, err
		}
	}
	s.resume()
	if cfg.StateFile != "" {
		s.jobs.Go(s.saveLoop)
	}
	return s, nil
}

func (s *Sandbox) defaults() {
	if s.clock == nil {
		s.clock = clock.System{}
	}
	if s.log == nil {
		s.log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if s.client == nil {
		s.client = &http.Client{
			Transport:     &http.Transport{MaxIdleConnsPerHost: 32, IdleConnTimeout: 30 * time.Second},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	setDefault(&s.cfg.PublishDelay, 1500*time.Millisecond)
	setDefault(&s.cfg.CallbackTimeout, 5*time.Second)
	setDefault(&s.cfg.CallbackPause, time.Second)
}

func setDefault[T comparable](p *T, v T) { *p = cmp.Or(*p, v) }

// PutAccount adds an account or replaces its settings, keeping its state.
func (s *Sandbox) PutAccount(a Account) error {
	if a.AppID == "" || a.Secret == "" {
		return errors.New("sandbox: an account needs an appid and a secret")
	}
	setDefault(&a.Kind, "subscription")
	setDefault(&a.Mode, "plain")
	setDefault(&a.Followers, 128)
	setDefault(&a.Name, a.AppID)
	setDefault(&a.OriginalID, "gh_"+digest("gh", a.AppID)[:12])
	if !slices.Contains([]string{"subscription", "service", "mini"}, a.Kind) {
		return fmt.Errorf("sandbox: kind %q is not subscription, service or mini", a.Kind)
	}
	if !slices.Contains([]string{"plain", "compat", "aes"}, a.Mode) {
		return fmt.Errorf("sandbox: mode %q is not plain, compat or aes", a.Mode)
	}
	if a.Mode != "plain" && len(a.AESKey) != 43 {
		return errors.New("sandbox: an encrypted mode needs an aeskey of 43 characters")
	}
	s.mu.Lock()
	acc := s.accounts[a.AppID]
	if acc == nil {
		acc = newAccount(a.AppID)
		s.accounts[a.AppID] = acc
		s.order = append(s.order, a.AppID)
	}
	s.mu.Unlock()
	acc.mu.Lock()
	acc.Settings = a
	acc.mu.Unlock()
	s.changed()
	return nil
}

// account finds an account, nil when there is none.
func (s *Sandbox) account(appid string) *account {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.accounts[appid]
}

// all lists the accounts in the order they were added.
func (s *Sandbox) all() []*account {
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := make([]*account, 0, len(s.order))
	for _, id := range s.order {
		list = append(list, s.accounts[id])
	}
	return list
}

// Handler serves the API, the control API and the page. It keeps nothing of a
// request after it returned and streams nothing, so it works behind adaptors.
func (s *Sandbox) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/sandbox" || strings.HasPrefix(r.URL.Path, "/sandbox/") {
			s.mux.ServeHTTP(w, r)
			return
		}
		if r.URL.Path == authorizePath && r.Method == http.MethodGet { // for browsers, unlike everything else of the API
			r2 := r.Clone(r.Context())
			r2.URL.Path = "/sandbox" + authorizePath
			s.mux.ServeHTTP(w, r2)
			return
		}
		s.serveAPI(w, r)
	})
}

// Close stops timers and pushes, waits for them, and writes the snapshot.
func (s *Sandbox) Close() error {
	s.jobsMu.Lock()
	s.closed = true
	s.jobsMu.Unlock()
	s.cancel()
	s.jobs.Wait()
	s.client.CloseIdleConnections()
	return s.save()
}

// Serve listens on addr until ctx ends, then closes the sandbox.
func (s *Sandbox) Serve(ctx context.Context, addr string) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return errors.Join(fmt.Errorf("sandbox: %w", err), s.Close())
	}
	return s.ServeListener(ctx, l)
}

// ServeListener is Serve on an open listener, which it closes.
func (s *Sandbox) ServeListener(ctx context.Context, l net.Listener) error {
	srv := &http.Server{Handler: s.Handler(), ReadHeaderTimeout: 10 * time.Second}
	s.log.Info("WeChat sandbox", "url", "http://"+l.Addr().String()+"/sandbox/")
	stop := context.AfterFunc(ctx, func() {
		s.cancel() // ends hanging calls
		grace, done := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
		defer done()
		if err := srv.Shutdown(grace); err != nil {
			s.log.Warn("sandbox: shutdown", "err", err)
		}
	})
	defer stop()
	err := srv.Serve(l)
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return errors.Join(err, s.Close())
}

// after runs f once d has passed, unless the sandbox closes first.
func (s *Sandbox) after(d time.Duration, f func()) {
	s.jobsMu.Lock()
	defer s.jobsMu.Unlock()
	if s.closed {
		return
	}
	s.jobs.Go(func() {
		if s.wait(d) {
			f()
		}
	})
}

// wait sleeps for d; false means the sandbox closed.
func (s *Sandbox) wait(d time.Duration) bool {
	if d <= 0 {
		return s.ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-s.ctx.Done():
		return false
	}
}
