package main

import (
	"context"
	"crypto/rand"
	"strconv"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
	"tongxin/quiz/contest"
	"tongxin/storage"
)

// Connections to live contests on one node. A hall of people may share one
// address; one person has a phone, a tablet and a computer.
const (
	contestPerMember  = 3
	contestPerAddress = 5000
	contestMost       = 20_000
)

// buildContests makes live contests. They stand on the bank and the bus.
func (p *program) buildContests(context.Context, options) error {
	var err error
	p.contests, err = contest.New(contest.Config{
		Store: storage.NewContests(p.db), Bank: storage.NewQuizBank(p.db), HTML: quizHTML(p.picture), Org: p.contestOrg, Check: p.checkTeamName,
		Clock: p.clock, IDs: p.db.IDs(), Random: rand.Reader, Log: p.log,
		Bus: p.bus, Node: "n" + strconv.FormatInt(int64(p.db.IDs().New()), 36), Alone: p.db.Dialect() == "sqlite",
		PerMember: contestPerMember, PerAddress: contestPerAddress, Most: contestMost,
	})
	return err
}

// contestOrg tells contests about an organisation.
func (p *program) contestOrg(ctx context.Context, id ids.ID) (contest.Org, error) {
	o, err := p.staff.Org(ctx, authz.SystemActor("contest"), id)
	if err != nil {
		return contest.Org{}, err
	}
	name := o.ShortName
	if name == "" {
		name = o.Name
	}
	return contest.Org{ID: o.ID, Name: name, Path: o.Path}, nil
}
