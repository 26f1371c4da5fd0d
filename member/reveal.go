package member

import (
	"context"
	"strings"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
)

// Numbers are shown in full to whoever gave a reason.
type Numbers struct {
	Phone    string `json:"phone,omitempty"`
	IDNumber string `json:"idNumber,omitempty"`
}

// RevealNumbers shows the phone and ID number of a member. The reason is kept
// in the audit before anything is shown.
func (s *Service) RevealNumbers(ctx context.Context, actor *authz.Actor, id ids.ID, reason string) (*Numbers, error) {
	m, err := s.with(ctx, actor, Reveal, id)
	if err != nil {
		return nil, err
	}
	if reason, err = checkReason(reason); err != nil {
		return nil, err
	}
	phone, number, err := s.numbers(m)
	if err != nil {
		return nil, err
	}
	e := entry(actor, "member.reveal", m, map[string]string{"name": m.Name, "reason": reason})
	if err := s.cfg.Store.Record(ctx, e); err != nil {
		return nil, err
	}
	return &Numbers{Phone: phone, IDNumber: number}, nil
}

func checkReason(reason string) (string, error) {
	reason = strings.TrimSpace(reason)
	if n := len([]rune(reason)); n < 4 || n > 100 {
		return "", errs.Bad("reason", "请用 4 到 100 个字写明查看的原因，会记入审计。")
	}
	if tellsNumber(reason) {
		return "", errs.Bad("reason", "原因会记入审计，请不要写手机号或身份证号。")
	}
	return reason, nil
}

// PersonalData is everything that is kept about one person.
type PersonalData struct {
	MadeAt   time.Time `json:"madeAt"`
	Member   Member    `json:"member"`
	Numbers  Numbers   `json:"numbers"`
	Requests []Request `json:"requests"`
	Parts    []Part    `json:"parts" doc:"what the rest of the program keeps: texts, results, sign-ins"`
	Rules    []Rule    `json:"retention" doc:"how long what is kept"`
}

// Part is what one part of the program keeps about a person.
type Part struct {
	Title string     `json:"title"`
	Items []PartItem `json:"items"`
	More  bool       `json:"more,omitempty" doc:"there are older ones than the 200 listed"`
}

// PartItem is one thing in it, in words that the person understands.
type PartItem struct {
	At    time.Time `json:"at"`
	Label string    `json:"label"`
	Text  string    `json:"text"`
}

// Personal returns what is kept about a member, numbers in full: to the member
// themselves, or with a reason that is audited to who may reveal numbers.
func (s *Service) Personal(ctx context.Context, actor *authz.Actor, id ids.ID, reason string) (*PersonalData, error) {
	self := actor != nil && actor.Kind == authz.Member && actor.ID == id
	var m *Member
	var err error
	if self {
		m, err = s.cfg.Store.Member(ctx, id)
		reason = "self"
	} else if m, err = s.with(ctx, actor, Reveal, id); err == nil {
		reason, err = checkReason(reason)
	}
	if err != nil {
		return nil, err
	}
	out := &PersonalData{MadeAt: s.cfg.Clock.Now(), Requests: []Request{}, Parts: []Part{}, Rules: s.rules.Retention}
	if s.cfg.Elsewhere != nil {
		if out.Parts, err = s.cfg.Elsewhere(ctx, m); err != nil {
			return nil, err
		}
	}
	if out.Numbers.Phone, out.Numbers.IDNumber, err = s.numbers(m); err != nil {
		return nil, err
	}
	for r := (page.Request{Limit: page.Max}); ; {
		rows, err := s.cfg.Store.Requests(ctx, RequestFilter{Scope: authz.Scope{All: true}, Member: m.ID}, r)
		if err != nil {
			return nil, err
		}
		more := len(rows) > r.Limit
		for i := range rows[:min(len(rows), r.Limit)] {
			if err := s.readRequest(&rows[i]); err != nil {
				return nil, err
			}
			out.Requests = append(out.Requests, rows[i])
			r.After = rows[i].ID
		}
		if !more {
			break
		}
	}
	if err := s.show(m); err != nil {
		return nil, err
	}
	out.Member = *m
	e := entry(actor, "member.personal", m, map[string]string{"name": m.Name, "reason": reason})
	if err := s.cfg.Store.Record(ctx, e); err != nil {
		return nil, err
	}
	return out, nil
}
