package staff

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/trail"
)

func orgEntry(actor *authz.Actor, action string, o *Org, detail map[string]string) trail.Entry {
	return trail.Entry{Actor: actor, Action: action, Object: "org", ID: o.ID, OrgID: o.ID, OrgPath: o.Path, Detail: detail}
}

// Orgs lists the organisations the actor may read, parents before children.
func (s *Service) Orgs(ctx context.Context, actor *authz.Actor, archived bool) ([]Org, error) {
	scope := actor.Scope(OrgRead)
	if scope.Empty() {
		return []Org{}, nil
	}
	return s.cfg.Store.Orgs(ctx, scope, archived)
}

// Org returns one organisation; NotFound when it is outside the actor's scope.
func (s *Service) Org(ctx context.Context, actor *authz.Actor, id ids.ID) (*Org, error) {
	return s.orgWith(ctx, actor, OrgRead, id)
}

// orgWith reads an organisation on which the actor holds right. Who may not
// even read it is told that it does not exist.
func (s *Service) orgWith(ctx context.Context, actor *authz.Actor, right authz.Right, id ids.ID) (*Org, error) {
	o, err := s.cfg.Store.Org(ctx, id)
	if err != nil {
		return nil, err
	}
	if actor.Can(right, o.Path) {
		return o, nil
	}
	if actor.Can(OrgRead, o.Path) {
		return nil, errs.New(errs.Forbidden, "您没有管理“%s”的权限。", o.Name)
	}
	return nil, errs.Missing("组织")
}

// CreateOrg adds an organisation under one the actor manages. Only the program
// itself makes roots. A repeated call with its idempotency key returns the
// organisation made first.
func (s *Service) CreateOrg(ctx context.Context, actor *authz.Actor, in OrgInput) (*Org, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	o := &Org{ID: s.cfg.IDs.New(), ParentID: in.ParentID, Kind: in.Kind, Name: in.Name, ShortName: in.ShortName, Overrides: in.Settings, Version: 1}
	parent := ""
	switch {
	case in.ParentID == 0 && actor.Kind != authz.System:
		return nil, errs.Bad("parentId", "请选择上级组织。")
	case in.ParentID != 0:
		p, err := s.orgWith(ctx, actor, OrgManage, in.ParentID)
		if err != nil {
			return nil, err
		}
		if err := under(p, in.Kind, depth(p.Path)+1); err != nil {
			return nil, err
		}
		parent = p.Path
	}
	o.Path = childPath(parent, o.ID)
	s.stamp(o, actor)
	o.CreatedAt = o.UpdatedAt
	id, err := s.cfg.Store.CreateOrg(ctx, o, orgEntry(actor, "org.create", o, map[string]string{"name": o.Name, "kind": string(o.Kind)}))
	if err != nil {
		return nil, err
	}
	return s.cfg.Store.Org(ctx, id)
}

func under(p *Org, kind Kind, deepest int) error {
	if !p.ArchivedAt.IsZero() {
		return errs.Bad("parentId", "上级组织已停用，请先恢复。")
	}
	if !kind.fits(p.Kind) {
		return errs.Bad("kind", "这种组织不能设在“%s”之下，请检查组织类型或上级组织。", p.Name)
	}
	if deepest > MaxDepth {
		return errs.Bad("parentId", "组织层级最多 %d 级。", MaxDepth)
	}
	return nil
}

func (s *Service) stamp(o *Org, actor *authz.Actor) {
	o.UpdatedAt, o.UpdatedBy = s.cfg.Clock.Now(), actor.Name
}

// SaveOrg changes names, kind and settings, not the place in the tree.
func (s *Service) SaveOrg(ctx context.Context, actor *authz.Actor, id ids.ID, version int64, in OrgInput) (*Org, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	o, err := s.orgWith(ctx, actor, OrgManage, id)
	if err != nil {
		return nil, err
	}
	if o.Version != version {
		return nil, staleOrg(o)
	}
	if o.ParentID != 0 {
		p, err := s.cfg.Store.Org(ctx, o.ParentID)
		if err != nil {
			return nil, err
		}
		if !in.Kind.fits(p.Kind) {
			return nil, errs.Bad("kind", "这种组织不能设在“%s”之下。", p.Name)
		}
	}
	if in.Kind != o.Kind {
		if err := s.childrenFit(ctx, o, in.Kind); err != nil {
			return nil, err
		}
	}
	detail := map[string]string{}
	note(detail, "name", o.Name, in.Name)
	note(detail, "shortName", o.ShortName, in.ShortName)
	note(detail, "kind", string(o.Kind), string(in.Kind))
	o.Name, o.ShortName, o.Kind, o.Overrides = in.Name, in.ShortName, in.Kind, in.Settings
	return s.save(ctx, actor, o, "org.save", detail)
}

// childrenFit checks that what stands under o may stand under kind.
func (s *Service) childrenFit(ctx context.Context, o *Org, kind Kind) error {
	below, err := s.cfg.Store.Orgs(ctx, authz.Scope{Paths: []string{o.Path}}, true)
	if err != nil {
		return err
	}
	for _, c := range below {
		if c.ParentID == o.ID && !c.Kind.fits(kind) {
			return errs.Bad("kind", "下级组织“%s”不能设在这种组织之下，请先移走它。", c.Name)
		}
	}
	return nil
}

// SaveSettings replaces what an organisation sets itself.
func (s *Service) SaveSettings(ctx context.Context, actor *authz.Actor, id ids.ID, version int64, set Overrides) (*Org, error) {
	var f errs.Fields
	set.check(&f)
	if err := f.Err(); err != nil {
		return nil, err
	}
	o, err := s.orgWith(ctx, actor, OrgManage, id)
	if err != nil {
		return nil, err
	}
	if o.Version != version {
		return nil, staleOrg(o)
	}
	detail := map[string]string{"before": settingsText(o.Overrides), "after": settingsText(set)}
	o.Overrides = set
	return s.save(ctx, actor, o, "org.settings", detail)
}

func settingsText(o Overrides) string {
	b, err := json.Marshal(o)
	if err != nil { // a struct of numbers and texts always marshals
		return ""
	}
	return string(b)
}

func note(detail map[string]string, name, before, after string) {
	if before != after {
		detail[name] = before + " → " + after
	}
}

func (s *Service) save(ctx context.Context, actor *authz.Actor, o *Org, action string, detail map[string]string) (*Org, error) {
	expect := o.Version
	o.Version++
	s.stamp(o, actor)
	if err := s.cfg.Store.SaveOrg(ctx, o, expect, orgEntry(actor, action, o, detail)); err != nil {
		return nil, err
	}
	s.changed()
	return o, nil
}

func staleOrg(o *Org) error {
	e := errs.New(errs.Stale, "在您编辑期间，组织信息已被%s修改。请查看最新内容后再保存。", o.UpdatedBy)
	e.Details = map[string]any{"current": o, "updatedBy": o.UpdatedBy, "updatedAt": o.UpdatedAt}
	return e
}

// MoveOrg puts a subtree under another parent: the actor manages both places.
func (s *Service) MoveOrg(ctx context.Context, actor *authz.Actor, id ids.ID, version int64, parent ids.ID) (*Org, error) {
	o, err := s.orgWith(ctx, actor, OrgManage, id)
	if err != nil {
		return nil, err
	}
	if o.Version != version {
		return nil, staleOrg(o)
	}
	if o.ParentID == 0 {
		return nil, errs.New(errs.Conflict, "最上级组织不能移动。")
	}
	p, err := s.orgWith(ctx, actor, OrgManage, parent)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(p.Path, o.Path) {
		return nil, errs.Bad("parentId", "不能移到自己或自己的下级组织之下。")
	}
	deepest, err := s.cfg.Store.Deepest(ctx, o.Path)
	if err != nil {
		return nil, err
	}
	if err := under(p, o.Kind, depth(p.Path)+1+deepest-depth(o.Path)); err != nil {
		return nil, err
	}
	old := o.Path
	o.ParentID, o.Path = p.ID, childPath(p.Path, o.ID)
	o.Version++
	s.stamp(o, actor)
	e := orgEntry(actor, "org.move", o, map[string]string{"path": old + " → " + o.Path, "parent": p.Name})
	if err := s.cfg.Store.MoveOrg(ctx, o, version, old, p.Path, e); err != nil {
		return nil, err
	}
	s.changed()
	return o, nil
}

// ArchiveOrg closes an organisation that has no open children, or opens it.
func (s *Service) ArchiveOrg(ctx context.Context, actor *authz.Actor, id ids.ID, version int64, archive bool) (*Org, error) {
	o, err := s.orgWith(ctx, actor, OrgManage, id)
	if err != nil {
		return nil, err
	}
	if o.Version != version {
		return nil, staleOrg(o)
	}
	if !archive {
		o.ArchivedAt = time.Time{}
		return s.save(ctx, actor, o, "org.restore", nil)
	}
	if o.ParentID == 0 {
		return nil, errs.New(errs.Conflict, "最上级组织不能停用。")
	}
	children, err := s.cfg.Store.Orgs(ctx, authz.Scope{Paths: []string{o.Path}}, false)
	if err != nil {
		return nil, err
	}
	if len(children) > 1 { // the organisation itself is one
		return nil, errs.New(errs.Conflict, "请先停用或移走它的 %d 个下级组织。", len(children)-1)
	}
	o.ArchivedAt = s.cfg.Clock.Now()
	return s.save(ctx, actor, o, "org.archive", nil)
}

// Effective returns an organisation and what counts there: each setting from
// the nearest organisation that sets it. It asks for no actor: other domains
// call it about objects they have checked themselves. It is asked on every
// write of a post, so answers are kept for some seconds; the organisation must
// not be changed by the caller.
func (s *Service) Effective(ctx context.Context, id ids.ID) (*Org, Settings, error) {
	now := s.cfg.Clock.Now()
	e, gen := s.orgs.Get(id)
	if e != nil && now.Before(e.until) {
		return e.org, e.settings, nil
	}
	o, err := s.cfg.Store.Org(ctx, id)
	if err != nil {
		return nil, Settings{}, err
	}
	line, err := s.cfg.Store.OrgsByID(ctx, pathIDs(o.Path))
	if err != nil {
		return nil, Settings{}, err
	}
	settings := DefaultSettings()
	for _, a := range line { // ordered by path: from the root down
		settings = settings.apply(a.Overrides)
	}
	s.orgs.Put(id, &effective{org: o, settings: settings, until: now.Add(cacheAge)}, gen)
	return o, settings, nil
}

// effective is an answer of Effective that is still good.
type effective struct {
	org      *Org
	settings Settings
	until    time.Time
}

// pathIDs are the ids in a path, from the root down.
func pathIDs(path string) []ids.ID {
	var out []ids.ID
	for p := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		if id, err := ids.Parse(p); err == nil && id != 0 {
			out = append(out, id)
		}
	}
	return out
}
