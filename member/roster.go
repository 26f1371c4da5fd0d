package member

import (
	"context"
	"strings"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/trail"
)

func entry(actor *authz.Actor, action string, m *Member, detail map[string]string) trail.Entry {
	return trail.Entry{Actor: actor, Action: action, Object: "member", ID: m.ID, OrgID: m.OrgID, OrgPath: m.OrgPath, Detail: detail}
}

// Ask is what a list is asked for.
type Ask struct {
	OrgID, GroupID ids.ID
	Kind           Kind
	State          State
	Post           string
	Query          string // part of the name
}

// Members lists the members of branches the actor may read, numbers masked.
func (s *Service) Members(ctx context.Context, actor *authz.Actor, ask Ask, r page.Request) (*page.Result[Member], error) {
	f := Filter{Scope: actor.Scope(Read), Group: ask.GroupID, Kind: ask.Kind, State: ask.State, Post: ask.Post, Query: strings.TrimSpace(ask.Query)}
	if ask.OrgID != 0 {
		o, err := s.org(ctx, actor, Read, ask.OrgID)
		if err != nil {
			return nil, err
		}
		f.Under = o.Path
	}
	return s.list(ctx, f, r)
}

func (s *Service) list(ctx context.Context, f Filter, r page.Request) (*page.Result[Member], error) {
	rows, err := s.cfg.Store.Members(ctx, f, r)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		if err := s.show(&rows[i]); err != nil {
			return nil, err
		}
	}
	res := page.Of(rows, r.Limit, func(m Member) ids.ID { return m.ID })
	return &res, nil
}

// Find finds members of the actor's scope by a whole phone or ID number.
func (s *Service) Find(ctx context.Context, actor *authz.Actor, number string) (*page.Result[Member], error) {
	phone, isPhone := phoneOf(number)
	id, isID := idNumberOf(number, s.today())
	if !isPhone && !isID {
		return nil, errs.Bad("number", "请输入完整的 11 位手机号或 18 位身份证号。")
	}
	return s.list(ctx, Filter{Scope: actor.Scope(Read), Keys: s.keys(phone, id)}, page.Request{Limit: page.Default})
}

func (s *Service) today() Date { return DateOf(s.cfg.Clock.Now()) }

// Member returns one member; NotFound outside the actor's scope.
func (s *Service) Member(ctx context.Context, actor *authz.Actor, id ids.ID) (*Member, error) {
	m, err := s.with(ctx, actor, Read, id)
	if err != nil {
		return nil, err
	}
	return m, s.show(m)
}

// with reads a member on whose branch the actor holds right. Who may not even
// read them is told that they do not exist.
func (s *Service) with(ctx context.Context, actor *authz.Actor, right authz.Right, id ids.ID) (*Member, error) {
	m, err := s.cfg.Store.Member(ctx, id)
	if err != nil {
		return nil, err
	}
	if actor.Can(right, m.OrgPath) {
		return m, nil
	}
	if actor.Can(Read, m.OrgPath) {
		return nil, errs.New(errs.Forbidden, "您没有对这位党员进行此操作的权限。")
	}
	return nil, errs.Missing("党员")
}

// org finds an organisation on which the actor holds right.
func (s *Service) org(ctx context.Context, actor *authz.Actor, right authz.Right, id ids.ID) (Org, error) {
	list, err := s.cfg.Orgs(ctx)
	if err != nil {
		return Org{}, err
	}
	for _, o := range list {
		if o.ID != id {
			continue
		}
		if actor.Can(right, o.Path) {
			return o, nil
		}
		if actor.Can(Read, o.Path) {
			return Org{}, errs.New(errs.Forbidden, "您没有管理“%s”党员名册的权限。", o.Name)
		}
	}
	return Org{}, errs.Missing("组织")
}

// place puts m into a branch and a group of it.
func (s *Service) place(ctx context.Context, actor *authz.Actor, m *Member, org, group ids.ID) error {
	o, err := s.org(ctx, actor, Manage, org)
	if err != nil {
		return err
	}
	if !o.Branch {
		return errs.Bad("orgId", "“%s”不是党支部，请选择党员所在的党支部。", o.Name)
	}
	m.OrgID, m.OrgName, m.OrgPath, m.GroupID, m.GroupName = o.ID, o.Name, o.Path, 0, ""
	if group == 0 {
		return nil
	}
	g, err := s.org(ctx, actor, Manage, group)
	if err != nil || !g.Group || g.ParentID != o.ID {
		return errs.Bad("groupId", "请选择“%s”的党小组。", o.Name)
	}
	m.GroupID, m.GroupName = g.ID, g.Name
	return nil
}

// link joins m with a staff account of the actor's scope.
func (s *Service) link(ctx context.Context, actor *authz.Actor, m *Member, staff ids.ID) error {
	if staff == m.StaffID {
		return nil
	}
	m.StaffID, m.StaffName = staff, ""
	if staff == 0 {
		return nil
	}
	p, err := s.cfg.Staff(ctx, staff)
	if err != nil && !errs.Is(err, errs.NotFound) {
		return err
	}
	if err != nil || !actor.Can(Manage, p.OrgPath) {
		return errs.Bad("staffId", "没有找到这个工作人员账号，请重新选择。")
	}
	m.StaffName = p.Name
	return nil
}

// Create adds a member. A repeated call with its idempotency key returns the
// member made first.
func (s *Service) Create(ctx context.Context, actor *authz.Actor, in Input) (*Member, error) {
	if err := in.check(s.rules, s.today()); err != nil {
		return nil, err
	}
	w, err := s.fresh(ctx, actor, in)
	if err != nil {
		return nil, err
	}
	id, err := s.cfg.Store.Create(ctx, w, w.Entry)
	if err != nil {
		return nil, err
	}
	return s.Member(ctx, actor, id)
}

// fresh makes a new member of a checked input.
func (s *Service) fresh(ctx context.Context, actor *authz.Actor, in Input) (Write, error) {
	in.Phone, in.IDNumber = strings.TrimPrefix(in.Phone, remove), strings.TrimPrefix(in.IDNumber, remove)
	if in.Phone == "" && in.IDNumber == "" {
		return Write{}, errs.Bad("phone", "手机号和身份证号至少填一项，用来认出同一个人。")
	}
	now := s.cfg.Clock.Now()
	m := &Member{ID: s.cfg.IDs.New(), State: Active, Version: 1, CreatedAt: now, UpdatedAt: now, UpdatedBy: actor.Name}
	if err := s.place(ctx, actor, m, in.OrgID, in.GroupID); err != nil {
		return Write{}, err
	}
	if err := s.link(ctx, actor, m, in.StaffID); err != nil {
		return Write{}, err
	}
	in.put(m)
	if err := s.sealPhone(m, in.Phone); err != nil {
		return Write{}, err
	}
	if err := s.sealID(m, in.IDNumber); err != nil {
		return Write{}, err
	}
	e := entry(actor, "member.create", m, map[string]string{"name": m.Name, "org": m.OrgName, "kind": string(m.Kind)})
	return Write{Member: m, Keys: s.keys(in.Phone, in.IDNumber), Entry: e}, nil
}

// Save changes a member, also the branch: it must lie where the actor manages
// members, before and after.
func (s *Service) Save(ctx context.Context, actor *authz.Actor, id ids.ID, version int64, in Input) (*Member, error) {
	m, err := s.with(ctx, actor, Manage, id)
	if err != nil {
		return nil, err
	}
	if m.Version != version {
		return nil, s.stale(m)
	}
	if err := in.check(s.rules, s.today()); err != nil {
		return nil, err
	}
	w, changed, err := s.change(ctx, actor, m, in)
	if err != nil {
		return nil, err
	}
	if !changed {
		return s.Member(ctx, actor, id)
	}
	return s.keep(ctx, actor, w)
}

// change lays a checked input over m, and tells whether anything differs.
func (s *Service) change(ctx context.Context, actor *authz.Actor, m *Member, in Input) (Write, bool, error) {
	before := *m
	phone, number, err := s.numbers(m)
	if err != nil {
		return Write{}, false, err
	}
	if in.OrgID == 0 {
		in.OrgID = m.OrgID
	}
	if in.OrgID != m.OrgID || in.GroupID != m.GroupID {
		if err := s.place(ctx, actor, m, in.OrgID, in.GroupID); err != nil {
			return Write{}, false, err
		}
	}
	if err := s.link(ctx, actor, m, in.StaffID); err != nil {
		return Write{}, false, err
	}
	in.put(m)
	detail := diff(&before, m)
	if next := kept(in.Phone, phone); next != phone {
		phone, detail["phone"] = next, "changed"
		if err := s.sealPhone(m, phone); err != nil {
			return Write{}, false, err
		}
	}
	if next := kept(in.IDNumber, number); next != number {
		number, detail["idNumber"] = next, "changed"
		if err := s.sealID(m, number); err != nil {
			return Write{}, false, err
		}
	}
	w := Write{Member: m, Expect: m.Version, Keys: s.keys(phone, number), Entry: entry(actor, "member.save", m, detail)}
	return w, len(detail) > 0, nil
}

// kept is the number that stands after an input.
func kept(in, now string) string {
	switch in {
	case "":
		return now
	case remove:
		return ""
	}
	return in
}

// diff names what changed, for the audit. Dates and numbers are named only.
func diff(a, b *Member) map[string]string {
	out := map[string]string{}
	note := func(key, before, after string) {
		if before != after {
			out[key] = before + " → " + after
		}
	}
	note("name", a.Name, b.Name)
	note("org", a.OrgName, b.OrgName)
	note("group", a.GroupName, b.GroupName)
	note("kind", string(a.Kind), string(b.Kind))
	note("posts", strings.Join(a.Posts, ","), strings.Join(b.Posts, ","))
	note("joinedAt", string(a.JoinedAt), string(b.JoinedAt))
	note("fullAt", string(a.FullAt), string(b.FullAt))
	note("extendedTo", string(a.ExtendedTo), string(b.ExtendedTo))
	note("staff", a.StaffName, b.StaffName)
	for key, same := range map[string]bool{"gender": a.Gender == b.Gender, "birthDate": a.BirthDate == b.BirthDate, "note": a.Note == b.Note} {
		if !same {
			out[key] = "changed"
		}
	}
	return out
}

// keep stamps the next version, writes it and returns what stands now.
func (s *Service) keep(ctx context.Context, actor *authz.Actor, w Write) (*Member, error) {
	s.stamp(actor, w.Member)
	if err := s.cfg.Store.Save(ctx, w, w.Entry); err != nil {
		return nil, err
	}
	s.cfg.OnChange()
	now, err := s.cfg.Store.Member(ctx, w.Member.ID)
	if err != nil {
		return nil, err
	}
	return now, s.show(now)
}

func (s *Service) stamp(actor *authz.Actor, m *Member) {
	m.Version++
	m.UpdatedAt, m.UpdatedBy = s.cfg.Clock.Now(), actor.Name
}

func (s *Service) stale(m *Member) error {
	e := errs.New(errs.Stale, "在您编辑期间，这位党员的资料已被%s修改。请查看最新内容后再保存。", m.UpdatedBy)
	if err := s.show(m); err != nil {
		return err
	}
	e.Details = map[string]any{"current": m, "updatedBy": m.UpdatedBy, "updatedAt": m.UpdatedAt}
	return e
}
