package storage

import (
	"context"
	"slices"
	"time"

	"tongxin/moderate"
)

// Claim implements moderate.Store: a row is taken by an UPDATE that asks for its
// free lease again, so two claimers never get the same row.
func (s *Moderation) Claim(ctx context.Context, owner string, now, until time.Time, limit int) ([]*moderate.Item, error) {
	s.claim.Lock()
	defer s.claim.Unlock()
	for range claimTries {
		due, err := All(ctx, s.db, ScanInt64, `SELECT id FROM moderation_items WHERE next_at > 0 AND next_at <= ? AND lease_until <= ? ORDER BY next_at, id LIMIT ?`,
			Millis(now), Millis(now), min(limit, maxClaim))
		if err != nil || len(due) == 0 {
			return nil, err
		}
		got, err := s.take(ctx, owner, now, until, due)
		if err != nil || len(got) > 0 {
			return got, err
		}
	}
	return nil, nil
}

func (s *Moderation) take(ctx context.Context, owner string, now, until time.Time, due []int64) ([]*moderate.Item, error) {
	var got []*moderate.Item
	in, list := In("id", padded(due))
	err := s.db.Write(ctx, func(tx *Tx) error {
		got = nil
		before, err := All(tx.Ctx, tx, ScanInt64, `SELECT id FROM moderation_items WHERE `+in+` AND next_at > 0 AND next_at <= ? AND lease_until <= ?`+tx.ForUpdate(),
			append(slices.Clone(list), Millis(now), Millis(now))...)
		if err != nil || len(before) == 0 {
			return err
		}
		mine, args := In("id", padded(before))
		if _, err := tx.Exec(`UPDATE moderation_items SET lease_owner = ?, lease_until = ?, version = version + 1 WHERE `+mine,
			append([]any{owner, Millis(until)}, args...)...); err != nil {
			return err
		}
		rows, args := In("i.id", padded(before))
		got, err = All(tx.Ctx, tx, scanModerationPtr, moderationSQL+rows+` ORDER BY i.next_at, i.id`, args...)
		return err
	})
	if err != nil {
		return nil, err
	}
	return got, nil
}

func scanModerationPtr(r Scanner) (*moderate.Item, error) {
	it, err := scanModeration(r)
	return &it, err
}

// NextDue implements moderate.Store.
func (s *Moderation) NextDue(ctx context.Context) (time.Time, error) {
	n, err := One(ctx, s.db, ScanInt64, nil, `SELECT COALESCE(MIN(CASE WHEN lease_until > next_at THEN lease_until ELSE next_at END), 0)
		FROM moderation_items WHERE next_at > 0`)
	return FromMillis(n), err
}
