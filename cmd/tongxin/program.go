package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/collectors"

	"tongxin/audit"
	"tongxin/handlers"
	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/httpkit"
	"tongxin/internal/ids"
	"tongxin/internal/limit"
	"tongxin/internal/seal"
	"tongxin/internal/signed"
	"tongxin/live"
	"tongxin/live/sfu"
	"tongxin/member"
	"tongxin/member/signin"
	miniapp "tongxin/miniapp-api"
	"tongxin/moderate"
	"tongxin/notify"
	"tongxin/publish"
	"tongxin/publish/feed"
	"tongxin/quiz"
	"tongxin/quiz/contest"
	"tongxin/quiz/results"
	"tongxin/staff"
	"tongxin/storage"
	"tongxin/storage/blob"
	"tongxin/storage/bus"
	"tongxin/wechat"
)

// program is everything that one process runs, in the order it is built.
type program struct {
	set   *settings
	log   *slog.Logger
	clock clock.Clock

	box     *seal.Box
	db      *storage.DB
	blobs   blob.Store
	bus     *bus.Bus
	wechat  *wechat.Client
	staff   *staff.Service
	members *member.Service
	audit   *audit.Service
	feed    *feed.Service
	publish *publish.Service
	// moderate checks what members write before others see it.
	moderate *moderate.Service
	bank     *quiz.Bank
	exams    *quiz.Exams
	results  *results.Service
	// notify brings notices to members; pictures signs links to the library.
	notify   *notify.Service
	pictures *signed.Signer
	takers   eventTakers // of the callbacks of WeChat, by event
	contests *contest.Service
	signin   *signin.Service
	// live is the media server, nil where it is switched off; liveTokens lets
	// people into its rooms.
	live       *sfu.Node
	liveTokens *signed.Signer
	rooms      *live.Service
	kit        *httpkit.Kit
	surface    struct{ staff, member *httpkit.Surface }

	closers []func() error
}

// options are what a command decides and settings do not.
type options struct {
	wechatBase string       // overrides the setting, for the sandbox inside the process
	authorize  string       // where its authorisation page is for browsers
	sandbox    http.Handler // mounted at /sandbox/
	publicURL  string
}

// build makes the program in reading order. On error nothing is left open.
func build(ctx context.Context, set *settings, log *slog.Logger, opt options) (*program, error) {
	p := &program{set: set, log: log, clock: clock.System{}, takers: eventTakers{}}
	for _, step := range []func(context.Context, options) error{
		p.openKeys, p.openStorage, p.openBus, p.openWeChat, p.buildStaff, p.buildMembers, p.buildPublishing, p.buildSignIn, p.buildModerate, p.buildNotify, p.buildBank, p.buildExams, p.buildResults, p.buildContests, p.buildLive, p.buildRooms, p.buildHTTP,
	} {
		if err := step(ctx, opt); err != nil {
			return nil, errors.Join(err, p.Close())
		}
	}
	return p, nil
}

// Close ends what build opened, last first.
func (p *program) Close() error {
	var all []error
	for i := len(p.closers) - 1; i >= 0; i-- {
		all = append(all, p.closers[i]())
	}
	p.closers = nil
	return errors.Join(all...)
}

func (p *program) openKeys(context.Context, options) error {
	box, err := boxFor(p.set)
	p.box = box
	return err
}

func (p *program) openStorage(ctx context.Context, _ options) error {
	db, err := openDB(ctx, p.set, p.box, p.log, p.clock)
	if err != nil {
		return err
	}
	p.db = db
	p.closers = append(p.closers, db.Close)
	if err := db.Migrate(ctx); err != nil {
		return err
	}
	p.blobs, err = openBlobs(ctx, p.set, p.clock)
	return err
}

func (p *program) openBus(ctx context.Context, _ options) error {
	b, err := bus.Open(ctx, bus.Config{
		Name: *p.set.natsName, URL: *p.set.nats, ClusterListen: *p.set.natsCluster,
		Routes: *p.set.natsRoutes, Secret: base64.RawURLEncoding.EncodeToString(p.box.Derive("bus")), Log: p.log,
	})
	if err != nil {
		return err
	}
	p.bus = b
	p.closers = append(p.closers, func() error { b.Close(); return nil })
	return nil
}

func (p *program) openWeChat(_ context.Context, opt options) error {
	base := *p.set.wechatBase
	if opt.wechatBase != "" {
		base = opt.wechatBase
	}
	c, err := wechat.New(wechat.Config{Base: base, Authorize: opt.authorize, Clock: p.clock, Timeout: *p.set.wechatTimeout, UploadTimeout: 3 * *p.set.wechatTimeout, Log: p.log})
	if err != nil {
		return err
	}
	p.wechat = c
	p.closers = append(p.closers, func() error { c.Close(); return nil })
	return nil
}

func (p *program) buildStaff(context.Context, options) error {
	var err error
	p.audit = audit.New(storage.NewAudit(p.db), p.clock)
	p.staff, err = staff.New(staff.Config{
		Store: storage.NewStaff(p.db), IDs: p.db.IDs(), Clock: p.clock, Random: rand.Reader, Sealer: p.box,
		CSRFKey: p.box.Derive("csrf"), Roles: handlers.Roles(), Issuer: "同心",
		Policy:   staff.Policy{SessionAge: *p.set.sessionMax, IdleAge: *p.set.sessionIdle, SecondFactor: *p.set.secondFactor},
		OnChange: func() { p.hint(bus.SubjectConfig) },
	})
	if err != nil {
		return err
	}
	return p.listen(bus.SubjectConfig, p.staff.Forget)
}

func (p *program) buildMembers(context.Context, options) error {
	var err error
	p.members, err = member.New(member.Config{
		Store: storage.NewMembers(p.db), Sealer: p.box, Clock: p.clock, IDs: p.db.IDs(),
		Orgs: p.memberOrgs, Staff: p.memberStaff, OnChange: p.forgetMembers, Elsewhere: p.keptElsewhere,
	})
	return err
}

// forgetMembers lets whoever remembers members look again: one who left loses
// access at once.
func (p *program) forgetMembers() {
	if p.signin != nil {
		p.signin.Forget()
	}
	p.hint(bus.SubjectConfig)
}

// memberOrgs tells the roster about all organisations.
func (p *program) memberOrgs(ctx context.Context) ([]member.Org, error) {
	list, err := p.staff.Orgs(ctx, authz.SystemActor("member"), false)
	out := make([]member.Org, len(list))
	for i, o := range list {
		out[i] = member.Org{
			ID: o.ID, ParentID: o.ParentID, Path: o.Path, Branch: o.Kind == staff.Branch, Group: o.Kind == staff.Group,
			Name: o.Name, Short: o.ShortName,
		}
	}
	return out, err
}

// memberStaff tells the roster about a staff account.
func (p *program) memberStaff(ctx context.Context, id ids.ID) (member.Person, error) {
	a, err := p.staff.Account(ctx, authz.SystemActor("member"), id)
	if err != nil {
		return member.Person{}, err
	}
	return member.Person{Name: a.Name, OrgPath: a.OrgPath}, nil
}

func (p *program) buildPublishing(_ context.Context, opt options) error {
	store := storage.NewPublishing(p.db, p.box)
	var err error
	p.feed, err = feed.New(feed.Config{
		Store: storage.NewFeeds(p.db, p.box), Blobs: blobsOf{p.blobs}, Account: store.Account, PublicURL: opt.publicURL,
		Record:       store.SavePlatformEvent,
		AllowPrivate: *p.set.webhookPrivate, Owner: p.db.IDs().New().String(), Clock: p.clock, IDs: p.db.IDs(), Rand: rand.Reader, Log: p.log,
	})
	if err != nil {
		return err
	}
	p.publish, err = publish.New(publish.Config{
		Store: store, Blobs: blobsOf{p.blobs}, Org: p.org, Actor: p.staff.Actor, Holders: p.holders, Clock: p.clock, IDs: p.db.IDs(), Log: p.log,
		Platforms: map[string]publish.Platform{publish.WeChat: wechatPlatform{p.wechat, p.clock}, publish.Feed: p.feed},
		Token:     randomToken, DeadLinks: newLinkProbe(p.clock, *p.set.webhookPrivate).dead,
		Timing: publish.Timing{
			Lease: *p.set.queueLease, PollAfter: *p.set.queuePoll, Settle: *p.set.queueSettle,
			Retry: *p.set.queueRetry, AuthRetry: *p.set.queueAuthRetry,
		},
		Wake: func() { p.hint(bus.SubjectQueue) },
	})
	if err != nil {
		return err
	}
	return p.listen(bus.SubjectQueue, p.publish.Queue().Nudge)
}

func (p *program) buildHTTP(_ context.Context, opt options) error {
	proxies, err := prefixes(*p.set.proxies)
	if err != nil {
		return err
	}
	p.kit = httpkit.New(httpkit.Config{
		Log: p.log, Clock: p.clock, Random: rand.Reader, PublicURL: opt.publicURL, TrustedProxies: proxies,
		PerAddress: perSecond(*p.set.ratePerAddress), PerActor: perSecond(*p.set.ratePerActor),
	})
	in := wechatCallbacks{
		store: p.publish.Store, platform: wechatPlatform{p.wechat, p.clock}, svc: p.publish, mini: miniKeys(p.set), takers: p.takers, log: p.log,
	}
	p.surface.staff, err = handlers.Mount(p.kit, handlers.Deps{
		Clock: p.clock, Staff: p.staff, Members: p.members, SignIn: p.signin, Audit: p.audit, Publish: p.publish, Feed: p.feed, Moderate: p.moderate, Bank: p.bank, Contests: p.contests, Exams: p.exams, Results: p.results, Notify: p.notify, Pictures: p.pictures,
		Live: p.live, LiveAdmit: p.admitLive, Rooms: p.rooms,
		Callback: in.take, Sandbox: opt.sandbox,
		PublicURL: opt.publicURL, Version: version,
		Checks: []httpkit.Check{
			{Name: "database", Fn: p.db.Ping},
			{Name: "bus", Fn: func(context.Context) error { return p.bus.Healthy() }},
		},
	})
	if err != nil {
		return err
	}
	p.kit.Metrics().MustRegister(newQueueMetrics(p.publish.Store, p.clock, p.log),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	p.surface.member = miniapp.Mount(p.kit, miniapp.Deps{
		Clock: p.clock, Random: rand.Reader, Name: "同心", Version: version, PublicURL: opt.publicURL, SignIn: p.signin, Members: p.members, Notify: p.notify, Exams: p.exams, Results: p.results,
		Contests: p.contests, Rooms: p.rooms,
	})
	return p.kit.Verify()
}

// org tells the publishing domain about an organisation.
func (p *program) org(ctx context.Context, id ids.ID) (publish.Org, error) {
	o, err := p.staff.Org(ctx, authz.SystemActor("publish"), id)
	if err != nil {
		return publish.Org{}, err
	}
	_, eff, err := p.staff.Effective(ctx, id)
	return publish.Org{ID: o.ID, Path: o.Path, Name: o.Name, ReviewLevels: eff.ReviewLevels, ReviewTime: time.Duration(eff.ReviewHours) * time.Hour}, err
}

// holders tells the publishing domain who is to be reminded.
func (p *program) holders(ctx context.Context, right authz.Right, path string) ([]publish.Holder, error) {
	list, err := p.staff.Holders(ctx, right, path)
	out := make([]publish.Holder, len(list))
	for i, h := range list {
		out[i] = publish.Holder(h)
	}
	return out, err
}

// hint tells other nodes to look. A lost hint costs time, never truth.
func (p *program) hint(subject string) {
	if err := p.bus.Publish(subject, nil); err != nil {
		p.log.Warn("bus: hint not sent", "subject", subject, "err", err)
	}
}

func (p *program) listen(subject string, fn func()) error {
	cancel, err := p.bus.Subscribe(subject, func([]byte) { fn() })
	if err != nil {
		return err
	}
	p.closers = append(p.closers, func() error { cancel(); return nil })
	return nil
}

// serve runs the program on ln until ctx ends or the database's node slot is lost.
func (p *program) serve(ctx context.Context, ln, local net.Listener) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-p.db.Lost():
			cancel(errs.New(errs.Unavailable, "another process took this node's slot in the database"))
		case <-ctx.Done():
		}
	}()
	if err := p.startLive(); err != nil {
		return err
	}
	jobs := newJobs(ctx)
	jobs.run(p.publish.Queue().Run)
	jobs.run(p.publish.RunReminders)
	jobs.run(p.moderate.Run)
	jobs.run(p.exams.Run)
	jobs.run(p.notify.Run)
	jobs.run(func(ctx context.Context) {
		if err := p.feed.Run(ctx); err != nil && ctx.Err() == nil {
			p.log.Error("feed: webhooks stopped", "err", err)
		}
	})
	jobs.run(p.contests.Hub().Run)
	jobs.run(p.runRooms)
	jobs.run(p.sweep)
	err := p.kit.Serve(ctx, ln, local)
	cancel(nil)
	jobs.wait()
	if cause := context.Cause(ctx); err == nil && cause != nil && !errors.Is(cause, context.Canceled) {
		err = cause
	}
	return err
}

func perSecond(n int) limit.Rate {
	if n == 0 {
		return limit.Rate{}
	}
	return limit.Rate{PerSecond: float64(n), Burst: float64(4 * n)}
}

func prefixes(list []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range list {
		pre, err := netip.ParsePrefix(s)
		if err != nil {
			return nil, errs.Wrap(err, errs.Invalid, "TONGXIN_TRUSTED_PROXIES: %q is not a network (CIDR)", s)
		}
		out = append(out, pre)
	}
	return out, nil
}

func randomToken() string {
	b := make([]byte, 32)
	rand.Read(b) //nolint:errcheck // crypto/rand.Read never fails since Go 1.24
	return base64.RawURLEncoding.EncodeToString(b)
}

// localURL is the address of a listener for people on the same machine.
func localURL(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "http://" + addr
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(strings.TrimSpace(host), port)
}
