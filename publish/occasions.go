package publish

import (
	"slices"
	"strconv"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/ids"
)

// The occasions of which Remind tells, each found in the state as it is.

// When a review's end is near: two hours, or half of a review time under four.
const (
	dueSoonLead  = 2 * time.Hour
	shortReview  = 4 * time.Hour
	overdueTimes = 5 // notices about one overdue level
	morning      = 9 * time.Hour
)

// inReview tells whoever may decide now: at once, before the end of the review
// time, at its end, and on the mornings after.
func (l *look) inReview() error {
	return each(func(last Post) ([]Post, error) { return l.s.Store.PostsInReview(l.ctx, last.ID, remindBatch) }, func(p Post) error {
		stages := []Notice{askedNotice(p)}
		switch {
		case p.ReviewDue.IsZero():
		case !l.now.Before(p.ReviewDue):
			stages = append(stages, overdueNotice(p, overdueTime(p.ReviewDue, l.now)))
		case !l.now.Before(p.ReviewDue.Add(-soonLead(p))):
			stages = append(stages, dueSoonNotice(p))
		}
		stages = slices.DeleteFunc(stages, func(n Notice) bool { return !l.fresh(n.Dedupe, p.UpdatedAt) })
		if len(stages) == 0 {
			return nil
		}
		people, err := l.reviewers(&p)
		for _, n := range stages {
			err = l.tell(n.Dedupe, n, people, err)
		}
		return err
	})
}

func soonLead(p Post) time.Duration {
	if whole := p.ReviewDue.Sub(p.UpdatedAt); whole < shortReview {
		return whole / 2
	}
	return dueSoonLead
}

// overdueTime numbers the reminders of an overdue level: 0 at its end, then one
// more at nine each morning, Asia/Shanghai.
func overdueTime(due, now time.Time) int {
	return min(max(shanghaiDays(now.Add(-morning))-shanghaiDays(due), 0), overdueTimes-1)
}

// shanghaiDays counts the days of Asia/Shanghai since 1970.
func shanghaiDays(t time.Time) int {
	_, offset := t.In(clock.Shanghai()).Zone()
	return int((t.Unix() + int64(offset)) / 86400)
}

// reviewers are those whom Decide would let decide on the post now.
func (l *look) reviewers(p *Post) ([]ids.ID, error) {
	if p.Level < 1 || p.Level > MaxLevels {
		return nil, nil
	}
	right := ReviewRight(p.Level)
	people, err := l.holding(right, p.OrgPath)
	if err != nil || len(people) == 0 {
		return nil, err
	}
	reviews, err := l.s.Store.Reviews(l.ctx, p.ID)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(unique(people), func(id ids.ID) bool {
		who := &authz.Actor{ID: id, Kind: authz.Staff, Grants: []authz.Grant{{Path: p.OrgPath, Rights: []authz.Right{right}}}}
		return reviewBar(who, p, reviews) != nil
	}), nil
}

// decided tells writers that their post was returned or approved.
func (l *look) decided() error {
	page := func(last Post) ([]Post, error) { return l.s.Store.PostsDecided(l.ctx, l.since, last, remindBatch) }
	return each(page, func(p Post) error {
		memo := occasion("decided", p.ID.String(), strconv.FormatInt(p.Version, 10))
		if !l.fresh(memo, p.UpdatedAt) {
			return nil
		}
		reviews, err := l.s.Store.Reviews(l.ctx, p.ID)
		if err != nil {
			return err
		}
		if p.State == Returned {
			people, err := l.readers(p.OrgPath, append([]ids.ID{p.AuthorID}, p.Editors...)...)
			return l.tell(memo, returnedNotice(p, lastReview(reviews, Return)), people, err)
		}
		// A post comes back to approved when it is taken out of the queue: the
		// occasion is the approval itself, which may be old.
		pass := lastReview(reviews, Pass)
		if pass.ID != 0 && l.now.Sub(pass.At) >= NoticeAge*2/3 {
			return nil
		}
		people, err := l.readers(p.OrgPath, p.AuthorID)
		if err != nil {
			return err
		}
		planners, err := l.holding(PostSchedule, p.OrgPath)
		return l.tell(memo, approvedNotice(p, pass, slices.Contains(planners, p.AuthorID)), people, err)
	})
}

// lastReview is the newest decision of a kind; zero when there is none.
func lastReview(reviews []Review, d Decision) (last Review) {
	for _, r := range reviews {
		if r.Decision == d && r.ID > last.ID {
			last = r
		}
	}
	return last
}

// open tells of deliveries that wait for a person.
func (l *look) open() error {
	page := func(last Attention) ([]Attention, error) {
		return l.s.Store.DeliveriesOpen(l.ctx, last.ID, remindBatch)
	}
	return each(page, func(d Attention) error {
		n := unknownNotice(d)
		if d.State == ByHand {
			n = byHandNotice(d, byHandTime(l.now.Sub(d.Since)))
		}
		if !l.fresh(n.Dedupe, d.Since) {
			return nil
		}
		people, err := l.planners(d.OrgPath, d.AuthorID)
		return l.tell(n.Dedupe, n, people, err)
	})
}

// byHandTime numbers the reminders of a post to be published by hand: at once,
// after a day, after three.
func byHandTime(waited time.Duration) int {
	switch {
	case waited >= 72*time.Hour:
		return 2
	case waited >= 24*time.Hour:
		return 1
	}
	return 0
}

// ended tells of deliveries that failed or were published.
func (l *look) ended() error {
	start := ids.From(l.since) - 1
	page := func(last Attention) ([]Attention, error) {
		return l.s.Store.DeliveriesEnded(l.ctx, max(last.Event, start), remindBatch)
	}
	return each(page, func(d Attention) error {
		n, who := publishedNotice(d), func() ([]ids.ID, error) { return l.readers(d.OrgPath, d.AuthorID) }
		if d.State == Failed {
			n, who = failedNotice(d), func() ([]ids.ID, error) { return l.planners(d.OrgPath, d.AuthorID) }
		}
		if !l.fresh(n.Dedupe, d.Since) {
			return nil
		}
		people, err := who()
		return l.tell(n.Dedupe, n, people, err)
	})
}

// unwell tells of accounts that a person must mend: the last check of health
// was bad, or deliveries wait because the platform refused the credentials. One
// notice a day of Asia/Shanghai.
func (l *look) unwell() error {
	refused, err := l.s.Store.AccountsRefused(l.ctx, l.now.Add(lead))
	if err != nil {
		return err
	}
	accounts, err := l.s.Store.ListAccounts(l.ctx, authz.Scope{All: true})
	if err != nil {
		return err
	}
	for _, a := range accounts {
		n, at := unwellNotice(a, l.now), l.now
		if !slices.Contains(refused, a.ID) {
			if a.Health.OK || a.Health.At.IsZero() || a.Health.At.Before(l.now.Add(-remindBack)) {
				continue
			}
			n, at = unhealthyNotice(a), a.Health.At
		}
		if !l.fresh(n.Dedupe, at) {
			continue
		}
		people, err := l.holding(AccountManage, a.OrgPath)
		if err := l.tell(n.Dedupe, n, people, err); err != nil {
			return err
		}
	}
	return nil
}
