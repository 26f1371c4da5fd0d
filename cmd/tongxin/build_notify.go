package main

import (
	"context"

	"tongxin/handlers"
	"tongxin/internal/authz"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/signed"
	"tongxin/notify"
	"tongxin/publish"
	"tongxin/publish/render"
	"tongxin/staff"
	"tongxin/storage"
	"tongxin/storage/bus"
)

// buildNotify makes notices, the feed and campaigns, and joins them with
// organisations and published posts.
func (p *program) buildNotify(context.Context, options) error {
	p.pictures = signed.New(p.box.Derive("pictures"), "picture", p.clock)
	var err error
	p.notify, err = notify.New(notify.Config{
		Store: storage.NewNotify(p.db), Clock: p.clock, IDs: p.db.IDs(), Log: p.log, Org: p.notifyOrg, Render: p.markdown,
		Posts: p.feedPosts, Post: p.feedPost, Screen: p.screenAnswers, Owner: p.db.IDs().New().String(),
		Pusher: wechatPush{client: p.wechat, mini: miniKeys(p.set), store: p.publish.Store},
		Timing: notify.Timing{Lease: *p.set.queueLease, Retry: *p.set.queueRetry, TokenRetry: *p.set.queueAuthRetry},
		Wake:   func() { p.hint(bus.SubjectNotify) },
	})
	if err != nil {
		return err
	}
	p.takeNotifyEvents()
	return p.listen(bus.SubjectNotify, p.notify.Nudge)
}

// notifyOrg tells notices about an organisation.
func (p *program) notifyOrg(ctx context.Context, id ids.ID) (notify.Org, error) {
	o, err := p.staff.Org(ctx, authz.SystemActor("notify"), id)
	if err != nil {
		return notify.Org{}, err
	}
	return notify.Org{ID: o.ID, Path: o.Path, Name: o.Name, Branch: o.Kind == staff.Branch, Group: o.Kind == staff.Group}, nil
}

// markdown turns Markdown with formulas into the safe HTML that members read,
// and its plain text. Pictures of the library become signed links that end;
// pictures elsewhere are left out.
func (p *program) markdown(text string) (html, plain string, err error) {
	res, err := render.Render(render.Source{Format: "markdown", Text: text}, render.Options{KeepLinks: true, Picture: publish.PictureLink(p.picture)})
	return res.HTML, res.Text, err
}

// picture is a signed link to a picture of the library, for phones.
func (p *program) picture(hash string) string {
	return handlers.PictureLink(p.pictures, hash, publish.SizeMedium)
}

// feedPosts lists published posts for the members' feed.
func (p *program) feedPosts(ctx context.Context, orgs []ids.ID, query string, r page.Request) (*page.Result[notify.FeedItem], error) {
	list, err := p.publish.Readings(ctx, orgs, query, r)
	if err != nil {
		return nil, err
	}
	out := &page.Result[notify.FeedItem]{Items: make([]notify.FeedItem, len(list.Items)), Next: list.Next}
	for i, x := range list.Items {
		it := notify.FeedItem{ID: x.PostID, Title: x.Content.Title(), PublishedAt: x.PublishedAt, From: x.OrgName, Articles: len(x.Content.Articles)}
		if len(x.Content.Articles) > 0 {
			it.Digest = x.Digest()
		}
		if cover := x.Cover(); cover != "" {
			it.Cover = handlers.PictureLink(p.pictures, cover, publish.SizeMedium)
		}
		out.Items[i] = it
	}
	return out, nil
}

// feedPost is one of them with its articles.
func (p *program) feedPost(ctx context.Context, orgs []ids.ID, id ids.ID) (*notify.FeedPost, error) {
	x, err := p.publish.Reading(ctx, orgs, id)
	if err != nil {
		return nil, err
	}
	articles, err := x.Articles(p.picture)
	if err != nil {
		return nil, err
	}
	out := &notify.FeedPost{ID: x.PostID, PublishedAt: x.PublishedAt, From: x.OrgName}
	for _, a := range articles {
		f := notify.FeedArticle{Title: a.Title, Author: a.Author, Digest: a.Digest, HTML: a.HTML, URL: a.URL}
		if a.Cover != "" {
			f.Cover = p.picture(a.Cover)
		}
		out.Articles = append(out.Articles, f)
	}
	return out, nil
}
