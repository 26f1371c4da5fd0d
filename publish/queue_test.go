package publish_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/trail"
	"tongxin/publish"
)

// hooked lets a test act around the store's writes.
type hooked struct {
	publish.Store
	before func(d *publish.Delivery) error
	after  func(d *publish.Delivery)
}

func (s *hooked) SaveDelivery(ctx context.Context, d *publish.Delivery, expect int64, note string, e *trail.Entry) error {
	if s.before != nil {
		if err := s.before(d); err != nil {
			return err
		}
	}
	err := s.Store.SaveDelivery(ctx, d, expect, note, e)
	if err == nil && s.after != nil {
		s.after(d)
	}
	return err
}

// hookedHouse has a store with hooks; the hooks may be set at any time.
func hookedHouse(t testing.TB) (*house, *hooked) {
	hk := &hooked{}
	h := newHouse(t, withStore(func(s publish.Store) publish.Store {
		hk.Store = s
		return hk
	}))
	return h, hk
}

func TestTransientFailuresBackOff(t *testing.T) {
	for _, call := range []string{"cover", "draft", "submit"} {
		h := newHouse(t)
		h.sim.failing(call, 3, trouble(publish.KindTransient, -1))
		q := h.queued("文", 0)
		var pauses []time.Duration
		for range 3 {
			h.drain()
			d := h.wantState(q.ID, publish.Waiting)
			pause := d.NextAt.Sub(h.clock.Now())
			pauses = append(pauses, pause)
			has(t, d.Note, "再试")
			if d.ErrKind != publish.KindTransient || d.ErrCode != -1 || d.Attempt != len(pauses) {
				t.Fatalf("%s: %+v", call, d)
			}
			h.clock.Add(pause - time.Millisecond)
			h.drain()
			if h.sim.count(call) != len(pauses) {
				t.Fatalf("%s: tried before its time", call)
			}
			h.clock.Add(time.Millisecond)
		}
		h.after(time.Hour)
		d := h.wantState(q.ID, publish.Published)
		if fmt.Sprint(pauses) != "[5s 10s 20s]" || d.ErrKind != "" || d.Note != "" || h.sim.submits() != 1 || h.sim.inBox() != 0 {
			t.Fatalf("%s: %v, %+v", call, pauses, d)
		}
	}
}

func TestTransientFailuresEnd(t *testing.T) {
	h := newHouse(t)
	h.sim.failing("submit", 1000, trouble(publish.KindTransient, -1))
	q := h.queued("文", 0)
	h.after(24 * time.Hour)
	d := h.wantState(q.ID, publish.Failed)
	has(t, d.Note, "多次尝试后仍未成功")
	if n := h.sim.count("submit"); n != 12 || !d.NextAt.IsZero() || h.get(q.ID).State != publish.Finished || h.audits("delivery.failed") != 1 {
		t.Fatalf("%d tries, %+v", n, d)
	}
}

func TestQuotaWaitsForTheAllowedTime(t *testing.T) {
	h := newHouse(t)
	allowed := start().Add(3*time.Hour + 25*time.Minute)
	h.sim.failing("submit", 1, &fault{err: &publish.PlatformError{Kind: publish.KindQuota, Code: 45066, Msg: "太频繁。", NotBefore: allowed}})
	q := h.queued("文", 0)
	h.drain()
	d := h.wantState(q.ID, publish.Waiting)
	if !d.NextAt.Equal(allowed) || d.ErrKind != publish.KindQuota || d.Note != "太频繁。将于 3月2日 19:25:00 再试。" || d.Attempt != 0 {
		t.Fatalf("%+v", d)
	}
	has(t, h.timeline(d.ID), "3月2日 19:25:00")
	h.after(4 * time.Hour)
	h.wantState(q.ID, publish.Published)

	h.sim.failing("draft", 1, trouble(publish.KindQuota, 45009))
	q = h.queued("文二", 0)
	h.drain()
	d = h.wantState(q.ID, publish.Waiting)
	if got := d.NextAt.In(clock.Shanghai()).Format("01-02 15:04"); got != "03-03 00:05" {
		t.Fatalf("next try %s", got)
	}
	h.after(24 * time.Hour)
	h.wantState(q.ID, publish.Published)
}

func TestAuthWaitsForAPerson(t *testing.T) {
	h := newHouse(t)
	h.sim.failing("submit", 1000, trouble(publish.KindAuth, 40164))
	q := h.queued("文", 0)
	h.after(3 * time.Hour)
	d := h.wantState(q.ID, publish.Waiting)
	if d.ErrKind != publish.KindAuth || d.ErrCode != 40164 || h.sim.count("submit") < 18 {
		t.Fatalf("%d tries, %+v", h.sim.count("submit"), d)
	}
	h.sim.healed()
	before := h.clock.Now()
	a, err := h.Account(h.ctx, h.root, h.account.ID)
	must(t, err)
	_, err = h.UpdateAccount(h.ctx, h.root, a.ID, a.Version, publish.AccountInput{
		Name: a.Name, Kind: a.Kind, Mode: a.Mode,
		Secrets: publish.SecretsInput{AppSecret: ptr("0123456789abcdef0123456789abcdef")},
	})
	must(t, err)
	h.drain()
	d = h.sole(q.ID)
	if d.State != publish.Submitted || !h.clock.Now().Equal(before) || d.ErrKind != "" {
		t.Fatalf("mended keys did not wake the post: %+v", d)
	}

	h.sim.failing("draft", 1000, trouble(publish.KindAuth, 40125))
	q = h.queued("文二", 0)
	h.after(25 * time.Hour)
	d = h.wantState(q.ID, publish.Failed)
	if d.ErrKind != publish.KindAuth || h.sim.inBox() != 0 {
		t.Fatalf("%+v", d)
	}
}

func ptr[T any](v T) *T { return &v }

func TestPermanentFailuresSayWhy(t *testing.T) {
	for _, call := range []string{"cover", "draft", "submit"} {
		h := newHouse(t)
		h.sim.failing(call, 1, trouble(publish.KindPermanent, 45166))
		q := h.queued("文", 0)
		h.drain()
		d := h.wantState(q.ID, publish.Failed)
		if d.Note != "平台：permanent。" || d.ErrCode != 45166 || d.DoneAt.IsZero() || h.sim.submits() != 0 {
			t.Fatalf("%s: %+v", call, d)
		}
		has(t, h.timeline(d.ID), d.Note)
		h.after(48 * time.Hour)
		if h.sim.count(call) != 1 {
			t.Fatalf("%s was tried again", call)
		}
	}
}

func TestOurOwnFailures(t *testing.T) {
	h := newHouse(t)
	var broken error
	h.Service = h.service(func(c *publish.Config) { c.Blobs = brokenBlobs{c.Blobs, &broken} })
	q := h.queued("文", 0)
	broken = errors.New("the object store does not answer")
	h.drain()
	if d := h.wantState(q.ID, publish.Waiting); d.ErrKind == publish.KindPermanent {
		t.Fatalf("%+v", d)
	}
	broken = nil
	h.after(time.Minute)
	h.after(time.Hour)
	h.wantState(q.ID, publish.Published)

	other := h.approved(3, "缺图")
	h.cover = h.upload(9, 900, 383)
	missing := h.approved(3, "缺图二")
	broken = errs.Missing("文件")
	h.schedule(other, 0, "") // its cover is on the platform already
	h.schedule(missing, 0, "")
	h.after(time.Hour)
	h.wantState(other.ID, publish.Published)
	has(t, h.wantState(missing.ID, publish.Failed).Note, "重新上传")
}

type brokenBlobs struct {
	publish.Blobs
	err *error
}

func (b brokenBlobs) Open(ctx context.Context, hash string) (rc io.ReadCloser, size int64, err error) {
	if *b.err != nil {
		return nil, 0, *b.err
	}
	return b.Blobs.Open(ctx, hash)
}

// Behind an unclear answer may stand one of our own errors, as when a platform
// is part of this program: it is still an unclear answer.
func TestUnclearSubmitIsNeverRepeated(t *testing.T) {
	own := errs.New(errs.Unavailable, "数据库忙。")
	for name, err := range map[string]error{
		"unknown": lost().err,
		"ours":    &publish.PlatformError{Kind: publish.KindUnknown, Msg: "不明。", Cause: own},
		"stale":   &publish.PlatformError{Kind: publish.KindUnknown, Msg: "不明。", Cause: errs.New(errs.Stale, "旧。")},
		"bare":    own,
		"foreign": context.DeadlineExceeded,
	} {
		for _, late := range []bool{true, false} {
			h := newHouse(t)
			h.sim.failing("submit", 1, &fault{err: err, late: late})
			q := h.queued("文", 0)
			h.drain()
			d := h.wantState(q.ID, publish.Unknown)
			has(t, d.Note, "不会重复提交")
			h.after(240 * time.Hour)
			if n := h.sim.count("submit"); n != 1 {
				t.Fatalf("%s: %d submits", name, n)
			}
			if late {
				h.wantState(q.ID, publish.Published)
			} else {
				has(t, h.wantState(q.ID, publish.Failed).Note, "草稿仍在草稿箱")
			}
			if h.get(q.ID).State != publish.Finished {
				t.Fatalf("%s: post %s", name, h.get(q.ID).State)
			}
		}
	}
}

func TestUnclearDraftIsRepeated(t *testing.T) {
	h := newHouse(t)
	h.sim.failing("draft", 1, lost())
	q := h.queued("文", 0)
	h.after(time.Hour)
	h.wantState(q.ID, publish.Published)
	if h.sim.count("draft") != 2 || h.sim.submits() != 1 || h.sim.inBox() != 1 { // one draft that no reader sees
		t.Fatalf("%d drafts, %d submits, %d in the box", h.sim.count("draft"), h.sim.submits(), h.sim.inBox())
	}
}

// A machine that stood still between the intent and the call must not call any
// more: others may look at the delivery by now.
func TestSleepBeforeTheSubmit(t *testing.T) {
	h, hk := hookedHouse(t)
	hk.after = func(d *publish.Delivery) {
		if d.State == publish.Submitting {
			h.clock.Add(time.Minute)
		}
	}
	q := h.queued("文", 0)
	h.drain()
	has(t, h.wantState(q.ID, publish.Unknown).Note, "没有提交")
	hk.after = nil
	h.after(24 * time.Hour)
	h.wantState(q.ID, publish.Failed)
	if h.sim.count("submit") != 0 {
		t.Fatal("submitted after the sleep")
	}
}

func TestCancelWhileTheDraftIsSaved(t *testing.T) {
	h := newHouse(t)
	q := h.queued("文", 0)
	h.sim.after = func(call string) {
		if call == "draft" {
			_, err := h.Service.Cancel(h.ctx, h.planner, q.ID)
			must(t, err)
		}
	}
	h.drain()
	h.after(time.Hour)
	h.wantState(q.ID, publish.Cancelled)
	if h.sim.inBox() != 0 || h.sim.submits() != 0 || h.sim.count("draft") != 1 {
		t.Fatalf("%d in the box, %d submits", h.sim.inBox(), h.sim.submits())
	}
}

func TestCleaningGivesUp(t *testing.T) {
	h := newHouse(t)
	q := h.queued("文", 5*time.Minute)
	h.drain()
	h.sim.failing("drop", 1000, trouble(publish.KindTransient, -1))
	_, err := h.Service.Cancel(h.ctx, h.planner, q.ID)
	must(t, err)
	h.after(24 * time.Hour)
	if n := h.sim.count("drop"); n != 3 || !h.wantState(q.ID, publish.Cancelled).NextAt.IsZero() {
		t.Fatalf("%d tries", n)
	}
}

// Until the intent is stored an edit wins; afterwards it is refused.
func TestEditAtTheLastMoment(t *testing.T) {
	h, hk := hookedHouse(t)
	q := h.queued("文", 0)
	var edited error
	try := func(d *publish.Delivery, state publish.DeliveryState) {
		if d.State == state && d.PostID == q.ID {
			_, edited = h.Edit(h.ctx, h.editor, q.ID, h.get(q.ID).Version, h.content("改"), false)
		}
	}
	hk.before = func(d *publish.Delivery) error { try(d, publish.Submitting); return nil }
	h.drain()
	must(t, edited)
	h.wantState(q.ID, publish.Cancelled)
	if h.sim.count("submit") != 0 {
		t.Fatal("submitted what was edited")
	}
	hk.before = nil
	h.after(time.Hour)
	if h.sim.inBox() != 0 {
		t.Fatal("the draft stays in the box")
	}

	q = h.queued("文二", 0)
	hk.after = func(d *publish.Delivery) { try(d, publish.Submitting) }
	h.after(time.Hour)
	want(t, edited, errs.Conflict)
	h.wantState(q.ID, publish.Published)
	if got := h.get(q.ID); got.Title != "文二" || h.sim.submits() != 1 {
		t.Fatalf("%+v", got.Post)
	}
}

func TestShutdownLeavesTheSubmitToTheNext(t *testing.T) {
	h := newHouse(t)
	q := h.queued("文", 0)
	must(t, h.Queue().StoppedTurn(h.ctx))
	d := h.wantState(q.ID, publish.Waiting)
	if d.Step != publish.StepReady || d.DraftID == "" || d.LeaseOwner != "" || h.sim.count("submit") != 0 {
		t.Fatalf("%+v", d)
	}
	h.drainBy(h.service().Queue())
	if h.wantState(q.ID, publish.Submitted); h.sim.count("draft") != 1 {
		t.Fatal("prepared twice")
	}
}

// A worker that lost its lease cannot overwrite what its successor stored.
func TestLateWorkerStoresNothing(t *testing.T) {
	h := newHouse(t)
	q := h.queued("文", 0)
	second := h.service()
	h.sim.after = func(call string) {
		if call == "draft" && h.sim.count("draft") == 1 {
			h.clock.Add(91 * time.Second)
			h.drainBy(second.Queue())
		}
	}
	h.drain()
	h.after(time.Hour)
	h.wantState(q.ID, publish.Published)
	if h.sim.submits() != 1 || h.sim.count("submit") != 1 || h.sim.inBox() != 0 {
		t.Fatalf("%d submits, %d in the box", h.sim.submits(), h.sim.inBox())
	}
}

func TestPausedAccountRests(t *testing.T) {
	h := newHouse(t)
	must(t, h.pause(h.account))
	q := h.queued("文", 0)
	other := h.newAccount(1, "别的号", publish.ModePublish)
	o := h.queued("别", 0, other)
	h.after(48 * time.Hour)
	h.wantState(q.ID, publish.Waiting)
	h.wantState(o.ID, publish.Published)
	if h.sim.submits() != 1 || h.sole(q.ID).LeaseOwner != "" {
		t.Fatal("the paused account was worked on")
	}
	_, err := h.ResumeAccount(h.ctx, h.root, h.account.ID)
	must(t, err)
	h.drain()
	h.wantState(q.ID, publish.Submitted)
}

func TestLintStopsTheQueue(t *testing.T) {
	h := newHouse(t)
	q := h.queued("文", time.Hour)
	c, err := h.store.Asset(h.ctx, h.root.Scope(publish.MediaRead), h.cover)
	must(t, err)
	must(t, h.store.DeleteAsset(h.ctx, c.ID, h.entry("media.delete")))
	h.after(2 * time.Hour)
	has(t, h.wantState(q.ID, publish.Failed).Note, "发布前检查未通过")
	if h.sim.count("draft") != 0 {
		t.Fatal("a draft was made")
	}
}

func TestPlatformThatIsGone(t *testing.T) {
	h := newHouse(t)
	h.Service = h.service(func(c *publish.Config) { c.Platforms = nil })
	q := h.queued("文", 0)
	h.after(time.Minute)
	has(t, h.wantState(q.ID, publish.Failed).Note, "没有启用")
}

func TestPicturesAreUploadedOnce(t *testing.T) {
	h := newHouse(t)
	pic := h.upload(77, 300, 200)
	b := h.newAccount(1, "第二个号", publish.ModePublish)
	for i := range 3 {
		c := h.content(fmt.Sprint("文", i))
		c.Articles[0].Body += `<p><img src="asset:` + pic + `" alt="图"></p><p><img src="asset:` + pic + `" alt="图"></p>`
		p, err := h.Create(h.ctx, h.editor, 3, c)
		must(t, err)
		h.schedule(h.approve(p), 0, "", h.account, b)
	}
	h.after(time.Hour)
	if len(h.sim.picture) != 4 || h.sim.submits() != 6 {
		t.Fatalf("%d uploads, %d submits", len(h.sim.picture), h.sim.submits())
	}
	for key, n := range h.sim.picture {
		if n != 1 {
			t.Errorf("%d uploads of %.20q", n, key)
		}
	}
	for _, j := range h.sim.jobs {
		if strings.Contains(j.found.Texts[0], "asset:") || !strings.Contains(j.found.Texts[0], "https://mmbiz.example/") || j.found.CoverIDs[0] == "" {
			t.Fatalf("%+v", j.found)
		}
	}
}

func TestFiguresForAWeek(t *testing.T) {
	h := newHouse(t)
	h.sim.failing("figures", 1, trouble(publish.KindAuth, 48001)) // a day without right is no failure
	q := h.queued("文", 0)
	h.after(30 * 24 * time.Hour)
	d := h.wantState(q.ID, publish.Published)
	detail, err := h.Service.Delivery(h.ctx, h.reader, d.ID)
	must(t, err)
	f := detail.Figures
	if !d.NextAt.IsZero() || len(f) < 6 || len(f) > 8 || f[0].Reads != 7 || f[0].Day != "2026-03-03" {
		t.Fatalf("%+v, next %v", f, d.NextAt)
	}
}
