package blob

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// Dir is a Store in a local directory: aa/bb/<hash>, and tmp/ for what is being
// written. Several processes on one machine may share it.
type Dir struct{ root string }

var _ Store = (*Dir)(nil)

// staleAfter is when a file in tmp/ belongs to a process that died.
const staleAfter = 24 * time.Hour

// NewDir opens a directory, makes it if needed, and removes what dead
// processes left half written. now is for that only.
func NewDir(root string, now time.Time) (*Dir, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	d := &Dir{root: root}
	if err := os.MkdirAll(d.tmp(), 0o700); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(d.tmp())
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && now.Sub(info.ModTime()) > staleAfter {
			err = os.Remove(filepath.Join(d.tmp(), e.Name()))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return d, nil
}

func (d *Dir) tmp() string { return filepath.Join(d.root, "tmp") }

func (d *Dir) path(hash string) string {
	return filepath.Join(d.root, hash[:2], hash[2:4], hash)
}

// Put implements Store: written aside, synced, renamed, and the directories
// synced, so that a name never shows a torn file.
func (d *Dir) Put(ctx context.Context, r io.Reader, limit int64) (string, int64, error) {
	f, err := os.CreateTemp(d.tmp(), "put-")
	if err != nil {
		return "", 0, err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // gone after the rename
	hash, size, err := spool(ctx, f, r, limit)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", 0, err
	}
	// Renaming over a blob that exists replaces it by the same bytes with a new
	// time, and mends one that a broken disk damaged.
	target := d.path(hash)
	if err := d.mkdir(filepath.Dir(target)); err != nil {
		return "", 0, err
	}
	if err := os.Rename(f.Name(), target); err != nil {
		return "", 0, err
	}
	return hash, size, syncDir(filepath.Dir(target))
}

// mkdir makes aa/bb and syncs the parents of what it made.
func (d *Dir) mkdir(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return errors.Join(syncDir(filepath.Dir(dir)), syncDir(d.root))
}

// syncDir makes names in dir durable. Windows cannot, and does not need it:
// NTFS journals names.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func notFound(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return missing()
	}
	return err
}

// Open implements Store.
func (d *Dir) Open(_ context.Context, hash string) (io.ReadSeekCloser, int64, error) {
	if !Valid(hash) {
		return nil, 0, missing()
	}
	f, err := os.Open(d.path(hash))
	if err != nil {
		return nil, 0, notFound(err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}

// Stat implements Store.
func (d *Dir) Stat(_ context.Context, hash string) (Info, error) {
	if !Valid(hash) {
		return Info{}, missing()
	}
	info, err := os.Stat(d.path(hash))
	if err != nil {
		return Info{}, notFound(err)
	}
	return Info{Hash: hash, Size: info.Size(), Modified: info.ModTime().UTC()}, nil
}

// Delete implements Store.
func (d *Dir) Delete(_ context.Context, hash string) error {
	if !Valid(hash) {
		return missing()
	}
	if err := os.Remove(d.path(hash)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Walk implements Store.
func (d *Dir) Walk(ctx context.Context, fn func(Info) error) error {
	return filepath.WalkDir(d.root, func(path string, e fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil // deleted meanwhile
		}
		if err != nil || e.IsDir() || !Valid(e.Name()) || path != d.path(e.Name()) {
			return err
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		return fn(Info{Hash: e.Name(), Size: info.Size(), Modified: info.ModTime().UTC()})
	})
}
