package member

import (
	"context"
	"strconv"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
)

// sweepBatch is how many members one round of a retention sweep reads.
const sweepBatch = 200

// Sweep deletes the numbers of members who left longer ago than the retention
// rules allow, and tells of how many. It may be cut off and run again.
func (s *Service) Sweep(ctx context.Context) (int, error) {
	actor, total := authz.SystemActor("保存期限"), 0
	for _, rule := range s.rules.Retention {
		leftBy := s.today().plus(-rule.Value, 0)
		for {
			rows, err := s.cfg.Store.Expired(ctx, rule.States, leftBy, sweepBatch)
			if err != nil || len(rows) == 0 {
				if err != nil {
					return total, err
				}
				break
			}
			done := 0
			for i := range rows {
				w := s.erase(actor, &rows[i], "member.erase", map[string]string{"name": rows[i].Name, "reason": "retention", "years": strconv.Itoa(rule.Value)})
				err := s.cfg.Store.Save(ctx, w, w.Entry)
				if errs.Is(err, errs.Stale) {
					continue // somebody is at it: the next round sees what stands
				}
				if err != nil {
					return total, err
				}
				done++
			}
			total += done
			if done == 0 {
				break // all are being changed: the next sweep
			}
		}
	}
	return total, nil
}
