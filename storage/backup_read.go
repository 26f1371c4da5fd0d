package storage

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"tongxin/internal/errs"
	"tongxin/storage/blob"
)

// maxManifest bounds what is read into memory of a file from outside.
const maxManifest = 256 << 20

// backupSink takes what a backup holds, entry by entry.
type backupSink interface {
	begin(ctx context.Context, m Manifest) error
	// table is called for each row; nil ends the table.
	table(ctx context.Context, name string, head tableHead) (row func(values []any) error, end func() error, err error)
	blob(ctx context.Context, hash string, size int64, r io.Reader) error
}

func broken(cause error) error {
	return errs.Wrap(cause, errs.Invalid, "备份文件已损坏或不完整，不能使用。请换一份备份。")
}

// readBackup reads a backup to its end into the sink, and returns the manifest
// only when every entry is there and unchanged. One of the keys opens the seal.
func readBackup(ctx context.Context, r io.Reader, keys [][]byte, sink backupSink) (Manifest, error) {
	in := tar.NewReader(r)
	var first, last Manifest
	var seen []BackupEntry
	for n := 0; ; n++ {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return last, broken(err)
		}
		switch {
		case last.Format != 0:
			return last, broken(errors.New("entries after the manifest"))
		case n == 0:
			if h.Name != backupHead {
				return last, errs.New(errs.Invalid, "这不是同心的备份文件。")
			}
			if err := readJSON(in, &first); err != nil {
				return last, broken(err)
			}
			if first.Format != backupFormat {
				return last, errs.New(errs.Unsupported, "备份文件的格式（%d）不受此版本支持，请升级程序。", first.Format)
			}
			if err := sink.begin(ctx, first); err != nil {
				return last, err
			}
		case h.Name == backupManifest:
			if err := readJSON(in, &last); err != nil {
				return last, broken(err)
			}
		default:
			e, err := readEntry(ctx, in, h, sink)
			if err != nil {
				return last, err
			}
			seen = append(seen, e)
		}
	}
	return last, last.match(first, seen, keys)
}

// match compares what the manifest promises with what was read.
func (m Manifest) match(first Manifest, seen []BackupEntry, keys [][]byte) error {
	if m.Format == 0 {
		return broken(errors.New("no manifest: the file is cut off"))
	}
	sealed := false
	for _, key := range keys {
		seal, err := m.seal(key)
		if err != nil {
			return err
		}
		sealed = sealed || hmac.Equal([]byte(seal), []byte(m.Seal))
	}
	if !sealed {
		return errs.New(errs.Invalid, "备份文件的封印不符：文件被改动过，或者密钥与备份时不同。")
	}
	if m.Schema != first.Schema || !m.Created.Equal(first.Created) || len(m.Entries) != len(seen) {
		return broken(errors.New("the manifest tells of other entries"))
	}
	for i, e := range m.Entries {
		if e != seen[i] {
			return broken(fmt.Errorf("entry %s differs from the manifest", e.Name))
		}
	}
	return nil
}

func readJSON(r io.Reader, v any) error {
	data, err := io.ReadAll(io.LimitReader(r, maxManifest))
	if err != nil {
		return err
	}
	return json.Unmarshal(data, v)
}

func readEntry(ctx context.Context, in io.Reader, h *tar.Header, sink backupSink) (BackupEntry, error) {
	e := BackupEntry{Name: h.Name, Size: h.Size}
	hash := sha256.New()
	r := io.TeeReader(in, hash)
	dir, name := path.Split(h.Name)
	table, isTable := strings.CutSuffix(name, ".jsonl.gz")
	var err error
	switch {
	case dir == backupTables && isTable && tableName(table):
		e.Rows, err = readTable(ctx, r, table, sink)
	case dir == backupBlobs && blob.Valid(name):
		err = sink.blob(ctx, name, h.Size, r)
	default:
		err = broken(fmt.Errorf("unknown entry %q", h.Name))
	}
	if errors.Is(err, io.ErrUnexpectedEOF) { // the archive ends inside a file
		err = broken(err)
	}
	if err != nil {
		return e, err
	}
	if _, err := io.Copy(io.Discard, r); err != nil { // what the reader left
		return e, broken(err)
	}
	e.SHA256 = sum(hash)
	if dir == backupBlobs && e.SHA256 != name {
		return e, broken(fmt.Errorf("file %s is damaged", name))
	}
	return e, nil
}

// tableName keeps a forged entry from becoming SQL.
func tableName(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return s != "" && !skipped(s)
}

func readTable(ctx context.Context, r io.Reader, name string, sink backupSink) (n int64, err error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return 0, broken(err)
	}
	in := json.NewDecoder(z)
	in.UseNumber()
	var head tableHead
	if err := in.Decode(&head); err != nil || len(head.Columns) != len(head.Kinds) {
		return 0, broken(errors.Join(errors.New("table without a head"), err))
	}
	for _, c := range head.Columns {
		if !tableName(c) {
			return 0, broken(errors.New("a column has no usable name"))
		}
	}
	row, end, err := sink.table(ctx, name, head)
	if err != nil {
		return 0, err
	}
	for ; ; n++ {
		var values []any
		if err := in.Decode(&values); errors.Is(err, io.EOF) {
			return n, end()
		} else if err != nil {
			return n, broken(errors.Join(err, end()))
		}
		if values, err = head.decode(values); err == nil {
			err = row(values)
		}
		if err != nil {
			return n, errors.Join(err, end())
		}
	}
}

// VerifyBackup reads a backup without restoring it: every hash, every count,
// the seal, and that each row can be read. auditKey is that of Options.
func VerifyBackup(ctx context.Context, r io.Reader, auditKey []byte) (Manifest, error) {
	return readBackup(ctx, r, chainKeys(auditKey), checkSink{})
}

type checkSink struct{}

func (checkSink) begin(context.Context, Manifest) error { return nil }

func (checkSink) table(context.Context, string, tableHead) (func([]any) error, func() error, error) {
	return func([]any) error { return nil }, func() error { return nil }, nil
}

func (checkSink) blob(context.Context, string, int64, io.Reader) error { return nil }
