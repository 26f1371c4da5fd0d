// Package results says what came of papers: places and turnout, item analysis,
// strengths and gaps by topic, and certificates. It reads what package quiz has
// stored, decides who may know it and when, and never sees HTTP, SQL or WeChat.
package results

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/typeset"
	"tongxin/quiz"
	"tongxin/quiz/analysis"
)

// Right is what staff hold to see results of people.
const Right authz.Right = quiz.Results

// Config is what the service needs. All fields are required.
type Config struct {
	Store Store
	// Paper gives a paper with its rules; errs.NotFound for none.
	Paper func(ctx context.Context, id ids.ID) (*quiz.Paper, error)
	Bank  quiz.BankStore
	Clock clock.Clock
	IDs   *ids.Source
	// Random makes codes of certificates that nobody can guess.
	Random io.Reader
	Setter *typeset.Setter
	// PublicURL stands before /c/{code} in the QR code of a certificate.
	PublicURL string
	// Org finds an organisation; errs.NotFound for none.
	Org func(ctx context.Context, id ids.ID) (quiz.Place, error)
	// Unlisted tells which of some members switched rankings off.
	Unlisted func(ctx context.Context, members []ids.ID) (map[ids.ID]bool, error)
	// HTML makes safe HTML of the Markdown of a question.
	HTML func(markdown string) string
}

// Service is the domain. Safe for concurrent use.
type Service struct {
	cfg    Config
	rules  *analysis.Rules
	topics *TopicRules

	once     singleflight.Group
	mu       sync.Mutex // guards analyses
	analyses map[string]recent
}

// New reads the rules that are built in and makes the service.
func New(cfg Config) (*Service, error) {
	if cfg.Store == nil || cfg.Paper == nil || cfg.Bank == nil || cfg.Clock == nil || cfg.IDs == nil || cfg.Random == nil ||
		cfg.Setter == nil || cfg.Org == nil || cfg.Unlisted == nil || cfg.HTML == nil {
		return nil, errors.New("results: all fields of Config are required")
	}
	rules, err := analysis.BuiltIn()
	if err != nil {
		return nil, err
	}
	topics, err := topicRules()
	if err != nil {
		return nil, err
	}
	return &Service{cfg: cfg, rules: rules, topics: topics, analyses: map[string]recent{}}, nil
}

func (s *Service) now() time.Time { return s.cfg.Clock.Now() }

func missingPaper() error { return errs.Missing("试卷") }

// view is a paper as far as an actor may see its results: Area is whose.
type view struct {
	paper *quiz.Paper
	area  authz.Scope
	whole bool // everybody's
}

// view finds what staff may see of a paper's results: those of everybody who
// holds the right on the paper's organisation, and those of their own people
// for who holds it on a part of that. org narrows further.
func (s *Service) view(ctx context.Context, actor *authz.Actor, id, org ids.ID) (*view, error) {
	p, err := s.cfg.Paper(ctx, id)
	if err != nil {
		return nil, err
	}
	v := &view{paper: p, whole: actor.Can(Right, p.OrgPath)}
	if v.area = within(actor.Scope(Right), p.OrgPath); v.area.Empty() || !v.whole && p.State == quiz.PaperDraft {
		return nil, missingPaper()
	}
	if v.whole { // also people who took it and have moved elsewhere since
		v.area = authz.Scope{All: true}
	}
	if org == 0 {
		return v, nil
	}
	o, err := s.cfg.Org(ctx, org)
	if err != nil {
		return nil, err
	}
	if !v.area.Covers(o.Path) || !strings.HasPrefix(o.Path, p.OrgPath) {
		return nil, errs.Missing("组织")
	}
	v.area, v.whole = authz.Scope{Paths: []string{o.Path}}, false
	return v, nil
}

// within cuts a scope down to what lies at or under path.
func within(sc authz.Scope, path string) authz.Scope {
	if sc.Covers(path) {
		return authz.Scope{Paths: []string{path}}
	}
	var out authz.Scope
	for _, p := range sc.Paths {
		if strings.HasPrefix(p, path) {
			out.Paths = append(out.Paths, p)
		}
	}
	return out
}

// over reports that nobody can take the paper any more.
func over(p *quiz.Paper, now time.Time) bool {
	from, ever := p.KnownFrom(quiz.AfterClose, time.Time{})
	return ever && !now.Before(from)
}

// knows reports whether what a rule of a paper governs may be known of an
// attempt that ended then.
func knows(p *quiz.Paper, rule quiz.When, ended, now time.Time) bool {
	from, ever := p.KnownFrom(rule, ended)
	return ever && !now.Before(from)
}
