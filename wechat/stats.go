package wechat

import (
	"context"
	"strings"
	"time"

	"tongxin/internal/clock"
)

// Reading is the reading figures of one article on one day.
type Reading struct {
	MsgDataID string // msgid without its suffix: as SubmitPublish and MassSendAll return it
	Index     int    // of the article, from 1
	Title     string
	Day       string // the day counted, YYYY-MM-DD
	Targets   int    // people it was sent to; totals only
	Users     int    // people who read the page
	Reads     int    // times the page was read
	Shares    int    // times it was shared
	Favorites int    // people who kept it
}

type statRow struct {
	RefDate  string `json:"ref_date"`
	StatDate string `json:"stat_date"`
	MsgID    string `json:"msgid"`
	Title    string `json:"title"`
	statFigures
	Details []statDetail `json:"details"`
}

type statDetail struct {
	StatDate string `json:"stat_date"`
	statFigures
}

type statFigures struct {
	Targets   int `json:"target_user"`
	Users     int `json:"int_page_read_user"`
	Reads     int `json:"int_page_read_count"`
	Shares    int `json:"share_count"`
	Favorites int `json:"add_to_fav_user"`
}

func (f statFigures) reading(row statRow, day string) Reading {
	id, idx, _ := strings.Cut(row.MsgID, "_")
	n := 0
	for _, r := range idx {
		if r < '0' || r > '9' || n > 99 {
			break
		}
		n = n*10 + int(r-'0')
	}
	return Reading{
		MsgDataID: id, Index: n, Title: row.Title, Day: day,
		Targets: f.Targets, Users: f.Users, Reads: f.Reads, Shares: f.Shares, Favorites: f.Favorites,
	}
}

// ArticleSummary is what was read on one day (in China), whenever it was sent.
// The latest day is yesterday. 48001: the account has no figures.
func (a *Account) ArticleSummary(ctx context.Context, day time.Time) ([]Reading, error) {
	rows, err := a.stats(ctx, op{path: "/datacube/getarticlesummary"}, day)
	var list []Reading
	for _, r := range rows {
		list = append(list, r.reading(r, r.RefDate))
	}
	return list, err
}

// ArticleTotal is the growing totals, day by day for a week, of what was sent
// on one day (in China). Rules as with ArticleSummary.
func (a *Account) ArticleTotal(ctx context.Context, day time.Time) ([]Reading, error) {
	rows, err := a.stats(ctx, op{path: "/datacube/getarticletotal"}, day)
	var list []Reading
	for _, r := range rows {
		for _, d := range r.Details {
			list = append(list, d.reading(r, d.StatDate))
		}
	}
	return list, err
}

func (a *Account) stats(ctx context.Context, o op, day time.Time) ([]statRow, error) {
	date := day.In(clock.Shanghai()).Format(time.DateOnly)
	var out struct {
		List []statRow `json:"list"`
	}
	err := a.post(ctx, o, map[string]string{"begin_date": date, "end_date": date}, &out)
	return out.List, err
}
