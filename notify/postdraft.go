package notify

import (
	"context"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
	"tongxin/internal/page"
)

// draftPeriod is how long after its publication a post still becomes a draft.
const draftPeriod = 24 * time.Hour

// DraftPosts makes a draft of a notice for each post that an organisation which
// wants it published lately; each post once, on whatever node.
func (s *Service) DraftPosts(ctx context.Context) error {
	set, err := s.Store.Settings(ctx)
	if err != nil || s.Posts == nil {
		return err
	}
	for _, org := range set.PostDrafts {
		list, err := s.Posts(ctx, []ids.ID{org}, "", page.Request{Limit: 20})
		if err != nil {
			return err
		}
		for _, p := range list.Items {
			if s.Clock.Now().Sub(p.PublishedAt) > draftPeriod {
				break
			}
			if err := s.draftPost(ctx, org, p); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Service) draftPost(ctx context.Context, org ids.ID, p FeedItem) error {
	actor := authz.SystemActor("notify")
	c, err := s.draft(ctx, actor, Input{
		OrgID: org, Kind: Post, Title: cut(p.Title, maxTitle), Summary: cut(p.Digest, maxSummary), Body: markdownText(p.Digest), EventAt: p.PublishedAt,
		Link: &Link{Kind: "post", ID: p.ID}, Audience: Audience{Orgs: []ids.ID{org}}, Push: true,
	})
	if err != nil {
		return err
	}
	c.Dedupe = "post:" + p.ID.String()
	_, err = s.Store.CreateCampaign(ctx, c, 0, entry(actor, "campaign.create", c, map[string]string{"title": c.Title}))
	return err
}
