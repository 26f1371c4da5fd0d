package storage

import (
	"context"
	"slices"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
	"tongxin/publish"
)

// maxClaim bounds one claim; claimTries bounds how often a claim that lost all
// its rows to another node looks for others.
const (
	maxClaim   = 256
	claimTries = 8
)

// Claim implements publish.QueueStore. A row is taken by an UPDATE that asks
// for its free lease again, so two claimers never get the same row. Claims of
// one process run one after the other, since rows are told apart by owner and
// lease end.
func (s *Publishing) Claim(ctx context.Context, owner string, now, until time.Time, part publish.Part, limit int) ([]*publish.Delivery, error) {
	s.claim.Lock()
	defer s.claim.Unlock()
	for range claimTries {
		due, err := s.due(ctx, now, part, min(limit, maxClaim))
		if err != nil || len(due) == 0 {
			return nil, err
		}
		got, err := s.take(ctx, owner, now, until, due)
		if err != nil || len(got) > 0 {
			return got, err
		}
	}
	return nil, nil // NextDue says that there is more
}

// due reads on the side, so that an idle queue costs the writer nothing.
func (s *Publishing) due(ctx context.Context, now time.Time, part publish.Part, limit int) ([]int64, error) {
	if limit <= 0 {
		return nil, nil
	}
	where, args := partSQL(part)
	return All(ctx, s.db, ScanInt64, `SELECT d.id FROM deliveries d JOIN platform_accounts a ON a.id = d.account_id
		WHERE d.next_at > 0 AND d.next_at <= ? AND d.lease_until <= ? AND a.paused = 0`+where+`
		ORDER BY d.next_at, d.id LIMIT ?`, append(append([]any{Millis(now), Millis(now)}, args...), limit)...)
}

// partSQL narrows a query of deliveries to a part of the queue. COALESCE keeps
// planners on the index of next_at: that of the state holds every post ever
// published.
func partSQL(part publish.Part) (where string, args []any) {
	if len(part.States) > 0 {
		in, states := In("COALESCE(d.state, '')", padded(part.States))
		for _, state := range states {
			args = append(args, string(state.(publish.DeliveryState)))
		}
		where = " AND " + in
	}
	if len(part.Without) > 0 {
		in, accounts := In("d.account_id", padded(part.Without))
		where, args = where+" AND NOT "+in, append(args, accounts...)
	}
	return where, args
}

func (s *Publishing) take(ctx context.Context, owner string, now, until time.Time, due []int64) ([]*publish.Delivery, error) {
	var got []*publish.Delivery
	in, list := In("id", padded(due))
	err := s.db.Write(ctx, func(tx *Tx) error {
		got = nil
		args := append([]any{owner, Millis(until)}, list...)
		res, err := tx.Exec(`UPDATE deliveries SET lease_owner = ?, lease_until = ?, version = version + 1 WHERE `+in+
			` AND next_at > 0 AND next_at <= ? AND lease_until <= ?`, append(args, Millis(now), Millis(now))...)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		got, err = All(tx.Ctx, tx, scanDeliveryPtr, `SELECT `+deliveryCols+deliveryFrom+`WHERE d.`+in+
			` AND d.lease_owner = ? AND d.lease_until = ? ORDER BY d.next_at, d.id`, append(slices.Clone(list), owner, Millis(until))...)
		return err
	})
	if err != nil {
		return nil, err
	}
	return got, nil
}

// NextDue implements publish.QueueStore. Both queries walk the index on next_at
// from its start and pass only what is leased or paused.
func (s *Publishing) NextDue(ctx context.Context, part publish.Part) (time.Time, error) {
	where, args := partSQL(part)
	free, err := One(ctx, s.db, ScanInt64, nil, `SELECT d.next_at FROM deliveries d JOIN platform_accounts a ON a.id = d.account_id
		WHERE d.next_at > 0 AND d.lease_until <= d.next_at AND a.paused = 0`+where+` ORDER BY d.next_at LIMIT 1`, args...)
	if err != nil {
		return time.Time{}, err
	}
	bound := free
	if free == 0 {
		bound = int64(1) << 62
	}
	leased, err := One(ctx, s.db, ScanInt64, nil, `SELECT COALESCE(MIN(d.lease_until), 0) FROM deliveries d
		JOIN platform_accounts a ON a.id = d.account_id
		WHERE d.next_at > 0 AND d.next_at < ? AND d.lease_until > d.next_at AND a.paused = 0`+where, append([]any{bound}, args...)...)
	if err != nil {
		return time.Time{}, err
	}
	if leased > 0 && (free == 0 || leased < free) {
		free = leased
	}
	return FromMillis(free), nil
}

// QueueCounts implements publish.QueueStore.
func (s *Publishing) QueueCounts(ctx context.Context, scope authz.Scope) (map[publish.DeliveryState]int, time.Time, error) {
	from := `FROM deliveries d `
	where, args := ScopeSQL("o.path", scope)
	if !scope.All {
		from += `JOIN posts p ON p.id = d.post_id JOIN orgs o ON o.id = p.org_id `
	}
	counts := map[publish.DeliveryState]int{}
	var next time.Time
	_, err := All(ctx, s.db, func(r Scanner) (struct{}, error) {
		var state publish.DeliveryState
		var n int
		var due time.Time
		err := r.Scan(&state, &n, moment{&due})
		counts[state] = n
		if state == publish.Waiting {
			next = due
		}
		return struct{}{}, err
	}, `SELECT d.state, COUNT(*), MIN(d.due_at) `+from+`WHERE d.state IN ('waiting', 'submitting', 'submitted', 'unknown', 'by_hand', 'failed')
		AND `+where+` GROUP BY d.state`, args...)
	return counts, next, err
}

// UnknownMass implements publish.QueueStore.
func (s *Publishing) UnknownMass(ctx context.Context, account ids.ID) (int, error) {
	n, err := One(ctx, s.db, ScanInt64, nil, `SELECT COUNT(*) FROM deliveries WHERE account_id = ? AND state IN ('unknown', 'submitting') AND mode = 'mass'`, account)
	return int(n), err
}
