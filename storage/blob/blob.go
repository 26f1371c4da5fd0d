// Package blob keeps files under the SHA-256 of their content, in a directory
// or in an S3-compatible store. It owns bytes only: names, rights and which
// files are still needed are the database's.
package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"time"

	"tongxin/internal/errs"
)

// Store keeps blobs. Safe for concurrent use; several processes may share one.
type Store interface {
	// Put stores what r gives, at most limit bytes, and returns its hash. It is
	// durable on return. errs.TooLarge over the limit, with nothing kept.
	// Putting what is there already makes it new again for a collector.
	Put(ctx context.Context, r io.Reader, limit int64) (hash string, size int64, err error)
	// Open reads a blob; errs.NotFound when absent.
	Open(ctx context.Context, hash string) (r io.ReadSeekCloser, size int64, err error)
	// Stat tells of a blob without reading it; errs.NotFound when absent.
	Stat(ctx context.Context, hash string) (Info, error)
	// Delete removes a blob; absent is not an error.
	Delete(ctx context.Context, hash string) error
	// Walk calls fn for every blob, in no particular order, until it fails.
	Walk(ctx context.Context, fn func(Info) error) error
}

// Info of one blob. Modified is when it was last put: a collector must leave
// young ones alone, since their row may not be committed yet.
type Info struct {
	Hash     string
	Size     int64
	Modified time.Time
}

// Valid reports whether hash is 64 lower-case hex digits. Nothing else ever
// becomes a path or a key.
func Valid(hash string) bool {
	if len(hash) != 2*sha256.Size {
		return false
	}
	for _, c := range []byte(hash) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func missing() error { return errs.Missing("文件") }

// spool copies r into f and returns the hash of what it wrote.
func spool(ctx context.Context, f *os.File, r io.Reader, limit int64) (string, int64, error) {
	if limit <= 0 {
		return "", 0, errors.New("blob: Put needs a limit")
	}
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, h), io.LimitReader(reader{ctx, r}, limit+1))
	if err != nil {
		return "", 0, err
	}
	if n > limit {
		return "", 0, errs.New(errs.TooLarge, "文件超过大小上限（%s），请压缩或换一个较小的文件。", human(limit))
	}
	return hex.EncodeToString(h.Sum(nil)), n, nil
}

// reader stops a long copy when its caller goes away.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
