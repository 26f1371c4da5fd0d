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

// RequestInput is what somebody asks for.
type RequestInput struct {
	Kind RequestKind `json:"kind" enum:"correction,deletion"`
	Text string      `json:"text" minLength:"1" maxLength:"500"`
}

// Verdict is what becomes of a request.
type Verdict struct {
	State  RequestState `json:"state" enum:"done,refused"`
	Answer string       `json:"answer" minLength:"1" maxLength:"500" doc:"what was done, or why not"`
}

// AskFor notes a request about a member's data: made by the member, or on
// paper and noted by who manages the branch.
func (s *Service) AskFor(ctx context.Context, actor *authz.Actor, id ids.ID, in RequestInput) (*Request, error) {
	m, err := s.cfg.Store.Member(ctx, id)
	if err != nil {
		return nil, err
	}
	if self := actor != nil && actor.Kind == authz.Member && actor.ID == id; !self {
		if m, err = s.with(ctx, actor, Manage, id); err != nil {
			return nil, err
		}
	}
	in.Text = strings.TrimSpace(in.Text)
	if n := len([]rune(in.Text)); n == 0 || n > 500 {
		return nil, errs.Bad("text", "请用不超过 500 个字写明要更正或删除什么。")
	}
	if in.Kind != Correction && in.Kind != Deletion {
		return nil, errs.Bad("kind", "请选择更正或删除。")
	}
	q := &Request{
		ID: s.cfg.IDs.New(), MemberID: m.ID, MemberName: m.Name, OrgID: m.OrgID, OrgName: m.OrgName, OrgPath: m.OrgPath, Kind: in.Kind,
		State: Open, CreatedAt: s.cfg.Clock.Now(), CreatedBy: actor.Name, Version: 1,
	}
	if q.SealedText, err = s.cfg.Sealer.Seal([]byte(in.Text), RequestUse(q.ID)); err != nil {
		return nil, err
	}
	made, err := s.cfg.Store.CreateRequest(ctx, q, requestEntry(actor, "member.request", q))
	if err != nil {
		return nil, err
	}
	if q, err = s.cfg.Store.Request(ctx, made); err != nil {
		return nil, err
	}
	return q, s.readRequest(q)
}

func requestEntry(actor *authz.Actor, action string, q *Request) trail.Entry {
	return trail.Entry{
		Actor: actor, Action: action, Object: "member_request", ID: q.ID, OrgID: q.OrgID, OrgPath: q.OrgPath,
		Detail: map[string]string{"name": q.MemberName, "kind": string(q.Kind), "state": string(q.State)},
	}
}

func (s *Service) readRequest(q *Request) (err error) {
	if q.Text, err = s.open(q.SealedText, RequestUse(q.ID)); err != nil {
		return err
	}
	q.Answer, err = s.open(q.SealedAnswer, AnswerUse(q.ID))
	return err
}

// Requests lists requests of branches whose members the actor manages, newest first.
func (s *Service) Requests(ctx context.Context, actor *authz.Actor, member ids.ID, state RequestState, r page.Request) (*page.Result[Request], error) {
	rows, err := s.cfg.Store.Requests(ctx, RequestFilter{Scope: actor.Scope(Manage), Member: member, State: state}, r)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		if err := s.readRequest(&rows[i]); err != nil {
			return nil, err
		}
	}
	res := page.Of(rows, r.Limit, func(q Request) ids.ID { return q.ID })
	return &res, nil
}

// Decide answers a request. Granting a deletion deletes phone, ID number, date
// of birth, gender and note with it; a correction is made in the roster first.
func (s *Service) Decide(ctx context.Context, actor *authz.Actor, id ids.ID, version int64, v Verdict) (*Request, error) {
	q, err := s.cfg.Store.Request(ctx, id)
	if err != nil {
		return nil, err
	}
	if !actor.Can(Manage, q.OrgPath) {
		return nil, errs.Missing("申请")
	}
	if q.Version != version || q.State != Open {
		return nil, errs.New(errs.Stale, "这份申请已被%s处理，请刷新页面。", q.DecidedBy)
	}
	v.Answer = strings.TrimSpace(v.Answer)
	if n := len([]rune(v.Answer)); n == 0 || n > 500 {
		return nil, errs.Bad("answer", "请用不超过 500 个字写明办理结果，或不采纳的理由。")
	}
	if v.State != Done && v.State != Refused {
		return nil, errs.Bad("state", "请选择已办理或不采纳。")
	}
	q.State, q.DecidedAt, q.DecidedBy = v.State, s.cfg.Clock.Now(), actor.Name
	if q.SealedAnswer, err = s.cfg.Sealer.Seal([]byte(v.Answer), AnswerUse(q.ID)); err != nil {
		return nil, err
	}
	var w *Write
	if q.Kind == Deletion && v.State == Done {
		m, err := s.cfg.Store.Member(ctx, q.MemberID)
		if err != nil {
			return nil, err
		}
		erased := s.erase(actor, m, "member.erase", map[string]string{"name": m.Name, "reason": "request"})
		m.BirthDate, m.Gender, m.Note = "", "", ""
		w = &erased
	}
	q.Version++
	if err := s.cfg.Store.Decide(ctx, q, version, w, requestEntry(actor, "member.decide", q)); err != nil {
		return nil, err
	}
	if q, err = s.cfg.Store.Request(ctx, id); err != nil {
		return nil, err
	}
	return q, s.readRequest(q)
}

// erase takes the numbers out of m and stamps it.
func (s *Service) erase(actor *authz.Actor, m *Member, action string, detail map[string]string) Write {
	w := Write{Member: m, Expect: m.Version, Entry: entry(actor, action, m, detail)}
	m.SealedPhone, m.PhoneIndex, m.SealedID, m.IDIndex = "", "", "", ""
	m.PurgedAt = s.cfg.Clock.Now()
	s.stamp(actor, m)
	return w
}
