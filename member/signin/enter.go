package signin

import (
	"context"
	"encoding/base64"
	"io"
	"strings"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/call"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/member"
)

// Device says where a person signs in.
type Device struct {
	Client Client
	Name   string // "iPhone 15"; may be empty
}

// Tokens are what a device keeps. The access token is short; the refresh token
// is for the next one and changes with every use.
type Tokens struct {
	Access          string
	AccessExpiresAt time.Time
	Refresh         string
	ExpiresAt       time.Time // of the session
}

// Outcome of a step of signing in: tokens and who it is, or a ticket for
// somebody whom the roster does not know yet.
type Outcome struct {
	Tokens Tokens
	Live   *Live
	Ticket string
	Until  time.Time // of the ticket
}

// ByMini signs in with the code of wx.login.
func (s *Service) ByMini(ctx context.Context, code string, d Device) (Outcome, error) {
	w, err := s.cfg.WeChat.Mini(ctx, code)
	if err != nil {
		return Outcome{}, err
	}
	d.Client = Mini
	return s.known(ctx, w, d)
}

// ByWeb signs in with the code of the official account's page authorisation.
func (s *Service) ByWeb(ctx context.Context, code string, d Device) (Outcome, error) {
	w, err := s.cfg.WeChat.Web(ctx, code)
	if err != nil {
		return Outcome{}, err
	}
	d.Client = H5
	return s.known(ctx, w, d)
}

// WebURL is where a browser goes to be known to WeChat.
func (s *Service) WebURL(ctx context.Context, back, state string) (string, error) {
	return s.cfg.WeChat.WebURL(ctx, back, state)
}

// known signs in whom a binding knows, and gives others a ticket. The same
// unionid is the same person: the binding of the other app counts, and the one
// for this app is made.
func (s *Service) known(ctx context.Context, w Identity, d Device) (Outcome, error) {
	b, err := s.cfg.Store.Bound(ctx, w)
	if errs.Is(err, errs.NotFound) {
		return s.ticket(ctx, w, d)
	}
	if err != nil {
		return Outcome{}, err
	}
	m, err := s.cfg.Roster.Who(ctx, b.MemberID)
	if err != nil {
		return Outcome{}, err
	}
	if m.State != member.Active {
		return Outcome{}, gone()
	}
	if b.Identity.AppID == w.AppID && b.Identity.OpenID == w.OpenID {
		return s.start(ctx, m, d, Start{Session: Session{BindingID: b.ID}}, "wechat")
	}
	return s.start(ctx, m, d, s.bind(m, w, "union"), "wechat")
}

// gone is the answer to a member who is no longer in the roster.
func gone() error {
	return errs.New(errs.Forbidden, "您已不在党员名册中，如有疑问请联系支部书记。")
}

func (s *Service) bind(m *member.Member, w Identity, how string) Start {
	b := &Binding{ID: s.cfg.IDs.New(), MemberID: m.ID, Identity: w, How: how, BoundAt: s.cfg.Clock.Now(), Mini: w.AppID == s.cfg.MiniAppID}
	return Start{Session: Session{BindingID: b.ID}, Bind: b}
}

// ByLink signs in with a one-time link.
func (s *Service) ByLink(ctx context.Context, token string, d Device) (Outcome, error) {
	l, err := s.link(ctx, SignInLink, token, "登录链接无效、已用过或已过期，请重新获取。")
	if err != nil {
		return Outcome{}, err
	}
	m, err := s.cfg.Roster.Who(ctx, l.MemberID)
	if err != nil {
		return Outcome{}, err
	}
	return s.start(ctx, m, d, Start{Spend: []ids.ID{l.ID}}, "link")
}

// IssueLink makes a one-time link that signs a member in. Only the program
// itself calls it, for a demonstration.
func (s *Service) IssueLink(ctx context.Context, of ids.ID, life time.Duration) (string, error) {
	m, err := s.cfg.Roster.Who(ctx, of)
	if err != nil {
		return "", err
	}
	token, err := s.random()
	if err != nil {
		return "", err
	}
	now := s.cfg.Clock.Now()
	l := Link{ID: s.cfg.IDs.New(), Kind: SignInLink, Hash: hash(token), MemberID: m.ID, CreatedAt: now, ExpiresAt: now.Add(life)}
	return token, s.cfg.Store.AddLink(ctx, l, entry(authz.SystemActor("tongxin"), "member.signin_link", m, nil))
}

// link finds an unused, unexpired thing; sentence is the answer otherwise.
func (s *Service) link(ctx context.Context, kind LinkKind, token, sentence string) (*Link, error) {
	l, err := s.cfg.Store.Link(ctx, kind, hash(token))
	if errs.Is(err, errs.NotFound) || err == nil && (!l.UsedAt.IsZero() || !s.cfg.Clock.Now().Before(l.ExpiresAt)) {
		return nil, errs.New(errs.Unauthorized, "%s", sentence)
	}
	return l, err
}

// start makes the session and writes everything a sign-in changes at once.
func (s *Service) start(ctx context.Context, m *member.Member, d Device, st Start, method string) (Outcome, error) {
	if m.State != member.Active {
		return Outcome{}, gone()
	}
	var nonce [16]byte
	if _, err := io.ReadFull(s.cfg.Random, nonce[:]); err != nil {
		return Outcome{}, err
	}
	now, info := s.cfg.Clock.Now(), call.From(ctx)
	x := &st.Session
	x.ID, x.MemberID, x.Client, x.Device, x.Addr = s.cfg.IDs.New(), m.ID, d.Client, deviceName(d, info), info.Addr
	x.CreatedAt, x.SeenAt, x.RotatedAt, x.ExpiresAt = now, now, now, now.Add(SessionAge)
	x.Nonce, x.Generation = base64.RawURLEncoding.EncodeToString(nonce[:]), 1
	actor := s.actor(m)
	e := entry(actor, "member.signin", m, map[string]string{"method": method, "client": string(d.Client)})
	if st.Bind != nil {
		e.Detail["bound"] = st.Bind.How
	}
	err := s.cfg.Store.Start(ctx, st, e)
	if errs.Is(err, errs.Conflict) {
		return Outcome{}, errs.New(errs.Unauthorized, "这个链接或邀请码刚刚被用过，或者您已不在党员名册中，请重新登录。")
	}
	if err != nil {
		return Outcome{}, err
	}
	if st.Bind != nil {
		s.changed() // an earlier binding and its sessions ended
	}
	s.used(ctx, m.ID, d.Client)
	return Outcome{Tokens: s.tokens(x, now), Live: &Live{Session: *x, Member: *m, Actor: actor, Key: "m" + m.ID.String()}}, nil
}

// deviceName is what the device calls itself, or what its browser tells of it.
func deviceName(d Device, info call.Info) string {
	name := strings.TrimSpace(d.Name)
	if name == "" {
		for _, k := range []string{"iPhone", "iPad", "HarmonyOS", "Android", "Windows", "Macintosh", "Linux"} {
			if strings.Contains(info.UserAgent, k) {
				name = k
				break
			}
		}
	}
	if r := []rune(name); len(r) > 40 {
		name = string(r[:40])
	}
	return name
}

func (s *Service) tokens(x *Session, now time.Time) Tokens {
	until := now.Add(AccessAge)
	return Tokens{
		Access:  s.keys.access(access{session: x.ID, member: x.MemberID, expires: until}),
		Refresh: s.keys.refresh(x.ID, x.Generation, x.Nonce), AccessExpiresAt: until, ExpiresAt: x.ExpiresAt,
	}
}
