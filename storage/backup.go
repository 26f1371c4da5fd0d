package storage

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path"
	"slices"
	"time"

	"tongxin/storage/blob"
)

// A backup is one tar file that does not know its dialect: what SQLite wrote
// can be restored into MySQL and back.
//
//	tongxin-backup.json   Manifest without entries: how to read the rest
//	db/<table>.jsonl.gz   the column names, then one array a row
//	blobs/<hash>          every file
//	manifest.json         Manifest with size, SHA-256 and rows of every entry,
//	                      sealed with the audit key; a torn file has none
const (
	backupFormat   = 1
	backupHead     = "tongxin-backup.json"
	backupManifest = "manifest.json"
	backupTables   = "db/"
	backupBlobs    = "blobs/"
)

// Manifest says what a backup holds.
type Manifest struct {
	Format  int           `json:"format"`
	Created time.Time     `json:"created"`
	Schema  int64         `json:"schema"` // migration of the tables
	Dialect string        `json:"dialect"`
	Audit   AuditReport   `json:"audit"` // of the rows in this very file
	Entries []BackupEntry `json:"entries,omitempty"`
	Seal    string        `json:"seal,omitempty"` // HMAC of the rest
}

// BackupEntry is one file in a backup.
type BackupEntry struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	Rows   int64  `json:"rows,omitempty"`
}

// Rows counts the rows of all tables.
func (m Manifest) Rows() (n int64) {
	for _, e := range m.Entries {
		n += e.Rows
	}
	return n
}

func (m Manifest) seal(key []byte) (string, error) {
	m.Seal = ""
	b, err := json.Marshal(m)
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, key)
	_, _ = mac.Write(b) // a hash never fails
	return hex.EncodeToString(mac.Sum(nil)), nil
}

// skipped tables are not data: the migrations' own record, and leases of
// processes that will not exist after a restore.
func skipped(table string) bool { return table == "schema_version" || table == "nodes" }

// Backup writes the database and the files to w while the program runs. All
// tables are read at one moment, and the audit among them is verified; files
// are copied after it, so that every file a row names is there unless it was
// deleted meanwhile. blobs may be nil. Verify the result with VerifyBackup.
func Backup(ctx context.Context, db *DB, blobs blob.Store, w io.Writer) (Manifest, error) {
	m := Manifest{Format: backupFormat, Created: db.clock.Now(), Dialect: db.Dialect()}
	var err error
	if m.Schema, _, err = db.SchemaVersion(ctx); err != nil {
		return m, err
	}
	dir, err := os.MkdirTemp("", "tongxin-backup-")
	if err != nil {
		return m, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	// Tables first go to files of their own: a tar entry starts with its size, and
	// the moment that is read should be short.
	var tables []BackupEntry
	err = db.Read(ctx, func(q Queryer) error {
		names, err := db.dialect.tables(ctx, q)
		if err != nil {
			return err
		}
		for _, name := range slices.DeleteFunc(names, skipped) {
			e, err := db.dumpFile(ctx, q, name, dir)
			if err != nil {
				return fmt.Errorf("storage: back up table %s: %w", name, err)
			}
			tables = append(tables, e)
		}
		m.Audit, err = db.verifyIn(ctx, q)
		return err
	})
	if err != nil {
		return m, err
	}
	b := &backupWriter{tar: tar.NewWriter(w), m: &m}
	if err := b.json(backupHead, m); err != nil {
		return m, err
	}
	for _, e := range tables {
		if err := b.table(dir, e); err != nil {
			return m, err
		}
	}
	if blobs != nil {
		if err := blobs.Walk(ctx, func(i blob.Info) error { return b.blob(ctx, blobs, i.Hash) }); err != nil {
			return m, err
		}
	}
	if m.Seal, err = m.seal(db.keys[0]); err != nil {
		return m, err
	}
	if err := b.json(backupManifest, m); err != nil {
		return m, err
	}
	return m, b.tar.Close()
}

// dumpFile writes one table to dir and returns its entry without the hash.
func (db *DB) dumpFile(ctx context.Context, q Queryer, table, dir string) (e BackupEntry, err error) {
	f, err := os.Create(path.Join(dir, table)) //nolint:gosec // a table's name of our own migrations
	if err != nil {
		return e, err
	}
	z, err := gzip.NewWriterLevel(f, gzip.BestSpeed)
	if err != nil {
		return e, errors.Join(err, f.Close())
	}
	e.Name = table
	e.Rows, err = db.dumpTable(ctx, q, table, z)
	if err = errors.Join(err, z.Close()); err != nil {
		return e, errors.Join(err, f.Close())
	}
	info, err := f.Stat()
	if err == nil {
		e.Size = info.Size()
	}
	return e, errors.Join(err, f.Close())
}

// backupWriter writes tar entries and notes them in the manifest.
type backupWriter struct {
	tar *tar.Writer
	m   *Manifest
}

func (b *backupWriter) json(name string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	if err := b.tar.WriteHeader(b.header(name, int64(len(data)))); err != nil {
		return err
	}
	_, err = b.tar.Write(data)
	return err
}

func (b *backupWriter) header(name string, size int64) *tar.Header {
	return &tar.Header{Name: name, Size: size, Mode: 0o600, ModTime: b.m.Created, Format: tar.FormatPAX}
}

func (b *backupWriter) entry(e BackupEntry, r io.Reader) error {
	if err := b.tar.WriteHeader(b.header(e.Name, e.Size)); err != nil {
		return err
	}
	h := sha256.New()
	if _, err := io.Copy(io.MultiWriter(b.tar, h), r); err != nil {
		return err
	}
	e.SHA256 = sum(h)
	b.m.Entries = append(b.m.Entries, e)
	return nil
}

func sum(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }

func (b *backupWriter) table(dir string, e BackupEntry) error {
	f, err := os.Open(path.Join(dir, e.Name)) //nolint:gosec // written by dumpFile
	if err != nil {
		return err
	}
	e.Name = backupTables + e.Name + ".jsonl.gz"
	return errors.Join(b.entry(e, f), f.Close())
}

// blob copies a file and refuses one that its own name proves damaged.
func (b *backupWriter) blob(ctx context.Context, s blob.Store, hash string) error {
	r, size, err := s.Open(ctx, hash)
	if err != nil {
		return fmt.Errorf("storage: back up file %s: %w", hash, err)
	}
	err = errors.Join(b.entry(BackupEntry{Name: backupBlobs + hash, Size: size}, r), r.Close())
	if err == nil && b.m.Entries[len(b.m.Entries)-1].SHA256 != hash {
		err = fmt.Errorf("storage: file %s is damaged on disk", hash)
	}
	return err
}
