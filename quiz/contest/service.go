package contest

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"io"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/limit"
	"tongxin/internal/page"
	"tongxin/internal/trail"
	"tongxin/quiz"
)

// Config is what a Service needs. Store, Bank, HTML, Org, Clock, IDs, Random,
// Node and Log are required.
type Config struct {
	Store  Store
	Bank   quiz.BankStore
	HTML   func(markdown string) string
	Org    func(ctx context.Context, id ids.ID) (Org, error)
	Hidden func(ctx context.Context, member ids.ID) (bool, error) // who switched rankings off; nil: nobody
	// Check judges a text that a member typed before others see it; nil: all pass.
	Check  func(ctx context.Context, member *authz.Actor, text string) error
	Clock  clock.Clock
	IDs    interface{ New() ids.ID }
	Random io.Reader
	Log    *slog.Logger

	Bus   Bus
	Node  string
	Alone bool
	Lease time.Duration

	PerMember, PerAddress, Most int
}

// Org is what contests know of an organisation.
type Org struct {
	ID         ids.ID
	Name, Path string
}

// Service is what hosts and members do.
type Service struct {
	cfg   Config
	hub   *Hub
	rules []Rule
	codes *limit.Buckets // tries of a code by one member
}

// New makes the service and its hub.
func New(cfg Config) (*Service, error) {
	s := &Service{cfg: cfg, codes: limit.New(cfg.Clock, limit.Per(20, time.Minute), 20_000)}
	hub, err := NewHub(HubConfig{
		Store: cfg.Store, Clock: cfg.Clock, IDs: cfg.IDs, Bus: cfg.Bus, Node: cfg.Node, Alone: cfg.Alone, Lease: cfg.Lease, Log: cfg.Log,
		PerMember: cfg.PerMember, PerAddress: cfg.PerAddress, Most: cfg.Most,
		Items: func(ctx context.Context, c *Contest) ([]Item, error) { return Items(ctx, cfg.Bank, cfg.HTML, c) },
	})
	if err != nil {
		return nil, err
	}
	s.hub, s.rules = hub, hub.rules
	return s, nil
}

// Hub moves the rooms of this node.
func (s *Service) Hub() *Hub { return s.hub }

// Input is what a host writes of a contest.
type Input struct {
	OrgID     ids.ID     `json:"orgId"`
	Title     string     `json:"title" minLength:"1" maxLength:"60"`
	Mode      Mode       `json:"mode" enum:"solo,teams,branches"`
	StartsAt  time.Time  `json:"startsAt,omitzero" doc:"shown to members; with auto the contest starts by itself then"`
	Questions []quiz.Ref `json:"questions,omitempty" maxItems:"50" doc:"fixed questions, in order; revision 0: the present one is not known here, so give it"`
	Draw      *Draw      `json:"draw,omitempty" doc:"instead of questions"`
	Seconds   int        `json:"seconds" minimum:"5" maximum:"120"`
	Teams     []string   `json:"teams,omitempty" maxItems:"50"`
	BestOf    int        `json:"bestOf,omitempty" minimum:"0" maximum:"100"`
	Early     bool       `json:"early,omitempty"`
	Auto      bool       `json:"auto,omitempty"`
	Rest      int        `json:"rest,omitempty" minimum:"2" maximum:"60"`
}

// Draw says which questions are drawn from the bank, once, when it is saved.
type Draw struct {
	Topic      string `json:"topic,omitempty" maxLength:"30"`
	Difficulty int    `json:"difficulty,omitempty" minimum:"0" maximum:"5"`
	Count      int    `json:"count" minimum:"1" maximum:"50"`
}

func entryOf(actor *authz.Actor, action string, c *Contest, detail map[string]string) trail.Entry {
	return trail.Entry{Actor: actor, Action: "contest." + action, Object: "contest", ID: c.ID, OrgID: c.OrgID, OrgPath: c.OrgPath, Detail: detail}
}

// Create makes a draft. Its questions are fixed here: drawn ones too.
func (s *Service) Create(ctx context.Context, actor *authz.Actor, in Input) (*Contest, error) {
	o, err := s.org(ctx, actor, in.OrgID)
	if err != nil {
		return nil, err
	}
	c := &Contest{
		ID: s.cfg.IDs.New(), OrgID: o.ID, OrgName: o.Name, OrgPath: o.Path, State: Draft, Rule: len(s.rules), CreatedAt: s.cfg.Clock.Now(),
		CreatedBy: actor.Name, Version: 1,
	}
	if c.Seed, err = s.seed(); err != nil {
		return nil, err
	}
	if err := s.fill(ctx, c, in); err != nil {
		return nil, err
	}
	id, err := s.cfg.Store.Create(ctx, c, entryOf(actor, "create", c, map[string]string{"title": c.Title}))
	if err != nil {
		return nil, err
	}
	return s.Get(ctx, actor, id)
}

func (s *Service) org(ctx context.Context, actor *authz.Actor, id ids.ID) (Org, error) {
	o, err := s.cfg.Org(ctx, id)
	if err != nil {
		return Org{}, err
	}
	if !actor.Can(Host, o.Path) {
		return Org{}, errs.Missing("组织")
	}
	return o, nil
}

// seed keeps 62 bits: databases have no unsigned numbers in common.
func (s *Service) seed() (int64, error) {
	var b [8]byte
	if _, err := io.ReadFull(s.cfg.Random, b[:]); err != nil {
		return 0, err
	}
	return int64(binary.BigEndian.Uint64(b[:]) >> 2), nil
}

// fill checks an input and puts it into c.
func (s *Service) fill(ctx context.Context, c *Contest, in Input) error {
	c.Title, c.Mode, c.StartsAt = strings.TrimSpace(in.Title), in.Mode, clock.Cut(in.StartsAt)
	if in.StartsAt.IsZero() {
		c.StartsAt = time.Time{}
	}
	c.Plan = Plan{Questions: in.Questions, Seconds: in.Seconds, BestOf: in.BestOf, Early: in.Early, Auto: in.Auto, Rest: in.Rest}
	if c.Plan.Rest == 0 {
		c.Plan.Rest = 8
	}
	var f errs.Fields
	if n := utf8.RuneCountInString(c.Title); n == 0 || n > MaxTitle {
		f.Add("title", "请填写比赛名称，最多 %d 个字。", MaxTitle)
	}
	if c.Mode != Solo && c.Mode != Teams && c.Mode != Branches {
		f.Add("mode", "请选择个人赛、团队赛或支部赛。")
	}
	if c.Plan.Seconds < MinSeconds || c.Plan.Seconds > MaxSeconds {
		f.Add("seconds", "每题时间为 %d 至 %d 秒。", MinSeconds, MaxSeconds)
	}
	if c.Plan.Rest < 2 || c.Plan.Rest > 60 {
		f.Add("rest", "题间休息为 2 至 60 秒。")
	}
	if c.Plan.BestOf < 0 || c.Plan.BestOf > 100 {
		f.Add("bestOf", "计分人数为 0 至 100。")
	}
	if c.Mode == Teams {
		c.Plan.Teams = s.teams(&f, in.Teams)
	}
	if err := f.Err(); err != nil {
		return err
	}
	return s.questions(ctx, c, in)
}

func (s *Service) teams(f *errs.Fields, names []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, name := range names {
		name = strings.TrimSpace(name)
		if n := utf8.RuneCountInString(name); n == 0 || n > MaxTeamName || seen[name] {
			f.Add("teams", "队名须为 1 至 %d 个字，且不能重复。", MaxTeamName)
			return nil
		}
		seen[name] = true
		out = append(out, name)
	}
	if len(out) == 1 || len(out) > MaxTeams {
		f.Add("teams", "请填写 2 至 %d 支队伍；不填则由队员自己写队名。", MaxTeams)
	}
	return out
}

// questions draws or checks the questions of c.
func (s *Service) questions(ctx context.Context, c *Contest, in Input) error {
	if (len(in.Questions) > 0) == (in.Draw != nil) {
		return errs.Bad("questions", "请选定题目，或者设置从题库抽题，二者选一。")
	}
	if in.Draw != nil {
		refs, err := s.draw(ctx, c.OrgPath, *in.Draw, uint64(c.Seed))
		if err != nil {
			return err
		}
		c.Plan.Questions = refs
	}
	if n := len(c.Plan.Questions); n == 0 || n > MaxQuestions {
		return errs.Bad("questions", "题目数量为 1 至 %d。", MaxQuestions)
	}
	contents, err := s.cfg.Bank.Contents(ctx, c.Plan.Questions)
	if err != nil {
		return err
	}
	for i, q := range contents {
		if q.Kind == quiz.Short {
			return errs.Bad("questions", "第 %d 题是简答题，需要人工评分，不能用于现场比赛。", i+1)
		}
	}
	c.Total = len(c.Plan.Questions)
	return nil
}

// draw picks questions that can be judged at once, of the organisation and those above it.
func (s *Service) draw(ctx context.Context, path string, d Draw, seed uint64) ([]quiz.Ref, error) {
	q := quiz.DrawQuery{Orgs: authz.Ancestors(path), Topic: d.Topic, Difficulty: d.Difficulty, Count: d.Count, Seed: seed}
	short := q
	short.Kind = quiz.Short
	byHand, err := s.cfg.Bank.Pool(ctx, short)
	if err != nil {
		return nil, err
	}
	for _, r := range byHand {
		q.Exclude = append(q.Exclude, r.ID)
	}
	return quiz.Draw(ctx, s.cfg.Bank, q)
}

// Get shows a contest to its hosts.
func (s *Service) Get(ctx context.Context, actor *authz.Actor, id ids.ID) (*Contest, error) {
	c, err := s.cfg.Store.Contest(ctx, id)
	if err != nil {
		return nil, err
	}
	if !actor.Can(Host, c.OrgPath) {
		return nil, errs.Missing("比赛")
	}
	return s.dress(c), nil
}

func (s *Service) dress(c *Contest) *Contest {
	c.RuleText = s.hub.rule(c.Rule).Text
	return c
}

// List shows the contests of the organisations that the actor hosts for.
func (s *Service) List(ctx context.Context, actor *authz.Actor, states []State, r page.Request) (*page.Result[Contest], error) {
	rows, err := s.cfg.Store.Contests(ctx, Filter{Scope: actor.Scope(Host), States: states}, r)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		s.dress(&rows[i])
	}
	res := page.Of(rows, r.Limit, func(c Contest) ids.ID { return c.ID })
	return &res, nil
}

// Save changes a draft.
func (s *Service) Save(ctx context.Context, actor *authz.Actor, id ids.ID, expect int64, in Input) (*Contest, error) {
	c, err := s.draft(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	if in.OrgID != c.OrgID {
		return nil, errs.Bad("orgId", "比赛不能换到另一个组织，请新建。")
	}
	if err := s.fill(ctx, c, in); err != nil {
		return nil, err
	}
	c.Version = expect + 1
	if err := s.cfg.Store.Save(ctx, c, expect, entryOf(actor, "save", c, nil)); err != nil {
		return nil, err
	}
	return s.Get(ctx, actor, id)
}

func (s *Service) draft(ctx context.Context, actor *authz.Actor, id ids.ID) (*Contest, error) {
	c, err := s.Get(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	if c.State != Draft {
		return nil, errs.New(errs.Conflict, "比赛已经开放，不能再修改。")
	}
	return c, nil
}

// Delete removes a draft.
func (s *Service) Delete(ctx context.Context, actor *authz.Actor, id ids.ID, expect int64) error {
	c, err := s.draft(ctx, actor, id)
	if err != nil {
		return err
	}
	return s.cfg.Store.Delete(ctx, id, expect, entryOf(actor, "delete", c, map[string]string{"title": c.Title}))
}

// Open opens the lobby: from now on members may join, and the questions stay.
func (s *Service) Open(ctx context.Context, actor *authz.Actor, id ids.ID) (*Contest, error) {
	c, err := s.draft(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	expect := c.Version
	c.State, c.Version = Lobby, expect+1
	for range 5 { // codes of living contests clash once in many millions
		if c.Code, err = ids.Code(s.cfg.Random, codeLetters, CodeLength); err != nil {
			return nil, err
		}
		err = s.cfg.Store.Save(ctx, c, expect, entryOf(actor, "open", c, nil))
		if !errs.Is(err, errs.Conflict) {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	return s.Get(ctx, actor, id)
}

// codeLetters are those that nobody mistakes for another, read or heard.
const codeLetters = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"

// CodeLength of a join code.
const CodeLength = 6

// ticket makes a ticket that nobody can guess.
func (s *Service) ticket(c *Contest, holder ids.ID, role Role) (string, Ticket, error) {
	var b [24]byte
	if _, err := io.ReadFull(s.cfg.Random, b[:]); err != nil {
		return "", Ticket{}, err
	}
	text := base64.RawURLEncoding.EncodeToString(b[:])
	return text, Ticket{Hash: HashTicket(text), ContestID: c.ID, Holder: holder, Role: role, ExpiresAt: s.cfg.Clock.Now().Add(TicketLife)}, nil
}

// TicketLife is how long a ticket opens a connection.
const TicketLife = time.Minute

// Entrance is where to connect.
type Entrance struct {
	ContestID ids.ID    `json:"contestId"`
	Ticket    string    `json:"ticket"`
	WS        string    `json:"ws" doc:"path on this host, with the ticket"`
	Code      string    `json:"code,omitempty" doc:"of a private match, for the opponents"`
	ExpiresAt time.Time `json:"expiresAt"`
}

func (s *Service) entrance(c *Contest, text string, t Ticket) *Entrance {
	return &Entrance{ContestID: c.ID, Ticket: text, WS: "/ws/contest?ticket=" + text, ExpiresAt: t.ExpiresAt}
}
