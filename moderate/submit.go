package moderate

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"time"
	"unicode/utf8"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/trail"
)

// Words that somebody wrote and where they belong.
type Words struct {
	Kind     string // must be known by OnDecided
	ObjectID ids.ID
	Revision int64 // of the object; rises with every change
	OrgID    ids.ID
	Author   ids.ID // member
	Scene    Scene
	Text     string
	// Later leaves the asking to the queue: for many texts at once, and callers
	// that must not wait.
	Later bool
}

// Image that somebody put in. Ref names it for Config.PictureURL.
type Image struct {
	Kind     string
	ObjectID ids.ID
	Revision int64
	OrgID    ids.ID
	Author   ids.ID
	Scene    Scene
	Ref      string
}

// Receipt says how it stands with what was handed in. Say is for the author.
type Receipt struct {
	ID    ids.ID
	State State
	Say   string
}

// Bounds of handing in and working.
const (
	// inline is how long a caller waits for WeChat before the queue takes over.
	inline = 3 * time.Second
	// lease is how long one node owns an item.
	lease = time.Minute
	// quietFor is how long callers are not kept waiting after WeChat failed.
	quietFor = 15 * time.Second
)

// Text hands in a text: store the object as not yet visible first, then call
// this. It asks at once when it can; the verdict also comes to the function of
// OnDecided, before Text returns when it is known by then. The same kind, object
// and revision again is answered with what stands and asks nobody. Errors:
// errs.Invalid for an empty or too long text.
func (s *Service) Text(ctx context.Context, w Words) (Receipt, error) {
	w.Text = strings.TrimSpace(w.Text)
	if w.Text == "" {
		return Receipt{}, errs.Bad("text", "请填写内容。")
	}
	if n, most := utf8.RuneCountInString(w.Text), s.rules.limit("textMax"); n > most || !utf8.ValidString(w.Text) {
		return Receipt{}, errs.Bad("text", "内容太长或含有无法识别的字符，请控制在 %d 个字以内。", most)
	}
	it := &Item{
		Kind: w.Kind, ObjectID: w.ObjectID, Revision: w.Revision, OrgID: w.OrgID, AuthorID: w.Author,
		Scene: w.Scene, Media: Text, Text: w.Text,
	}
	return s.take(ctx, it, w.Later)
}

// Picture hands in a picture; see Text. Its result takes up to half an hour.
func (s *Service) Picture(ctx context.Context, p Image) (Receipt, error) {
	if p.Ref == "" {
		return Receipt{}, errs.Bad("picture", "请选择图片。")
	}
	it := &Item{
		Kind: p.Kind, ObjectID: p.ObjectID, Revision: p.Revision, OrgID: p.OrgID, AuthorID: p.Author,
		Scene: p.Scene, Media: Picture, Ref: p.Ref,
	}
	return s.take(ctx, it, false)
}

func (s *Service) take(ctx context.Context, it *Item, later bool) (Receipt, error) {
	if _, ok := s.kind(it.Kind); !ok || it.ObjectID == 0 || it.OrgID == 0 || it.Scene < Profile || it.Scene > Journal {
		return Receipt{}, errs.New(errs.Internal, "moderate: kind %q is not registered, or its object is not named", it.Kind)
	}
	now := s.cfg.Clock.Now()
	it.ID, it.State, it.Hold, it.CreatedAt, it.Version = s.cfg.IDs.New(), Waiting, Asking, now, 1
	direct := !later && s.answers(now)
	it.NextAt = now
	if direct { // this caller works on it; another node may when it dies
		it.LeaseOwner, it.LeaseUntil = s.owner, now.Add(lease)
	}
	text := it.Text
	if text != "" {
		var err error
		if it.Sealed, err = s.cfg.Sealer.Seal([]byte(text), TextUse(it.ID)); err != nil {
			return Receipt{}, err
		}
	}
	stands, fresh, err := s.cfg.Store.Add(ctx, it)
	if err != nil {
		return Receipt{}, err
	}
	if !fresh || stands.State != Waiting {
		return s.receipt(stands), nil
	}
	if !direct {
		s.Nudge()
		return s.receipt(stands), nil
	}
	ask, cancel := context.WithTimeout(ctx, inline)
	defer cancel()
	return s.receipt(s.judge(ask, stands)), nil
}

// answers reports whether it is worth a caller's time to ask WeChat now.
func (s *Service) answers(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !now.Before(s.quiet)
}

func (s *Service) failed(now time.Time) {
	s.mu.Lock()
	s.quiet = now.Add(quietFor)
	s.mu.Unlock()
}

func (s *Service) receipt(it *Item) Receipt {
	return Receipt{ID: it.ID, State: it.State, Say: Say(it.State, it.Reason)}
}

// Say tells the author how it stands; reason is that of a refusal.
func Say(state State, reason string) string {
	switch state {
	case Passed:
		return "已提交。"
	case Refused:
		return "没有通过审核：" + reason
	case Replaced:
		return "您已提交更新的内容，以新内容为准。"
	}
	return "已提交，审核通过后可见。"
}

// Object names an object that has no id of its own by what makes it one: an
// answer by campaign and member, a team by contest and name.
func Object(parts ...string) ids.ID {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return ids.ID(binary.BigEndian.Uint64(sum[:8])>>1 | 1)
}

// Visited tells that a member just used the mini-program: what waits for that
// is asked now. Cheap when nothing waits.
func (s *Service) Visited(ctx context.Context, memberID ids.ID) error {
	n, err := s.cfg.Store.Visit(ctx, memberID, s.cfg.Clock.Now())
	if err == nil && n > 0 {
		s.Nudge()
		if s.cfg.Wake != nil {
			s.cfg.Wake()
		}
	}
	return err
}

// verdict is the audit entry of one; nil for a pass by a machine, of which the
// item itself is the record.
func verdict(actor *authz.Actor, it *Item) *trail.Entry {
	if it.By != ByPerson && it.State != Refused && it.State != InReview {
		return nil
	}
	return &trail.Entry{
		Actor: actor, Action: "moderate." + map[State]string{Passed: "pass", Refused: "refuse", InReview: "review"}[it.State],
		Object: "moderation", ID: it.ID, OrgID: it.OrgID, OrgPath: it.OrgPath,
		Detail: map[string]string{"kind": it.Kind, "object": it.ObjectID.String(), "by": string(it.By), "hold": string(it.Hold), "reason": it.personReason()},
	}
}

// personReason keeps what the house's list found out of the audit: it quotes
// the author.
func (it *Item) personReason() string {
	if it.By == ByPerson {
		return it.Reason
	}
	return ""
}
