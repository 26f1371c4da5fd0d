package publish_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/seal"
	"tongxin/publish"
	"tongxin/storage"
	"tongxin/storage/blob"
	"tongxin/storage/storagetest"
)

// library is the domain on a real database and a real directory of files, with
// an organisation "/1/", a branch "/1/2/" under it, and another, "/3/".
type library struct {
	*publish.Service
	t     *testing.T
	db    *storage.DB
	tick  *clock.Manual
	log   *bytes.Buffer
	check func() ([]publish.Check, error) // the platform's answer to Health
}

type openDir struct{ *blob.Dir }

func (d openDir) Open(ctx context.Context, hash string) (io.ReadCloser, int64, error) {
	return d.Dir.Open(ctx, hash)
}

// healthOnly is a platform of which the tests here need one answer.
type healthOnly struct {
	publish.Platform
	lib *library
}

func (h healthOnly) Health(context.Context, publish.Account) ([]publish.Check, error) {
	return h.lib.check()
}

func newLibrary(t *testing.T) *library {
	t.Helper()
	l := &library{t: t, tick: clock.NewManual(time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)), log: &bytes.Buffer{}}
	l.db = storagetest.Open(t, storage.Options{DSN: filepath.Join(t.TempDir(), "lib.db"), Clock: l.tick})
	box, err := seal.New("k1", map[string][]byte{"k1": bytes.Repeat([]byte{5}, seal.MinSecret)})
	l.must(err)
	dir, err := blob.NewDir(t.TempDir(), l.tick.Now())
	l.must(err)
	paths := map[ids.ID]string{1: "/1/", 2: "/1/2/", 3: "/3/"}
	for id, path := range paths {
		l.must(l.db.Write(t.Context(), func(tx *storage.Tx) error {
			_, err := tx.Exec(`INSERT INTO orgs (id, parent_id, path, kind, name, short_name, settings, archived_at, version, created_at, updated_at, updated_by)
				VALUES (?, 0, ?, 'branch', ?, '', '{}', 0, 1, 0, 0, '')`, id, path, "组织"+id.String())
			return err
		}))
	}
	l.Service, err = publish.New(publish.Config{
		Store: storage.NewPublishing(l.db, box), Blobs: openDir{dir}, Clock: l.tick, IDs: l.db.IDs(),
		Platforms: map[string]publish.Platform{publish.WeChat: healthOnly{lib: l}, publish.Feed: healthOnly{lib: l}},
		Org: func(_ context.Context, id ids.ID) (publish.Org, error) {
			if paths[id] == "" {
				return publish.Org{}, errs.Missing("组织")
			}
			return publish.Org{ID: id, Path: paths[id], Name: "组织" + id.String()}, nil
		},
		Log: slog.New(slog.NewTextHandler(l.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	l.must(err)
	return l
}

func (l *library) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

func at(path string, rights ...authz.Right) *authz.Actor {
	return &authz.Actor{ID: 9, Kind: authz.Staff, Name: "王五", Grants: []authz.Grant{{Path: path, Rights: rights}}}
}

func manager(path string) *authz.Actor {
	return at(path, publish.AccountRead, publish.AccountManage, publish.MediaRead, publish.MediaWrite, publish.WordsManage, publish.PostRead)
}

func wants(t *testing.T, err error, code errs.Code, fields ...string) {
	t.Helper()
	if !errs.Is(err, code) {
		t.Fatalf("%v; want %s", err, code)
	}
	var e *errs.Error
	errors.As(err, &e)
	for _, name := range fields {
		found := false
		for _, f := range e.Fields {
			found = found || f.Name == name
		}
		if !found {
			t.Fatalf("%v names no field %s", err, name)
		}
	}
}

func text(s string) *string { return &s }

const appSecret = "0123456789abcdef0123456789abcdef"

func weChat(org ids.ID) publish.AccountInput {
	return publish.AccountInput{
		OrgID: org, Platform: publish.WeChat, Name: "支部公众号", Kind: publish.Subscription, Mode: publish.ModePublish, AppID: "wx0123456789abcdef",
		Secrets: publish.SecretsInput{AppSecret: text(appSecret), Token: text("token123"), AESKey: text(strings.Repeat("a", 43))},
	}
}

func TestAccountForms(t *testing.T) {
	l := newLibrary(t)
	for name, try := range map[string]struct {
		edit  func(*publish.AccountInput)
		field string
	}{
		"short app id":    {func(in *publish.AccountInput) { in.AppID = "wx123" }, "appId"},
		"upper case":      {func(in *publish.AccountInput) { in.AppID = "wx0123456789ABCDEF" }, "appId"},
		"no secret":       {func(in *publish.AccountInput) { in.Secrets.AppSecret = nil }, "secrets.appSecret"},
		"token of two":    {func(in *publish.AccountInput) { in.Secrets.Token = text("ab") }, "secrets.token"},
		"token with sign": {func(in *publish.AccountInput) { in.Secrets.Token = text("abc-d") }, "secrets.token"},
		"key of 42":       {func(in *publish.AccountInput) { in.Secrets.AESKey = text(strings.Repeat("a", 42)) }, "secrets.aesKey"},
		"key, no token":   {func(in *publish.AccountInput) { in.Secrets.Token = nil }, "secrets.token"},
		"no kind":         {func(in *publish.AccountInput) { in.Kind = "" }, "kind"},
		"no mode":         {func(in *publish.AccountInput) { in.Mode = "" }, "mode"},
		"no name":         {func(in *publish.AccountInput) { in.Name = " " }, "name"},
		"platform":        {func(in *publish.AccountInput) { in.Platform = "douyin" }, "platform"},
		"limits":          {func(in *publish.AccountInput) { in.Limits = &publish.AccountLimit{} }, "limits"},
		"feed with keys":  {func(in *publish.AccountInput) { in.Platform = publish.Feed }, "secrets"},
	} {
		t.Run(name, func(t *testing.T) {
			in := weChat(1)
			try.edit(&in)
			_, err := l.CreateAccount(t.Context(), manager("/1/"), in)
			wants(t, err, errs.Invalid, try.field)
		})
	}
	list, err := l.Accounts(t.Context(), manager("/1/"))
	if err != nil || len(list) != 0 {
		t.Fatalf("a refused account was stored: %+v, %v", list, err)
	}
}

func TestAccountLife(t *testing.T) {
	l := newLibrary(t)
	ctx, boss := t.Context(), manager("/1/")
	a, err := l.CreateAccount(ctx, boss, weChat(2))
	l.must(err)
	if !a.HasKeys || a.Limits != publish.DefaultLimits() || a.Version != 1 || a.OrgName != "组织2" {
		t.Fatalf("created %+v", a)
	}
	raw, err := json.Marshal(a)
	l.must(err)
	if bytes.Contains(raw, []byte(appSecret)) || bytes.Contains(raw, []byte("token123")) {
		t.Fatalf("a secret is in the answer: %s", raw)
	}
	_, err = l.CreateAccount(ctx, boss, weChat(1))
	wants(t, err, errs.Conflict)

	in := publish.AccountInput{Name: "新名字", Kind: publish.ServiceKind, Mode: publish.ModeDraft}
	b, err := l.UpdateAccount(ctx, boss, a.ID, a.Version, in)
	l.must(err)
	if b.Name != "新名字" || b.Version != 2 || b.Secrets.AppSecret != appSecret || b.AppID != a.AppID {
		t.Fatalf("after an edit without secrets: %+v", b)
	}
	_, err = l.UpdateAccount(ctx, boss, a.ID, a.Version, in)
	wants(t, err, errs.Stale)
	var e *errs.Error
	if errors.As(err, &e); !strings.Contains(fmt.Sprint(e.Details), "新名字") {
		t.Fatalf("a lost update does not show what stands there: %+v", e.Details)
	}
	if raw, err := json.Marshal(e.Details); err != nil || bytes.Contains(raw, []byte(appSecret)) {
		t.Fatalf("the details of a lost update hold a secret: %s, %v", raw, err)
	}
	in.AppID = "wxffffffffffffffff"
	_, err = l.UpdateAccount(ctx, boss, a.ID, b.Version, in)
	wants(t, err, errs.Invalid, "appId")

	_, err = l.PauseAccount(ctx, boss, a.ID, " ")
	wants(t, err, errs.Invalid, "reason")
	p, err := l.PauseAccount(ctx, boss, a.ID, "年底封网")
	l.must(err)
	if !p.Paused || p.Note != "年底封网" {
		t.Fatalf("paused: %+v", p)
	}
	p, err = l.ResumeAccount(ctx, boss, a.ID)
	l.must(err)
	if p.Paused || p.Note != "" {
		t.Fatalf("resumed: %+v", p)
	}
	l.must(l.DeleteAccount(ctx, boss, a.ID))
	_, err = l.Account(ctx, boss, a.ID)
	wants(t, err, errs.NotFound)
	if audit := l.actions(); strings.Join(audit, " ") != "account.create account.update account.pause account.resume account.delete" {
		t.Fatalf("audit: %v", audit)
	}
}

func (l *library) actions() []string {
	l.t.Helper()
	list, err := storage.All(l.t.Context(), l.db, func(r storage.Scanner) (s string, err error) {
		err = r.Scan(&s)
		return s, err
	}, `SELECT action FROM audit ORDER BY chain, seq`)
	l.must(err)
	return list
}

func TestAccountRights(t *testing.T) {
	l := newLibrary(t)
	ctx := t.Context()
	a, err := l.CreateAccount(ctx, manager("/1/"), weChat(2))
	l.must(err)
	reader, stranger := at("/1/", publish.AccountRead), manager("/3/")
	if list, err := l.Accounts(ctx, stranger); err != nil || len(list) != 0 {
		t.Fatalf("another organisation lists %+v, %v", list, err)
	}
	if list, err := l.Accounts(ctx, reader); err != nil || len(list) != 1 {
		t.Fatalf("a reader lists %+v, %v", list, err)
	}
	for name, call := range map[string]func(*authz.Actor) error{
		"update": func(who *authz.Actor) error {
			_, err := l.UpdateAccount(ctx, who, a.ID, 1, weChat(2))
			return err
		},
		"pause":  func(who *authz.Actor) error { _, err := l.PauseAccount(ctx, who, a.ID, "x"); return err },
		"resume": func(who *authz.Actor) error { _, err := l.ResumeAccount(ctx, who, a.ID); return err },
		"check":  func(who *authz.Actor) error { _, err := l.CheckAccount(ctx, who, a.ID); return err },
		"delete": func(who *authz.Actor) error { return l.DeleteAccount(ctx, who, a.ID) },
	} {
		if err := call(reader); !errs.Is(err, errs.Forbidden) {
			t.Errorf("%s by a reader: %v", name, err)
		}
		if err := call(stranger); !errs.Is(err, errs.NotFound) {
			t.Errorf("%s by another organisation: %v", name, err)
		}
	}
	in := weChat(1)
	in.AppID = "wx0000000000000000"
	_, err = l.CreateAccount(ctx, stranger, in)
	wants(t, err, errs.NotFound)
	_, err = l.CreateAccount(ctx, reader, in)
	wants(t, err, errs.Forbidden)
}

func TestAccountWithDeliveriesStays(t *testing.T) {
	l := newLibrary(t)
	ctx, boss := t.Context(), manager("/1/")
	a, err := l.CreateAccount(ctx, boss, weChat(2))
	l.must(err)
	post := &publish.Post{
		ID: l.db.IDs().New(), OrgID: 2, OrgPath: "/1/2/", Title: "标题", State: publish.Approved, Version: 1,
		Content: publish.Content{Articles: []publish.Article{{Title: "标题"}}},
	}
	post.Hash = post.Content.Hash()
	_, err = l.Store.CreatePost(ctx, post, entryOf(boss))
	l.must(err)
	queued := *post
	queued.Version, queued.State = 2, publish.Queued
	l.must(l.Store.Commit(ctx, publish.Change{Post: &queued, Expect: 1, Entry: entryOf(boss), Add: []*publish.Delivery{{
		ID: l.db.IDs().New(), PostID: post.ID, AccountID: a.ID, OrgID: 2, Mode: publish.ModePublish, State: publish.Waiting, Hash: post.Hash,
		PostVersion: 1, DueAt: l.tick.Now(), NextAt: l.tick.Now(), Version: 1,
	}}}))
	wants(t, l.DeleteAccount(ctx, boss, a.ID), errs.Conflict)
	if _, err := l.Account(ctx, boss, a.ID); err != nil {
		t.Fatalf("the refused deletion took it away: %v", err)
	}
}

func TestHealthLeaksNoSecret(t *testing.T) {
	l := newLibrary(t)
	ctx, boss := t.Context(), manager("/1/")
	a, err := l.CreateAccount(ctx, boss, weChat(2))
	l.must(err)
	l.check = func() ([]publish.Check, error) {
		return []publish.Check{{Name: "credentials", OK: true, Note: "密钥 " + appSecret + " 有效"}, {Name: "publish", Note: "没有权限"}}, nil
	}
	got, err := l.CheckAccount(ctx, boss, a.ID)
	l.must(err)
	raw, err := json.Marshal(got.Health)
	l.must(err)
	if got.Health.OK || len(got.Health.Checks) != 2 || !got.Health.At.Equal(l.tick.Now()) || bytes.Contains(raw, []byte(appSecret)) {
		t.Fatalf("health: %s", raw)
	}
	if hints := strings.Join(got.ModeHints(), ""); !strings.Contains(hints, "仅存草稿") {
		t.Fatalf("without the permission the hints say %q", hints)
	}
	l.check = func() ([]publish.Check, error) {
		return nil, &publish.PlatformError{Kind: publish.KindAuth, Code: 40125, Msg: "AppSecret 不正确，请重新填写。", Cause: errors.New("invalid appsecret rid: 1")}
	}
	if got, err = l.CheckAccount(ctx, boss, a.ID); err != nil || got.Health.OK || got.Health.Checks[0].Note != "AppSecret 不正确，请重新填写。" {
		t.Fatalf("after a refusal: %+v, %v", got, err)
	}
	if strings.Contains(l.log.String(), appSecret) {
		t.Fatal("a secret is in the log")
	}
}

func TestFeedAccountNeedsNoKeys(t *testing.T) {
	l := newLibrary(t)
	boss := manager("/1/")
	for range 2 { // several feeds: nothing of theirs clashes
		a, err := l.CreateAccount(t.Context(), boss, publish.AccountInput{OrgID: 1, Platform: publish.Feed, Name: "网站"})
		l.must(err)
		if a.Kind != publish.FeedKind || a.Mode != publish.ModePublish || a.HasKeys || a.AppID != "" {
			t.Fatalf("feed account: %+v", a)
		}
	}
}

// pngOf is a picture that no other call makes.
func pngOf(t *testing.T, w, h int, c color.Color) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := range w * h {
		img.Set(i%w, i/w, c)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func red() color.Color { return color.RGBA{200, 30, 30, 255} }

func TestMediaLife(t *testing.T) {
	l := newLibrary(t)
	ctx, boss := t.Context(), manager("/1/")
	data := pngOf(t, 1000, 500, red())
	a, err := l.UploadMedia(ctx, boss, publish.MediaUpload{OrgID: 2, Name: `C:\图\合影.png`, Data: data})
	l.must(err)
	if a.Name != "合影.png" || a.Width != 1000 || a.Height != 500 || a.Mime != "image/png" || a.Size != int64(len(data)) || a.Used != 0 {
		t.Fatalf("uploaded %+v", a)
	}
	again, err := l.UploadMedia(ctx, boss, publish.MediaUpload{OrgID: 2, Name: "other.png", Data: data})
	if err != nil || again.ID != a.ID || again.Name != "合影.png" {
		t.Fatalf("the same bytes again: %+v, %v", again, err)
	}
	for size, side := range map[int]int{0: 1000, 200: 200, 800: 800} {
		for range 2 { // made, then found
			f, err := l.OpenMedia(ctx, boss, a.Hash, size)
			l.must(err)
			cfg, _, err := image.DecodeConfig(f.Body)
			l.must(err)
			l.must(f.Body.Close())
			if cfg.Width != side {
				t.Fatalf("size %d is %d px wide", size, cfg.Width)
			}
		}
	}
	_, err = l.OpenMedia(ctx, boss, a.Hash, 300)
	wants(t, err, errs.Invalid, "size")
	u, err := l.UpdateMedia(ctx, boss, 0, a.Hash, "新名.png", "全体党员合影")
	if err != nil || u.Alt != "全体党员合影" {
		t.Fatalf("updated %+v, %v", u, err)
	}
	_, err = l.UpdateMedia(ctx, boss, 0, a.Hash, "", strings.Repeat("长", 201))
	wants(t, err, errs.Invalid, "name", "alt")
	list, err := l.Media(ctx, boss, 0, "合影", page.Request{Limit: 10})
	if err != nil || len(list.Items) != 1 || list.Next != "" {
		t.Fatalf("search by description: %+v, %v", list, err)
	}
	l.must(l.DeleteMedia(ctx, boss, 0, a.Hash))
	_, err = l.OpenMedia(ctx, boss, a.Hash, 0)
	wants(t, err, errs.NotFound)
}

func TestMediaInUseStays(t *testing.T) {
	l := newLibrary(t)
	ctx, boss := t.Context(), manager("/1/")
	a, err := l.UploadMedia(ctx, boss, publish.MediaUpload{OrgID: 2, Name: "a.png", Data: pngOf(t, 30, 30, red())})
	l.must(err)
	post := &publish.Post{
		ID: l.db.IDs().New(), OrgID: 2, OrgPath: "/1/2/", Title: "标题", State: publish.Draft, Version: 1,
		Content: publish.Content{Articles: []publish.Article{{Title: "标题", Cover: publish.Cover{Asset: a.Hash}}}},
	}
	post.Hash = post.Content.Hash()
	_, err = l.Store.CreatePost(ctx, post, entryOf(boss))
	l.must(err)
	wants(t, l.DeleteMedia(ctx, boss, 0, a.Hash), errs.Conflict)
	list, err := l.Media(ctx, boss, 2, "", page.Request{Limit: 10})
	if err != nil || len(list.Items) != 1 || list.Items[0].Used != 1 {
		t.Fatalf("library: %+v, %v", list, err)
	}
}

// The same bytes in two libraries are two assets: who manages both says which,
// and the posts of one do not hold the other. The last copy stays while any
// post anywhere shows it.
func TestMediaOfTwoLibraries(t *testing.T) {
	l := newLibrary(t)
	ctx, boss, east := t.Context(), manager("/1/"), manager("/1/2/")
	up := func(org ids.ID) *publish.AssetView {
		a, err := l.UploadMedia(ctx, boss, publish.MediaUpload{OrgID: org, Name: "a.png", Data: pngOf(t, 30, 30, red())})
		l.must(err)
		return a
	}
	older, a := up(2), up(1)
	_, err := l.UpdateMedia(ctx, boss, 1, a.Hash, "市委.png", "市委的说明")
	l.must(err)
	post := &publish.Post{
		ID: l.db.IDs().New(), OrgID: 1, OrgPath: "/1/", Title: "标题", State: publish.Draft, Version: 1,
		Content: publish.Content{Articles: []publish.Article{{Title: "标题", Cover: publish.Cover{Asset: a.Hash}}}},
	}
	post.Hash = post.Content.Hash()
	_, err = l.Store.CreatePost(ctx, post, entryOf(boss))
	l.must(err)
	list, err := l.Media(ctx, boss, 0, "", page.Request{Limit: 10})
	if err != nil || len(list.Items) != 2 || list.Items[0].Name != "市委.png" || list.Items[0].Used != 1 ||
		list.Items[1].ID != older.ID || list.Items[1].Name != "a.png" || list.Items[1].Used != 0 {
		t.Fatalf("%+v, %v", list, err)
	}
	_, err = l.UpdateMedia(ctx, east, 1, a.Hash, "东区改的.png", "")
	wants(t, err, errs.NotFound)
	wants(t, l.DeleteMedia(ctx, at("/1/", publish.MediaRead), 2, a.Hash), errs.Forbidden)
	wants(t, l.DeleteMedia(ctx, boss, 1, a.Hash), errs.Conflict)
	l.must(l.DeleteMedia(ctx, boss, 2, a.Hash))
	wants(t, l.DeleteMedia(ctx, boss, 2, a.Hash), errs.NotFound)
	wants(t, l.DeleteMedia(ctx, boss, 1, a.Hash), errs.Conflict)
}

func TestMediaRights(t *testing.T) {
	l := newLibrary(t)
	ctx := t.Context()
	a, err := l.UploadMedia(ctx, manager("/1/"), publish.MediaUpload{OrgID: 2, Name: "a.png", Data: pngOf(t, 30, 30, red())})
	l.must(err)
	reader, stranger := at("/1/", publish.MediaRead), manager("/3/")
	_, err = l.UpdateMedia(ctx, reader, 0, a.Hash, "b", "")
	wants(t, err, errs.Forbidden)
	wants(t, l.DeleteMedia(ctx, reader, 0, a.Hash), errs.Forbidden)
	wants(t, l.DeleteMedia(ctx, stranger, 0, a.Hash), errs.NotFound)
	_, err = l.OpenMedia(ctx, stranger, a.Hash, 0)
	wants(t, err, errs.NotFound)
	_, err = l.OpenMedia(ctx, at("/1/"), a.Hash, 200)
	wants(t, err, errs.NotFound)
	_, err = l.UploadMedia(ctx, reader, publish.MediaUpload{OrgID: 2, Data: pngOf(t, 30, 30, red())})
	wants(t, err, errs.Forbidden)
	if list, err := l.Media(ctx, stranger, 0, "", page.Request{Limit: 10}); err != nil || len(list.Items) != 0 {
		t.Fatalf("another organisation's library: %+v, %v", list, err)
	}
}

func TestMediaRefusals(t *testing.T) {
	l := newLibrary(t)
	boss, whole := manager("/1/"), pngOf(t, 60, 60, red())
	for name, try := range map[string]struct {
		data []byte
		code errs.Code
	}{
		"text": {[]byte("hello"), errs.Unsupported}, "empty": {nil, errs.Unsupported}, "svg": {[]byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), errs.Unsupported},
		"cut short": {whole[:len(whole)/2], errs.Invalid}, "too large": {make([]byte, publish.MaxUpload+1), errs.TooLarge},
	} {
		if _, err := l.UploadMedia(t.Context(), boss, publish.MediaUpload{OrgID: 2, Name: name, Data: try.data}); !errs.Is(err, try.code) {
			t.Errorf("%s: %v; want %s", name, err, try.code)
		}
	}
	if list, err := l.Media(t.Context(), boss, 0, "", page.Request{Limit: 10}); err != nil || len(list.Items) != 0 {
		t.Fatalf("a refused picture is in the library: %+v, %v", list, err)
	}
}

func TestPaste(t *testing.T) {
	l := newLibrary(t)
	boss := manager("/1/")
	data := base64.StdEncoding.EncodeToString(pngOf(t, 20, 20, red()))
	in := `<div class="MsoNormal" onclick="x()"><p>第一段</p><script>alert(1)</script>` +
		`<img alt="图一" src="data:image/png;base64,` + data + `">` +
		`<img src="data:image/png;base64,AAAA"><img src="https://elsewhere.example/a.png"><img src="file:///C:/b.png"></div>`
	p, err := l.CleanPaste(t.Context(), boss, 2, in)
	l.must(err)
	if len(p.Assets) != 1 || p.Assets[0].Alt != "图一" || !strings.Contains(p.HTML, `src="asset:`+p.Assets[0].Hash) || !strings.Contains(p.HTML, "第一段") {
		t.Fatalf("pasted %+v", p)
	}
	for _, bad := range []string{"data:", "script", "onclick", "file:", "Mso"} {
		if strings.Contains(p.HTML, bad) {
			t.Errorf("%q came through: %s", bad, p.HTML)
		}
	}
	if len(p.External) != 1 || p.External[0] != "https://elsewhere.example/a.png" || len(p.Dropped) < 3 {
		t.Errorf("reported: %v %v", p.External, p.Dropped)
	}
	_, err = l.CleanPaste(t.Context(), at("/1/", publish.MediaRead), 2, in)
	wants(t, err, errs.Forbidden)
}
