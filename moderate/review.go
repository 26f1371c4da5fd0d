package moderate

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
)

// Verdict is a person's decision.
type Verdict struct {
	Pass   bool   `json:"pass"`
	Reason string `json:"reason,omitempty" maxLength:"200" doc:"required for a refusal: the author reads it"`
}

// Query narrows a list; zero fields do not. OrgID is an organisation with
// everything under it.
type Query struct {
	OrgID ids.ID
	Kind  string
	State State
}

// List shows what members of the actor's organisations handed in, newest first.
func (s *Service) List(ctx context.Context, actor *authz.Actor, q Query, r page.Request) (*page.Result[Item], error) {
	f := Filter{Scope: actor.Scope(Review), Kind: q.Kind, State: q.State}
	if q.OrgID != 0 {
		path, err := s.cfg.OrgPath(ctx, q.OrgID)
		if err != nil {
			return nil, err
		}
		f.Under = path
	}
	rows, err := s.cfg.Store.Items(ctx, f, r)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		if err := s.show(ctx, &rows[i]); err != nil {
			return nil, err
		}
	}
	res := page.Of(rows, r.Limit, func(it Item) ids.ID { return it.ID })
	return &res, nil
}

// Open counts what waits for a person where the actor reviews.
func (s *Service) Open(ctx context.Context, actor *authz.Actor) (int, error) {
	return s.cfg.Store.Open(ctx, actor.Scope(Review))
}

// Kinds lists what is checked, for filters.
func (s *Service) Kinds() []Kind {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Kind
	for _, k := range s.kinds {
		out = append(out, k.Kind)
	}
	return sorted(out)
}

// Get shows one item.
func (s *Service) Get(ctx context.Context, actor *authz.Actor, id ids.ID) (*Item, error) {
	it, err := s.visible(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	return it, s.show(ctx, it)
}

func (s *Service) visible(ctx context.Context, actor *authz.Actor, id ids.ID) (*Item, error) {
	it, err := s.cfg.Store.Item(ctx, id)
	if err != nil {
		return nil, err
	}
	if !actor.Can(Review, it.OrgPath) {
		return nil, errs.Missing("内容")
	}
	return it, nil
}

// Decide passes or refuses, whatever stood before but a replacement: a person
// may correct a machine, and a person. Nobody decides their own words.
func (s *Service) Decide(ctx context.Context, actor *authz.Actor, id ids.ID, version int64, v Verdict) (*Item, error) {
	it, err := s.visible(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	if it.AuthorStaff != 0 && actor.Kind == authz.Staff && it.AuthorStaff == actor.ID {
		return nil, errs.New(errs.Forbidden, "这是您自己写的内容，请由其他审核人处理。")
	}
	if it.Version != version {
		return nil, errs.New(errs.Stale, "这条内容刚刚有了新的结果，请刷新后再处理。")
	}
	if it.State == Replaced {
		return nil, errs.New(errs.Conflict, "作者已提交新的内容，这一条不需要再审核。")
	}
	v.Reason = strings.TrimSpace(v.Reason)
	if n := utf8.RuneCountInString(v.Reason); n > 200 || !v.Pass && n == 0 {
		return nil, errs.Bad("reason", "请用不超过 200 个字写明不通过的理由，作者会看到。")
	}
	now := s.cfg.Clock.Now()
	it.State, it.By, it.Hold, it.Reason = Refused, ByPerson, "", v.Reason
	if v.Pass {
		it.State = Passed
	}
	it.DecidedAt, it.DecidedBy, it.Tries = now, actor.Name, 0
	it.NextAt, it.LeaseOwner, it.LeaseUntil = now, s.owner, now.Add(lease)
	it.Version = version + 1
	if err := s.cfg.Store.Save(ctx, it, version, verdict(actor, it)); err != nil {
		return nil, err
	}
	told := *it
	s.tell(context.WithoutCancel(ctx), &told)
	return it, s.show(ctx, it)
}

// Standing says how it stands with objects, for domains that ask when they show
// instead of keeping what they were told. What was never handed in is absent:
// do not show it, and hand it in.
func (s *Service) Standing(ctx context.Context, kind string, objects []ids.ID) (map[ids.ID]Standing, error) {
	if len(objects) == 0 {
		return nil, nil
	}
	return s.cfg.Store.Standing(ctx, kind, objects)
}

// About lists everything that a member handed in and that is kept, for that
// member's own data; newest first, at most limit.
func (s *Service) About(ctx context.Context, memberID ids.ID, limit int) ([]Item, error) {
	rows, err := s.cfg.Store.Items(ctx, Filter{Scope: authz.Scope{All: true}, Author: memberID}, page.Request{Limit: limit})
	if err != nil {
		return nil, err
	}
	rows = rows[:min(len(rows), limit)]
	for i := range rows {
		if err := s.show(ctx, &rows[i]); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// show fills what people read.
func (s *Service) show(ctx context.Context, it *Item) error {
	k, _ := s.kind(it.Kind)
	it.KindName = k.Label
	if it.KindName == "" {
		it.KindName = "其他内容"
	}
	it.LabelText, it.HoldText = s.rules.label(it.Label), holdText(it.Hold)
	if it.Media == Picture && it.ErasedAt.Equal(time.Time{}) {
		it.PictureURL = it.Ref
		if s.cfg.PictureURL != nil {
			var err error
			if it.PictureURL, err = s.cfg.PictureURL(ctx, it.Ref); err != nil {
				return err
			}
		}
	}
	if it.Sealed == "" {
		return nil
	}
	plain, err := s.cfg.Sealer.Open(it.Sealed, TextUse(it.ID))
	it.Text = string(plain)
	return err
}

// holdText says why an item is open.
func holdText(h Hold) string {
	return map[Hold]string{
		Asking:    "正在检测",
		Down:      "暂时连不上微信，稍后自动重新检测",
		Inactive:  "作者近两小时没有打开小程序，微信不能检测；作者下次打开时自动检测，也可以现在人工审核",
		Result:    "等待微信返回图片检测结果",
		Unsure:    "微信建议人工审核",
		NoProgram: "尚未配置小程序，请人工审核",
		NoOpenID:  "作者没有用过小程序，微信不能检测，请人工审核",
		Late:      "没有按时得到微信的检测结果，请人工审核",
		NotTaken:  "微信没有受理检测，请人工审核",
		Unsigned:  "检测结果的来源没有验证（回调未加密），请人工审核",
	}[h]
}
