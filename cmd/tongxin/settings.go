package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tongxin/internal/config"
	"tongxin/internal/seal"
)

// settings are all settings of the program, declared once.
type settings struct {
	set config.Set

	addr, metricsAddr, publicURL    *string
	data, db, blobs, nats, natsName *string
	natsCluster                     *string
	natsRoutes                      *[]string
	secretKey, oldSecretKeys        *string
	sealing                         *string
	proxies                         *[]string
	readers, lanes                  *int
	logLevel, logFormat             *string

	wechatBase     *string
	wechatTimeout  *time.Duration
	webhookPrivate *bool
	sandbox        *bool

	miniAppID, miniSecret, miniToken, miniAESKey *string // of the mini-program
	oauthAppID                                   *string

	queueLease, queuePoll, queueSettle, queueRetry, queueAuthRetry *time.Duration

	ratePerAddress, ratePerActor *int
	sessionIdle, sessionMax      *time.Duration
	secondFactor                 *bool

	liveAddr, livePublic *[]string
	liveViewers          *int

	s3Endpoint, s3Bucket, s3Access, s3Secret, s3Region *string
}

func declare() *settings {
	s := &settings{}
	c := &s.set
	s.addr = c.String("ADDR", "127.0.0.1:8080", "address to listen on", hostPort)
	s.metricsAddr = c.String("METRICS_ADDR", "127.0.0.1:9090", "local listener for /metrics and pprof; empty switches it off", optionalHostPort)
	s.publicURL = c.String("PUBLIC_URL", "", "address that people and WeChat reach the program at, https://…", optionalURL)
	s.data = c.String("DATA", "./data", "directory for the database, pictures and keys of a start on one machine")
	s.db = c.String("DB", "", "SQLite path or MySQL DSN; empty: DATA/tongxin.db")
	s.readers = c.Int("DB_READERS", 0, "reading connections; 0: 4 on SQLite, 16 on MySQL", config.Between(0, 256))
	s.lanes = c.Int("DB_LANES", 0, "writing connections on MySQL; 0: 8", config.Between(0, 64))
	s.blobs = c.String("BLOBS", "", "directory for pictures; empty: DATA/blobs. Ignored with S3_ENDPOINT")
	s.nats = c.String("NATS", "", "NATS server to use between nodes; empty: one inside this process")
	s.natsName = c.String("NODE", "", "name of this node in logs and in the nodes table; empty: the host name")
	s.natsCluster = c.String("NATS_CLUSTER", "", "address on which the NATS inside this process meets other nodes", optionalHostPort)
	s.natsRoutes = c.List("NATS_ROUTES", "", "NATS routes of the other nodes, nats://host:port, comma-separated")
	s.secretKey = c.Secret("SECRET_KEY", "master secret, 32 characters or more; all stored secrets are sealed under it")
	s.oldSecretKeys = c.Secret("OLD_SECRET_KEYS", "earlier master secrets, comma-separated, newest first")
	s.sealing = c.String("SEAL", "aes", "algorithm for secrets and personal data at rest: aes (AES-256-GCM) or sm4 (SM4-GCM); rotate-keys reseals what is there", config.OneOf("aes", "sm4"))
	s.proxies = c.List("TRUSTED_PROXIES", "", "networks (CIDR) whose X-Forwarded-For is believed")
	s.logLevel = c.String("LOG_LEVEL", "info", "debug, info, warn or error", config.OneOf("debug", "info", "warn", "error"))
	s.logFormat = c.String("LOG_FORMAT", "json", "json or text", config.OneOf("json", "text"))
	s.wechatBase = c.String("WECHAT_BASE", "", "send every WeChat call to this address and to no other host", optionalURL)
	s.wechatTimeout = c.Duration("WECHAT_TIMEOUT", 10*time.Second, "longest wait for one WeChat call; uploads have three times as long", config.Between(100*time.Millisecond, time.Minute))
	s.webhookPrivate = c.Bool("WEBHOOK_PRIVATE", false, "allow webhooks to loopback and private addresses")
	s.sandbox = c.Bool("SANDBOX", false, "run the WeChat sandbox inside this process")
	s.miniAppID = c.String("MINI_APPID", "", "appid of the members' mini-program; with it MINI_SECRET, MINI_TOKEN and MINI_AESKEY are needed")
	s.miniSecret = c.Secret("MINI_SECRET", "AppSecret of the mini-program")
	s.miniToken = c.Secret("MINI_TOKEN", "token of the mini-program's message push, whose address is PUBLIC_URL/wechat/MINI_APPID")
	s.miniAESKey = c.Secret("MINI_AESKEY", "EncodingAESKey of the mini-program's message push, 43 characters")
	s.oauthAppID = c.String("OAUTH_APPID", "", "appid of the official account by which members sign in on web pages inside WeChat; its keys are those of the console")
	s.queueLease = c.Duration("QUEUE_LEASE", 90*time.Second, "how long one worker owns a delivery between two stored steps; a submit ends within a quarter of it", config.Between(5*time.Second, time.Hour))
	s.queuePoll = c.Duration("QUEUE_POLL", time.Minute, "first look at the result of an accepted submit", config.Between(100*time.Millisecond, time.Hour))
	s.queueSettle = c.Duration("QUEUE_SETTLE", 2*time.Hour, "how long WeChat may take to show an accepted submit", config.Between(time.Second, 72*time.Hour))
	s.queueRetry = c.Duration("QUEUE_RETRY", 5*time.Second, "first pause after a transient failure", config.Between(10*time.Millisecond, time.Hour))
	s.queueAuthRetry = c.Duration("QUEUE_AUTH_RETRY", 10*time.Minute, "pause while credentials must be mended", config.Between(100*time.Millisecond, 24*time.Hour))
	s.ratePerAddress = c.Int("RATE_ADDRESS", 50, "requests a second from one address; 0: no limit", config.Between(0, 1000000))
	s.ratePerActor = c.Int("RATE_ACTOR", 30, "requests a second of one signed-in person; 0: no limit", config.Between(0, 1000000))
	s.sessionIdle = c.Duration("SESSION_IDLE", 30*time.Minute, "a session ends after this long without a request", config.Between(time.Minute, 24*time.Hour))
	s.sessionMax = c.Duration("SESSION_MAX", 12*time.Hour, "a session ends after this long", config.Between(time.Minute, 30*24*time.Hour))
	s.secondFactor = c.Bool("SECOND_FACTOR", true, "administrators and auditors must bind a second factor before any right counts")
	s.liveAddr = c.List("LIVE_ADDR", "127.0.0.1:0", "UDP addresses for live video, host:port, comma-separated; [::]:port takes all addresses of the machine; empty switches live video off")
	s.livePublic = c.List("LIVE_PUBLIC_IP", "", "addresses that people reach LIVE_ADDR at when the machine is behind NAT, comma-separated")
	s.liveViewers = c.Int("LIVE_VIEWERS", 5000, "most viewers on this node", config.Between(1, 100000))
	s.s3Endpoint = c.String("S3_ENDPOINT", "", "S3-compatible store for pictures, host:port or https://host")
	s.s3Bucket = c.String("S3_BUCKET", "", "bucket")
	s.s3Region = c.String("S3_REGION", "", "region")
	s.s3Access = c.Secret("S3_ACCESS_KEY", "access key")
	s.s3Secret = c.Secret("S3_SECRET_KEY", "secret key")
	return s
}

// load reads the settings; TONGXIN_CONFIG names a file with more of them.
func load(environ []string) (*settings, error) {
	s := declare()
	var file io.Reader
	var rest []string
	for _, kv := range environ {
		if path, ok := strings.CutPrefix(kv, "TONGXIN_CONFIG="); ok {
			f, err := os.Open(path)
			if err != nil {
				return nil, fmt.Errorf("TONGXIN_CONFIG: %w", err)
			}
			defer f.Close()
			file = f
			continue
		}
		rest = append(rest, kv)
	}
	if err := s.set.Load(file, rest); err != nil {
		return nil, err
	}
	if *s.db == "" {
		*s.db = filepath.Join(*s.data, "tongxin.db")
	}
	if *s.blobs == "" {
		*s.blobs = filepath.Join(*s.data, "blobs")
	}
	if *s.natsName == "" {
		if host, err := os.Hostname(); err == nil {
			*s.natsName = host
		}
	}
	return s, nil
}

// production refuses what must not go live by accident.
func (s *settings) production() error {
	var wrong []error
	if len(*s.secretKey) < seal.MinSecret {
		wrong = append(wrong, fmt.Errorf("TONGXIN_SECRET_KEY must be set to %d characters or more (try: openssl rand -hex 32)", seal.MinSecret))
	}
	if *s.publicURL == "" {
		wrong = append(wrong, errors.New("TONGXIN_PUBLIC_URL must be set to the https address people use"))
	}
	if *s.sandbox && *s.wechatBase != "" {
		wrong = append(wrong, errors.New("TONGXIN_SANDBOX and TONGXIN_WECHAT_BASE contradict each other: choose one"))
	}
	if u, err := url.Parse(*s.publicURL); err == nil && *s.sandbox && u.Host != "" && !loopback(u.Hostname()) {
		wrong = append(wrong, errors.New("the sandbox lets anybody control it: with TONGXIN_SANDBOX (or -sandbox), TONGXIN_PUBLIC_URL must be a loopback address such as http://127.0.0.1:8080"))
	}
	if u, err := url.Parse(*s.publicURL); err == nil && u.Scheme == "http" && !loopback(u.Hostname()) {
		wrong = append(wrong, errors.New("TONGXIN_PUBLIC_URL must be https unless it is a loopback address"))
	}
	return errors.Join(append(wrong, s.miniProgram())...)
}

// miniProgram refuses half a set of its keys: what is missing would show only
// when the first member cannot come in.
func (s *settings) miniProgram() error {
	var missing []string
	for name, v := range map[string]*string{"MINI_APPID": s.miniAppID, "MINI_SECRET": s.miniSecret, "MINI_TOKEN": s.miniToken, "MINI_AESKEY": s.miniAESKey} {
		if *v == "" {
			missing = append(missing, "TONGXIN_"+name)
		}
	}
	slices.Sort(missing)
	switch {
	case len(missing) == 4:
		return nil
	case len(missing) > 0:
		return errors.New("the mini-program is set up by half: set " + strings.Join(missing, ", ") + " too, or none of TONGXIN_MINI_…")
	case len(*s.miniAESKey) != 43:
		return errors.New("TONGXIN_MINI_AESKEY must be the 43 characters of the EncodingAESKey")
	}
	return nil
}

// private refuses a demonstration with the sandbox that others could reach.
func (s *settings) private() error {
	host, _, err := net.SplitHostPort(*s.addr)
	u, urlErr := url.Parse(*s.publicURL)
	if !*s.sandbox || err == nil && urlErr == nil && loopback(host) && loopback(u.Hostname()) {
		return nil
	}
	return errors.New("the demonstration and its sandbox let anybody control them: set TONGXIN_ADDR to a loopback address such as 127.0.0.1:8080 " +
		"and leave TONGXIN_PUBLIC_URL empty; to show it elsewhere, forward that port (ssh -L 8080:127.0.0.1:8080)")
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func hostPort(v string) error {
	if _, _, err := net.SplitHostPort(v); err != nil {
		return errors.New("must be host:port")
	}
	return nil
}

func optionalHostPort(v string) error {
	if v == "" {
		return nil
	}
	return hostPort(v)
}

func optionalURL(v string) error {
	if v == "" {
		return nil
	}
	u, err := url.Parse(v)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("must be an address with http:// or https://")
	}
	return nil
}
