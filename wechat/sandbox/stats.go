package sandbox

import (
	"fmt"
	"strconv"
	"time"

	"tongxin/internal/clock"
)

// articleSummary tells what was read on one day, up to yesterday.
func (s *Sandbox) articleSummary(c *callCtx) result {
	return s.stats(c, func(m *message, i int, day string) (fields, bool) {
		age := daysBetween(shanghaiDay(m.At), day)
		if age < 0 || age > 30 {
			return nil, false
		}
		f := figures(m, i, age, c.set.Followers)
		f["ref_date"], f["user_source"] = day, 0
		return f, true
	})
}

// articleTotal tells the growing totals of what was published on one day.
func (s *Sandbox) articleTotal(c *callCtx) result {
	yesterday := shanghaiDay(s.clock.Now().AddDate(0, 0, -1))
	return s.stats(c, func(m *message, i int, day string) (fields, bool) {
		if shanghaiDay(m.At) != day {
			return nil, false
		}
		details, sum := []fields{}, map[string]int{}
		for age := 0; age < 7 && daysBetween(day, yesterday) >= age; age++ {
			row := fields{"stat_date": shiftDay(day, age), "target_user": c.set.Followers}
			for k, v := range figures(m, i, age, c.set.Followers) {
				if n, ok := v.(int); ok {
					sum[k] += n
					row[k] = sum[k]
				}
			}
			details = append(details, row)
		}
		return fields{"ref_date": day, "msgid": statID(m, i), "title": m.Articles[i].Title, "details": details}, true
	})
}

// stats checks the day and collects a row per article.
func (s *Sandbox) stats(c *callCtx, row func(m *message, i int, day string) (fields, bool)) result {
	var in struct {
		Begin string `json:"begin_date"`
		End   string `json:"end_date"`
	}
	if bad := decode(c.body, &in); bad != 0 {
		return fail(bad)
	}
	if _, err := time.Parse(time.DateOnly, in.Begin); err != nil {
		return fail(61500)
	}
	if in.Begin != in.End || in.End >= shanghaiDay(s.clock.Now()) {
		return fail(61501)
	}
	c.acc.mu.Lock()
	defer c.acc.mu.Unlock()
	list := []fields{}
	for _, id := range c.acc.Order {
		m := c.acc.Messages[id]
		for i := range m.Articles {
			if f, ok := row(m, i, in.Begin); ok {
				list = append(list, f)
			}
		}
	}
	return done(fields{"list": list}, in.Begin)
}

func statID(m *message, i int) string { return fmt.Sprintf("%d_%d", m.DataID, i+1) }

// figures are one day's, made from the ids: plausible, and the same each time.
// Most of the reading is done on the first day.
func figures(m *message, i, age, followers int) fields {
	n, err := strconv.ParseUint(digest("stats", statID(m, i))[:8], 16, 64)
	if err != nil {
		n = 0
	}
	base := followers * int(20+n%40) / 100
	if m.Kind == "publish" { // nobody was notified
		base /= 5
	}
	users := (base + i) >> age
	return fields{
		"msgid": statID(m, i), "title": m.Articles[i].Title,
		"int_page_read_user": users, "int_page_read_count": users + users/3,
		"ori_page_read_user": users / 20, "ori_page_read_count": users / 18,
		"share_user": users / 12, "share_count": users / 10, "add_to_fav_user": users / 30, "add_to_fav_count": users / 30,
	}
}

func daysBetween(from, to string) int {
	a, aerr := time.ParseInLocation(time.DateOnly, from, clock.Shanghai())
	b, berr := time.ParseInLocation(time.DateOnly, to, clock.Shanghai())
	if aerr != nil || berr != nil {
		return -1
	}
	return int(b.Sub(a).Hours() / 24)
}

func shiftDay(day string, n int) string {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return day
	}
	return t.AddDate(0, 0, n).Format(time.DateOnly)
}
