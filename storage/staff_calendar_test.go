package storage_test

import (
	"testing"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/staff"
	"tongxin/storage"
	"tongxin/storage/storagetest"
)

// Whoever is shut out, or signs out everywhere, leaves no calendar link behind;
// one device that signs out, and somebody else, do not touch it.
func TestStaffCalendarLinkEnds(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		c, links, ctx := newCrew(t, db), storage.NewPublishing(db, pubBox(t)), t.Context()
		c.add("admin", "root", "admin@root")
		a, other := c.add("zhang", "root"), c.add("li", "root")
		ok(t, links.SaveCalendarToken(ctx, other.ID, "li's"))
		reset := staff.Link{ID: db.IDs().New(), Kind: staff.InviteLink, AccountID: a.ID, Hash: "h"}
		for name, end := range map[string]func(version int64) error{
			"everywhere": func(int64) error { _, err := c.s.EndSessions(ctx, a.ID, 0, entry("signout")); return err },
			"disabled":   func(v int64) error { return c.s.SetState(ctx, a, v, staff.Disabled, entry("disable")) },
			"reset":      func(v int64) error { return c.s.Reset(ctx, a, v, reset, entry("reset")) },
		} {
			ok(t, links.SaveCalendarToken(ctx, a.ID, "zhang's"))
			_, err := c.s.EndSessions(ctx, a.ID, ids.ID(1), entry("signout"))
			ok(t, err)
			_, err = links.CalendarOwner(ctx, "zhang's")
			ok(t, err)
			now, err := c.s.Account(ctx, a.ID)
			ok(t, err)
			a.Version = now.Version + 1
			ok(t, end(now.Version))
			if _, err = links.CalendarOwner(ctx, "zhang's"); !errs.Is(err, errs.NotFound) {
				t.Errorf("%s: the link still opens (%v)", name, err)
			}
		}
		_, err := links.CalendarOwner(ctx, "li's")
		ok(t, err)
	})
}
