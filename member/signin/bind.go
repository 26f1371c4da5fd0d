package signin

import (
	"context"
	"strings"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/trail"
	"tongxin/member"
)

// ticket is for somebody whom WeChat knows and the roster does not yet: it
// stands for the WeChat identity until a phone number or an invite code tells
// whose it is.
func (s *Service) ticket(ctx context.Context, w Identity, d Device) (Outcome, error) {
	token, err := s.random()
	if err != nil {
		return Outcome{}, err
	}
	now := s.cfg.Clock.Now()
	l := Link{ID: s.cfg.IDs.New(), Kind: BindTicket, Hash: hash(token), Identity: w, Client: d.Client, CreatedAt: now, ExpiresAt: now.Add(ticketAge)}
	e := trail.Entry{Action: "member.ticket", Object: "link", ID: l.ID, Detail: map[string]string{"client": string(d.Client)}}
	return Outcome{Ticket: token, Until: l.ExpiresAt}, s.cfg.Store.AddLink(ctx, l, e)
}

func (s *Service) openTicket(ctx context.Context, token string) (*Link, error) {
	const sentence = "绑定已超时，请重新打开本页。"
	l, err := s.link(ctx, BindTicket, token, sentence)
	if err == nil && l.Tries >= guesses {
		return nil, errs.New(errs.Unauthorized, sentence)
	}
	return l, err
}

// BindPhone joins the holder of a ticket with the member who has the phone
// number that WeChat vouches for.
func (s *Service) BindPhone(ctx context.Context, ticket, phoneCode string, d Device) (Outcome, error) {
	t, err := s.openTicket(ctx, ticket)
	if err != nil {
		return Outcome{}, err
	}
	phone, err := s.cfg.WeChat.Phone(ctx, phoneCode)
	if err != nil {
		return Outcome{}, err
	}
	m, err := s.cfg.Roster.ByPhone(ctx, phone)
	if errs.Is(err, errs.NotFound) {
		if err := s.refused(ctx, t, "phone"); err != nil {
			return Outcome{}, err
		}
		return Outcome{}, errs.New(errs.NotFound, "党员名册中没有这个手机号。请联系支部书记登记您的手机号，或向书记要一个邀请码。")
	}
	if err != nil {
		return Outcome{}, err
	}
	return s.join(ctx, t, m, "phone", nil, d)
}

// BindInvite joins the holder of a ticket with the member for whom a secretary
// made the code. The name must be the member's too: a code that was overheard
// is of no use to whoever does not know whose it is.
func (s *Service) BindInvite(ctx context.Context, ticket, code, name string, d Device) (Outcome, error) {
	t, err := s.openTicket(ctx, ticket)
	if err != nil {
		return Outcome{}, err
	}
	wrong := errs.New(errs.Invalid, "邀请码或姓名不正确，或者邀请码已用过、已过期。请核对，或请支部书记重新生成。")
	l, err := s.cfg.Store.Link(ctx, InviteCode, hash(cleanCode(code)))
	if err != nil && !errs.Is(err, errs.NotFound) {
		return Outcome{}, err
	}
	if err != nil || !l.UsedAt.IsZero() || !s.cfg.Clock.Now().Before(l.ExpiresAt) {
		return Outcome{}, s.wrong(ctx, t, wrong)
	}
	m, err := s.cfg.Roster.Who(ctx, l.MemberID)
	if err != nil {
		return Outcome{}, err
	}
	if strings.Join(strings.Fields(name), "") != strings.Join(strings.Fields(m.Name), "") {
		return Outcome{}, s.wrong(ctx, t, wrong)
	}
	return s.join(ctx, t, m, "invite", []ids.ID{l.ID}, d)
}

func (s *Service) join(ctx context.Context, t *Link, m *member.Member, how string, spend []ids.ID, d Device) (Outcome, error) {
	st := s.bind(m, t.Identity, how)
	st.Spend = append(spend, t.ID)
	d.Client = t.Client
	return s.start(ctx, m, d, st, how)
}

// wrong counts a wrong guess; too many end the ticket.
func (s *Service) wrong(ctx context.Context, t *Link, answer error) error {
	if err := s.refused(ctx, t, "invite"); err != nil {
		return err
	}
	return answer
}

func (s *Service) refused(ctx context.Context, t *Link, how string) error {
	_, err := s.cfg.Store.Guess(ctx, t.ID, trail.Entry{
		Action: "member.bind", Object: "link", ID: t.ID, Result: trail.Failed, Detail: map[string]string{"how": how},
	})
	return err
}

// Invite is a code that a secretary gives to a member by word of mouth.
type Invite struct {
	Code      string    `json:"code" doc:"shown this once: ABCD-EFGH"`
	ExpiresAt time.Time `json:"expiresAt"`
}

// codeLetters have no look-alikes: no 0 O, 1 I L, 2 Z, 5 S, 8 B.
const codeLetters = "34679ACDEFGHJKMNPQRTUVWXY"

const codeLength = 8

// cleanCode forgives blanks, dashes and small letters.
func cleanCode(code string) string {
	return strings.ToUpper(strings.NewReplacer(" ", "", "-", "", "—", "", "－", "").Replace(code))
}

// Invite makes a code for a member whom the actor manages. Earlier codes stay
// good until they expire or one of them is used.
func (s *Service) Invite(ctx context.Context, actor *authz.Actor, of ids.ID) (*Invite, error) {
	m, err := s.managed(ctx, actor, of)
	if err != nil {
		return nil, err
	}
	if m.State != member.Active {
		return nil, errs.New(errs.Conflict, "这位党员不在册，不能邀请。")
	}
	code, err := ids.Code(s.cfg.Random, codeLetters, codeLength)
	if err != nil {
		return nil, err
	}
	now := s.cfg.Clock.Now()
	l := Link{ID: s.cfg.IDs.New(), Kind: InviteCode, Hash: hash(code), MemberID: m.ID, CreatedAt: now, ExpiresAt: now.Add(InviteAge)}
	if err := s.cfg.Store.AddLink(ctx, l, entry(actor, "member.invite", m, nil)); err != nil {
		return nil, err
	}
	return &Invite{Code: code[:4] + "-" + code[4:], ExpiresAt: l.ExpiresAt}, nil
}

// managed finds a member of a branch that the actor manages.
func (s *Service) managed(ctx context.Context, actor *authz.Actor, of ids.ID) (*member.Member, error) {
	m, err := s.cfg.Roster.Who(ctx, of)
	if err != nil {
		return nil, err
	}
	if !actor.Can(member.Manage, m.OrgPath) {
		return nil, errs.Missing("党员")
	}
	return m, nil
}

// Bindings lists the WeChat identities of a member whom the actor manages.
func (s *Service) Bindings(ctx context.Context, actor *authz.Actor, of ids.ID) ([]Binding, error) {
	if _, err := s.managed(ctx, actor, of); err != nil {
		return nil, err
	}
	list, err := s.cfg.Store.Bindings(ctx, of)
	for i := range list {
		list[i].Mini = list[i].Identity.AppID == s.cfg.MiniAppID
	}
	return list, err
}

// Unbind takes a WeChat identity off a member; its devices are signed out.
func (s *Service) Unbind(ctx context.Context, actor *authz.Actor, of, id ids.ID) error {
	m, err := s.managed(ctx, actor, of)
	if err != nil {
		return err
	}
	if err := s.cfg.Store.Unbind(ctx, m.ID, id, entry(actor, "member.unbind", m, nil)); err != nil {
		return err
	}
	s.changed()
	return nil
}
