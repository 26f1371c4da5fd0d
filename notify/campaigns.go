package notify

import (
	"context"
	"math"
	"strings"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/trail"
)

func entry(actor *authz.Actor, action string, c *Campaign, detail map[string]string) trail.Entry {
	return trail.Entry{Actor: actor, Action: action, Object: "campaign", ID: c.ID, OrgID: c.OrgID, OrgPath: c.OrgPath, Detail: detail}
}

// mine finds an organisation that the actor may send for.
func (s *Service) mine(ctx context.Context, actor *authz.Actor, id ids.ID) (Org, error) {
	o, err := s.Org(ctx, id)
	if err != nil {
		return Org{}, err
	}
	if !actor.Can(Send, o.Path) {
		return Org{}, errs.Missing("组织")
	}
	return o, nil
}

// own reads a campaign that the actor may change.
func (s *Service) own(ctx context.Context, actor *authz.Actor, id ids.ID) (*Campaign, error) {
	c, err := s.seen(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	if !actor.Can(Send, c.OrgPath) {
		return nil, errs.New(errs.Forbidden, "这条通知由“%s”发送，您可以查看本支部的阅读情况，但不能修改它。", c.OrgName)
	}
	return c, nil
}

// seen reads a campaign that the actor may see: of the actor's scope, or one of
// an organisation above that was started. To others it does not exist.
func (s *Service) seen(ctx context.Context, actor *authz.Actor, id ids.ID) (*Campaign, error) {
	c, err := s.Store.Campaign(ctx, id)
	if err != nil {
		return nil, err
	}
	if actor.Can(Send, c.OrgPath) || c.State.Started() && c.Kind != System && actor.Within(Send, c.OrgPath) {
		return c, nil
	}
	return nil, errs.Missing("通知")
}

// Campaigns lists the campaigns of the actor's scope, and with received those
// that organisations above have sent too.
func (s *Service) Campaigns(ctx context.Context, actor *authz.Actor, state State, query string, received bool, r page.Request) (*page.Result[Campaign], error) {
	f := CampaignFilter{Scope: actor.Scope(Send), State: state, Query: strings.TrimSpace(query)}
	if received {
		f.Above = actor.Above(Send)
	}
	rows, err := s.Store.Campaigns(ctx, f, r)
	if err != nil {
		return nil, err
	}
	res := page.Of(rows, r.Limit, func(c Campaign) ids.ID { return c.ID })
	return &res, nil
}

// Campaign is one with its progress.
func (s *Service) Campaign(ctx context.Context, actor *authz.Actor, id ids.ID) (*Campaign, error) {
	c, err := s.seen(ctx, actor, id)
	if err != nil || !c.State.Started() {
		return c, err
	}
	if c.Progress, err = s.Store.Progress(ctx, id); err != nil {
		return nil, err
	}
	set, err := s.Store.Settings(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range set.way(c.Kind, c.Push) {
		if c.Progress.Rate = set.rate(t.AppID); c.Progress.Rate > 0 {
			break
		}
	}
	left := c.Progress.ByState[string(SendWaiting)] + c.Progress.ByState[string(SendIntent)]
	if left > 0 && c.Progress.Rate > 0 {
		c.Progress.Seconds = int(math.Ceil(float64(left) / c.Progress.Rate))
	}
	if c.Ask == nil {
		c.Progress.Choices = nil
	}
	return c, nil
}

// Create makes a draft.
func (s *Service) Create(ctx context.Context, actor *authz.Actor, in Input) (*Campaign, error) {
	c, err := s.draft(ctx, actor, in)
	if err != nil {
		return nil, err
	}
	id, err := s.Store.CreateCampaign(ctx, c, 0, entry(actor, "campaign.create", c, map[string]string{"title": c.Title}))
	if err != nil {
		return nil, err
	}
	return s.Campaign(ctx, actor, id)
}

func (s *Service) draft(ctx context.Context, actor *authz.Actor, in Input) (*Campaign, error) {
	o, err := s.mine(ctx, actor, in.OrgID)
	if err != nil {
		return nil, err
	}
	now := s.Clock.Now()
	c := &Campaign{
		ID: s.IDs.New(), OrgID: o.ID, OrgName: o.Name, OrgPath: o.Path, State: Draft, Version: 1,
		CreatedAt: now, CreatedBy: actor.Name, UpdatedAt: now, UpdatedBy: actor.Name,
	}
	if err := s.fill(c, in); err != nil {
		return nil, err
	}
	_, err = s.target(ctx, actor, c.Audience)
	return c, err
}

// Save changes a draft.
func (s *Service) Save(ctx context.Context, actor *authz.Actor, id ids.ID, expect int64, in Input) (*Campaign, error) {
	c, err := s.own(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	if c.Version != expect {
		return nil, stale(c)
	}
	if c.State != Draft {
		return nil, errs.New(errs.Conflict, "这条通知已经发送，不能再修改；如有更正，请另发一条。")
	}
	if in.OrgID != c.OrgID && in.OrgID != 0 {
		o, err := s.mine(ctx, actor, in.OrgID)
		if err != nil {
			return nil, err
		}
		c.OrgID, c.OrgName, c.OrgPath = o.ID, o.Name, o.Path
	}
	if err := s.fill(c, in); err != nil {
		return nil, err
	}
	if _, err := s.target(ctx, actor, c.Audience); err != nil {
		return nil, err
	}
	c.Was = c.State
	s.touch(actor, c)
	if err := s.Store.SaveCampaign(ctx, c, expect, entry(actor, "campaign.edit", c, map[string]string{"title": c.Title})); err != nil {
		return nil, err
	}
	return s.Campaign(ctx, actor, id)
}

func (s *Service) touch(actor *authz.Actor, c *Campaign) {
	c.Version++
	c.UpdatedAt, c.UpdatedBy = s.Clock.Now(), actor.Name
}

func stale(c *Campaign) error {
	return &errs.Error{Code: errs.Stale, Msg: "这条通知刚刚被" + c.UpdatedBy + "修改过，请刷新后再操作。"}
}

// Delete removes a draft.
func (s *Service) Delete(ctx context.Context, actor *authz.Actor, id ids.ID, expect int64) error {
	c, err := s.own(ctx, actor, id)
	if err != nil {
		return err
	}
	if c.State != Draft {
		return errs.New(errs.Conflict, "这条通知已经发送，不能删除；阅读情况需要留存备查。")
	}
	return s.Store.DeleteCampaign(ctx, id, expect, entry(actor, "campaign.delete", c, map[string]string{"title": c.Title}))
}

// Act starts, pauses, resumes, cancels or retries a campaign.
func (s *Service) Act(ctx context.Context, actor *authz.Actor, id ids.ID, expect int64, what Action) (*Campaign, error) {
	c, err := s.own(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	if c.Version != expect {
		return nil, stale(c)
	}
	if err := s.move(ctx, actor, c, what); err != nil {
		return nil, err
	}
	if err := s.Store.SaveCampaign(ctx, c, expect, entry(actor, "campaign."+string(what), c, map[string]string{"title": c.Title})); err != nil {
		return nil, err
	}
	s.wakeAll()
	return s.Campaign(ctx, actor, id)
}

// move changes the state; starting resolves the audience.
func (s *Service) move(ctx context.Context, actor *authz.Actor, c *Campaign, what Action) error {
	next, ok := c.State.After(what)
	if !ok {
		return errs.New(errs.Conflict, "这条通知现在的状态不能这样操作，请刷新后再看。")
	}
	now := s.Clock.Now()
	switch what {
	case Start:
		t, err := s.target(ctx, actor, c.Audience)
		if err != nil {
			return err
		}
		reach, err := s.Store.Reach(ctx, t, nil)
		if err != nil {
			return err
		}
		if reach.Count == 0 {
			return errs.Bad("audience", "这个范围内现在没有可以接收通知的党员，请重新选择。")
		}
		c.Target, c.StartedAt, c.SentID = t, now, s.IDs.New()
	case Cancel:
		c.DoneAt = now
	case Retry:
		set, err := s.Store.Settings(ctx)
		if err != nil {
			return err
		}
		way := set.way(c.Kind, c.Push)
		if len(way) == 0 {
			return errs.New(errs.Conflict, "没有可用的消息模板，请先设置消息模板。")
		}
		c.RetryBy, c.Problem, c.DoneAt = way[0].Channel, "", time.Time{}
	case Resume:
		c.Problem, c.DoneAt = "", time.Time{}
	}
	c.Was, c.State = c.State, next
	s.touch(actor, c)
	return nil
}

// remindPause is the least time between two reminders of one notice by one
// organisation.
const remindPause = time.Hour

// Remind sends a reminder to those of the actor's scope who did not read or
// answer a notice yet, at once.
func (s *Service) Remind(ctx context.Context, actor *authz.Actor, id ids.ID, what string, push bool) (*Campaign, error) {
	first, err := s.seen(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	if !first.State.Started() || first.RemindOf != 0 {
		return nil, errs.New(errs.Conflict, "只能提醒已经发送的通知。")
	}
	org := first.OrgID
	if !actor.Can(Send, first.OrgPath) {
		if org = ownOrg(actor); org == 0 {
			return nil, errs.Missing("通知")
		}
	}
	wish := "请您尽快查看。"
	if what == "answer" {
		wish = "请您尽快查看并回复。"
	}
	c, err := s.draft(ctx, actor, Input{
		OrgID: org, Kind: first.Kind, Title: cut("提醒："+first.Title, maxTitle), Summary: wish, EventAt: first.EventAt, Place: first.Place,
		Remark: wish, Body: "您还没有处理这条通知：" + markdownText(first.Title) + "\n\n" + wish, Link: &Link{Kind: "notice", ID: id}, Audience: Audience{Waiting: &Waiting{CampaignID: id, For: what}}, Push: push,
	})
	if err != nil {
		return nil, err
	}
	c.RemindOf = id
	if err := s.move(ctx, actor, c, Start); err != nil {
		if errs.Is(err, errs.Invalid) {
			return nil, errs.New(errs.Conflict, "没有需要提醒的党员，大家都已处理。")
		}
		return nil, err
	}
	made, err := s.Store.CreateCampaign(ctx, c, remindPause, entry(actor, "campaign.remind", c, map[string]string{"title": c.Title, "of": id.String()}))
	if err != nil {
		return nil, err
	}
	s.wakeAll()
	return s.Campaign(ctx, actor, made)
}

// ownOrg is the organisation of the actor's first grant to send.
func ownOrg(actor *authz.Actor) ids.ID {
	for _, g := range actor.Grants {
		for _, r := range g.Rights {
			if r == Send && g.OrgID != 0 {
				return g.OrgID
			}
		}
	}
	return 0
}

// markdownText keeps a title from being read as markup.
func markdownText(v string) string {
	var b strings.Builder
	for _, r := range v {
		if r < 0x80 && strings.ContainsRune("\\`*_{}[]()#+-.!<>|~$&", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Tell sends a notice of the program itself to one member, at once. dedupe
// names the occasion: the same one is told once. org is the member's branch.
func (s *Service) Tell(ctx context.Context, org, member ids.ID, dedupe string, in Input) error {
	actor := authz.SystemActor("notify")
	in.OrgID, in.Audience = org, Audience{Members: []ids.ID{member}}
	kind := in.Kind
	if kind == "" {
		kind = System
	}
	in.Kind = kind
	c, err := s.draft(ctx, actor, in)
	if err != nil {
		return err
	}
	c.Dedupe = dedupe
	if err := s.move(ctx, actor, c, Start); err != nil {
		return err
	}
	_, err = s.Store.CreateCampaign(ctx, c, 0, entry(actor, "campaign.tell", c, map[string]string{"title": c.Title}))
	s.wakeAll()
	return err
}

// Announce creates a notice and sends it at once, for other parts of the
// program that speak for the actor. dedupe as in Tell.
func (s *Service) Announce(ctx context.Context, actor *authz.Actor, dedupe string, in Input) (ids.ID, error) {
	c, err := s.draft(ctx, actor, in)
	if err != nil {
		return 0, err
	}
	c.Dedupe = dedupe
	if err := s.move(ctx, actor, c, Start); err != nil {
		return 0, err
	}
	id, err := s.Store.CreateCampaign(ctx, c, 0, entry(actor, "campaign.announce", c, map[string]string{"title": c.Title}))
	s.wakeAll()
	return id, err
}
