package quiz

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
)

// QuestionInput is a question as a form sends it.
type QuestionInput struct {
	OrgID   ids.ID        `json:"orgId,omitempty" doc:"whose bank; only read when it is made"`
	State   QuestionState `json:"state,omitempty" enum:"draft,active" doc:"absent: draft when it is made, else as it was"`
	Content Content       `json:"content"`
}

// place finds an organisation into whose bank the actor may put questions.
func (b *Bank) place(ctx context.Context, actor *authz.Actor, id ids.ID) (Place, error) {
	p, err := b.cfg.Place(ctx, id)
	switch {
	case errs.Is(err, errs.NotFound) || err == nil && !mayRead(actor, p.Path):
		return Place{}, errs.Bad("orgId", "请选择题目所属的组织。")
	case err != nil:
		return Place{}, err
	case !actor.Can(Manage, p.Path):
		return Place{}, errs.New(errs.Forbidden, "您没有管理“%s”题库的权限。", p.Name)
	case p.Closed:
		return Place{}, errs.Bad("orgId", "“%s”已停用，请选择其他组织。", p.Name)
	}
	return p, nil
}

// check holds a content to Check and its pictures to the library.
func (b *Bank) check(ctx context.Context, actor *authz.Actor, c *Content) error {
	if err := c.Check(); err != nil {
		return err
	}
	var f errs.Fields
	for _, p := range c.pictures() {
		ok, err := b.cfg.Picture(ctx, actor, p.text)
		if err != nil {
			return err
		}
		if !ok {
			f.Add(p.field, "素材库里没有这张图片，请重新插入。")
		}
	}
	return f.Err()
}

// Create adds a question. A repeated call with its idempotency key returns the
// question made first.
func (b *Bank) Create(ctx context.Context, actor *authz.Actor, in QuestionInput) (*QuestionView, error) {
	p, err := b.place(ctx, actor, in.OrgID)
	if err != nil {
		return nil, err
	}
	in.Content = in.Content.Tidy()
	if err := b.check(ctx, actor, &in.Content); err != nil {
		return nil, err
	}
	q := b.fresh(actor, p, in)
	id, err := b.cfg.Store.CreateQuestion(ctx, &q, questionEntry(actor, "question.create", &q, q.sketch()))
	if err != nil {
		return nil, err
	}
	return b.Question(ctx, actor, id)
}

// fresh makes a new question of a checked input.
func (b *Bank) fresh(actor *authz.Actor, p Place, in QuestionInput) Question {
	now := b.cfg.Clock.Now()
	q := Question{
		ID: b.cfg.IDs.New(), OrgID: p.ID, OrgName: p.Name, OrgPath: p.Path, State: Draft, Revision: 1, Version: 1,
		CreatedAt: now, CreatedBy: actor.Name, UpdatedAt: now, UpdatedBy: actor.Name,
	}
	q.put(in.Content)
	if in.State == Active {
		q.State, q.ActiveAt = Active, now
	}
	return q
}

func (q *Question) put(c Content) {
	q.Content, q.StemKey, q.SameKey, q.Find = c, StemKey(&c), SameKey(&c), FindText(&c)
}

// sketch names a question in the audit.
func (q *Question) sketch() map[string]string {
	return map[string]string{
		"kind": string(q.Content.Kind), "stem": clip(q.Content.Stem, 60), "state": string(q.State),
		"revision": strconv.Itoa(q.Revision),
	}
}

// Save changes a question. Another content makes a new revision; the earlier
// ones stay what they are, for who answered them.
func (b *Bank) Save(ctx context.Context, actor *authz.Actor, id ids.ID, version int64, in QuestionInput) (*QuestionView, error) {
	q, err := b.at(ctx, actor, id, version)
	if err != nil {
		return nil, err
	}
	in.Content = in.Content.Tidy()
	if err := b.check(ctx, actor, &in.Content); err != nil {
		return nil, err
	}
	before := *q
	if SameKey(&in.Content) != q.SameKey {
		q.Revision++
		q.put(in.Content)
	}
	if in.State != "" {
		q.State = in.State
	}
	if q.Revision == before.Revision && q.State == before.State {
		return b.view(ctx, actor, q)
	}
	detail := q.sketch()
	if q.State != before.State {
		detail["state"] = string(before.State) + " → " + string(q.State)
	}
	return b.keep(ctx, actor, q, "question.save", detail)
}

// at reads a question to change it: the actor manages it and has seen this version.
func (b *Bank) at(ctx context.Context, actor *authz.Actor, id ids.ID, version int64) (*Question, error) {
	q, err := b.with(ctx, actor, Manage, id)
	if err != nil {
		return nil, err
	}
	if q.Version != version {
		e := errs.New(errs.Stale, "在您编辑期间，这道题已被%s修改。请查看最新内容后再保存。", q.UpdatedBy)
		e.Details = map[string]any{"current": q, "updatedBy": q.UpdatedBy, "updatedAt": q.UpdatedAt}
		return nil, e
	}
	return q, nil
}

func (b *Bank) keep(ctx context.Context, actor *authz.Actor, q *Question, action string, detail map[string]string) (*QuestionView, error) {
	expect := q.Version
	q.Version++
	q.UpdatedAt, q.UpdatedBy = b.cfg.Clock.Now(), actor.Name
	if q.State == Active && q.ActiveAt.IsZero() {
		q.ActiveAt = q.UpdatedAt
	}
	if err := b.cfg.Store.SaveQuestion(ctx, q, expect, questionEntry(actor, action, q, detail)); err != nil {
		return nil, err
	}
	return b.view(ctx, actor, q)
}

// Retire takes a question out of use. Papers and attempts that hold it keep it.
func (b *Bank) Retire(ctx context.Context, actor *authz.Actor, id ids.ID, version int64) (*QuestionView, error) {
	return b.move(ctx, actor, id, version, Retired, "question.retire")
}

// Restore makes a retired question, or a draft, active.
func (b *Bank) Restore(ctx context.Context, actor *authz.Actor, id ids.ID, version int64) (*QuestionView, error) {
	return b.move(ctx, actor, id, version, Active, "question.restore")
}

func (b *Bank) move(ctx context.Context, actor *authz.Actor, id ids.ID, version int64, to QuestionState, action string) (*QuestionView, error) {
	q, err := b.at(ctx, actor, id, version)
	if err != nil {
		return nil, err
	}
	if q.State == to {
		return b.view(ctx, actor, q)
	}
	from := q.State
	q.State = to
	return b.keep(ctx, actor, q, action, map[string]string{"state": string(from) + " → " + string(to), "stem": clip(q.Content.Stem, 60)})
}

// Delete removes a question that was never active, so that no paper can hold
// it. Any other is to be retired instead: errs.Conflict says so.
func (b *Bank) Delete(ctx context.Context, actor *authz.Actor, id ids.ID, version int64) error {
	q, err := b.at(ctx, actor, id, version)
	if err != nil {
		return err
	}
	return b.cfg.Store.DeleteQuestion(ctx, id, version, questionEntry(actor, "question.delete", q, q.sketch()))
}

// MaxBulk is how many questions one call changes.
const MaxBulk = 500

// BulkResult is what became of a list of questions.
type BulkResult struct {
	Changed int      `json:"changed"`
	Failed  []string `json:"failed" doc:"sentences, one for each question that stayed as it was"`
}

// SetStates moves many questions to a state, each for itself: a question that
// changed meanwhile is changed all the same, since only its state moves.
func (b *Bank) SetStates(ctx context.Context, actor *authz.Actor, list []ids.ID, to QuestionState) (*BulkResult, error) {
	action := map[QuestionState]string{Active: "question.restore", Retired: "question.retire"}[to]
	if action == "" {
		return nil, errs.Bad("state", "只能批量启用或停用。")
	}
	if len(list) > MaxBulk {
		return nil, errs.Bad("ids", "一次最多选择 %d 道题。", MaxBulk)
	}
	out := &BulkResult{Failed: []string{}}
	for _, id := range list {
		q, err := b.with(ctx, actor, Manage, id)
		if err == nil && q.State == to {
			continue
		}
		if err == nil {
			_, err = b.move(ctx, actor, id, q.Version, to, action)
		}
		if errs.Is(err, errs.Internal) {
			return nil, err
		}
		if err != nil {
			out.Failed = append(out.Failed, fmt.Sprintf("题目 %s：%s", id, sentence(err)))
			continue
		}
		out.Changed++
	}
	return out, nil
}

// sentence is the part of an error that people may read.
func sentence(err error) string {
	var e *errs.Error
	if errors.As(err, &e) {
		return e.Msg
	}
	return "没有成功，请稍后再试。"
}
