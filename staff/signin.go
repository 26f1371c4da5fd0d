package staff

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/call"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/trail"
)

// Lockout: after so many wrong tries in a row the name is locked, each further
// one doubles the time. A day without a try forgets all.
const (
	freeTries    = 5 // per login and address
	freeTriesAll = 50
	firstLock    = time.Minute
	longestLock  = time.Hour
	forgetAfter  = 24 * time.Hour
	ticketAge    = 5 * time.Minute
)

// Outcome of a step of signing in: a session token, or a ticket for the second
// factor.
type Outcome struct {
	Token  string
	Ticket string
}

func wrongPassword() error {
	return errs.New(errs.Unauthorized, "登录名或密码不正确。连续输错会暂时锁定，忘记密码请联系管理员。")
}

// SignIn checks login and password. Unknown, disabled and invited accounts
// cost the same time and get the same answer as a wrong password.
func (s *Service) SignIn(ctx context.Context, login, password string) (Outcome, error) {
	login = strings.ToLower(strings.TrimSpace(login))
	names := failureNames(login, call.From(ctx).Addr)
	c, err := s.cfg.Store.Credentials(ctx, login)
	if err != nil {
		return Outcome{}, err
	}
	if err := s.open(ctx, names, &c, "signin.password"); err != nil {
		return Outcome{}, err
	}
	hash := c.Hash
	if c.ID == 0 || hash == "" {
		hash = s.dummy
	}
	ok, weak, err := s.verify(ctx, hash, clipBytes(password, maxPassword+1))
	if err != nil {
		return Outcome{}, err
	}
	if !ok || c.ID == 0 || c.Hash == "" || c.State != Active {
		return Outcome{}, s.fail(ctx, names, &c, "signin.password", wrongPassword())
	}
	// Again, because many guesses may have waited for their turn to be hashed
	// since the first look.
	if err := s.open(ctx, names, &c, "signin.password"); err != nil {
		return Outcome{}, err
	}
	var swap *Credentials
	if weak { // the parameters rose since this hash was made
		n := c
		if n.Hash, err = s.hashBounded(ctx, password); err != nil {
			return Outcome{}, err
		}
		swap = &n
	}
	if c.TOTP != "" {
		if swap != nil {
			if err := s.cfg.Store.SaveCredentials(ctx, *swap, signInEntry(&c, "account.rehash", trail.OK)); err != nil {
				return Outcome{}, err
			}
		}
		return s.ticket(ctx, &c, 0, "signin.password")
	}
	return s.start(ctx, &c, "password", Start{Clear: names, Creds: swap, Judged: &c})
}

func clipBytes(s string, n int) string { return s[:min(len(s), n)] }

// ticket answers a first step that was right when the second factor is still
// due. spent is a link that was the first step.
func (s *Service) ticket(ctx context.Context, c *Credentials, spent ids.ID, action string) (Outcome, error) {
	token, l, err := s.newLink(TicketLink, c.ID, ticketAge)
	if err != nil {
		return Outcome{}, err
	}
	e := signInEntry(c, action, trail.OK)
	e.Detail = map[string]string{"next": "second factor"}
	err = s.cfg.Store.AddLink(ctx, l, spent, e)
	if errs.Is(err, errs.Conflict) {
		return Outcome{}, deadLink()
	}
	return Outcome{Ticket: token}, err
}

func deadLink() error {
	return errs.New(errs.Unauthorized, "登录链接无效、已用过或已过期，请重新获取。")
}

// SignInCode finishes a sign-in with a code of the second factor, or with one
// of the recovery codes. A code works once, also within its 30 seconds.
func (s *Service) SignInCode(ctx context.Context, ticket, code string) (Outcome, error) {
	l, err := s.link(ctx, TicketLink, ticket, "登录已超时，请重新输入密码。")
	if err != nil {
		return Outcome{}, err
	}
	c, err := s.cfg.Store.CredentialsOf(ctx, l.AccountID)
	if err != nil {
		return Outcome{}, err
	}
	// By account and not by address: six figures are few.
	names := []string{failureName("code", c.Login)}
	if err := s.open(ctx, names, &c, "signin.code"); err != nil {
		return Outcome{}, err
	}
	swap, method, err := s.useCode(&c, code)
	if err != nil {
		return Outcome{}, err
	}
	if swap == nil || c.State != Active {
		return Outcome{}, s.fail(ctx, names, &c, "signin.code", errs.New(errs.Unauthorized, "验证码不正确或已经用过，请等待下一个验证码后再试。"))
	}
	// Again: of many guesses at once all may have found the door open.
	if err := s.open(ctx, names, &c, "signin.code"); err != nil {
		return Outcome{}, err
	}
	names = append(names, failureNames(c.Login, call.From(ctx).Addr)...)
	return s.start(ctx, &c, method, Start{Clear: names, Link: l.ID, Creds: swap})
}

// SignInLink starts a session with a one-time sign-in link.
func (s *Service) SignInLink(ctx context.Context, token string) (Outcome, error) {
	l, err := s.link(ctx, SignInLink, token, "登录链接无效、已用过或已过期，请重新获取。")
	if err != nil {
		return Outcome{}, err
	}
	c, err := s.cfg.Store.CredentialsOf(ctx, l.AccountID)
	if err != nil {
		return Outcome{}, err
	}
	if c.State == Disabled {
		return Outcome{}, deadLink()
	}
	if c.TOTP != "" { // a link takes the place of the password, not of the phone
		return s.ticket(ctx, &c, l.ID, "signin.link")
	}
	return s.start(ctx, &c, "link", Start{Link: l.ID, Activate: true})
}

// start makes the session and writes everything a sign-in changes at once.
func (s *Service) start(ctx context.Context, c *Credentials, method string, st Start) (Outcome, error) {
	token, hash, err := s.newToken()
	if err != nil {
		return Outcome{}, err
	}
	now, info := s.cfg.Clock.Now(), call.From(ctx)
	st.Hash = hash
	st.Session = Session{
		ID: s.cfg.IDs.New(), AccountID: c.ID, CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(s.policy.SessionAge),
		Addr: info.Addr, UserAgent: info.UserAgent, Method: method,
	}
	e := signInEntry(c, "signin."+method, trail.OK)
	err = s.cfg.Store.StartSession(ctx, st, e)
	if errs.Is(err, errs.Conflict) {
		return Outcome{}, errs.New(errs.Unauthorized, "这个验证码或链接刚刚被用过，请重新登录。")
	}
	return Outcome{Token: token}, err
}

func signInEntry(c *Credentials, action string, result trail.Result) trail.Entry {
	e := trail.Entry{Action: action, Object: "account", ID: c.ID, OrgID: c.OrgID, OrgPath: c.OrgPath, Result: result}
	if c.ID != 0 {
		e.Actor = &authz.Actor{ID: c.ID, Kind: authz.Staff, Name: c.Name}
	}
	return e
}

// fail notes a wrong try and returns answer, or what a locked door answers when
// tries at the same moment locked it: a right guess gets no other word then. Of
// an unknown login nothing is written down: people type passwords into the
// wrong field.
func (s *Service) fail(ctx context.Context, names []string, c *Credentials, action string, answer error) error {
	now := s.cfg.Clock.Now()
	late := false
	next := func(i int, f Failure) Failure {
		late = i > 0 && late || f.Until.After(now)
		if now.Sub(f.Last) >= forgetAfter {
			f = Failure{Name: f.Name}
		}
		f.Tries++
		f.Last = now
		if over := f.Tries - allowance(i); over >= 0 {
			f.Until = now.Add(min(longestLock, firstLock<<min(over, 10)))
		}
		return f
	}
	e := signInEntry(c, action, trail.Failed)
	if c.ID == 0 {
		e.Detail = map[string]string{"login": "unknown"}
	}
	if err := s.cfg.Store.NoteFailures(ctx, names, next, e); err != nil {
		return err
	}
	if late {
		if err := s.locked(ctx, names); err != nil {
			return err
		}
	}
	return answer
}

// allowance is the number of tries of the i-th name: login with address (or
// account for codes) first, the login from everywhere second.
func allowance(i int) int {
	if i == 0 {
		return freeTries
	}
	return freeTriesAll
}

// open is locked with a note in the audit: also a try at a locked door counts.
func (s *Service) open(ctx context.Context, names []string, c *Credentials, action string) error {
	err := s.locked(ctx, names)
	if !errs.Is(err, errs.TooMany) {
		return err
	}
	e := signInEntry(c, action, trail.Denied)
	e.Detail = map[string]string{"reason": "locked"}
	if noted := s.cfg.Store.NoteFailures(ctx, nil, nil, e); noted != nil {
		return noted
	}
	return err
}

func (s *Service) locked(ctx context.Context, names []string) error {
	known, err := s.cfg.Store.Failures(ctx, names)
	if err != nil {
		return err
	}
	now := s.cfg.Clock.Now()
	var until time.Time
	for _, k := range known {
		if k.Until.After(until) {
			until = k.Until
		}
	}
	if !until.After(now) {
		return nil
	}
	wait := until.Sub(now)
	e := errs.New(errs.TooMany, "尝试次数过多，已暂时锁定，请在 %d 分钟后再试。", int((wait+time.Minute-1)/time.Minute))
	e.RetryAfter = wait
	return e
}

// failureNames are hashes, so that the table shows nobody's login or address.
func failureNames(login, addr string) []string {
	return []string{failureName("at", login, addr), failureName("all", login)}
}

func failureName(parts ...string) string {
	h := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(h[:16])
}
