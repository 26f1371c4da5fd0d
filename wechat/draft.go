package wechat

import (
	"context"
)

// ArticleType tells articles from picture posts.
type ArticleType string

const (
	News    ArticleType = "news"    // an article; also the meaning of ""
	NewsPic ArticleType = "newspic" // a picture post: 1–20 pictures and plain text
)

// Article is one article of a draft, limits as the platform counts them.
type Article struct {
	Type             ArticleType `json:"article_type,omitempty"`
	Title            string      `json:"title"`                        // ≤ 32 字
	Author           string      `json:"author,omitempty"`             // ≤ 16 字
	Digest           string      `json:"digest,omitempty"`             // ≤ 128 字; empty means the first 54 字
	Content          string      `json:"content"`                      // < 20,000 characters and < 1 MB
	ContentSourceURL string      `json:"content_source_url,omitempty"` // ≤ 1 KB
	ThumbMediaID     string      `json:"thumb_media_id,omitempty"`     // permanent material; required for News
	NeedOpenComment  Flag        `json:"need_open_comment"`
	OnlyFansComment  Flag        `json:"only_fans_can_comment"`
	Crop235          string      `json:"pic_crop_235_1,omitempty"` // "x1_y1_x2_y2", 0..1 of the cover
	Crop11           string      `json:"pic_crop_1_1,omitempty"`
	Images           *ImageInfo  `json:"image_info,omitempty"` // NewsPic only
	// Filled by the platform.
	URL      string `json:"url,omitempty"`
	ThumbURL string `json:"thumb_url,omitempty"`
	Deleted  bool   `json:"is_deleted,omitempty"`
}

// ImageInfo lists the pictures of a picture post.
type ImageInfo struct {
	List []ImageRef `json:"image_list"`
}

// ImageRef is one permanent picture.
type ImageRef struct {
	MediaID string `json:"image_media_id"`
}

// Flag is a truth that the platform writes as 0 or 1.
type Flag bool

// MarshalJSON implements json.Marshaler.
func (f Flag) MarshalJSON() ([]byte, error) {
	if f {
		return []byte("1"), nil
	}
	return []byte("0"), nil
}

// UnmarshalJSON implements json.Unmarshaler; it also takes true and false.
func (f *Flag) UnmarshalJSON(b []byte) error {
	*f = string(b) == "1" || string(b) == "true"
	return nil
}

// Draft is one draft in the list.
type Draft struct {
	MediaID  string
	Articles []Article
	Updated  int64 // Unix seconds
}

// DraftPage is a part of the list, newest first.
type DraftPage struct {
	Total  int
	Drafts []Draft
}

// MaxArticles is how many articles one message holds.
const MaxArticles = 8

// AddDraft puts 1–8 articles into the draft box and returns the draft's
// media_id, which ends when the draft is published, sent or deleted.
// A lost answer may leave a draft behind: ListDrafts shows it.
func (a *Account) AddDraft(ctx context.Context, articles []Article) (string, error) {
	o := op{path: "/cgi-bin/draft/add", effect: true}
	if n := len(articles); n == 0 || n > MaxArticles {
		return "", refusal(o.name(), Content, 45008, "%d articles", n)
	}
	var out struct {
		MediaID string `json:"media_id"`
	}
	if err := a.post(ctx, o, map[string]any{"articles": articles}, &out); err != nil {
		return "", err
	}
	if out.MediaID == "" {
		return "", missing(o, "media_id")
	}
	return out.MediaID, nil
}

// GetDraft reads a draft. 40007 says that it is gone: published, sent or deleted.
func (a *Account) GetDraft(ctx context.Context, mediaID string) ([]Article, error) {
	var out struct {
		Items []Article `json:"news_item"`
	}
	err := a.post(ctx, op{path: "/cgi-bin/draft/get"}, map[string]string{"media_id": mediaID}, &out)
	return out.Items, err
}

// UpdateDraft replaces the article at index (from 0).
func (a *Account) UpdateDraft(ctx context.Context, mediaID string, index int, article Article) error {
	return a.post(ctx, op{path: "/cgi-bin/draft/update", effect: true},
		map[string]any{"media_id": mediaID, "index": index, "articles": article}, nil)
}

// DeleteDraft removes a draft for good.
func (a *Account) DeleteDraft(ctx context.Context, mediaID string) error {
	return a.post(ctx, op{path: "/cgi-bin/draft/delete", effect: true}, map[string]string{"media_id": mediaID}, nil)
}

// CountDraft says how many drafts there are.
func (a *Account) CountDraft(ctx context.Context) (int, error) {
	var out struct {
		Total int `json:"total_count"`
	}
	err := a.get(ctx, op{path: "/cgi-bin/draft/count"}, &out)
	return out.Total, err
}

// newsPage is the form of the draft list and of the published list.
type newsPage struct {
	Total int `json:"total_count"`
	Items []struct {
		MediaID   string `json:"media_id"`
		ArticleID string `json:"article_id"`
		Content   struct {
			Items []Article `json:"news_item"`
		} `json:"content"`
		Updated int64 `json:"update_time"`
	} `json:"item"`
}

// ListDrafts reads count (1–20) drafts from offset, newest first.
func (a *Account) ListDrafts(ctx context.Context, offset, count int, noContent bool) (DraftPage, error) {
	var out newsPage
	err := a.post(ctx, op{path: "/cgi-bin/draft/batchget"},
		map[string]any{"offset": offset, "count": count, "no_content": Flag(noContent)}, &out)
	if err != nil {
		return DraftPage{}, err
	}
	page := DraftPage{Total: out.Total}
	for _, it := range out.Items {
		page.Drafts = append(page.Drafts, Draft{MediaID: it.MediaID, Articles: it.Content.Items, Updated: it.Updated})
	}
	return page, nil
}
