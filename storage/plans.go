package storage

import (
	"context"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/trail"
	"tongxin/publish"
)

// Words implements publish.WordStore.
func (s *Publishing) Words(ctx context.Context) ([]publish.Word, error) {
	return All(ctx, s.db, func(r Scanner) (publish.Word, error) {
		var w publish.Word
		err := r.Scan(&w.ID, &w.Text, &w.Kind, &w.Suggest, &w.Note)
		return w, err
	}, `SELECT id, word, kind, suggest, note FROM words ORDER BY word, id`)
}

// SaveWord implements publish.WordStore: a new id is inserted, a known one
// changed. w.ID becomes that of an earlier call with the same idempotency key.
func (s *Publishing) SaveWord(ctx context.Context, w *publish.Word, e trail.Entry) error {
	s.fill(&w.ID)
	made := w.ID
	err := s.db.Write(ctx, func(tx *Tx) error {
		res, err := tx.Exec(`UPDATE words SET word = ?, kind = ?, suggest = ?, note = ? WHERE id = ?`, w.Text, w.Kind, w.Suggest, w.Note, w.ID)
		if Duplicate(err) {
			return wordTaken(w)
		}
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return err
		}
		if n == 0 {
			if e.Actor == nil || e.Actor.Kind != authz.System { // the built-in words are not what the key stands for
				id, seen, err := tx.Once(e.Actor, w.ID)
				if made = id; err != nil || seen {
					return err
				}
			}
			fresh, err := tx.Insert(`INSERT INTO words (id, word, kind, suggest, note) VALUES (?, ?, ?, ?, ?)`, w.ID, w.Text, w.Kind, w.Suggest, w.Note)
			if err != nil {
				return err
			}
			if !fresh {
				return wordTaken(w)
			}
		}
		tx.Audit(e)
		return nil
	})
	if err == nil {
		w.ID = made
	}
	return err
}

func wordTaken(w *publish.Word) error {
	return errs.New(errs.Conflict, "词表中已经有“%s”，请直接修改那一条。", w.Text)
}

// DeleteWord implements publish.WordStore.
func (s *Publishing) DeleteWord(ctx context.Context, id ids.ID, e trail.Entry) error {
	return s.remove(ctx, "words", id, "词条", e)
}

// Slots implements publish.PlanStore: in the order of the week.
func (s *Publishing) Slots(ctx context.Context, scope authz.Scope) ([]publish.Slot, error) {
	where, args := ScopeSQL("o.path", scope)
	return All(ctx, s.db, func(r Scanner) (publish.Slot, error) {
		var v publish.Slot
		err := r.Scan(&v.ID, &v.OrgID, &v.OrgPath, &v.AccountID, &v.Weekday, &v.Minute, &v.Label)
		return v, err
	}, `SELECT s.id, s.org_id, o.path, s.account_id, s.weekday, s.minute, s.label FROM slots s JOIN orgs o ON o.id = s.org_id
		WHERE `+where+` ORDER BY s.weekday, s.minute, s.id`, args...)
}

// AddSlot implements publish.PlanStore. v.ID becomes that of an earlier call
// with the same idempotency key.
func (s *Publishing) AddSlot(ctx context.Context, v *publish.Slot, e trail.Entry) error {
	s.fill(&v.ID)
	made := v.ID
	err := s.db.Write(ctx, func(tx *Tx) error {
		id, seen, err := tx.Once(e.Actor, v.ID)
		if made = id; err != nil || seen {
			return err
		}
		fresh, err := tx.Insert(`INSERT INTO slots (id, org_id, account_id, weekday, minute, label) VALUES (?, ?, ?, ?, ?, ?)`,
			v.ID, v.OrgID, v.AccountID, v.Weekday, v.Minute, v.Label)
		if err != nil {
			return err
		}
		if !fresh {
			return errs.New(errs.Conflict, "这个账号在这个时间已经有固定时段。")
		}
		tx.Audit(e)
		return nil
	})
	if err == nil {
		v.ID = made
	}
	return err
}

// DeleteSlot implements publish.PlanStore.
func (s *Publishing) DeleteSlot(ctx context.Context, id ids.ID, e trail.Entry) error {
	return s.remove(ctx, "slots", id, "固定时段", e)
}

// CalendarOwner implements publish.PlanStore.
func (s *Publishing) CalendarOwner(ctx context.Context, tokenHash string) (ids.ID, error) {
	owner, err := One(ctx, s.db, ScanInt64, errs.Missing("日历链接"), `SELECT owner_id FROM calendar_tokens WHERE token_hash = ?`, tokenHash)
	return ids.ID(owner), err
}

// SaveCalendarToken implements publish.PlanStore: the owner's older link ends.
func (s *Publishing) SaveCalendarToken(ctx context.Context, owner ids.ID, tokenHash string) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		return tx.Upsert("calendar_tokens", []string{"owner_id"}, []string{"owner_id", "token_hash"}, []string{"token_hash"}, owner, tokenHash)
	})
}
