package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/seal"
	"tongxin/publish"
	"tongxin/storage"
	"tongxin/storage/blob"
	"tongxin/wechat"
)

func migrateCommand(ctx context.Context, c *cli, _ []string) error {
	set, log, err := maintenance(c)
	if err != nil {
		return err
	}
	box, err := boxFor(set)
	if err != nil {
		return err
	}
	db, err := openDB(ctx, set, box, log, clock.System{})
	if err != nil {
		return err
	}
	if err := db.Migrate(ctx); err != nil {
		return errors.Join(err, db.Close())
	}
	now, newest, err := db.SchemaVersion(ctx)
	if err == nil {
		_, err = fmt.Fprintf(c.out, "database is at version %d of %d\n", now, newest)
	}
	return errors.Join(err, db.Close())
}

// maintenance reads settings for commands that need the secret but serve nobody.
// A start on one machine keeps its secret beside the data.
func maintenance(c *cli) (*settings, *slog.Logger, error) {
	set, err := load(c.environ)
	if err != nil {
		return nil, nil, err
	}
	if _, err := os.Stat(filepath.Join(*set.data, "secret.key")); *set.secretKey == "" && err == nil {
		if err := ensureSecret(set); err != nil {
			return nil, nil, err
		}
	}
	if *set.secretKey == "" {
		return nil, nil, errors.New("TONGXIN_SECRET_KEY is not set, and there is no secret.key in TONGXIN_DATA")
	}
	*set.logFormat = "text"
	return set, newLogger(set, c.err), nil
}

// checkCommand reports on settings, database, audit chain and accounts. It
// opens everything read-only, beside a running server.
func checkCommand(ctx context.Context, c *cli, args []string) error {
	f := c.flags("check")
	platforms := f.Bool("platforms", true, "ask the platforms about each account")
	if err := f.Parse(args); err != nil {
		return err
	}
	set, log, err := maintenance(c)
	if err != nil {
		return err
	}
	r := &report{out: c.out}
	r.settings(set)
	box, err := boxFor(set)
	if err != nil {
		return err
	}
	db, err := storage.Open(ctx, backupOptions(set, box, log, true))
	if err != nil {
		r.line(false, "database", "cannot be opened: "+err.Error())
		return r.end()
	}
	defer db.Close()
	r.database(ctx, db)
	r.blobs(ctx, set)
	if *platforms {
		r.accounts(ctx, set, db, box, log)
	}
	return r.end()
}

// report is a readable list of findings.
type report struct {
	out io.Writer
	bad int
	err error
}

func (r *report) line(ok bool, name, text string) {
	mark := "ok  "
	if !ok {
		mark = "BAD "
		r.bad++
	}
	if _, err := fmt.Fprintf(r.out, "%s %-12s %s\n", mark, name, text); err != nil && r.err == nil {
		r.err = err
	}
}

func (r *report) end() error {
	if r.err == nil && r.bad > 0 {
		r.err = fmt.Errorf("%d findings need attention", r.bad)
	}
	return r.err
}

func (r *report) settings(set *settings) {
	err := set.production()
	text := "complete for production"
	if err != nil {
		text = strings.ReplaceAll(err.Error(), "\n", "; ")
	}
	r.line(err == nil, "settings", text)
	for _, o := range set.set.Options() {
		if o.Source != "default" {
			r.line(true, "", fmt.Sprintf("TONGXIN_%s=%s (%s)", o.Name, o.Value(), o.Source))
		}
	}
}

func (r *report) database(ctx context.Context, db *storage.DB) {
	now, newest, err := db.SchemaVersion(ctx)
	switch {
	case err != nil:
		r.line(false, "database", err.Error())
	default:
		r.line(now == newest, "database", fmt.Sprintf("%s, schema %d of %d", db.Dialect(), now, newest))
	}
	rep, err := db.VerifyAudit(ctx)
	if err != nil {
		r.line(false, "audit", err.Error())
		return
	}
	r.line(len(rep.Problems) == 0, "audit", fmt.Sprintf("%d rows in %d chains", rep.Rows, rep.Chains))
	for _, p := range rep.Problems {
		r.line(false, "audit", fmt.Sprintf("%+v", p))
	}
}

func (r *report) blobs(ctx context.Context, set *settings) {
	store, err := openBlobs(ctx, set, clock.System{})
	if err != nil {
		r.line(false, "pictures", err.Error())
		return
	}
	n, size := 0, int64(0)
	err = store.Walk(ctx, func(i blob.Info) error { n, size = n+1, size+i.Size; return nil })
	if err != nil {
		r.line(false, "pictures", err.Error())
		return
	}
	r.line(true, "pictures", fmt.Sprintf("%d files, %.1f MB", n, float64(size)/1e6))
}

func (r *report) accounts(ctx context.Context, set *settings, db *storage.DB, box *seal.Box, log *slog.Logger) {
	if *set.sandbox {
		r.line(true, "accounts", "not asked: the sandbox lives inside the server")
		return
	}
	client, err := wechat.New(wechat.Config{Base: *set.wechatBase, Clock: clock.System{}, Timeout: *set.wechatTimeout, Log: log})
	if err != nil {
		r.line(false, "accounts", err.Error())
		return
	}
	defer client.Close()
	store := storage.NewPublishing(db, box)
	list, err := store.ListAccounts(ctx, authz.Scope{All: true})
	if err != nil {
		r.line(false, "accounts", err.Error())
		return
	}
	for _, a := range list {
		if a.Platform != publish.WeChat {
			continue
		}
		full, err := store.Account(ctx, a.ID) // lists leave the secrets out
		if err != nil {
			r.line(false, a.AppID, err.Error())
			continue
		}
		checks, err := wechatPlatform{client, clock.System{}}.Health(ctx, *full)
		if err != nil {
			r.line(false, a.AppID, err.Error())
		}
		for _, ch := range checks {
			r.line(ch.OK, a.AppID, a.Name+" "+ch.Name+": "+ch.Note)
		}
	}
}

func openapiCommand(ctx context.Context, c *cli, args []string) error {
	if len(args) != 1 || args[0] != "staff" && args[0] != "member" {
		return errors.New("say which surface: tongxin openapi staff, or tongxin openapi member")
	}
	dir, err := os.MkdirTemp("", "tongxin-openapi-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	set, err := load([]string{"TONGXIN_DATA=" + dir})
	if err != nil {
		return err
	}
	if err := ensureSecret(set); err != nil {
		return err
	}
	p, err := build(ctx, set, slog.New(slog.DiscardHandler), options{publicURL: "http://127.0.0.1:8080"})
	if err != nil {
		return err
	}
	doc := p.surface.staff.OpenAPI()
	if args[0] == "member" {
		doc = p.surface.member.OpenAPI()
	}
	_, err = fmt.Fprintln(c.out, string(doc))
	return errors.Join(err, p.Close())
}
