package storage_test

import (
	"testing"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/member"
	"tongxin/notify"
	"tongxin/storage"
	"tongxin/storage/storagetest"
)

// post is a store of notices over a roster: two members in a (one of them also
// in the group b), one in c, one who left.
type postbox struct {
	*roster
	n                        *storage.Notify
	anna, ben, carl, dora, e *member.Member
}

func newPostbox(t *testing.T, db *storage.DB) *postbox {
	p := &postbox{roster: newRoster(t, db), n: storage.NewNotify(db)}
	p.anna, p.ben, p.carl = p.addMember("root/a", "1"), p.addMember("root/a/b", "2"), p.addMember("root/c", "3")
	p.dora = p.person("root/a", "4")
	p.dora.State = member.Left
	p.e = p.person("root/c", "5")
	p.e.Kind, p.e.Posts = member.Probationary, nil
	for _, m := range []*member.Member{p.dora, p.e} {
		w := p.put(m)
		_, err := p.m.Create(t.Context(), w, w.Entry)
		ok(t, err)
	}
	return p
}

func (p *postbox) campaign(org string, t notify.Target) *notify.Campaign {
	p.t.Helper()
	c := &notify.Campaign{
		ID: p.db.IDs().New(), OrgID: p.orgs[org].ID, Kind: notify.Notice, Title: "通知", Summary: "摘要", Body: "正文", Version: 1, State: notify.Fanning,
		Ask: &notify.Ask{Options: []string{"能参加", "请假"}}, Link: &notify.Link{Kind: "post", ID: 7}, SentID: p.db.IDs().New(), Target: t,
		StartedAt: time.UnixMilli(1000).UTC(), CreatedBy: "t", UpdatedBy: "t",
	}
	id, err := p.n.CreateCampaign(p.t.Context(), c, 0, entry("campaign.create"))
	ok(p.t, err)
	if id != c.ID {
		p.t.Fatal("another id")
	}
	return c
}

func (p *postbox) everyone() notify.Target {
	return notify.Target{Scope: authz.Scope{Paths: []string{p.orgs["root"].Path}}, Under: []string{p.orgs["root"].Path}}
}

// fan writes the inboxes of a campaign, step people at a time.
func (p *postbox) fan(c *notify.Campaign, way notify.Way, step int) *notify.Campaign {
	p.t.Helper()
	ctx := p.t.Context()
	for {
		now := time.Now().UTC()
		got, err := p.n.ClaimFanOut(ctx, "node", now, now.Add(time.Minute))
		ok(p.t, err)
		if got == nil {
			break
		}
		if got.ID != c.ID {
			p.t.Fatal("another campaign was claimed")
		}
		for done := false; !done; {
			done, err = p.n.FanOut(ctx, got, way, "node", now.Add(time.Minute), step)
			ok(p.t, err)
		}
	}
	c, err := p.n.Campaign(ctx, c.ID)
	ok(p.t, err)
	return c
}

func (p *postbox) inbox(m *member.Member) []notify.Item {
	p.t.Helper()
	list, err := p.n.Inbox(p.t.Context(), notify.InboxFilter{Member: m.ID}, page.Request{Limit: 10})
	ok(p.t, err)
	return list
}

func TestNotifyFanOut(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		p := newPostbox(t, db)
		ctx := t.Context()
		c := p.campaign("root", p.everyone())
		now := time.Now().UTC()
		stolen, err := p.n.ClaimFanOut(ctx, "slow", now, now.Add(-time.Second))
		ok(t, err)
		if _, err = p.n.FanOut(ctx, stolen, nil, "slow", now.Add(-time.Second), 1); err != nil {
			t.Fatal(err)
		}
		c = p.fan(c, nil, 2)
		if c.State != notify.Done || c.Recipients != 4 || c.DoneAt.IsZero() || c.Body != "正文" || c.Ask == nil || c.Link == nil {
			t.Fatalf("%+v", c)
		}
		_, err = p.n.FanOut(ctx, stolen, nil, "slow", now, 10)
		code(t, err, errs.Stale)
		for _, m := range []*member.Member{p.anna, p.ben, p.carl, p.e} {
			if list := p.inbox(m); len(list) != 1 || list[0].ID != c.ID || list[0].From != "root" || len(list[0].Ask.Options) != 2 || list[0].Link.ID != 7 {
				t.Errorf("%s: %+v", m.Name, list)
			}
		}
		if len(p.inbox(p.dora)) != 0 {
			t.Error("a member who left got a notice")
		}

		// Reading and answering.
		ok(t, p.n.MarkRead(ctx, p.anna.ID, c.ID))
		first := p.inbox(p.anna)[0].ReadAt
		ok(t, p.n.MarkRead(ctx, p.anna.ID, c.ID))
		ok(t, p.n.SaveAnswer(ctx, p.ben.ID, c.ID, notify.Answer{Choice: 1, Text: "出差", At: now}))
		code(t, p.n.MarkRead(ctx, p.dora.ID, c.ID), errs.NotFound)
		code(t, p.n.SaveAnswer(ctx, p.dora.ID, c.ID, notify.Answer{}), errs.NotFound)
		if a, b := p.inbox(p.anna)[0], p.inbox(p.ben)[0]; !a.ReadAt.Equal(first) || b.ReadAt.IsZero() || b.Answer == nil || b.Answer.Choice != 1 || b.Answer.Text != "出差" || a.Answer != nil {
			t.Errorf("%+v %+v", a, b)
		}
		for m, want := range map[*member.Member]int{p.anna: 0, p.carl: 1, p.dora: 0} {
			if n, err := p.n.UnreadCount(ctx, m.ID); err != nil || n != want {
				t.Errorf("%s has %d unread: %v", m.Name, n, err)
			}
		}
		pr, err := p.n.Progress(ctx, c.ID)
		ok(t, err)
		if pr.Read != 2 || pr.Answered != 1 || pr.Choices[1] != 1 || pr.Total != 0 {
			t.Errorf("%+v", pr)
		}

		// Who has not read, within a scope; one reminder.
		scope := authz.Scope{Paths: []string{p.orgs["root/c"].Path}}
		left, err := p.n.Recipients(ctx, notify.RecipientFilter{Campaign: c.ID, Scope: scope, Missing: "read"}, page.Request{Limit: 10})
		ok(t, err)
		if len(left) != 2 || left[0].OrgName != "root/c" || left[0].Outcome != "inbox" {
			t.Errorf("%+v", left)
		}
		branches, err := p.n.Branches(ctx, c.ID, authz.Scope{All: true})
		ok(t, err)
		if len(branches) != 3 || branches[0].OrgName != "root/c" || branches[0].Total != 2 || branches[0].Read != 0 {
			t.Errorf("%+v", branches)
		}
		waiting := notify.Target{Scope: p.everyone().Scope, Campaign: c.ID, For: "answer", Except: []ids.ID{p.e.ID}}
		again := p.fan(p.campaign("root", waiting), nil, 100)
		if again.Recipients != 2 || len(p.inbox(p.ben)) != 1 || len(p.inbox(p.anna)) != 2 || len(p.inbox(p.e)) != 1 {
			t.Errorf("the reminder reached %d", again.Recipients)
		}
		if list := p.inbox(p.anna); list[0].ID != again.ID {
			t.Error("not newest first")
		}
		ok(t, p.n.MarkAllRead(ctx, p.carl.ID, c.ID))
		if n, _ := p.n.UnreadCount(ctx, p.carl.ID); n != 1 {
			t.Error("read more than was seen")
		}
		ok(t, p.n.MarkAllRead(ctx, p.carl.ID, 0))
		if n, _ := p.n.UnreadCount(ctx, p.carl.ID); n != 0 {
			t.Error("not all read")
		}
	})
}

func TestNotifyAudience(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		p := newPostbox(t, db)
		ctx := t.Context()
		root, a := p.orgs["root"].Path, p.orgs["root/a"].Path
		all := authz.Scope{All: true}
		for name, x := range map[string]struct {
			t               notify.Target
			count, repeated int
		}{
			"everyone":          {notify.Target{Scope: all, Under: []string{root}}, 4, 0},
			"overlap":           {notify.Target{Scope: all, Under: []string{root, a}, Members: []ids.ID{p.anna.ID, p.carl.ID}}, 4, 3},
			"probationary":      {notify.Target{Scope: all, Under: []string{root}, Kind: "probationary"}, 1, 0},
			"posts":             {notify.Target{Scope: all, Under: []string{root}, Posts: []string{"nobody", "secretary"}}, 3, 0},
			"no such post":      {notify.Target{Scope: all, Under: []string{root}, Posts: []string{"secr"}}, 0, 0},
			"scope":             {notify.Target{Scope: authz.Scope{Paths: []string{a}}, Under: []string{root}, Members: []ids.ID{p.carl.ID}}, 2, 0},
			"no scope":          {notify.Target{Under: []string{root}}, 0, 0},
			"nobody":            {notify.Target{Scope: all}, 0, 0},
			"left":              {notify.Target{Scope: all, Members: []ids.ID{p.dora.ID, p.anna.ID}}, 1, 0},
			"picked beside":     {notify.Target{Scope: all, Under: []string{root}, Kind: "probationary", Members: []ids.ID{p.anna.ID}}, 2, 0},
			"except":            {notify.Target{Scope: all, Under: []string{root}, Except: []ids.ID{p.anna.ID}}, 3, 0},
			"waiting for other": {notify.Target{Scope: all, Campaign: 5, For: "read"}, 0, 0},
		} {
			r, err := p.n.Reach(ctx, x.t, nil)
			ok(t, err)
			if r.Count != x.count || r.Duplicates != x.repeated || len(r.Names) != x.count || r.InboxOnly != x.count {
				t.Errorf("%s: %+v", name, r)
			}
		}
	})
}

func TestNotifyReminders(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		p := newPostbox(t, db)
		ctx := t.Context()
		c := p.campaign("root", p.everyone())
		remind := func(org string) error {
			r := &notify.Campaign{ID: db.IDs().New(), OrgID: p.orgs[org].ID, RemindOf: c.ID, Kind: notify.Notice, State: notify.Draft, Version: 1, CreatedAt: time.Now().UTC()}
			_, err := p.n.CreateCampaign(ctx, r, time.Hour, entry("campaign.remind"))
			return err
		}
		ok(t, remind("root"))
		code(t, remind("root"), errs.TooMany)
		ok(t, remind("root/a")) // another organisation reminds its own
		again := &notify.Campaign{ID: db.IDs().New(), OrgID: p.orgs["root"].ID, Dedupe: "post:9", Kind: notify.Post, State: notify.Draft, Version: 1}
		first, err := p.n.CreateCampaign(ctx, again, 0, entry("campaign.create"))
		ok(t, err)
		again.ID = db.IDs().New()
		second, err := p.n.CreateCampaign(ctx, again, 0, entry("campaign.create"))
		ok(t, err)
		if first != second {
			t.Error("one occasion made two campaigns")
		}
		list, err := p.n.Campaigns(ctx, notify.CampaignFilter{Scope: authz.Scope{Paths: []string{p.orgs["root/a"].Path}}, Above: []ids.ID{p.orgs["root"].ID}}, page.Request{Limit: 10})
		ok(t, err)
		if len(list) != 2 || list[1].ID != c.ID { // not the drafts of the organisation above
			t.Errorf("%d campaigns", len(list))
		}
	})
}
