package live

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/limit"
	"tongxin/internal/page"
	"tongxin/internal/signed"
	"tongxin/internal/trail"
)

// Config is what a Service needs. All but Media is required.
type Config struct {
	Store  Store
	Org    func(ctx context.Context, id ids.ID) (Org, error)
	Signer *signed.Signer // of seats
	Clock  clock.Clock
	IDs    interface{ New() ids.ID }
	Random io.Reader
	Log    *slog.Logger
	Node   string // name of this node, as no other running one has
	Media  bool   // whether this program carries live video
}

// Org is what rooms know of an organisation.
type Org struct {
	ID         ids.ID
	Name, Path string
}

// Service is what hosts and members do, and what the media side asks.
type Service struct {
	cfg   Config
	codes *limit.Buckets // tries of a code by one member

	mu    sync.Mutex
	taken map[string]taken // seats of this node by session of the media core
	seen  time.Time        // when this node last told the store
}

// New makes the service.
func New(cfg Config) *Service {
	return &Service{cfg: cfg, codes: limit.New(cfg.Clock, limit.Per(20, time.Minute), 20_000), taken: map[string]taken{}}
}

// Input is what a host writes of a lecture.
type Input struct {
	OrgID    ids.ID    `json:"orgId"`
	Title    string    `json:"title" minLength:"1" maxLength:"60"`
	Speaker  string    `json:"speaker,omitempty" maxLength:"60"`
	StartsAt time.Time `json:"startsAt"`
	Agenda   []string  `json:"agenda,omitempty" maxItems:"30"`
	Most     int       `json:"most,omitempty" minimum:"0" maximum:"5000" doc:"most people at once; 0: as many as the server carries"`
}

func entryOf(actor *authz.Actor, action string, r *Room, detail map[string]string) trail.Entry {
	return trail.Entry{Actor: actor, Action: "live." + action, Object: "live", ID: r.ID, OrgID: r.OrgID, OrgPath: r.OrgPath, Detail: detail}
}

// Create plans a lecture.
func (s *Service) Create(ctx context.Context, actor *authz.Actor, in Input) (*Room, error) {
	o, err := s.cfg.Org(ctx, in.OrgID)
	if err != nil {
		return nil, err
	}
	if !actor.Can(Host, o.Path) {
		return nil, errs.Missing("组织")
	}
	r := &Room{
		ID: s.cfg.IDs.New(), OrgID: o.ID, OrgName: o.Name, OrgPath: o.Path, Kind: Lecture, State: Planned,
		CreatedAt: s.cfg.Clock.Now(), CreatedBy: actor.Name, Version: 1,
	}
	if err := r.fill(in); err != nil {
		return nil, err
	}
	var id ids.ID
	for range 5 { // codes of living rooms clash once in many millions
		if r.Code, err = ids.Code(s.cfg.Random, codeLetters, CodeLength); err != nil {
			return nil, err
		}
		if id, err = s.cfg.Store.Create(ctx, r, entryOf(actor, "create", r, map[string]string{"title": r.Title})); !errs.Is(err, errs.Conflict) {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	return s.Get(ctx, actor, id)
}

// fill checks an input and puts it into r.
func (r *Room) fill(in Input) error {
	r.Title, r.Speaker, r.Most, r.StartsAt = strings.TrimSpace(in.Title), strings.TrimSpace(in.Speaker), in.Most, clock.Cut(in.StartsAt)
	r.Agenda = []string{}
	var f errs.Fields
	if n := utf8.RuneCountInString(r.Title); n == 0 || n > MaxTitle {
		f.Add("title", "请填写讲座名称，最多 %d 个字。", MaxTitle)
	}
	if utf8.RuneCountInString(r.Speaker) > MaxSpeaker {
		f.Add("speaker", "主讲人最多 %d 个字。", MaxSpeaker)
	}
	if in.StartsAt.IsZero() {
		f.Add("startsAt", "请选择开始时间。")
	}
	if r.Most < 0 || r.Most > MaxViewers {
		f.Add("most", "人数上限为 0 至 %d，0 表示不限。", MaxViewers)
	}
	for _, item := range in.Agenda {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		if utf8.RuneCountInString(item) > MaxItem {
			f.Add("agenda", "每项议程最多 %d 个字。", MaxItem)
			break
		}
		r.Agenda = append(r.Agenda, item)
	}
	if len(r.Agenda) > MaxAgenda {
		f.Add("agenda", "议程最多 %d 项。", MaxAgenda)
	}
	return f.Err()
}

// Get shows a room to its hosts.
func (s *Service) Get(ctx context.Context, actor *authz.Actor, id ids.ID) (*Room, error) {
	r, err := s.cfg.Store.Room(ctx, id)
	if err != nil {
		return nil, err
	}
	if !actor.Can(Host, r.OrgPath) {
		return nil, errs.Missing("讲座")
	}
	return r, nil
}

// List shows the rooms of the organisations that the actor hosts for.
func (s *Service) List(ctx context.Context, actor *authz.Actor, states []State, p page.Request) (*page.Result[Room], error) {
	rows, err := s.cfg.Store.Rooms(ctx, Filter{Scope: actor.Scope(Host), States: states}, p)
	if err != nil {
		return nil, err
	}
	res := page.Of(rows, p.Limit, func(r Room) ids.ID { return r.ID })
	return &res, nil
}

// Save changes a lecture that was not opened yet.
func (s *Service) Save(ctx context.Context, actor *authz.Actor, id ids.ID, expect int64, in Input) (*Room, error) {
	r, err := s.planned(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	if in.OrgID != r.OrgID {
		return nil, errs.Bad("orgId", "讲座不能换到另一个组织，请新建。")
	}
	if err := r.fill(in); err != nil {
		return nil, err
	}
	return s.store(ctx, actor, r, expect, "save")
}

func (s *Service) planned(ctx context.Context, actor *authz.Actor, id ids.ID) (*Room, error) {
	r, err := s.Get(ctx, actor, id)
	if err == nil && r.State != Planned {
		err = errs.New(errs.Conflict, "讲座已经开播或结束，不能再修改。")
	}
	return r, err
}

func (s *Service) store(ctx context.Context, actor *authz.Actor, r *Room, expect int64, action string) (*Room, error) {
	r.Version = expect + 1
	if err := s.cfg.Store.Save(ctx, r, expect, entryOf(actor, action, r, nil)); err != nil {
		return nil, err
	}
	return s.Get(ctx, actor, r.ID)
}

// Delete removes a lecture that was not opened.
func (s *Service) Delete(ctx context.Context, actor *authz.Actor, id ids.ID, expect int64) error {
	r, err := s.planned(ctx, actor, id)
	if err != nil {
		return err
	}
	return s.cfg.Store.Delete(ctx, id, expect, entryOf(actor, "delete", r, map[string]string{"title": r.Title}))
}

// Open lets people in. Learning time begins here.
func (s *Service) Open(ctx context.Context, actor *authz.Actor, id ids.ID) (*Room, error) {
	r, err := s.planned(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	if err := s.carries(); err != nil {
		return nil, err
	}
	r.State, r.OpenedAt = Open, s.cfg.Clock.Now()
	return s.store(ctx, actor, r, r.Version, "open")
}

// carries refuses where the program has no media server.
func (s *Service) carries() error {
	if !s.cfg.Media {
		return errs.New(errs.Conflict, "这台服务器没有开启直播，请联系系统管理员。")
	}
	return nil
}

// End ends a lecture for good: everybody is disconnected within seconds.
func (s *Service) End(ctx context.Context, actor *authz.Actor, id ids.ID) (*Room, error) {
	r, err := s.opened(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	r.State, r.EndedAt = Ended, s.cfg.Clock.Now()
	return s.store(ctx, actor, r, r.Version, "end")
}

func (s *Service) opened(ctx context.Context, actor *authz.Actor, id ids.ID) (*Room, error) {
	r, err := s.Get(ctx, actor, id)
	if err == nil && r.State != Open {
		err = errs.New(errs.Conflict, "讲座没有在直播中，不能进行这个操作。")
	}
	return r, err
}

// Lock keeps out who was not there before; Unlock lets them in again.
func (s *Service) Lock(ctx context.Context, actor *authz.Actor, id ids.ID) (*Room, error) {
	r, err := s.opened(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	r.Locked = true
	return s.store(ctx, actor, r, r.Version, "lock")
}

// Unlock undoes Lock.
func (s *Service) Unlock(ctx context.Context, actor *authz.Actor, id ids.ID) (*Room, error) {
	r, err := s.opened(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	r.Locked = false
	return s.store(ctx, actor, r, r.Version, "unlock")
}

// Remove shuts a person out of an open lecture; there is no way back in.
func (s *Service) Remove(ctx context.Context, actor *authz.Actor, id, person ids.ID) error {
	r, err := s.opened(ctx, actor, id)
	if err != nil {
		return err
	}
	return s.cfg.Store.Remove(ctx, id, person, entryOf(actor, "remove", r, map[string]string{"person": person.String()}))
}

// codeLetters are those that nobody mistakes for another, read or heard.
const codeLetters = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
