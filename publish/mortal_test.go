package publish_test

import (
	"context"
	"errors"
	"time"

	"tongxin/internal/ids"
	"tongxin/internal/trail"
	"tongxin/publish"
)

var errDead = errors.New("this process is dead")

// life is one process. Each store write and each platform call has two borders:
// before it takes effect, and before its answer is read. At the border numbered
// at the process meets its fate: it dies, or it stands still for a while.
type life struct {
	at    int // 0: never
	seen  int
	dead  bool
	pause func(call string, before bool) // instead of dying
}

// border reports errDead to the dead.
func (l *life) border(call string, before bool) error {
	if l.dead {
		return errDead
	}
	if l.seen++; l.seen != l.at {
		return nil
	}
	if l.pause != nil {
		l.pause(call, before)
		return nil
	}
	l.dead = true
	return errDead
}

func lived[T any](l *life, call string, do func() (T, error)) (T, error) {
	var zero T
	if err := l.border(call, true); err != nil {
		return zero, err
	}
	v, err := do()
	if dead := l.border(call, false); dead != nil {
		return zero, dead
	}
	return v, err
}

func livedErr(l *life, call string, do func() error) error {
	_, err := lived(l, call, func() (struct{}, error) { return struct{}{}, do() })
	return err
}

// mortalStore is the store as a dying process sees it. Reads have no effect, so
// only writes are borders.
type mortalStore struct {
	publish.Store
	life *life
}

func (s mortalStore) Claim(ctx context.Context, owner string, now, until time.Time, part publish.Part, limit int) ([]*publish.Delivery, error) {
	if s.life.dead {
		return nil, errDead
	}
	got, err := s.Store.Claim(ctx, owner, now, until, part, limit)
	if err != nil || len(got) == 0 { // nothing happened: no border
		return got, err
	}
	if err := s.life.border("claim", false); err != nil {
		return nil, err
	}
	return got, nil
}

func (s mortalStore) SaveDelivery(ctx context.Context, d *publish.Delivery, expect int64, note string, e *trail.Entry) error {
	return livedErr(s.life, "save", func() error { return s.Store.SaveDelivery(ctx, d, expect, note, e) })
}

func (s mortalStore) SavePlatformEvent(ctx context.Context, ev publish.PlatformEvent) (bool, error) {
	return lived(s.life, "event", func() (bool, error) { return s.Store.SavePlatformEvent(ctx, ev) })
}

func (s mortalStore) ClaimPlatformEvent(ctx context.Context, id, delivery ids.ID) error {
	return livedErr(s.life, "claim event", func() error { return s.Store.ClaimPlatformEvent(ctx, id, delivery) })
}

func (s mortalStore) SaveUpload(ctx context.Context, account ids.ID, key, ref string) error {
	return livedErr(s.life, "upload", func() error { return s.Store.SaveUpload(ctx, account, key, ref) })
}

func (s mortalStore) Spend(ctx context.Context, account ids.ID, day, call string, limit int) (bool, error) {
	return lived(s.life, "spend", func() (bool, error) { return s.Store.Spend(ctx, account, day, call, limit) })
}

func (s mortalStore) WakeAccount(ctx context.Context, id ids.ID, now time.Time, state publish.DeliveryState) error {
	return livedErr(s.life, "wake", func() error { return s.Store.WakeAccount(ctx, id, now, state) })
}

// mortalPlatform is the platform as a dying process reaches it.
type mortalPlatform struct {
	publish.Platform
	life *life
}

func (p mortalPlatform) UploadCover(ctx context.Context, a publish.Account, data []byte, mime string) (string, error) {
	return lived(p.life, "cover", func() (string, error) { return p.Platform.UploadCover(ctx, a, data, mime) })
}

func (p mortalPlatform) SaveDraft(ctx context.Context, a publish.Account, articles []publish.Rendered) (string, error) {
	return lived(p.life, "draft", func() (string, error) { return p.Platform.SaveDraft(ctx, a, articles) })
}

func (p mortalPlatform) DropDraft(ctx context.Context, a publish.Account, id string) error {
	return livedErr(p.life, "drop", func() error { return p.Platform.DropDraft(ctx, a, id) })
}

func (p mortalPlatform) DraftExists(ctx context.Context, a publish.Account, id string) (bool, error) {
	return lived(p.life, "exists", func() (bool, error) { return p.Platform.DraftExists(ctx, a, id) })
}

func (p mortalPlatform) Submit(ctx context.Context, a publish.Account, id string, mode publish.Mode, clientID string) (publish.Receipt, error) {
	return lived(p.life, "submit", func() (publish.Receipt, error) { return p.Platform.Submit(ctx, a, id, mode, clientID) })
}

func (p mortalPlatform) Result(ctx context.Context, a publish.Account, r publish.Receipt, mode publish.Mode) (publish.Outcome, error) {
	return lived(p.life, "result", func() (publish.Outcome, error) { return p.Platform.Result(ctx, a, r, mode) })
}

func (p mortalPlatform) Recent(ctx context.Context, a publish.Account, offset int) ([]publish.Found, bool, error) {
	type answer struct {
		found []publish.Found
		more  bool
	}
	v, err := lived(p.life, "recent", func() (v answer, err error) {
		v.found, v.more, err = p.Platform.Recent(ctx, a, offset)
		return v, err
	})
	return v.found, v.more, err
}

// process starts a mortal process on the house's database.
func (h *house) process(l *life) *publish.Service {
	return h.service(func(c *publish.Config) {
		c.Store = mortalStore{h.store, l}
		c.Platforms = map[string]publish.Platform{publish.WeChat: mortalPlatform{h.sim, l}}
	})
}
