package quiz

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
)

// PaperAsk is what a list of papers is asked for.
type PaperAsk struct {
	OrgID ids.ID
	State PaperState
	Kind  PaperKind
	Query string
}

// Papers lists the papers of organisations that the actor may see.
func (s *Exams) Papers(ctx context.Context, actor *authz.Actor, ask PaperAsk, r page.Request) (*page.Result[Paper], error) {
	list, err := s.cfg.Store.Papers(ctx, PaperFilter{
		Scope: actor.Scope(Read), OrgID: ask.OrgID, State: ask.State, Kind: ask.Kind, Query: strings.TrimSpace(ask.Query),
	}, r)
	if err != nil {
		return nil, err
	}
	res := page.Of(list, r.Limit, func(p Paper) ids.ID { return p.ID })
	return &res, nil
}

// Paper returns one paper to staff.
func (s *Exams) Paper(ctx context.Context, actor *authz.Actor, id ids.ID) (*Paper, error) {
	return s.paperWith(ctx, actor, Read, id)
}

// paperWith reads a paper on whose organisation the actor holds right. Who may
// not even read it is told that it does not exist.
func (s *Exams) paperWith(ctx context.Context, actor *authz.Actor, right authz.Right, id ids.ID) (*Paper, error) {
	p, err := s.cfg.Store.Paper(ctx, id)
	if err != nil {
		return nil, err
	}
	if actor.Can(right, p.OrgPath) {
		return p, nil
	}
	if actor.Can(Read, p.OrgPath) {
		return nil, errs.New(errs.Forbidden, "您没有对这份试卷进行此操作的权限。")
	}
	return nil, missingPaper()
}

// CreatePaper makes a draft.
func (s *Exams) CreatePaper(ctx context.Context, actor *authz.Actor, in PaperInput) (*Paper, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	now := s.now()
	p := &Paper{ID: s.cfg.IDs.New(), State: PaperDraft, Version: 1, CreatedAt: now, UpdatedAt: now, UpdatedBy: actor.Name}
	if err := s.placePaper(ctx, actor, p, in.OrgID); err != nil {
		return nil, err
	}
	in.put(p)
	if err := s.known(ctx, p); err != nil {
		return nil, err
	}
	return s.addPaper(ctx, actor, p, "paper.create", nil)
}

func (s *Exams) addPaper(ctx context.Context, actor *authz.Actor, p *Paper, action string, detail map[string]string) (*Paper, error) {
	if detail == nil {
		detail = map[string]string{}
	}
	detail["title"] = p.Title
	id, err := s.cfg.Store.CreatePaper(ctx, p, paperEntry(actor, action, p, detail))
	if err != nil {
		return nil, err
	}
	return s.cfg.Store.Paper(ctx, id)
}

// placePaper puts p into an organisation that the actor manages quizzes of.
func (s *Exams) placePaper(ctx context.Context, actor *authz.Actor, p *Paper, org ids.ID) error {
	o, err := s.cfg.Org(ctx, org)
	if errs.Is(err, errs.NotFound) || err == nil && !actor.Can(Read, o.Path) {
		return errs.Bad("orgId", "没有找到这个组织，请重新选择。")
	}
	if err != nil {
		return err
	}
	if !actor.Can(Manage, o.Path) {
		return errs.New(errs.Forbidden, "您没有管理“%s”试卷的权限。", o.Name)
	}
	p.OrgID, p.OrgPath, p.OrgName = o.ID, o.Path, o.Name
	return nil
}

func (in *PaperInput) put(p *Paper) {
	p.Kind, p.Title, p.About, p.Rules = in.Kind, in.Title, in.About, in.Rules
	p.Items, p.Draws = slices.Clone(in.Items), slices.Clone(in.Draws)
	p.Questions, p.Points = total(p.Items, p.Draws)
}

// known refuses questions that the paper's organisation has no part in.
func (s *Exams) known(ctx context.Context, p *Paper) error {
	if len(p.Items) == 0 {
		return nil
	}
	all, err := s.cfg.Bank.Pool(ctx, DrawQuery{Orgs: authz.Ancestors(p.OrgPath)})
	if err != nil {
		return err
	}
	there := make(map[ids.ID]bool, len(all))
	for _, r := range all {
		there[r.ID] = true
	}
	var f errs.Fields
	for i, it := range p.Items {
		if !there[it.ID] {
			f.Add(fmt.Sprintf("items[%d].id", i), "第 %d 题已停用或不在可用的题库里，请换一道。", i+1)
		}
	}
	return f.Err()
}

// SavePaper changes a draft.
func (s *Exams) SavePaper(ctx context.Context, actor *authz.Actor, id ids.ID, version int64, in PaperInput) (*Paper, error) {
	p, err := s.draft(ctx, actor, id, version)
	if err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	if in.OrgID != 0 && in.OrgID != p.OrgID {
		if err := s.placePaper(ctx, actor, p, in.OrgID); err != nil {
			return nil, err
		}
	}
	in.put(p)
	if err := s.known(ctx, p); err != nil {
		return nil, err
	}
	return s.storePaper(ctx, actor, p, "paper.save", map[string]string{"title": p.Title})
}

// draft reads a draft at a version, to change it.
func (s *Exams) draft(ctx context.Context, actor *authz.Actor, id ids.ID, version int64) (*Paper, error) {
	p, err := s.paperWith(ctx, actor, Manage, id)
	if err != nil {
		return nil, err
	}
	if p.State != PaperDraft {
		return nil, errs.New(errs.Conflict, "试卷已发布，内容不能再改。需要修改时请复制一份。")
	}
	return p, fresh(p, version)
}

func fresh(p *Paper, version int64) error {
	if p.Version == version {
		return nil
	}
	e := errs.New(errs.Stale, "在您编辑期间，这份试卷已被%s修改。请查看最新内容后再保存。", p.UpdatedBy)
	e.Details = map[string]any{"current": p, "updatedBy": p.UpdatedBy, "updatedAt": p.UpdatedAt}
	return e
}

// storePaper stamps the next version of p, writes it and reads it again.
func (s *Exams) storePaper(ctx context.Context, actor *authz.Actor, p *Paper, action string, detail map[string]string) (*Paper, error) {
	expect := p.Version
	p.Version++
	p.UpdatedAt, p.UpdatedBy = s.now(), actor.Name
	if err := s.cfg.Store.SavePaper(ctx, p, expect, paperEntry(actor, action, p, detail)); err != nil {
		return nil, err
	}
	s.papers.drop(p.ID)
	return s.cfg.Store.Paper(ctx, p.ID)
}

// PublishPaper freezes a draft and lets members take it within its window.
func (s *Exams) PublishPaper(ctx context.Context, actor *authz.Actor, id ids.ID, version int64) (*Paper, error) {
	p, err := s.draft(ctx, actor, id, version)
	if err != nil {
		return nil, err
	}
	now := s.now()
	if err := p.ready(now); err != nil {
		return nil, err
	}
	if p.Pinned, err = s.pin(ctx, p); err != nil {
		return nil, err
	}
	p.State, p.PublishedAt = PaperPublished, now
	return s.storePaper(ctx, actor, p, "paper.publish", map[string]string{
		"title": p.Title, "questions": fmt.Sprint(p.Questions), "opensAt": day(p.Rules.OpensAt), "closesAt": day(p.Rules.ClosesAt),
	})
}

func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

// ClosePaper ends a paper now. Who is still answering is cut off: what they
// saved is graded.
func (s *Exams) ClosePaper(ctx context.Context, actor *authz.Actor, id ids.ID, version int64) (*Paper, error) {
	p, err := s.paperWith(ctx, actor, Manage, id)
	if err != nil {
		return nil, err
	}
	if err := fresh(p, version); err != nil {
		return nil, err
	}
	if p.State != PaperPublished {
		return nil, errs.New(errs.Conflict, "只有已发布的试卷才能结束。")
	}
	p.State, p.ClosedAt = PaperClosed, s.now()
	p.HeldTo = time.Time{}
	return s.storePaper(ctx, actor, p, "paper.close", map[string]string{"title": p.Title})
}

// DeletePaper removes a draft.
func (s *Exams) DeletePaper(ctx context.Context, actor *authz.Actor, id ids.ID, version int64) error {
	p, err := s.draft(ctx, actor, id, version)
	if err != nil {
		return err
	}
	return s.cfg.Store.DeletePaper(ctx, id, version, paperEntry(actor, "paper.delete", p, map[string]string{"title": p.Title}))
}

// CopyPaper makes a draft of any paper, without its window.
func (s *Exams) CopyPaper(ctx context.Context, actor *authz.Actor, id ids.ID) (*Paper, error) {
	p, err := s.paperWith(ctx, actor, Manage, id)
	if err != nil {
		return nil, err
	}
	now := s.now()
	in := PaperInput{OrgID: p.OrgID, Kind: p.Kind, Title: p.Title, About: p.About, Items: p.Items, Draws: p.Draws, Rules: p.Rules}
	if in.Kind == DailyPaper {
		in.Kind = ExamPaper
	}
	in.Rules.OpensAt, in.Rules.ClosesAt = time.Time{}, time.Time{}
	for i := range in.Items {
		in.Items[i].Revision = 0 // a copy asks what is current
	}
	c := &Paper{
		ID: s.cfg.IDs.New(), OrgID: p.OrgID, OrgPath: p.OrgPath, OrgName: p.OrgName, State: PaperDraft, Version: 1,
		CreatedAt: now, UpdatedAt: now, UpdatedBy: actor.Name,
	}
	in.put(c)
	c.Title = clip(p.Title, 94) + "（副本）"
	return s.addPaper(ctx, actor, c, "paper.copy", map[string]string{"from": p.ID.String()})
}

// PreviewPaper shows a paper as one member would see it.
func (s *Exams) PreviewPaper(ctx context.Context, actor *authz.Actor, id ids.ID) (*Sheet, error) {
	p, err := s.paperWith(ctx, actor, Manage, id)
	if err != nil {
		return nil, err
	}
	if p.State == PaperDraft {
		if p.Pinned, err = s.pin(ctx, p); err != nil {
			return nil, err
		}
	}
	now := s.now()
	a := &Attempt{PaperID: p.ID, Kind: p.Kind, Number: 1, Title: p.Title, State: AttemptOpen, Seed: seed(), Started: now}
	a.Items = p.Pinned.deal(a.Seed, p.Rules.ShuffleQuestions)
	a.Due = p.due(now)
	st, err := s.sit(ctx, p, a)
	if err != nil {
		return nil, err
	}
	return s.sheet(st, a, nil, now), nil
}
