package notify

import (
	"context"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
)

// Reach is who a notice would get to.
type Reach struct {
	Count      int            `json:"count"`
	Duplicates int            `json:"duplicates" doc:"people who were named more than once; each gets it once"`
	Branches   []ReachBranch  `json:"branches" doc:"largest first, at most 200"`
	Names      []string       `json:"names" doc:"the first of them"`
	Channels   []ReachChannel `json:"channels" doc:"how many can be reached by what beside the inbox; each counted once, by the first channel"`
	InboxOnly  int            `json:"inboxOnly"`
}

// ReachBranch is the part of a branch.
type ReachBranch struct {
	OrgID   ids.ID `json:"orgId"`
	OrgName string `json:"orgName"`
	Count   int    `json:"count"`
}

// ReachChannel is the part of a channel.
type ReachChannel struct {
	Channel    Channel `json:"channel"`
	TemplateID string  `json:"templateId"`
	Title      string  `json:"title"`
	Count      int     `json:"count"`
}

// Preview is who would get a notice, and what they would see.
type Preview struct {
	Reach
	Summary  string           `json:"summary"`
	HTML     string           `json:"html" doc:"the body in the inbox"`
	Messages []PreviewMessage `json:"messages" doc:"one for each channel"`
}

// PreviewMessage is a message as the platform would show it.
type PreviewMessage struct {
	Channel Channel `json:"channel"`
	Title   string  `json:"title"`
	Parts   []Part  `json:"parts"`
}

// Preview shows a draft before it is sent.
func (s *Service) Preview(ctx context.Context, actor *authz.Actor, in Input) (*Preview, error) {
	c, err := s.draft(ctx, actor, in)
	if err != nil {
		return nil, err
	}
	t, err := s.target(ctx, actor, c.Audience)
	if err != nil {
		return nil, err
	}
	set, err := s.Store.Settings(ctx)
	if err != nil {
		return nil, err
	}
	way := set.way(c.Kind, c.Push)
	reach, err := s.Store.Reach(ctx, t, way)
	if err != nil {
		return nil, err
	}
	out := &Preview{Reach: *reach, Summary: c.Summary, Messages: []PreviewMessage{}}
	if out.HTML, _, err = s.Render(c.Body); err != nil {
		return nil, err
	}
	c.StartedAt = s.Clock.Now()
	for _, t := range way {
		out.Messages = append(out.Messages, PreviewMessage{Channel: t.Channel, Title: t.Title, Parts: s.rules.values(c, t)})
	}
	return out, nil
}
