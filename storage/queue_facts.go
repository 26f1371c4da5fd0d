package storage

import (
	"context"
	"time"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/publish"
)

// SavePlatformEvent implements publish.QueueStore.
func (s *Publishing) SavePlatformEvent(ctx context.Context, ev publish.PlatformEvent) (bool, error) {
	s.fill(&ev.ID)
	var fresh bool
	err := s.db.Write(ctx, func(tx *Tx) (err error) {
		fresh, err = tx.Insert(`INSERT INTO platform_events (id, account_id, dedupe, publish_id, msg_id, msg_data_id, outcome, at, delivery_id)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)`, ev.ID, ev.AccountID, ev.Dedupe, ev.Receipt.PublishID, ev.Receipt.MsgID, ev.Receipt.MsgDataID,
			jsonText{ev.Outcome}, Millis(orNow(ev.At, tx.Now)))
		return err
	})
	return fresh && err == nil, err
}

// PlatformEvents implements publish.QueueStore.
func (s *Publishing) PlatformEvents(ctx context.Context, account ids.ID, since time.Time) ([]publish.PlatformEvent, error) {
	return All(ctx, s.db, func(r Scanner) (publish.PlatformEvent, error) {
		var ev publish.PlatformEvent
		err := r.Scan(&ev.ID, &ev.AccountID, &ev.Dedupe, &ev.Receipt.PublishID, &ev.Receipt.MsgID, &ev.Receipt.MsgDataID,
			jsonText{&ev.Outcome}, moment{&ev.At})
		return ev, err
	}, `SELECT id, account_id, dedupe, publish_id, msg_id, msg_data_id, outcome, at FROM platform_events
		WHERE account_id = ? AND delivery_id = 0 AND at >= ? ORDER BY at, id`, account, Millis(since))
}

// ClaimPlatformEvent implements publish.QueueStore. An event that another
// delivery holds is a Conflict; the same delivery may claim it again.
func (s *Publishing) ClaimPlatformEvent(ctx context.Context, id, delivery ids.ID) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		res, err := tx.Exec(`UPDATE platform_events SET delivery_id = ? WHERE id = ? AND (delivery_id = 0 OR delivery_id = ?)`, delivery, id, delivery)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n > 0 {
			return err
		}
		_, err = One(tx.Ctx, tx, ScanInt64, errs.Missing("平台通知"), `SELECT 1 FROM platform_events WHERE id = ?`, id)
		if err != nil {
			return err
		}
		return errs.New(errs.Conflict, "这条平台通知已经对应另一条发布记录。")
	})
}

// Uploads implements publish.QueueStore.
func (s *Publishing) Uploads(ctx context.Context, account ids.ID, keys []string) (map[string]string, error) {
	out := make(map[string]string, len(keys))
	for _, part := range chunks(keys) {
		in, args := In("upload_key", padded(part))
		_, err := All(ctx, s.db, func(r Scanner) (struct{}, error) {
			var key, ref string
			err := r.Scan(&key, &ref)
			out[key] = ref
			return struct{}{}, err
		}, `SELECT upload_key, ref FROM uploads WHERE account_id = ? AND `+in, append([]any{account}, args...)...)
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// SaveUpload implements publish.QueueStore: the first reference stays.
func (s *Publishing) SaveUpload(ctx context.Context, account ids.ID, key, ref string) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		_, err := tx.Insert(`INSERT INTO uploads (account_id, upload_key, ref) VALUES (?, ?, ?)`, account, key, ref)
		return err
	})
}

// Spend implements publish.QueueStore.
func (s *Publishing) Spend(ctx context.Context, account ids.ID, day, call string, limit int) (bool, error) {
	var ok bool
	err := s.db.Write(ctx, func(tx *Tx) (err error) {
		if ok, err = spend(tx, account, day, call, limit); err != nil || ok {
			return err
		}
		// Not fresh: the budget is spent, or another lane made the day's row just now.
		if _, err = tx.Insert(`INSERT INTO budgets (account_id, day, call_name, used) VALUES (?, ?, ?, 0)`, account, day, call); err != nil {
			return err
		}
		ok, err = spend(tx, account, day, call, limit)
		return err
	})
	return ok && err == nil, err
}

func spend(tx *Tx, account ids.ID, day, call string, limit int) (bool, error) {
	res, err := tx.Exec(`UPDATE budgets SET used = used + 1 WHERE account_id = ? AND day = ? AND call_name = ? AND used < ?`, account, day, call, limit)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// Spent implements publish.QueueStore.
func (s *Publishing) Spent(ctx context.Context, account ids.ID, day string) (map[string]int, error) {
	out := map[string]int{}
	_, err := All(ctx, s.db, func(r Scanner) (struct{}, error) {
		var call string
		var n int
		err := r.Scan(&call, &n)
		out[call] = n
		return struct{}{}, err
	}, `SELECT call_name, used FROM budgets WHERE account_id = ? AND day = ? AND used > 0`, account, day)
	return out, err
}

// SaveFigures implements publish.QueueStore; a day's newer reading replaces the older.
func (s *Publishing) SaveFigures(ctx context.Context, delivery ids.ID, f []publish.Figures) error {
	if len(f) == 0 {
		return nil
	}
	return s.db.Write(ctx, func(tx *Tx) error {
		for _, v := range f {
			err := tx.Upsert("figures", []string{"delivery_id", "day"}, []string{"delivery_id", "day", "read_count", "people", "shares", "likes"},
				[]string{"read_count", "people", "shares", "likes"}, delivery, v.Day, v.Reads, v.People, v.Shares, v.Likes)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// FiguresOf implements publish.QueueStore: by day.
func (s *Publishing) FiguresOf(ctx context.Context, delivery ids.ID) ([]publish.Figures, error) {
	return All(ctx, s.db, func(r Scanner) (publish.Figures, error) {
		var f publish.Figures
		err := r.Scan(&f.Day, &f.Reads, &f.People, &f.Shares, &f.Likes)
		return f, err
	}, `SELECT day, read_count, people, shares, likes FROM figures WHERE delivery_id = ? ORDER BY day`, delivery)
}
