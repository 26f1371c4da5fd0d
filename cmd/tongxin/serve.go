package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"tongxin/internal/authz"
	"tongxin/staff"
	"tongxin/wechat/sandbox"
)

func serveCommand(ctx context.Context, c *cli, args []string) error {
	f := c.flags("serve")
	withSandbox := f.Bool("sandbox", false, "run the WeChat sandbox inside this process (not for production)")
	if err := f.Parse(args); err != nil {
		return err
	}
	set, err := load(c.environ)
	if err != nil {
		return err
	}
	*set.sandbox = *set.sandbox || *withSandbox
	if err := set.production(); err != nil {
		return err
	}
	log := newLogger(set, c.err)
	return runServer(ctx, set, log, nil)
}

// demoCommand is `make run`: everything on one machine, with the sandbox and a
// small organisation.
func demoCommand(ctx context.Context, c *cli, args []string) error {
	f := c.flags("demo")
	if err := f.Parse(args); err != nil {
		return err
	}
	set, err := load(c.environ)
	if err != nil {
		return err
	}
	*set.sandbox = *set.wechatBase == ""
	*set.secondFactor = false // a person who looks around need not find a phone first
	if err := ensureSecret(set); err != nil {
		return err
	}
	if *set.publicURL == "" {
		*set.publicURL = localURL(*set.addr)
	}
	if err := errors.Join(set.private(), set.miniProgram()); err != nil {
		return err
	}
	*set.logFormat, *set.logLevel = "text", "warn"
	log := newLogger(set, c.err)
	return runServer(ctx, set, log, func(ctx context.Context, p *program) error {
		if err := p.seed(ctx); err != nil {
			return fmt.Errorf("seeding the demonstration: %w", err)
		}
		return p.welcome(ctx, c)
	})
}

// runServer listens, builds, tells ready, serves.
func runServer(ctx context.Context, set *settings, log *slog.Logger, ready func(context.Context, *program) error) error {
	start := time.Now()
	ln, err := net.Listen("tcp", *set.addr)
	if err != nil {
		return fmt.Errorf("cannot listen on %s (is another program using it? TONGXIN_ADDR changes it): %w", *set.addr, err)
	}
	defer ln.Close()
	local, err := localListener(*set.metricsAddr, log)
	if err != nil {
		return err
	}
	opt := options{publicURL: *set.publicURL}
	if *set.sandbox {
		set.demoMini()
		box, base, stop, err := startSandbox(ctx, set, log)
		if err != nil {
			return err
		}
		defer stop()
		opt.sandbox, opt.wechatBase, opt.authorize = box, base, *set.publicURL+"/sandbox"
	}
	p, err := build(ctx, set, log, opt)
	if err != nil {
		return err
	}
	if ready != nil {
		if err := ready(ctx, p); err != nil {
			return errors.Join(err, p.Close())
		}
	}
	log.Info("ready", "addr", ln.Addr().String(), "url", opt.publicURL, "ms", time.Since(start).Milliseconds(), "version", version)
	return errors.Join(p.serve(ctx, ln, local), p.Close())
}

// localListener opens the listener for metrics and pprof. A taken port is no
// reason not to serve people.
func localListener(addr string, log *slog.Logger) (net.Listener, error) {
	if addr == "" {
		return nil, nil
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil || !loopback(host) {
		return nil, errors.New("TONGXIN_METRICS_ADDR must be a loopback address: metrics and profiles are for this machine only")
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		log.Warn("no metrics listener", "addr", addr, "err", err)
		return nil, nil
	}
	return ln, nil
}

// sandboxAccounts are the demonstration's accounts as the simulator knows them,
// wherever it runs; program is the address that their events go to. The second
// one lost its publishing rights, as unverified accounts did.
func sandboxAccounts(program string) []sandbox.Account {
	var out []sandbox.Account
	for i, app := range demoApps() {
		a := sandbox.Account{
			AppID: app.appID, Secret: app.secret, Token: app.token, AESKey: app.aesKey, Name: app.name,
			CallbackURL: program + "/wechat/" + app.appID, Mode: "aes",
		}
		if i == 1 {
			a.Deny = []string{"publish", "mass"}
		}
		out = append(out, a)
	}
	mini := demoMini()
	return append(out, sandbox.Account{
		AppID: mini.appID, Secret: mini.secret, Token: mini.token, AESKey: mini.aesKey, Name: mini.name, Kind: "mini",
		CallbackURL: program + "/wechat/" + mini.appID, Mode: "aes",
	})
}

// startSandbox runs the simulator inside this process: its API on a loopback
// port of its own, so that the product calls it over HTTP like the real one.
func startSandbox(ctx context.Context, set *settings, log *slog.Logger) (http.Handler, string, func(), error) {
	cfg := sandbox.Config{
		Accounts: withTemplates(sandboxAccounts(localURL(*set.addr))), Users: demoUsers(), StateFile: filepath.Join(*set.data, "sandbox.json"), Log: log, VisibleText: true,
	}
	for i := range cfg.Accounts { // people may come by localhost where events come by 127.0.0.1
		cfg.Accounts[i].OAuthDomains = []string{originHost(localURL(*set.addr)), originHost(*set.publicURL)}
	}
	box, err := sandbox.New(cfg)
	if err != nil {
		return nil, "", nil, err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := box.ServeListener(ctx, ln); err != nil {
			log.Error("sandbox stopped", "err", err)
		}
	}()
	return box.Handler(), "http://" + ln.Addr().String(), func() { cancel(); <-done }, nil
}

// linkLife of the one-time links that a demonstration prints.
const linkLife = 24 * time.Hour

// welcome prints where to go: one one-time sign-in link for each person.
func (p *program) welcome(ctx context.Context, c *cli) error {
	url := *p.set.publicURL
	out := "\n同心 Tongxin 已启动：" + url + "\n\n一次性登录链接（用过即失效，重新启动会给出新的）：\n"
	for _, person := range demoPeople() {
		a, err := p.staff.ActorByLogin(ctx, person.login)
		if err != nil {
			continue // somebody removed this person: nothing to print
		}
		token, err := p.staff.IssueSigninLink(ctx, a.ID, linkLife)
		if err != nil {
			return err
		}
		out += fmt.Sprintf("  %s（%s）  %s/console/#/enter?token=%s\n", person.label, person.name, url, token)
	}
	link, err := p.memberLink(ctx, url)
	if err != nil {
		return err
	}
	out += link
	out += "  关注者的手机（微信沙箱）  " + url + "/sandbox/\n\n按 Ctrl+C 停止。数据保存在 " + *p.set.data + "。\n\n"
	_, err = fmt.Fprint(c.out, out)
	return err
}

// adminCommand makes the first organisation and administrator.
func adminCommand(ctx context.Context, c *cli, args []string) error {
	f := c.flags("admin")
	org := f.String("org", "", "name of the top organisation, for example 城关街道党工委")
	login := f.String("login", "admin", "login name of the administrator")
	name := f.String("name", "", "name of the administrator")
	if err := f.Parse(args); err != nil {
		return err
	}
	if *org == "" || *name == "" {
		return errors.New("give -org and -name; see tongxin admin -h")
	}
	set, err := load(c.environ)
	if err != nil {
		return err
	}
	if err := set.production(); err != nil {
		return err
	}
	p, err := build(ctx, set, newLogger(set, c.err), options{publicURL: *set.publicURL})
	if err != nil {
		return err
	}
	return errors.Join(p.firstAdmin(ctx, c, *org, *login, *name), p.Close())
}

func (p *program) firstAdmin(ctx context.Context, c *cli, org, login, name string) error {
	system := authz.SystemActor("命令行")
	orgs, err := p.staff.Orgs(ctx, system, true)
	if err != nil {
		return err
	}
	if len(orgs) > 0 {
		return errors.New("there is an organisation already: an administrator invites further people in the console")
	}
	top, err := p.staff.CreateOrg(ctx, system, staff.OrgInput{Kind: staff.Committee, Name: org})
	if err != nil {
		return err
	}
	_, token, err := p.staff.CreateAccount(ctx, system, staff.AccountInput{OrgID: top.ID, Login: login, Name: name},
		[]staff.RoleAt{{Role: staff.AdminRole, OrgID: top.ID}})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.out, "邀请链接（72 小时内有效，只能使用一次）：\n%s/console/#/invite?token=%s\n", *p.set.publicURL, token)
	return err
}

func sandboxCommand(ctx context.Context, c *cli, args []string) error {
	f := c.flags("sandbox")
	addr := f.String("addr", "127.0.0.1:8090", "address to listen on; loopback only")
	callback := f.String("callback", "http://127.0.0.1:8080", "address of the program, for events")
	if err := f.Parse(args); err != nil {
		return err
	}
	host, _, err := net.SplitHostPort(*addr)
	if err != nil || !loopback(host) {
		return errors.New("-addr must be a loopback address: the sandbox knows no sign-in")
	}
	set, err := load(c.environ)
	if err != nil {
		return err
	}
	*set.logFormat = "text"
	box, err := sandbox.New(sandbox.Config{Accounts: withTemplates(sandboxAccounts(*callback)), Users: demoUsers(), Program: *callback, Log: newLogger(set, c.err), VisibleText: true})
	if err != nil {
		return err
	}
	return box.Serve(ctx, *addr)
}
