package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"tongxin/internal/clock"
	"tongxin/internal/seal"
	"tongxin/storage"
)

// backupCommand writes a backup beside a running server and reads it back
// before it gets its name: a file with the final name is a whole one.
func backupCommand(ctx context.Context, c *cli, args []string) error {
	f := c.flags("backup")
	to := f.String("to", "", "file to write; it must not exist")
	if err := f.Parse(args); err != nil {
		return err
	}
	if *to == "" {
		return errors.New("give -to FILE")
	}
	if _, err := os.Stat(*to); err == nil {
		return fmt.Errorf("%s exists already: backups are never overwritten", *to)
	}
	set, log, err := maintenance(c)
	if err != nil {
		return err
	}
	box, err := boxFor(set)
	if err != nil {
		return err
	}
	db, err := storage.Open(ctx, backupOptions(set, box, log, true))
	if err != nil {
		return err
	}
	defer db.Close()
	blobs, err := openBlobs(ctx, set, clock.System{})
	if err != nil {
		return err
	}
	part := *to + ".part"
	m, err := writeVerified(part, box.Derive("audit"), func(w *os.File) error {
		_, err := storage.Backup(ctx, db, blobs, w)
		return err
	})
	if err != nil {
		return errors.Join(err, os.Remove(part))
	}
	if err := os.Rename(part, *to); err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.out, "%s: %d rows, %d entries, audit verified. Keep TONGXIN_SECRET_KEY with it, in another place: without the key the secrets inside stay sealed.\n",
		*to, m.Rows(), len(m.Entries))
	return err
}

// writeVerified writes a file, makes it durable and reads it back whole.
func writeVerified(path string, key []byte, write func(*os.File) error) (storage.Manifest, error) {
	w, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return storage.Manifest{}, err
	}
	defer w.Close()
	if err := write(w); err != nil {
		return storage.Manifest{}, err
	}
	if err := w.Sync(); err != nil {
		return storage.Manifest{}, err
	}
	if _, err := w.Seek(0, 0); err != nil {
		return storage.Manifest{}, err
	}
	return storage.VerifyBackup(context.Background(), w, key)
}

func backupOptions(set *settings, box *seal.Box, log *slog.Logger, readOnly bool) storage.Options {
	opt := auditKeys(set, box)
	opt.DSN, opt.Clock, opt.Log, opt.ReadOnly = *set.db, clock.System{}, log, readOnly
	return opt
}

// restoreCommand fills an empty database and picture store from a backup.
func restoreCommand(ctx context.Context, c *cli, args []string) error {
	f := c.flags("restore")
	from := f.String("from", "", "backup to read")
	if err := f.Parse(args); err != nil {
		return err
	}
	if *from == "" {
		return errors.New("give -from FILE")
	}
	set, log, err := maintenance(c)
	if err != nil {
		return err
	}
	box, err := boxFor(set)
	if err != nil {
		return err
	}
	r, err := os.Open(*from)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := os.MkdirAll(*set.data, 0o700); err != nil {
		return err
	}
	blobs, err := openBlobs(ctx, set, clock.System{})
	if err != nil {
		return err
	}
	m, err := storage.Restore(ctx, r, backupOptions(set, box, log, false), blobs)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.out, "restored %d rows of %s, audit verified\n", m.Rows(), m.Created.Format("2006-01-02 15:04:05 MST"))
	return err
}
