package results

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/trail"
	"tongxin/quiz"
)

// Certificate says that a member passed a paper. Names are those of the day it
// was issued. It is never changed, only revoked.
type Certificate struct {
	ID         ids.ID    `json:"id"`
	Number     string    `json:"number" doc:"year and a counter of the issuer: 2026-000012"`
	Code       string    `json:"code" doc:"with which anybody verifies it at /c/{code}"`
	Title      string    `json:"title" doc:"合格证书"`
	PaperID    ids.ID    `json:"paperId"`
	PaperTitle string    `json:"paperTitle"`
	AttemptID  ids.ID    `json:"attemptId"`
	MemberID   ids.ID    `json:"memberId"`
	Name       string    `json:"name"`
	OrgName    string    `json:"orgName" doc:"branch of the member"`
	IssuerID   ids.ID    `json:"issuerId"`
	Issuer     string    `json:"issuer" doc:"organisation of the paper"`
	EarnedAt   time.Time `json:"earnedAt" doc:"when the attempt ended: the date on the certificate"`
	IssuedAt   time.Time `json:"issuedAt"`
	RevokedAt  time.Time `json:"revokedAt,omitzero"`
	RevokedBy  string    `json:"revokedBy,omitempty"`
	Reason     string    `json:"reason,omitempty" doc:"why it was revoked"`
	Version    int64     `json:"version"`

	Year       int    `json:"-"`
	Seq        int    `json:"-"` // 0 until it is stored
	IssuerPath string `json:"-"`
	MemberPath string `json:"-"` // of the member now
}

// Revoked reports that it does not count any more.
func (c *Certificate) Revoked() bool { return !c.RevokedAt.IsZero() }

// issueBatch is how many certificates one call issues. The next call goes on.
const issueBatch = 200

// grants reports whether certificates of a paper may be issued now: they tell
// that somebody passed, so not before scores may be known; and where the last
// attempt counts, not while another may follow.
func (s *Service) grants(p *quiz.Paper, ended time.Time) bool {
	now := s.now()
	return p.Rules.Certificate != "" && p.State != quiz.PaperDraft && knows(p, p.Rules.ShowScore, ended, now) &&
		(p.Rules.Counting != quiz.CountLast || over(p, now))
}

// issue makes the certificates of a paper that are due: for one member or, with
// none, for all. Who earned one is derived from what is stored whenever
// somebody asks for certificates, so no event can be lost.
func (s *Service) issue(ctx context.Context, p *quiz.Paper, member ids.ID) error {
	if p.Rules.Certificate == "" {
		return nil
	}
	c := choice(p, authz.Scope{All: true})
	c.Member = member
	list, err := s.cfg.Store.Unissued(ctx, c, issueBatch)
	if err != nil {
		return err
	}
	var out []Certificate
	now := s.now()
	for _, st := range list {
		if !s.grants(p, st.EndedAt) {
			continue
		}
		code, err := NewCode(s.cfg.Random)
		if err != nil {
			return err
		}
		out = append(out, Certificate{
			ID: s.cfg.IDs.New(), Code: code, Title: p.Rules.Certificate, PaperID: p.ID, PaperTitle: p.Title, AttemptID: st.AttemptID,
			MemberID: st.MemberID, Name: st.Name, OrgName: st.OrgName, IssuerID: p.OrgID, Issuer: p.OrgName, IssuerPath: p.OrgPath,
			EarnedAt: st.EndedAt, IssuedAt: now, Year: yearOf(st.EndedAt), Version: 1,
		})
	}
	if len(out) == 0 {
		return nil
	}
	return s.cfg.Store.Issue(ctx, out, func(c Certificate) trail.Entry {
		return certificateEntry(authz.SystemActor("证书"), "certificate.issue", &c, nil)
	})
}

func certificateEntry(actor *authz.Actor, action string, c *Certificate, detail map[string]string) trail.Entry {
	if detail == nil {
		detail = map[string]string{}
	}
	detail["number"], detail["paper"], detail["member"] = c.Number, c.PaperID.String(), c.MemberID.String()
	return trail.Entry{Actor: actor, Action: action, Object: "certificate", ID: c.ID, OrgID: c.IssuerID, OrgPath: c.IssuerPath, Detail: detail}
}

// OwnCertificates lists the certificates of the member who asks.
func (s *Service) OwnCertificates(ctx context.Context, actor *authz.Actor, r page.Request) (*page.Result[Certificate], error) {
	papers, err := s.cfg.Store.Promised(ctx, actor.ID)
	if err != nil {
		return nil, err
	}
	for _, id := range papers {
		p, err := s.cfg.Paper(ctx, id)
		if err != nil {
			return nil, err
		}
		if err := s.issue(ctx, p, actor.ID); err != nil {
			return nil, err
		}
	}
	return s.certificates(ctx, CertificateFilter{Member: actor.ID}, r)
}

func (s *Service) certificates(ctx context.Context, f CertificateFilter, r page.Request) (*page.Result[Certificate], error) {
	list, err := s.cfg.Store.CertificateList(ctx, f, r)
	if err != nil {
		return nil, err
	}
	for i := range list {
		list[i].Code = ShowCode(list[i].Code)
	}
	out := page.Of(list, r.Limit, func(c Certificate) ids.ID { return c.ID })
	return &out, nil
}

// PaperCertificates lists those of a paper whose results the actor may see.
func (s *Service) PaperCertificates(ctx context.Context, actor *authz.Actor, id, org ids.ID, r page.Request) (*page.Result[Certificate], error) {
	v, err := s.view(ctx, actor, id, org)
	if err != nil {
		return nil, err
	}
	if err := s.issue(ctx, v.paper, 0); err != nil {
		return nil, err
	}
	return s.certificates(ctx, CertificateFilter{Paper: id, Area: v.area}, r)
}

// certificate reads one that is the actor's own, or whose holder or issuer the
// actor may see results of.
func (s *Service) certificate(ctx context.Context, actor *authz.Actor, id ids.ID) (*Certificate, error) {
	c, err := s.cfg.Store.Certificate(ctx, id)
	if err != nil {
		return nil, err
	}
	own := actor.Kind == authz.Member && actor.ID == c.MemberID
	if !own && !actor.Can(Right, c.IssuerPath) && !actor.Can(Right, c.MemberPath) {
		return nil, missingCertificate()
	}
	return c, nil
}

func missingCertificate() error { return errs.Missing("证书") }

// Revoke takes a certificate back for good. It is a decision of the issuer.
func (s *Service) Revoke(ctx context.Context, actor *authz.Actor, id ids.ID, version int64, reason string) (*Certificate, error) {
	c, err := s.certificate(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	if !actor.Can(Right, c.IssuerPath) {
		return nil, errs.New(errs.Forbidden, "证书由“%s”颁发，只有它的管理人员可以撤销。", c.Issuer)
	}
	reason = strings.TrimSpace(reason)
	if n := utf8.RuneCountInString(reason); n < 2 || n > 100 {
		return nil, errs.Bad("reason", "请填写撤销的原因，2 到 100 个字。")
	}
	if c.Revoked() {
		return nil, errs.New(errs.Conflict, "这张证书已经撤销。")
	}
	if c.Version != version {
		return nil, errs.New(errs.Stale, "这张证书刚刚被修改过，请刷新后再操作。")
	}
	c.RevokedAt, c.RevokedBy, c.Reason = s.now(), actor.Name, reason
	c.Version++
	err = s.cfg.Store.Revoke(ctx, c, version, certificateEntry(actor, "certificate.revoke", c, map[string]string{"reason": reason}))
	c.Code = ShowCode(c.Code)
	return c, err
}

// Verified is what anybody who holds a code may know: enough to compare with
// the paper in hand, and no more.
type Verified struct {
	Number, Code, Title string
	Name                string // masked
	Issuer, PaperTitle  string
	EarnedAt, RevokedAt time.Time
	Valid               bool
}

// Verify looks a code up. What cannot be a code is errs.NotFound without a look.
func (s *Service) Verify(ctx context.Context, typed string) (*Verified, error) {
	code, ok := ParseCode(typed)
	if !ok {
		return nil, missingCertificate()
	}
	c, err := s.cfg.Store.CertificateByCode(ctx, code)
	if err != nil {
		return nil, err
	}
	return &Verified{
		Number: c.Number, Code: ShowCode(c.Code), Title: c.Title, Name: Mask(c.Name), Issuer: c.Issuer, PaperTitle: c.PaperTitle,
		EarnedAt: c.EarnedAt, RevokedAt: c.RevokedAt, Valid: !c.Revoked(),
	}, nil
}
