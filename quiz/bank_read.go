package quiz

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/trail"
)

// Questions lists the questions within the actor's reach, newest first.
func (b *Bank) Questions(ctx context.Context, actor *authz.Actor, f QuestionFilter, r page.Request) (*page.Result[Question], error) {
	f.Reach, f.Query, f.Topic = reach(actor), Fold(f.Query), strings.TrimSpace(f.Topic)
	rows, err := b.cfg.Store.Questions(ctx, f, r)
	if err != nil {
		return nil, err
	}
	res := page.Of(rows, r.Limit, func(q Question) ids.ID { return q.ID })
	return &res, nil
}

// QuestionView is a question with what speaks against it.
type QuestionView struct {
	Question
	Alike    []Alike `json:"alike" doc:"other questions with the same stem; worth a look before both are used"`
	Editable bool    `json:"editable" doc:"whether the caller may change it"`
}

// Question returns one question; NotFound outside the actor's reach.
func (b *Bank) Question(ctx context.Context, actor *authz.Actor, id ids.ID) (*QuestionView, error) {
	q, err := b.with(ctx, actor, Read, id)
	if err != nil {
		return nil, err
	}
	return b.view(ctx, actor, q)
}

func (b *Bank) view(ctx context.Context, actor *authz.Actor, q *Question) (*QuestionView, error) {
	alike, err := b.alike(ctx, actor, q.ID, q.StemKey)
	return &QuestionView{Question: *q, Alike: alike, Editable: actor.Can(Manage, q.OrgPath)}, err
}

func (b *Bank) alike(ctx context.Context, actor *authz.Actor, but ids.ID, key string) ([]Alike, error) {
	list, err := b.cfg.Store.AlikeStems(ctx, reach(actor), []string{key})
	out := []Alike{}
	for _, a := range list {
		if a.ID != but {
			out = append(out, a)
		}
	}
	return out, err
}

// with reads a question on whose organisation the actor holds right. Who may
// not even read it is told that it does not exist.
func (b *Bank) with(ctx context.Context, actor *authz.Actor, right authz.Right, id ids.ID) (*Question, error) {
	q, err := b.cfg.Store.Question(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case !mayRead(actor, q.OrgPath):
		return nil, errs.Missing("题目")
	case right == Manage && !actor.Can(Manage, q.OrgPath):
		return nil, errs.New(errs.Forbidden, "这道题属于“%s”，您可以使用，但没有修改的权限。", q.OrgName)
	}
	return q, nil
}

// QuestionRevisions is the history of a question, newest first.
type QuestionRevisions struct {
	Items []QuestionRevision `json:"items"`
}

// Revisions lists every content that a question had.
func (b *Bank) Revisions(ctx context.Context, actor *authz.Actor, id ids.ID) (*QuestionRevisions, error) {
	if _, err := b.with(ctx, actor, Read, id); err != nil {
		return nil, err
	}
	list, err := b.cfg.Store.Revisions(ctx, id)
	return &QuestionRevisions{Items: list}, err
}

// TopicList is the names in use within reach.
type TopicList struct {
	Items []Topic `json:"items"`
}

// Topics lists the topics of the questions within the actor's reach.
func (b *Bank) Topics(ctx context.Context, actor *authz.Actor) (*TopicList, error) {
	list, err := b.cfg.Store.Topics(ctx, reach(actor))
	if list == nil {
		list = []Topic{}
	}
	return &TopicList{Items: list}, err
}

// Preview is a question as a member would see it, before and after.
type Preview struct {
	Shown    Shown        `json:"shown"`
	Key      Key          `json:"key"`
	Problems []errs.Field `json:"problems" doc:"what keeps it from being saved"`
	Alike    []Alike      `json:"alike"`
}

// Preview renders a content that need not be complete. seed chooses the order.
func (b *Bank) Preview(ctx context.Context, actor *authz.Actor, c Content, seed uint64) (*Preview, error) {
	if !actor.Has(Read) {
		return nil, errs.Missing("题目")
	}
	p := &Preview{Problems: []errs.Field{}}
	c = c.Tidy()
	err := b.check(ctx, actor, &c)
	var e *errs.Error
	if err != nil && (!errors.As(err, &e) || e.Code != errs.Invalid) {
		return nil, err
	}
	if e != nil {
		p.Problems = e.Fields
	}
	if c.parts() > 100 || len(c.Stem)+len(c.Explanation) > 64<<10 {
		return p, nil // nobody means that; the problems say so
	}
	s := NewShuffle(&c, seed, 0, true)
	p.Shown, p.Key = s.Show(&c, b.cfg.HTML), s.Key(&c, b.cfg.HTML)
	p.Alike, err = b.alike(ctx, actor, 0, StemKey(&c))
	return p, err
}

// MaxExport bounds an export, in questions.
const MaxExport = 20_000

// Export returns the contents of the questions that a filter finds within the
// actor's reach, oldest first, and notes it in the audit. Answers leave with it.
func (b *Bank) Export(ctx context.Context, actor *authz.Actor, f QuestionFilter, format string) ([]Content, error) {
	var out []Content
	for r := (page.Request{Limit: page.Max}); ; {
		part, err := b.Questions(ctx, actor, f, r)
		if err != nil {
			return nil, err
		}
		for _, q := range part.Items {
			out = append(out, q.Content)
			r.After = q.ID
		}
		if part.Next == "" {
			break
		}
		if len(out) >= MaxExport {
			return nil, errs.New(errs.TooLarge, "符合条件的题超过 %d 道，请缩小范围后再导出。", MaxExport)
		}
	}
	slices.Reverse(out)
	e := trail.Entry{Actor: actor, Action: "question.export", Object: "question", OrgID: f.OrgID, Detail: map[string]string{
		"count": strconv.Itoa(len(out)), "format": format,
	}}
	if f.OrgID != 0 {
		p, err := b.cfg.Place(ctx, f.OrgID)
		if err != nil || !mayRead(actor, p.Path) {
			return nil, errs.Missing("组织")
		}
		e.OrgPath = p.Path
	}
	return out, b.cfg.Store.Record(ctx, e)
}
