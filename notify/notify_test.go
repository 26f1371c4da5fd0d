package notify_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/notify"
)

// Whoever does not hold the right on a notice's organisation learns nothing of it.
func TestRights(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	anna, bert := h.person("a", "安娜"), h.person("b", "伯特")
	root, a, b := h.secretary("root"), h.secretary("a"), h.secretary("b")
	draft, err := h.svc.Create(ctx, root, h.input("root"))
	h.ok(err)
	own := h.send(a, h.input("a"))
	all := h.send(root, h.input("root"))
	h.run("everything is in the inboxes", func() bool { return h.state(all.ID) == notify.Done && h.state(own.ID) == notify.Done }, h.svc)

	for name, who := range map[string]*authz.Actor{"nobody": nil, "a member": anna, "the other branch": b} {
		for call, err := range h.calls(who, own) {
			if errs.CodeOf(err) != errs.NotFound {
				t.Errorf("%s, %s: %v", name, call, err)
			}
		}
	}
	for call, err := range h.calls(b, draft) {
		if errs.CodeOf(err) != errs.NotFound {
			t.Errorf("a draft of the organisation above, %s: %v", call, err)
		}
	}
	// What the organisation above sent is seen for the own branch, and not changed.
	if _, err := h.svc.Campaign(ctx, b, all.ID); err != nil {
		t.Error(err)
	}
	_, err = h.svc.Act(ctx, b, all.ID, all.Version, notify.Cancel)
	h.code(err, errs.Forbidden)
	list, err := h.svc.Recipients(ctx, b, notify.RecipientFilter{Campaign: all.ID}, 0, page.Request{Limit: 10})
	h.ok(err)
	if len(list.Items) != 1 || list.Items[0].MemberID != bert.ID {
		t.Errorf("the other branch is shown: %+v", list.Items)
	}
	_, err = h.svc.Recipients(ctx, b, notify.RecipientFilter{Campaign: all.ID}, h.orgs["a"].ID, page.Request{Limit: 10})
	h.code(err, errs.NotFound)
	if got := h.titles(b, false); got != 0 {
		t.Errorf("%d campaigns in the list of the other branch", got)
	}
	if got := h.titles(b, true); got != 1 {
		t.Errorf("%d received", got)
	}
	_, err = h.svc.Create(ctx, b, h.input("a"))
	h.code(err, errs.NotFound)
	in := h.input("b")
	in.Audience.Orgs = []ids.ID{h.orgs["a"].ID}
	_, err = h.svc.Create(ctx, b, in)
	h.code(err, errs.Invalid)
	in.Audience = notify.Audience{Members: []ids.ID{anna.ID}} // outside the scope: nobody is left
	c, err := h.svc.Create(ctx, b, in)
	h.ok(err)
	_, err = h.svc.Act(ctx, b, c.ID, c.Version, notify.Start)
	h.code(err, errs.Invalid)
	for _, who := range []*authz.Actor{b, a} {
		_, err = h.svc.SaveSettings(ctx, who, 0, notify.Settings{})
		h.code(err, errs.Forbidden)
	}
	_, err = h.svc.SaveSettings(ctx, root, 0, notify.Settings{})
	h.ok(err)
	// Staff have no inbox, and a member has only the own one.
	_, err = h.svc.Inbox(ctx, a, false, "", page.Request{Limit: 5})
	h.code(err, errs.Forbidden)
	_, err = h.svc.Item(ctx, bert, own.ID)
	h.code(err, errs.NotFound)
	_, err = h.svc.Reply(ctx, bert, own.ID, 0, "")
	h.code(err, errs.NotFound)
	h.code(h.svc.Read(ctx, bert, own.ID), errs.NotFound)
}

func (h *house) calls(who *authz.Actor, c *notify.Campaign) map[string]error {
	ctx := h.t.Context()
	_, get := h.svc.Campaign(ctx, who, c.ID)
	_, save := h.svc.Save(ctx, who, c.ID, c.Version, h.input("a"))
	_, act := h.svc.Act(ctx, who, c.ID, c.Version, notify.Cancel)
	_, people := h.svc.Recipients(ctx, who, notify.RecipientFilter{Campaign: c.ID}, 0, page.Request{Limit: 5})
	_, branches := h.svc.Branches(ctx, who, c.ID)
	_, remind := h.svc.Remind(ctx, who, c.ID, "read", false)
	return map[string]error{"get": get, "save": save, "act": act, "recipients": people, "branches": branches, "remind": remind, "delete": h.svc.Delete(ctx, who, c.ID, c.Version)}
}

func (h *house) titles(who *authz.Actor, received bool) int {
	h.t.Helper()
	list, err := h.svc.Campaigns(h.t.Context(), who, "", "", received, page.Request{Limit: 50})
	h.ok(err)
	return len(list.Items)
}

func TestReadAnswerRemind(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	anna, ben := h.person("a", "安娜"), h.person("a", "本")
	a := h.secretary("a")
	c := h.send(a, h.input("a"))
	h.run("in the inbox", func() bool { return h.state(c.ID) == notify.Done }, h.svc)
	it, err := h.svc.Item(ctx, anna, c.ID)
	h.ok(err)
	if it.Body != "<p>请按时参加。</p>" || it.From != "a" || !it.ReadAt.IsZero() || it.Summary != "请按时参加。" {
		t.Errorf("%+v", it)
	}
	_, err = h.svc.Reply(ctx, anna, c.ID, 2, "")
	h.code(err, errs.Invalid)
	_, err = h.svc.Reply(ctx, anna, c.ID, 1, long(201))
	h.code(err, errs.Invalid)
	it, err = h.svc.Reply(ctx, anna, c.ID, 1, " 出差 ")
	h.ok(err)
	if it.Answer.Text != "出差" || it.ReadAt.IsZero() {
		t.Errorf("%+v", it)
	}
	got, err := h.svc.Campaign(ctx, a, c.ID)
	h.ok(err)
	if p := got.Progress; p.Read != 1 || p.Answered != 1 || p.Choices[1] != 1 {
		t.Errorf("%+v", p)
	}
	r, err := h.svc.Remind(ctx, a, c.ID, "answer", false)
	h.ok(err)
	h.run("reminded", func() bool { return h.state(r.ID) == notify.Done }, h.svc)
	for who, want := range map[*authz.Actor]int{anna: 1, ben: 2} {
		box, err := h.svc.Inbox(ctx, who, false, "", page.Request{Limit: 5})
		h.ok(err)
		if len(box.Items) != want {
			t.Errorf("%s has %d notices", who.Name, len(box.Items))
		}
		if want == 2 && (box.Items[0].Link == nil || box.Items[0].Link.ID != c.ID || box.Items[0].Link.Kind != "notice") {
			t.Errorf("%+v", box.Items[0])
		}
	}
	_, err = h.svc.Remind(ctx, a, c.ID, "read", false)
	h.code(err, errs.TooMany)
	_, err = h.svc.Remind(ctx, a, r.ID, "read", false)
	h.code(err, errs.Conflict)
	_, err = h.svc.Save(ctx, a, c.ID, got.Version, h.input("a"))
	h.code(err, errs.Conflict)
	h.code(h.svc.Delete(ctx, a, c.ID, got.Version), errs.Conflict)
	h.ok(h.svc.Tell(ctx, h.orgs["a"].ID, anna.ID, "reuse:1", notify.Input{Title: "您的账号在别处登录", Body: "如非本人操作，请联系书记。"}))
	h.ok(h.svc.Tell(ctx, h.orgs["a"].ID, anna.ID, "reuse:1", notify.Input{Title: "您的账号在别处登录", Body: "如非本人操作，请联系书记。"}))
	h.run("told once", func() bool { n, err := h.svc.Unread(ctx, anna); h.ok(err); return n == 1 }, h.svc)
}

func TestInputs(t *testing.T) {
	h := newHouse(t)
	a := h.secretary("a")
	for field, change := range map[string]func(*notify.Input){
		"title":            func(in *notify.Input) { in.Title = " " },
		"summary":          func(in *notify.Input) { in.Summary = long(121) },
		"body":             func(in *notify.Input) { in.Body = long(20_001) },
		"ask.options":      func(in *notify.Input) { in.Ask.Options = []string{"一", "一"} },
		"kind":             func(in *notify.Input) { in.Kind = "mail" },
		"link":             func(in *notify.Input) { in.Link = &notify.Link{Kind: "url", ID: 5} },
		"eventAt":          func(in *notify.Input) { in.EventAt = time.Unix(0, 0) },
		"place":            func(in *notify.Input) { in.Place = "一\n二" },
		"audience":         func(in *notify.Input) { in.Audience = notify.Audience{} },
		"audience.orgs":    func(in *notify.Input) { in.Audience.Orgs = []ids.ID{9} },
		"audience.groups":  func(in *notify.Input) { in.Audience.Groups = []ids.ID{h.orgs["a"].ID} },
		"audience.waiting": func(in *notify.Input) { in.Audience.Waiting = &notify.Waiting{CampaignID: 9, For: "x"} },
		"audience.kind":    func(in *notify.Input) { in.Audience.Kind = "x" },
		"audience.posts":   func(in *notify.Input) { in.Audience.Posts = []string{""} },
		"audience.members": func(in *notify.Input) {
			in.Audience.Members = slices.Repeat([]ids.ID{1, 2, 3}, 1)
			in.Audience.Members = many(501)
		},
		"audience.except": func(in *notify.Input) { in.Audience.Except = many(501) },
	} {
		in := h.input("a")
		change(&in)
		_, err := h.svc.Create(t.Context(), a, in)
		e, ok := err.(*errs.Error) //nolint:errorlint // the domain returns it bare
		if !ok || e.Code != errs.Invalid || len(e.Fields) == 0 || e.Fields[0].Name != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func many(n int) []ids.ID {
	out := make([]ids.ID, n)
	for i := range out {
		out[i] = ids.ID(i + 1)
	}
	return out
}

// Any order of actions keeps the rules of the states.
func TestStates(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := notify.Draft
		started := false
		for _, a := range rapid.SliceOf(rapid.SampledFrom([]notify.Action{notify.Start, notify.Pause, notify.Resume, notify.Cancel, notify.Retry})).Draw(t, "actions") {
			next, ok := s.After(a)
			if !ok && next != s {
				t.Fatalf("%s in %s was refused and moved on", a, s)
			}
			if s == notify.Cancelled && ok {
				t.Fatal("a cancelled campaign came back by", a)
			}
			if ok && next == notify.Fanning && started {
				t.Fatal("started twice")
			}
			if ok && a != notify.Start && a != notify.Cancel && s == notify.Draft {
				t.Fatal("a draft was", a)
			}
			started = started || a == notify.Start && ok
			s = next
			if s == notify.Fanning && rapid.Bool().Draw(t, "written") { // what the program does by itself
				s = rapid.SampledFrom([]notify.State{notify.Sending, notify.Done}).Draw(t, "then")
			}
		}
	})
}

func TestPreviewCuts(t *testing.T) {
	h := newHouse(t)
	h.person("a", "安娜")
	a := h.secretary("a")
	h.reachable(100)
	in := h.input("a")
	in.Title, in.EventAt = long(30), time.Date(2026, 3, 6, 7, 0, 0, 0, time.UTC)
	p, err := h.svc.Preview(t.Context(), a, in)
	h.ok(err)
	if p.Count != 1 || len(p.Channels) != 1 || p.Channels[0].Count != 1 || p.InboxOnly != 0 || len(p.Messages) != 1 || p.Names[0] != "安娜" {
		t.Fatalf("%+v", p)
	}
	parts := p.Messages[0].Parts
	if !parts[0].Cut || parts[0].Value != long(19)+"…" || parts[1].Cut || parts[1].Value != "2026年3月6日 15:00" {
		t.Errorf("%+v", parts)
	}
	if h.titles(a, false) != 0 {
		t.Error("a preview left a draft behind")
	}
	if !strings.HasPrefix(p.HTML, "<p>") {
		t.Error(p.HTML)
	}
}
