package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/seal"
	"tongxin/internal/signed"
	"tongxin/live/sfu"
)

// buildLive makes the media server. It listens only once the program serves.
func (p *program) buildLive(context.Context, options) error {
	p.liveTokens = liveSigner(p.box, p.clock)
	if len(*p.set.liveAddr) == 0 {
		return nil
	}
	cfg := sfu.Config{MaxViewers: *p.set.liveViewers, Clock: p.clock, Log: p.log}
	for _, s := range *p.set.liveAddr {
		a, err := netip.ParseAddrPort(s)
		if err != nil {
			return errs.Wrap(err, errs.Invalid, "TONGXIN_LIVE_ADDR: %q is not an address and a port, such as 203.0.113.7:8443 or [::]:8443", s)
		}
		cfg.Listen = append(cfg.Listen, a)
	}
	for _, s := range *p.set.livePublic {
		a, err := netip.ParseAddr(s)
		if err != nil {
			return errs.Wrap(err, errs.Invalid, "TONGXIN_LIVE_PUBLIC_IP: %q is not an address", s)
		}
		cfg.Public = append(cfg.Public, a)
	}
	var err error
	p.live, err = sfu.New(cfg)
	return err
}

// startLive opens the UDP port.
func (p *program) startLive() error {
	if p.live == nil {
		return nil
	}
	if err := p.live.Start(); err != nil {
		return fmt.Errorf("cannot listen for live video on %s (TONGXIN_LIVE_ADDR changes it): %w", strings.Join(*p.set.liveAddr, ", "), err)
	}
	p.closers = append(p.closers, p.live.Close)
	return nil
}

// What a live token lets its bearer do.
const (
	livePublish = "publish"
	liveWatch   = "watch"
)

func liveSigner(box *seal.Box, c clock.Clock) *signed.Signer {
	return signed.New(box.Derive("live"), "live", c)
}

// admitToken lets the bearer of a token of the command into the room it was made
// for. A token to publish lets its bearer watch, too.
func (p *program) admitToken(room, bearer string, publish bool) bool {
	value, _, err := p.liveTokens.Open(bearer)
	what, of, _ := strings.Cut(value, ":")
	return err == nil && of == room && (what == livePublish || !publish && what == liveWatch)
}

// liveCommand prints what a program such as OBS needs to publish or to watch.
func liveCommand(_ context.Context, c *cli, args []string) error {
	if len(args) == 0 || args[0] != "token" {
		return errors.New("say: tongxin live token -room NAME [-publish] [-life 12h]")
	}
	f := c.flags("live token")
	room := f.String("room", "", "name of the room: letters, digits, - and _")
	publish := f.Bool("publish", false, "to publish (WHIP); without: to watch (WHEP)")
	life := f.Duration("life", 12*time.Hour, "how long the token lets in, from a minute to a month")
	if err := f.Parse(args[1:]); err != nil {
		return err
	}
	if *room == "" || len(*room) > 64 || strings.ContainsFunc(*room, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '-' && r != '_'
	}) {
		return errors.New("-room must be 1 to 64 letters, digits, - or _")
	}
	if *life < time.Minute || *life > 31*24*time.Hour {
		return errors.New("-life must be between 1m and 744h")
	}
	set, err := load(c.environ)
	if err != nil {
		return err
	}
	// A demonstration keeps its secret in a file; another one would be worth nothing.
	if _, err := os.Stat(filepath.Join(*set.data, "secret.key")); *set.secretKey == "" && err == nil {
		if err := ensureSecret(set); err != nil {
			return err
		}
	}
	if *set.secretKey == "" {
		return errors.New("TONGXIN_SECRET_KEY is not set, and TONGXIN_DATA has no secret.key: the token must be made under the server's secret")
	}
	box, err := boxFor(set)
	if err != nil {
		return err
	}
	base, what, path := *set.publicURL, liveWatch, "/whep/"
	if *publish {
		what, path = livePublish, "/whip/"
	}
	if base == "" {
		base = localURL(*set.addr)
	}
	_, err = fmt.Fprintf(c.out, "%s%s%s\n%s\n", base, path, *room, liveSigner(box, clock.System{}).Token(what+":"+*room, *life))
	return err
}
