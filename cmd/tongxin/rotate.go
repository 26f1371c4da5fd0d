package main

import (
	"context"
	"errors"
	"fmt"

	"tongxin/internal/clock"
	"tongxin/storage"
)

// rotateCommand seals everything anew under TONGXIN_SECRET_KEY and TONGXIN_SEAL.
// The earlier secret must be in TONGXIN_OLD_SECRET_KEYS until it is through.
func rotateCommand(ctx context.Context, c *cli, args []string) (err error) {
	if err := c.flags("rotate-keys").Parse(args); err != nil {
		return err
	}
	set, log, err := maintenance(c)
	if err != nil {
		return err
	}
	box, err := boxFor(set)
	if err != nil {
		return err
	}
	opt := auditKeys(set, box)
	opt.DSN, opt.Clock, opt.Log, opt.Name = *set.db, clock.System{}, log, *set.natsName+"-rotate"
	db, err := storage.Open(ctx, opt)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.Migrate(ctx); err != nil {
		return err
	}
	left := 0
	var printing error
	err = db.Rotate(ctx, box, func(d storage.Rotated) {
		left += d.Remaining
		_, e := fmt.Fprintf(c.out, "%-30s %d of %d resealed, %d left\n", d.Column, d.Resealed, d.Looked, d.Remaining)
		printing = errors.Join(printing, e)
		for _, p := range d.Problems {
			_, e := fmt.Fprintln(c.out, "  "+p)
			printing = errors.Join(printing, e)
		}
	})
	if err = errors.Join(err, printing); err != nil {
		return err
	}
	if left > 0 {
		return fmt.Errorf("%d values could not be resealed: keep the earlier secret and see docs/members.md", left)
	}
	_, err = fmt.Fprintln(c.out, "everything is sealed under the current secret; the earlier one now only proves older audit rows (see docs/members.md)")
	return err
}
