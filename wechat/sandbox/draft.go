package sandbox

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits of an article. Source: draft/add.
const (
	maxTitle     = 32
	maxAuthor    = 16
	maxDigest    = 128
	maxChars     = 20_000  // less than
	maxBytes     = 1 << 20 // less than
	maxSourceURL = 1 << 10
	maxArticles  = 8
	maxPictures  = 20
	digestChars  = 54 // of the default digest
)

// article is one article as the API writes it.
type article struct {
	Type             string     `json:"article_type"`
	Title            string     `json:"title"`
	Author           string     `json:"author"`
	Digest           string     `json:"digest"`
	Content          string     `json:"content"`
	ContentSourceURL string     `json:"content_source_url"`
	ThumbMediaID     string     `json:"thumb_media_id"`
	NeedOpenComment  bit        `json:"need_open_comment"`
	OnlyFansComment  bit        `json:"only_fans_can_comment"`
	Crop235          string     `json:"pic_crop_235_1,omitempty"`
	Crop11           string     `json:"pic_crop_1_1,omitempty"`
	Images           *imageInfo `json:"image_info,omitempty"`
	URL              string     `json:"url,omitempty"`
	ThumbURL         string     `json:"thumb_url,omitempty"`
	Deleted          bool       `json:"is_deleted,omitempty"`
}

type imageInfo struct {
	List []struct {
		MediaID string `json:"image_media_id"`
	} `json:"image_list"`
}

// bit is 0 or 1; the platform also takes true and false.
type bit int

// UnmarshalJSON implements json.Unmarshaler.
func (b *bit) UnmarshalJSON(raw []byte) error {
	*b = 0
	if s := strings.Trim(string(raw), `"`); s == "1" || s == "true" {
		*b = 1
	}
	return nil
}

// draft is a draft in the box.
type draft struct {
	MediaID  string
	Articles []article
	Hash     string // of the articles, for the ledger
	Created  time.Time
	Updated  time.Time
	Serial   int64
}

// checkArticle holds one article to the limits and puts into it what the
// platform would store.
func (s *Sandbox) checkArticle(c *callCtx, in *article) code {
	setDefault(&in.Type, "news")
	if in.Type != "news" && in.Type != "newspic" {
		return 40035
	}
	in.Title = strings.TrimSpace(in.Title)
	raw := in.Content
	text := plainText(raw)
	chars := utf8.RuneCountInString(raw)
	if s.cfg.VisibleText {
		chars = utf8.RuneCountInString(text)
	}
	switch {
	case in.Title == "" || utf8.RuneCountInString(in.Title) > maxTitle:
		return 45003
	case utf8.RuneCountInString(in.Author) > maxAuthor:
		return 45110
	case utf8.RuneCountInString(in.Digest) > maxDigest:
		return 45004
	case chars >= maxChars || len(raw) >= maxBytes:
		return 45002
	case len(in.ContentSourceURL) > maxSourceURL:
		return 40039
	case !validCrop(in.Crop235) || !validCrop(in.Crop11):
		return 53402
	}
	in.URL, in.ThumbURL, in.Deleted = "", "", false
	if in.Type == "newspic" {
		in.Content, in.ThumbMediaID = text, ""
		setDefault(&in.Digest, cut(text, digestChars))
		return c.checkPictures(in.Images)
	}
	in.Images = nil
	in.Content = sanitize(raw, func(hash string) bool { return s.images.owned(c.set.AppID, hash) })
	if strings.TrimSpace(in.Content) == "" {
		return 44003
	}
	setDefault(&in.Digest, cut(text, digestChars))
	m := c.permanent(in.ThumbMediaID)
	if m == nil {
		return 40007
	}
	in.ThumbURL = m.URL
	return 0
}

// validCrop takes "x1_y1_x2_y2" with numbers of 0 to 1, from top left to bottom right.
func validCrop(crop string) bool {
	if crop == "" {
		return true
	}
	parts := strings.Split(crop, "_")
	if len(parts) != 4 {
		return false
	}
	var at [4]float64
	for i, p := range parts {
		n, err := strconv.ParseFloat(p, 64)
		if err != nil || !(n >= 0 && n <= 1) {
			return false
		}
		at[i] = n
	}
	return at[0] < at[2] && at[1] < at[3]
}

// permanent finds a material of the account.
func (c *callCtx) permanent(mediaID string) *material {
	c.acc.mu.Lock()
	defer c.acc.mu.Unlock()
	return c.acc.Materials[mediaID]
}

// checkPictures holds a picture post to 1–20 permanent pictures.
func (c *callCtx) checkPictures(info *imageInfo) code {
	if info == nil || len(info.List) == 0 {
		return 44003
	}
	if len(info.List) > maxPictures {
		return 45008
	}
	for _, p := range info.List {
		if m := c.permanent(p.MediaID); m == nil || m.Kind != "image" {
			return 40007
		}
	}
	return 0
}

func hashArticles(list []article) string {
	b, err := json.Marshal(list)
	if err != nil {
		return ""
	}
	return digest("articles", string(b))
}

func (s *Sandbox) draftAdd(c *callCtx) result {
	var in struct {
		Articles []article `json:"articles"`
	}
	if bad := decode(c.body, &in); bad != 0 {
		return fail(bad)
	}
	if len(in.Articles) == 0 {
		return fail(44003)
	}
	title := in.Articles[0].Title
	if len(in.Articles) > maxArticles {
		return failNote(45008, title)
	}
	for i := range in.Articles {
		if bad := s.checkArticle(c, &in.Articles[i]); bad != 0 {
			return failNote(bad, in.Articles[i].Title)
		}
	}
	hash, now := hashArticles(in.Articles), s.clock.Now()
	a := c.acc
	a.mu.Lock()
	defer a.mu.Unlock()
	id := a.mediaID("draft")
	a.Drafts[id] = &draft{MediaID: id, Articles: in.Articles, Hash: hash, Created: now, Updated: now, Serial: a.Serial}
	s.changed()
	return done(fields{"media_id": id, "item": []any{}}, title)
}

type mediaRequest struct {
	MediaID string   `json:"media_id"`
	Index   int      `json:"index"`
	Article *article `json:"articles"`
}

// withDraft decodes a request about one draft and runs f under the lock.
func (s *Sandbox) withDraft(c *callCtx, f func(*account, *draft, mediaRequest) result) result {
	var in mediaRequest
	if bad := decode(c.body, &in); bad != 0 {
		return fail(bad)
	}
	if in.Article != nil {
		if bad := s.checkArticle(c, in.Article); bad != 0 {
			return failNote(bad, in.Article.Title)
		}
	}
	c.acc.mu.Lock()
	defer c.acc.mu.Unlock()
	d := c.acc.Drafts[in.MediaID]
	if d == nil {
		return fail(40007)
	}
	return f(c.acc, d, in)
}

func (s *Sandbox) draftGet(c *callCtx) result {
	return s.withDraft(c, func(_ *account, d *draft, _ mediaRequest) result {
		return done(fields{
			"news_item": slices.Clone(d.Articles), "create_time": d.Created.Unix(), "update_time": d.Updated.Unix(),
		}, d.Articles[0].Title)
	})
}

func (s *Sandbox) draftUpdate(c *callCtx) result {
	return s.withDraft(c, func(_ *account, d *draft, in mediaRequest) result {
		if in.Article == nil || in.Index < 0 || in.Index >= len(d.Articles) {
			return fail(40035)
		}
		d.Articles = slices.Clone(d.Articles) // readers may hold the old list
		d.Articles[in.Index] = *in.Article
		d.Hash, d.Updated = hashArticles(d.Articles), s.clock.Now()
		s.changed()
		return done(accepted(nil), in.Article.Title)
	})
}

func (s *Sandbox) draftDelete(c *callCtx) result {
	return s.withDraft(c, func(a *account, d *draft, _ mediaRequest) result {
		delete(a.Drafts, d.MediaID)
		s.changed()
		return done(accepted(nil), d.Articles[0].Title)
	})
}

func (s *Sandbox) draftCount(c *callCtx) result {
	c.acc.mu.Lock()
	defer c.acc.mu.Unlock()
	return done(fields{"total_count": len(c.acc.Drafts)}, "")
}

// pageRequest is a part of a list.
type pageRequest struct {
	Offset    int `json:"offset"`
	Count     int `json:"count"`
	NoContent bit `json:"no_content"`
}

func (c *callCtx) pageRequest() (pageRequest, code) {
	var in pageRequest
	if bad := decode(c.body, &in); bad != 0 {
		return in, bad
	}
	if in.Offset < 0 || in.Count < 1 || in.Count > 20 {
		return in, 40097
	}
	return in, 0
}

// cutPage is the part of a list that was asked for.
func cutPage[T any](list []T, p pageRequest) []T {
	from := min(p.Offset, len(list))
	return list[from:min(from+p.Count, len(list))]
}

// newsItem is an entry of either list.
func newsItem(idKey, id string, list []article, created, updated time.Time, noContent bool) fields {
	items := slices.Clone(list)
	for i := range items {
		if noContent {
			items[i].Content = ""
		}
	}
	return fields{idKey: id, "update_time": updated.Unix(), "content": fields{
		"news_item": items, "create_time": created.Unix(), "update_time": updated.Unix(),
	}}
}

func (s *Sandbox) draftList(c *callCtx) result {
	p, bad := c.pageRequest()
	if bad != 0 {
		return fail(bad)
	}
	c.acc.mu.Lock()
	defer c.acc.mu.Unlock()
	list := make([]*draft, 0, len(c.acc.Drafts))
	for _, d := range c.acc.Drafts {
		list = append(list, d)
	}
	slices.SortFunc(list, func(a, b *draft) int { return int(b.Serial - a.Serial) })
	items := []fields{}
	for _, d := range cutPage(list, p) {
		items = append(items, newsItem("media_id", d.MediaID, d.Articles, d.Created, d.Updated, p.NoContent == 1))
	}
	return done(fields{"total_count": len(list), "item_count": len(items), "item": items}, "")
}
