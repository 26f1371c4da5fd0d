package main

import (
	"context"
	"errors"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
	"tongxin/member/signin"
	"tongxin/moderate"
	"tongxin/storage"
	"tongxin/storage/bus"
	"tongxin/wechat"
)

// buildModerate makes the content check. Domains hand in what members write by
// p.moderate.Text and Picture; the functions that hear the verdict are set here
// by OnDecided, one for each kind of object.
//
// Not checked, and why: requests about a member's own data and quiz answers that
// are graded by machine are read by nobody else, or only by the member's own
// secretary in answering the member. They are correspondence, not publication.
func (p *program) buildModerate(context.Context, options) error {
	var err error
	p.moderate, err = moderate.New(moderate.Config{
		Store: storage.NewModeration(p.db), Sealer: p.box, Clock: p.clock, IDs: p.db.IDs(), Log: p.log,
		Checker: contentCheck{program: p.checkProgram, openID: p.checkOpenID},
		Words:   p.publish.Sensitive,
		OrgPath: func(ctx context.Context, id ids.ID) (string, error) {
			o, err := p.staff.Org(ctx, authz.SystemActor("moderate"), id)
			if err != nil {
				return "", err
			}
			return o.Path, nil
		},
		Wake: func() { p.hint(bus.SubjectCheck) },
	})
	if err != nil {
		return err
	}
	p.takers["wxa_media_check"] = func(ctx context.Context, in pushed) error {
		return p.moderate.TakeOutcome(ctx, mediaCheck(in.event.Check, in.signed))
	}
	p.screenKinds()
	return p.listen(bus.SubjectCheck, p.moderate.Nudge)
}

// checkProgram is the mini-program whose content check is asked; nil: none.
func (p *program) checkProgram(context.Context) (*wechat.Account, error) { return p.miniProgram(), nil }

// checkOpenID is the openid of a member in that mini-program; "": none.
func (p *program) checkOpenID(ctx context.Context, member ids.ID) (string, error) {
	list, err := storage.NewSignIn(p.db).Bindings(ctx, member)
	if err != nil {
		return "", err
	}
	for _, b := range list {
		if b.Identity.AppID == *p.set.miniAppID {
			return b.Identity.OpenID, nil
		}
	}
	return "", nil
}

// visited tells the content check that a member has the mini-program open: only
// then does WeChat check what they wrote. A failure costs a wait, not the request.
func (p *program) visited(ctx context.Context, member ids.ID, c signin.Client) {
	if c != signin.Mini {
		return
	}
	if err := p.moderate.Visited(ctx, member); err != nil {
		p.log.Warn("moderate: a visit was not noted", "err", err)
	}
}

// contentCheck makes the WeChat client a moderate.Checker: it translates words
// and errors, and decides nothing.
type contentCheck struct {
	program func(context.Context) (*wechat.Account, error)
	openID  func(context.Context, ids.ID) (string, error)
}

var _ moderate.Checker = contentCheck{}

// who finds the account and the author's openid in it.
func (c contentCheck) who(ctx context.Context, author ids.ID) (*wechat.Account, string, error) {
	acc, err := c.program(ctx)
	if err != nil {
		return nil, "", err
	}
	if acc == nil {
		return nil, "", &moderate.Trouble{Why: moderate.NoProgram}
	}
	id, err := c.openID(ctx, author)
	if err == nil && id == "" {
		err = &moderate.Trouble{Why: moderate.NoOpenID}
	}
	return acc, id, err
}

// CheckText implements moderate.Checker.
func (c contentCheck) CheckText(ctx context.Context, a moderate.Ask) (moderate.Answer, error) {
	acc, openID, err := c.who(ctx, a.Author)
	if err != nil {
		return moderate.Answer{}, err
	}
	r, err := acc.CheckText(ctx, openID, int(a.Scene), a.Text)
	return moderate.Answer{Suggest: moderate.Suggest(r.Suggest), Label: r.Label}, checkTrouble(err)
}

// CheckPicture implements moderate.Checker.
func (c contentCheck) CheckPicture(ctx context.Context, a moderate.Ask) (string, error) {
	acc, openID, err := c.who(ctx, a.Author)
	if err != nil {
		return "", err
	}
	trace, err := acc.CheckPicture(ctx, openID, int(a.Scene), a.URL)
	return trace, checkTrouble(err)
}

// checkTrouble translates why WeChat did not check. What cannot succeed as it is
// goes to people at once; what a person must mend in the settings waits like an
// outage, and goes to people when that takes hours.
func checkTrouble(err error) error {
	if err == nil {
		return nil
	}
	t := &moderate.Trouble{Why: moderate.Down, Cause: err}
	var we *wechat.Error
	if !errors.As(err, &we) {
		return t
	}
	t.NotBefore = we.RetryAt
	switch {
	case we.Code == 61010:
		t.Why, t.NotBefore = moderate.Inactive, time.Time{}
	case we.Kind == wechat.Permanent || we.Kind == wechat.Content:
		t.Why = moderate.NotTaken
	}
	return t
}

// mediaCheck is a callback's verdict of a picture; signed says that the
// signature of the callback covered its body.
func mediaCheck(c *wechat.MediaCheck, signed bool) moderate.Outcome {
	return moderate.Outcome{Trace: c.TraceID, Suggest: moderate.Suggest(c.Suggest), Label: c.Label, Signed: signed}
}
