package member

import (
	"context"
	"strings"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
)

// Who finds a member for the program itself, in whatever state and without
// numbers: signing in asks before there is an actor.
func (s *Service) Who(ctx context.Context, id ids.ID) (*Member, error) {
	m, err := s.cfg.Store.Member(ctx, id)
	if err != nil {
		return nil, err
	}
	m.SealedPhone, m.PhoneIndex, m.SealedID, m.IDIndex = "", "", "", ""
	return m, nil
}

// ByPhone finds the active member with a phone number that somebody else
// vouches for; errs.NotFound for none and for a number that is none.
func (s *Service) ByPhone(ctx context.Context, phone string) (*Member, error) {
	clean, ok := phoneOf(phone)
	if !ok {
		return nil, errs.Missing("党员")
	}
	list, err := s.cfg.Store.Holders(ctx, s.keys(clean, ""))
	if err != nil {
		return nil, err
	}
	for i := range list {
		if list[i].State == Active {
			return s.Who(ctx, list[i].ID)
		}
	}
	return nil, errs.Missing("党员")
}

// OwnRequests lists what a member asked about the own data, newest first.
func (s *Service) OwnRequests(ctx context.Context, of ids.ID, r page.Request) (*page.Result[Request], error) {
	rows, err := s.cfg.Store.Requests(ctx, RequestFilter{Scope: authz.Scope{All: true}, Member: of}, r)
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

// Place is where a member belongs, for a page: the names of the organisations
// from the top to the branch, and the posts held.
type Place struct {
	OrgNames []string
	Posts    []Post
}

// PlaceOf finds it.
func (s *Service) PlaceOf(ctx context.Context, m *Member) (Place, error) {
	orgs, err := s.cfg.Orgs(ctx)
	if err != nil {
		return Place{}, err
	}
	p := Place{OrgNames: []string{}, Posts: []Post{}}
	for _, o := range orgs { // parents first
		if strings.HasPrefix(m.OrgPath, o.Path) {
			p.OrgNames = append(p.OrgNames, o.Name)
		}
	}
	for _, code := range m.Posts {
		if post, ok := s.rules.post(code); ok {
			p.Posts = append(p.Posts, post)
		}
	}
	return p, nil
}
