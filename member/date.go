package member

import (
	"strconv"
	"strings"
	"time"

	"tongxin/internal/clock"
)

// Date is a day in Shanghai as "2006-01-02", empty for none: dates of
// membership have no hour, and text of this form sorts by time.
type Date string

const dateForm = "2006-01-02"

// DateOf is the day of an instant in Shanghai.
func DateOf(t time.Time) Date { return Date(t.In(clock.Shanghai()).Format(dateForm)) }

// Time is the beginning of the day; the zero time for none or for no date.
func (d Date) Time() time.Time {
	t, err := time.ParseInLocation(dateForm, string(d), clock.Shanghai())
	if err != nil {
		return time.Time{}
	}
	return t
}

// valid accepts none, and days from 1900 on.
func (d Date) valid() bool {
	return d == "" || !d.Time().IsZero() && d.Time().Year() >= 1900 && d.Time().Format(dateForm) == string(d)
}

// plus adds years or days. The 29th of February becomes the 28th, not March.
func (d Date) plus(years, days int) Date {
	t := d.Time()
	if t.IsZero() {
		return ""
	}
	next := t.AddDate(years, 0, 0)
	if next.Day() != t.Day() {
		next = next.AddDate(0, 0, -next.Day())
	}
	return Date(next.AddDate(0, 0, days).Format(dateForm))
}

// parseDate reads what people and spreadsheets write: 2024-07-01, 2024/7/1,
// 2024.7.1, 20240701, 2024年7月1日, or the serial number of a date cell.
func parseDate(s string) (Date, bool) {
	s = strings.TrimSpace(s)
	if s == "" {
		return "", true
	}
	if t, err := time.Parse("20060102", s); err == nil {
		return checked(t)
	}
	if n, err := strconv.ParseFloat(s, 64); err == nil && n >= 1 && n < 100_000 && !strings.ContainsAny(s, "eE") && strings.Count(s, ".") < 2 {
		return checked(time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC).AddDate(0, 0, int(n)))
	}
	s, _, _ = strings.Cut(s, " ") // a time of day after the date says nothing here
	s = strings.NewReplacer("年", "-", "月", "-", "日", "", "/", "-", ".", "-").Replace(s)
	t, err := time.Parse("2006-1-2", s)
	if err != nil {
		return "", false
	}
	return checked(t)
}

func checked(t time.Time) (Date, bool) {
	d := Date(t.Format(dateForm))
	return d, d.valid()
}
