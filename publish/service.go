package publish

import (
	"context"
	"log/slog"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/publish/lint"
)

// Org is what this domain needs to know of an organisation.
type Org struct {
	ID           ids.ID
	Path         string
	Name         string
	ReviewLevels int           // 0–3
	ReviewTime   time.Duration // until a level is overdue; 0: no deadline
}

// Config is what the program gives the domain.
type Config struct {
	Store     Store
	Blobs     Blobs
	Platforms map[string]Platform // by Account.Platform
	Org       func(ctx context.Context, id ids.ID) (Org, error)
	// Actor finds a staff account's present rights, for calendar links that are
	// read without a session.
	Actor func(ctx context.Context, id ids.ID) (*authz.Actor, error)
	// Holders lists who holds a right on the organisation at a path, for
	// reminders; nil: nobody is reminded of anything.
	Holders func(ctx context.Context, right authz.Right, orgPath string) ([]Holder, error)
	Clock   clock.Clock
	IDs     *ids.Source
	Log     *slog.Logger
	// Token makes an unguessable string for links (256 random bits).
	Token func() string
	// DeadLinks returns those of the addresses that do not open; nil leaves links
	// untried.
	DeadLinks func(ctx context.Context, urls []string) []string
	// Timing of the queue; zero fields take their defaults.
	Timing Timing
	// Wake tells other nodes that the queue has new work; may be nil.
	Wake func()
}

// Service is the domain's face: every method checks the actor's rights itself.
type Service struct {
	Config
	queue *Queue
	pics  chan struct{} // bounds picture decodes: each may hold 200 MB

	variants flights // one maker for each small picture
	words    wordCache

	reminders *reminders
	rules     lint.Rules
}

// New makes the service. The queue starts with Queue().Run. It fails only when
// the embedded rules cannot be read.
func New(c Config) (*Service, error) {
	c.Timing = c.Timing.withDefaults()
	rules, err := lint.DefaultRules()
	if err != nil {
		return nil, err
	}
	s := &Service{Config: c, pics: make(chan struct{}, 1), rules: rules, reminders: newReminders()}
	s.queue = newQueue(s)
	return s, nil
}

// Queue is the publishing queue of this process.
func (s *Service) Queue() *Queue { return s.queue }

// orgFor loads the organisation and asks for the right on it. An actor without
// the right learns nothing about what exists.
func (s *Service) orgFor(ctx context.Context, actor *authz.Actor, id ids.ID, right authz.Right) (Org, error) {
	org, err := s.Org(ctx, id)
	if err != nil {
		return Org{}, err
	}
	if !actor.Can(right, org.Path) {
		if !actor.Can(PostRead, org.Path) && !actor.Can(MediaRead, org.Path) && !actor.Can(AccountRead, org.Path) {
			return Org{}, errs.Missing("组织")
		}
		return Org{}, errs.New(errs.Forbidden, "您在“%s”没有这项权限，请联系管理员。", org.Name)
	}
	return org, nil
}

// postFor loads a post the actor may read and asks for a right on it.
func (s *Service) postFor(ctx context.Context, actor *authz.Actor, id ids.ID, right authz.Right) (*Post, error) {
	p, err := s.Store.Post(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := mayOn(actor, p, right); err != nil {
		return nil, err
	}
	return p, nil
}

// headFor is postFor without the content.
func (s *Service) headFor(ctx context.Context, actor *authz.Actor, id ids.ID, right authz.Right) (p *Post, articles int, err error) {
	p, articles, err = s.Store.PostHead(ctx, id)
	if err != nil {
		return nil, 0, err
	}
	if err := mayOn(actor, p, right); err != nil {
		return nil, 0, err
	}
	return p, articles, nil
}

func mayOn(actor *authz.Actor, p *Post, right authz.Right) error {
	if !actor.Can(PostRead, p.OrgPath) {
		return errs.Missing("图文")
	}
	if !actor.Can(right, p.OrgPath) {
		return errs.New(errs.Forbidden, "您可以查看这篇图文，但没有权限这样操作，请联系管理员。")
	}
	return nil
}
