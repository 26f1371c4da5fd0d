// Package bus carries hints between the parts of the program and between its
// nodes: "a post is due", "somebody entered the room". It is NATS, embedded in
// the process, clustered or external by configuration.
//
// Nothing that may not be lost travels here: a message reaches who listens now,
// at most once. The database holds what is true; a hint only says when to look.
package bus

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"tongxin/internal/errs"
)

// Subjects. A subject ends in what it is about, so that listeners can narrow.
const (
	SubjectQueue  = "tongxin.queue"  // something became due or changed in the publishing queue; no data
	SubjectCheck  = "tongxin.check"  // content to check came in or became due; no data
	SubjectNotify = "tongxin.notify" // a campaign was started or moved on; no data
	SubjectConfig = "tongxin.config" // settings, accounts or rights changed: read again; data: what
	SubjectLive   = "tongxin.live"   // prefix of tongxin.live.<room>: fan-out and presence of live rooms
)

// Config of Open. The zero value is a bus inside this process only.
type Config struct {
	Name string // of this node, for logs of the servers
	// URL of an external server, nats://user:pass@host:4222; then nothing is embedded.
	URL string
	TLS *tls.Config // for URL; nil: as the URL's scheme says
	// ClusterListen is host:port on which the embedded server meets those of
	// other nodes; empty: alone. Secret is then required and the same everywhere.
	ClusterListen string
	Routes        []string // host:port of other nodes; one reachable is enough
	Secret        string
	Log           *slog.Logger // nil: discard
}

// Bus is one node's end. Safe for concurrent use.
type Bus struct {
	srv  *server.Server // nil with an external one
	conn *nats.Conn
}

// readyWithin bounds the start of the embedded server, which takes milliseconds.
const readyWithin = 5 * time.Second

const clusterUser = "tongxin"

// Open starts the embedded server, or connects to the external one.
func Open(ctx context.Context, cfg Config) (*Bus, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	b := &Bus{}
	target := cfg.URL
	opts := []nats.Option{
		nats.Name(cfg.Name), nats.MaxReconnects(-1), nats.ReconnectWait(500 * time.Millisecond),
		nats.Timeout(readyWithin),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				cfg.Log.Warn("bus: disconnected", "cause", err)
			}
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { cfg.Log.Warn("bus: error", "cause", err) }),
	}
	if cfg.TLS != nil {
		opts = append(opts, nats.Secure(cfg.TLS))
	}
	if cfg.URL == "" {
		var err error
		if b.srv, err = embed(ctx, cfg); err != nil {
			return nil, err
		}
		target = ""
		opts = append(opts, nats.InProcessServer(b.srv), nats.IgnoreDiscoveredServers())
		if cfg.ClusterListen != "" {
			opts = append(opts, nats.UserInfo(clusterUser, cfg.Secret))
		}
	}
	conn, err := nats.Connect(target, opts...)
	if err != nil {
		b.Close()
		return nil, errs.Wrap(err, errs.Unavailable, "消息总线连接失败，请检查地址与账号。")
	}
	b.conn = conn
	return b, nil
}

// embed starts a server that listens for other nodes only, and for nobody
// without a cluster.
func embed(ctx context.Context, cfg Config) (*server.Server, error) {
	opts := &server.Options{
		ServerName: cfg.Name, DontListen: true, NoSigs: true, NoLog: true,
		NoSystemAccount: true, JetStream: false, MaxPayload: 1 << 20,
	}
	if cfg.ClusterListen != "" {
		if err := cluster(opts, cfg); err != nil {
			return nil, err
		}
	}
	srv, err := server.NewServer(opts)
	if err != nil {
		return nil, errs.Wrap(err, errs.Invalid, "消息总线的设置不正确。")
	}
	go srv.Start()
	wait := readyWithin
	if d, ok := ctx.Deadline(); ok {
		wait = min(wait, time.Until(d))
	}
	if !srv.ReadyForConnections(wait) {
		srv.Shutdown()
		return nil, errs.New(errs.Unavailable, "消息总线没有及时启动，请检查集群端口是否被占用。")
	}
	return srv, nil
}

func cluster(opts *server.Options, cfg Config) error {
	if len(cfg.Secret) < 16 {
		return errs.New(errs.Invalid, "多节点消息总线需要至少 16 个字符的共享密钥。")
	}
	host, port, err := net.SplitHostPort(cfg.ClusterListen)
	if err != nil {
		return errs.New(errs.Invalid, "集群监听地址应为 主机:端口。")
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return errs.New(errs.Invalid, "集群监听地址应为 主机:端口。")
	}
	if n == 0 {
		n = server.RANDOM_PORT
	}
	// Routes start only after a client port does (nats-server waits for it), so a
	// clustered server opens one that nobody else can use: loopback, any port, a
	// password.
	opts.DontListen, opts.Host, opts.Port = false, "127.0.0.1", server.RANDOM_PORT
	opts.Username, opts.Password = clusterUser, cfg.Secret
	opts.Cluster = server.ClusterOpts{NoAdvertise: true, Name: "tongxin", Host: host, Port: n, Username: clusterUser, Password: cfg.Secret}
	for _, r := range cfg.Routes {
		r = strings.TrimPrefix(r, "nats://") // both forms are in use
		if _, _, err := net.SplitHostPort(r); err != nil {
			return errs.New(errs.Invalid, "集群节点地址应为 主机:端口。")
		}
		opts.Routes = append(opts.Routes, &url.URL{Scheme: "nats", User: url.UserPassword(clusterUser, cfg.Secret), Host: r})
	}
	return nil
}

// ClusterAddr is where this node meets others; empty when alone or external.
func (b *Bus) ClusterAddr() string {
	if b.srv == nil || b.srv.ClusterAddr() == nil {
		return ""
	}
	return b.srv.ClusterAddr().String()
}

// Publish sends a hint to every listener, on this node too. It does not wait;
// data is at most 1 MiB.
func (b *Bus) Publish(subject string, data []byte) error {
	if err := b.conn.Publish(subject, data); err != nil {
		return fmt.Errorf("bus: publish: %w", err)
	}
	return nil
}

// Subscribe calls fn for every hint on the subject (wildcards * and > as in
// NATS), one at a time, in a goroutine of the subscription. A slow fn loses
// hints, not memory. cancel returns when fn will not be called again; fn itself
// must not call it. Every message published on this node afterwards is seen;
// other nodes of a cluster learn of the interest a moment later.
func (b *Bus) Subscribe(subject string, fn func(data []byte)) (cancel func(), err error) {
	done := make(chan struct{})
	sub, err := b.conn.Subscribe(subject, func(m *nats.Msg) { fn(m.Data) })
	if err != nil {
		return nil, fmt.Errorf("bus: subscribe: %w", err)
	}
	sub.SetClosedHandler(func(string) { close(done) })
	if err := b.conn.Flush(); err != nil {
		return nil, errors.Join(fmt.Errorf("bus: subscribe: %w", err), sub.Unsubscribe())
	}
	return func() {
		if sub.Unsubscribe() == nil {
			<-done
		}
	}, nil
}

// Healthy reports whether hints travel, for /readyz.
func (b *Bus) Healthy() error {
	if !b.conn.IsConnected() {
		return errs.New(errs.Unavailable, "消息总线未连接。")
	}
	return nil
}

// Close hands over what was published and stops.
func (b *Bus) Close() {
	if b.conn != nil {
		_ = b.conn.FlushTimeout(time.Second) // hints: losing one is allowed
		b.conn.Close()
	}
	if b.srv != nil {
		b.srv.Shutdown()
		b.srv.WaitForShutdown()
	}
}
