package notify

import (
	"context"
	"slices"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
)

// Audience says who gets a notice: members under organisations and in groups,
// narrowed by kind and posts held, and hand-picked ones beside them. Waiting
// narrows all of it to those who did not read or answer an earlier notice;
// alone it means everyone of that notice. Never more than the sender's scope.
type Audience struct {
	Orgs    []ids.ID `json:"orgs,omitempty" maxItems:"100" doc:"organisations with everything under them"`
	Groups  []ids.ID `json:"groups,omitempty" maxItems:"100" doc:"groups of branches"`
	Kind    string   `json:"kind,omitempty" enum:"full,probationary"`
	Posts   []string `json:"posts,omitempty" maxItems:"20" doc:"who holds one of these posts"`
	Members []ids.ID `json:"members,omitempty" maxItems:"500" doc:"hand-picked, whatever the rest says"`
	Waiting *Waiting `json:"waiting,omitempty"`
	Except  []ids.ID `json:"except,omitempty" maxItems:"500"`
}

// Waiting is the part of an earlier notice's audience that did nothing yet.
type Waiting struct {
	CampaignID ids.ID `json:"campaignId"`
	For        string `json:"for" enum:"read,answer"`
}

// Target is an audience made ready for a store: paths instead of ids, and the
// sender's scope as it was.
type Target struct {
	Scope    authz.Scope
	Under    []string
	Groups   []ids.ID
	Kind     string
	Posts    []string
	Members  []ids.ID
	Campaign ids.ID // of Waiting
	For      string
	Except   []ids.ID
}

func (a *Audience) check(f *errs.Fields) {
	tidy := func(list []ids.ID) []ids.ID {
		list = slices.DeleteFunc(slices.Clone(list), func(id ids.ID) bool { return id == 0 })
		slices.Sort(list)
		return slices.Compact(list)
	}
	a.Orgs, a.Groups, a.Members, a.Except = tidy(a.Orgs), tidy(a.Groups), tidy(a.Members), tidy(a.Except)
	slices.Sort(a.Posts)
	a.Posts = slices.Compact(a.Posts)
	for name, n := range map[string][2]int{
		"audience.orgs": {len(a.Orgs), 100}, "audience.groups": {len(a.Groups), 100}, "audience.posts": {len(a.Posts), 20},
		"audience.members": {len(a.Members), 500}, "audience.except": {len(a.Except), 500},
	} {
		if n[0] > n[1] {
			f.Add(name, "最多 %d 项，请改选上级组织或分几次发送。", n[1])
		}
	}
	for _, p := range a.Posts {
		if p == "" || len(p) > 32 || !printable(p) {
			f.Add("audience.posts", "职务不正确，请重新选择。")
		}
	}
	if a.Kind != "" && a.Kind != "full" && a.Kind != "probationary" {
		f.Add("audience.kind", "党员类别不正确，请重新选择。")
	}
	if w := a.Waiting; w != nil && (w.CampaignID == 0 || w.For != "read" && w.For != "answer") {
		f.Add("audience.waiting", "请选择一条通知，以及是未读还是未回复。")
	}
	if len(a.Orgs)+len(a.Groups)+len(a.Members) == 0 && a.Waiting == nil {
		f.Add("audience", "请选择接收范围：组织、党小组或党员。")
	}
}

// target resolves an audience for an actor: organisations the actor may not
// send to are errors, people outside the scope are left out.
func (s *Service) target(ctx context.Context, actor *authz.Actor, a Audience) (Target, error) {
	t := Target{Scope: actor.Scope(Send), Groups: a.Groups, Kind: a.Kind, Posts: a.Posts, Members: a.Members, Except: a.Except}
	var f errs.Fields
	resolve := func(name string, id ids.ID) Org {
		o, err := s.Org(ctx, id)
		if err != nil || !actor.Can(Send, o.Path) {
			f.Add(name, "有组织不存在，或者您不能向它发送通知，请重新选择。")
		}
		return o
	}
	for _, id := range a.Orgs {
		t.Under = append(t.Under, resolve("audience.orgs", id).Path)
	}
	for _, id := range a.Groups {
		if o := resolve("audience.groups", id); o.ID != 0 && !o.Group {
			f.Add("audience.groups", "“%s”不是党小组，请重新选择。", o.Name)
		}
	}
	if err := f.Err(); err != nil {
		return Target{}, err
	}
	if a.Waiting == nil {
		return t, nil
	}
	first, err := s.seen(ctx, actor, a.Waiting.CampaignID)
	if err != nil {
		return Target{}, err
	}
	if a.Waiting.For == "answer" && first.Ask == nil {
		return Target{}, errs.Bad("audience.waiting", "“%s”不需要回复，请选择未读。", first.Title)
	}
	t.Campaign, t.For = a.Waiting.CampaignID, a.Waiting.For
	return t, nil
}
