package wechat

import (
	"cmp"
	"context"
)

// PublishState is publish_status of freepublish/get and of the event.
type PublishState int

const (
	PublishOK       PublishState = 0 // published
	PublishRunning  PublishState = 1 // under way
	PublishOriginal PublishState = 2 // the check for originality failed
	PublishFailed   PublishState = 3 // failed, no reason given
	PublishRefused  PublishState = 4 // refused by audit
	PublishDeleted  PublishState = 5 // deleted by the user afterwards
	PublishBanned   PublishState = 6 // banned afterwards
)

// Published is an accepted submit: accepted, not yet published.
type Published struct {
	PublishID string
	MsgDataID string
}

// PublishedURL is the address of one article of a message.
type PublishedURL struct {
	Index int // from 1
	URL   string
}

// PublishResult is the state of a submit.
type PublishResult struct {
	PublishID string
	State     PublishState
	ArticleID string         // with PublishOK
	URLs      []PublishedURL // with PublishOK
	FailIdx   []int          // with PublishOriginal and PublishRefused: articles from 1
}

// PublishedMessage is one message of the published list.
type PublishedMessage struct {
	ArticleID string
	Articles  []Article
	Updated   int64 // Unix seconds
}

// PublishedPage is a part of the published list, newest first.
type PublishedPage struct {
	Total    int
	Messages []PublishedMessage
}

// SubmitPublish submits a draft. The draft leaves the box at once; the result
// comes as an event, or by PublishStatus. With OutcomeUnknown(err) it must not
// be called again for the same post before a look at the published list.
func (a *Account) SubmitPublish(ctx context.Context, mediaID string) (Published, error) {
	o := op{path: "/cgi-bin/freepublish/submit", effect: true}
	if mediaID == "" {
		return Published{}, refusal(o.name(), Permanent, 40007, "no media_id")
	}
	var out struct {
		PublishID flexID `json:"publish_id"`
		MsgDataID flexID `json:"msg_data_id"`
	}
	if err := a.post(ctx, o, map[string]string{"media_id": mediaID}, &out); err != nil {
		return Published{}, err
	}
	if out.PublishID == "" {
		return Published{}, missing(o, "publish_id")
	}
	return Published{PublishID: string(out.PublishID), MsgDataID: string(out.MsgDataID)}, nil
}

// PublishStatus polls a submit. Daily limit of a new account: 100, so rely on
// the event and poll with growing pauses.
func (a *Account) PublishStatus(ctx context.Context, publishID string) (PublishResult, error) {
	o := op{path: "/cgi-bin/freepublish/get"}
	var out struct {
		PublishID flexID        `json:"publish_id"`
		State     *PublishState `json:"publish_status"`
		ArticleID string        `json:"article_id"`
		Detail    struct {
			Items []struct {
				Index int    `json:"idx"`
				URL   string `json:"article_url"`
			} `json:"item"`
		} `json:"article_detail"`
		FailIdx []int `json:"fail_idx"`
	}
	if err := a.post(ctx, o, map[string]string{"publish_id": publishID}, &out); err != nil {
		return PublishResult{}, err
	}
	if out.State == nil { // a missing status must not read as 0, "published"
		return PublishResult{}, &Error{Op: o.name(), Kind: Unknown, Outcome: NotAccepted, Msg: "answer without publish_status"}
	}
	r := PublishResult{
		PublishID: cmp.Or(string(out.PublishID), publishID), State: *out.State, ArticleID: out.ArticleID, FailIdx: out.FailIdx,
	}
	for _, it := range out.Detail.Items {
		r.URLs = append(r.URLs, PublishedURL{Index: it.Index, URL: it.URL})
	}
	return r, nil
}

// ListPublished reads count (1–20) published messages from offset, newest
// first. Daily limit of a new account: 100.
func (a *Account) ListPublished(ctx context.Context, offset, count int, noContent bool) (PublishedPage, error) {
	var out newsPage
	err := a.post(ctx, op{path: "/cgi-bin/freepublish/batchget"},
		map[string]any{"offset": offset, "count": count, "no_content": Flag(noContent)}, &out)
	if err != nil {
		return PublishedPage{}, err
	}
	page := PublishedPage{Total: out.Total}
	for _, it := range out.Items {
		page.Messages = append(page.Messages,
			PublishedMessage{ArticleID: it.ArticleID, Articles: it.Content.Items, Updated: it.Updated})
	}
	return page, nil
}

// GetPublished reads the articles of a published message.
func (a *Account) GetPublished(ctx context.Context, articleID string) ([]Article, error) {
	var out struct {
		Items []Article `json:"news_item"`
	}
	err := a.post(ctx, op{path: "/cgi-bin/freepublish/getarticle"}, map[string]string{"article_id": articleID}, &out)
	return out.Items, err
}

// All deletes every article of a message; see DeletePublished.
const All = -1

// DeletePublished deletes the article at index (from 1) of a published
// message; it cannot be undone. The platform takes index 0 for "all", so 0 is
// refused here and All must be said. Daily limit of a new account: 10.
func (a *Account) DeletePublished(ctx context.Context, articleID string, index int) error {
	o := op{path: "/cgi-bin/freepublish/delete", effect: true}
	at, err := deleteIndex(o, index)
	if err != nil {
		return err
	}
	return a.post(ctx, o, map[string]any{"article_id": articleID, "index": at}, nil)
}

func deleteIndex(o op, index int) (int, error) {
	switch {
	case index == All:
		return 0, nil
	case index < 1 || index > MaxArticles:
		return 0, refusal(o.name(), Permanent, 40035, "index %d", index)
	}
	return index, nil
}
