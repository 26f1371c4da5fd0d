package main

import (
	"context"
	"crypto/rand"
	"strconv"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/signed"
	"tongxin/live"
	"tongxin/storage"
)

// buildRooms makes lectures. They stand on the media server, if there is one.
func (p *program) buildRooms(context.Context, options) error {
	p.rooms = live.New(live.Config{
		Store: storage.NewLive(p.db), Org: p.roomOrg, Signer: signed.New(p.box.Derive("live"), "seat", p.clock), Clock: p.clock, IDs: p.db.IDs(),
		Random: rand.Reader, Log: p.log, Node: "n" + strconv.FormatInt(int64(p.db.IDs().New()), 36), Media: p.live != nil,
	})
	return nil
}

// roomOrg tells rooms about an organisation.
func (p *program) roomOrg(ctx context.Context, id ids.ID) (live.Org, error) {
	o, err := p.staff.Org(ctx, authz.SystemActor("live"), id)
	if err != nil {
		return live.Org{}, err
	}
	name := o.ShortName
	if name == "" {
		name = o.Name
	}
	return live.Org{ID: o.ID, Name: name, Path: o.Path}, nil
}

// admitLive lets people into a room of the media server: with a seat in a lecture,
// or with a token that the operator made for a room outside the console.
func (p *program) admitLive(ctx context.Context, room, bearer string, publish bool) error {
	err := p.rooms.Admit(ctx, room, bearer, publish)
	if errs.Is(err, errs.Unauthorized) && p.admitToken(room, bearer, publish) {
		return nil
	}
	return err
}

// runRooms tells the lectures who is connected to this node, and ends the
// connections that they no longer want.
func (p *program) runRooms(ctx context.Context) {
	if p.live == nil {
		return
	}
	tick := time.NewTicker(live.PulseEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			p.pulse(ctx, p.connected())
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			p.pulse(last, nil)
			cancel()
			return
		}
	}
}

func (p *program) connected() []live.Connected {
	list := p.live.Present()
	out := make([]live.Connected, len(list))
	for i, s := range list {
		out[i] = live.Connected{Session: s.ID, Bearer: s.Token}
	}
	return out
}

func (p *program) pulse(ctx context.Context, list []live.Connected) {
	end, err := p.rooms.Pulse(ctx, list)
	if err != nil && ctx.Err() == nil {
		p.log.Warn("lectures: presence not stored", "err", err)
	}
	p.live.End(end)
}
