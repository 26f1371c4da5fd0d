package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"tongxin/internal/clock"
	"tongxin/internal/httpkit"
	"tongxin/internal/seal"
	"tongxin/publish"
	"tongxin/storage"
	"tongxin/storage/blob"
)

// boxOf makes the key box: the current secret seals, earlier ones still open.
// A key's id is derived from its secret, so ids need no bookkeeping.
func boxOf(current, old string) (*seal.Box, error) {
	keys := map[string][]byte{}
	id := keyID(current)
	keys[id] = []byte(current)
	for _, s := range secrets(old) {
		keys[keyID(s)] = []byte(s)
	}
	return seal.New(id, keys)
}

// boxFor is the key box of the settings, sealing with the algorithm they name.
func boxFor(set *settings) (*seal.Box, error) {
	box, err := boxOf(*set.secretKey, *set.oldSecretKeys)
	if err != nil {
		return nil, err
	}
	return box.Using(seal.Algorithm(*set.sealing))
}

// secrets splits a comma-separated list.
func secrets(list string) []string {
	var out []string
	for s := range strings.SplitSeq(list, ",") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// keyID names a secret without telling anything useful about it.
func keyID(secret string) string {
	sum := sha256.Sum256([]byte("tongxin key id\x00" + secret))
	return hex.EncodeToString(sum[:4])
}

func openDB(ctx context.Context, set *settings, box *seal.Box, log *slog.Logger, c clock.Clock) (*storage.DB, error) {
	if isPath(*set.db) {
		if err := os.MkdirAll(filepath.Dir(*set.db), 0o700); err != nil {
			return nil, err
		}
	}
	opt := auditKeys(set, box)
	opt.DSN, opt.Clock, opt.Log, opt.Name = *set.db, c, log, *set.natsName
	opt.Readers, opt.Lanes = *set.readers, *set.lanes
	return storage.Open(ctx, opt)
}

// auditKeys gives the audit chain its keys: the current secret's seals, those
// of earlier secrets prove what was written in their time.
func auditKeys(set *settings, box *seal.Box) storage.Options {
	opt, all := storage.Options{AuditKey: box.Derive("audit")}, box.DeriveAll("audit")
	for _, s := range secrets(*set.oldSecretKeys) {
		opt.OldAuditKeys = append(opt.OldAuditKeys, all[keyID(s)])
	}
	return opt
}

// isPath tells a SQLite path from a MySQL DSN.
func isPath(dsn string) bool {
	return !strings.Contains(dsn, "@") && !strings.HasPrefix(dsn, "mysql://")
}

func openBlobs(ctx context.Context, set *settings, c clock.Clock) (blob.Store, error) {
	if *set.s3Endpoint == "" {
		return blob.NewDir(*set.blobs, c.Now())
	}
	host, insecure := strings.CutPrefix(*set.s3Endpoint, "http://")
	host = strings.TrimPrefix(host, "https://")
	return blob.NewS3(ctx, blob.S3Config{
		Endpoint: host, Bucket: *set.s3Bucket, Region: *set.s3Region, AccessKey: *set.s3Access,
		SecretKey: *set.s3Secret, Insecure: insecure, PathStyle: true,
	})
}

// blobsOf narrows a blob store to what the publishing domain asks for.
type blobsOf struct{ blob.Store }

var _ publish.Blobs = blobsOf{}

// Open implements publish.Blobs.
func (b blobsOf) Open(ctx context.Context, hash string) (io.ReadCloser, int64, error) {
	return b.Store.Open(ctx, hash)
}

// ensureSecret gives a start on one machine its own secret, kept beside its
// data. Production must bring one.
func ensureSecret(set *settings) error {
	if *set.secretKey != "" {
		return nil
	}
	if err := os.MkdirAll(*set.data, 0o700); err != nil {
		return err
	}
	path := filepath.Join(*set.data, "secret.key")
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		b = fmt.Appendf(nil, "%x\n", seal.NewSecret())
		err = os.WriteFile(path, b, 0o600)
	}
	*set.secretKey = strings.TrimSpace(string(b))
	return err
}

// newLogger writes structured logs; nothing secret passes its last net.
func newLogger(set *settings, w io.Writer) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(*set.logLevel)); err != nil { // checked when settings were read
		level = slog.LevelInfo
	}
	opt := &slog.HandlerOptions{Level: level}
	var h slog.Handler = slog.NewJSONHandler(w, opt)
	if *set.logFormat == "text" {
		h = slog.NewTextHandler(w, opt)
	}
	return slog.New(httpkit.Redact(h))
}

// jobs are the loops beside the HTTP server.
type jobs struct {
	ctx context.Context
	wg  sync.WaitGroup
}

func newJobs(ctx context.Context) *jobs { return &jobs{ctx: ctx} }

func (j *jobs) run(fn func(context.Context)) { j.wg.Go(func() { fn(j.ctx) }) }
func (j *jobs) wait()                        { j.wg.Wait() }

// sweep clears what has served its time, once an hour: idempotency keys after
// two days, ended sessions, autosaves older than a day down to one in ten
// minutes, webhook logs after a month, notices after three, numbers of members
// who left as the retention rules say; and looks at accounts that nobody looked
// at for a day. First it fills an empty word list.
func (p *program) sweep(ctx context.Context) {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	if err := p.publish.SeedWords(ctx); err != nil && ctx.Err() == nil {
		p.log.Warn("words not seeded", "err", err)
	}
	for {
		now := p.clock.Now()
		if err := errors.Join(
			second(p.db.Sweep(ctx, now.Add(-48*time.Hour))),
			second(p.staff.Sweep(ctx)),
			second(p.members.Sweep(ctx)),
			second(p.signin.Sweep(ctx)),
			second(p.publish.Store.ThinRevisions(ctx, now.Add(-24*time.Hour))),
			p.moderate.Sweep(ctx),
			second(p.feed.Sweep(ctx, 30*24*time.Hour)),
			second(p.publish.CheckAccounts(ctx)),
			second(p.publish.Store.SweepNotices(ctx, now.Add(-publish.NoticeAge))),
		); err != nil && ctx.Err() == nil {
			p.log.Warn("sweep failed", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func second[T any](_ T, err error) error { return err }
