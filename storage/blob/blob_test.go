package blob_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"tongxin/internal/errs"
	"tongxin/storage/blob"
)

func fakeS3(t *testing.T) (*s3fake, *blob.S3) {
	t.Helper()
	fake := &s3fake{bucket: "files", objects: map[string][]byte{"other/readme.txt": []byte("not ours"), "tx/readme.txt": []byte("no hash")}}
	srv := httptest.NewServer(fake)
	t.Cleanup(srv.Close)
	s, err := blob.NewS3(t.Context(), blob.S3Config{
		Endpoint: strings.TrimPrefix(srv.URL, "http://"), Bucket: "files", Prefix: "tx/",
		AccessKey: "key", SecretKey: "secret", Insecure: true, PathStyle: true, TempDir: t.TempDir(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return fake, s
}

// each runs the contract of Store on both of them.
func each(t *testing.T, fn func(t *testing.T, s blob.Store)) {
	t.Run("dir", func(t *testing.T) {
		d, err := blob.NewDir(filepath.Join(t.TempDir(), "blobs"), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		fn(t, d)
	})
	t.Run("s3", func(t *testing.T) {
		_, s := fakeS3(t)
		fn(t, s)
	})
}

func put(t *testing.T, s blob.Store, data string) string {
	t.Helper()
	hash, size, err := s.Put(t.Context(), strings.NewReader(data), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(data))
	if hash != hex.EncodeToString(sum[:]) || size != int64(len(data)) {
		t.Fatalf("hash %s, size %d", hash, size)
	}
	return hash
}

func TestPutAndRead(t *testing.T) {
	each(t, func(t *testing.T, s blob.Store) {
		big := strings.Repeat("同心", 100_000)
		want := map[string]string{}
		for _, data := range []string{"", "a", "图片", big} {
			want[put(t, s, data)] = data
			put(t, s, data) // again: the same blob
		}
		for hash, data := range want {
			r, size, err := s.Open(t.Context(), hash)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(r)
			if err != nil || string(got) != data || size != int64(len(data)) {
				t.Errorf("read %d bytes of %d: %v", len(got), len(data), err)
			}
			if len(data) > 5 {
				if _, err := r.Seek(3, io.SeekStart); err != nil {
					t.Fatal(err)
				}
				b := make([]byte, 2)
				if _, err := io.ReadFull(r, b); err != nil || string(b) != data[3:5] {
					t.Errorf("after a seek: %q %v", b, err)
				}
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			info, err := s.Stat(t.Context(), hash)
			if err != nil || info.Size != size || info.Hash != hash || info.Modified.IsZero() {
				t.Errorf("%+v %v", info, err)
			}
		}
		var walked []string
		err := s.Walk(t.Context(), func(i blob.Info) error {
			if int(i.Size) != len(want[i.Hash]) || i.Modified.IsZero() {
				t.Errorf("%+v", i)
			}
			walked = append(walked, i.Hash)
			return nil
		})
		slices.Sort(walked)
		if err != nil || len(slices.Compact(walked)) != len(want) {
			t.Errorf("walked %d of %d: %v", len(walked), len(want), err)
		}
		stop := errors.New("enough")
		if err := s.Walk(t.Context(), func(blob.Info) error { return stop }); !errors.Is(err, stop) {
			t.Error(err)
		}
	})
}

func TestDelete(t *testing.T) {
	each(t, func(t *testing.T, s blob.Store) {
		gone, kept := put(t, s, "gone"), put(t, s, "kept")
		for range 2 { // the second finds nothing and is content
			if err := s.Delete(t.Context(), gone); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := s.Open(t.Context(), gone); !errs.Is(err, errs.NotFound) {
			t.Errorf("open: %v", err)
		}
		if _, err := s.Stat(t.Context(), gone); !errs.Is(err, errs.NotFound) {
			t.Errorf("stat: %v", err)
		}
		if _, err := s.Stat(t.Context(), kept); err != nil {
			t.Error(err)
		}
	})
}

func TestRefusals(t *testing.T) {
	each(t, func(t *testing.T, s blob.Store) {
		_, _, err := s.Put(t.Context(), strings.NewReader("12345"), 4)
		if !errs.Is(err, errs.TooLarge) || !strings.Contains(err.Error(), "4 字节") {
			t.Errorf("over the limit: %v", err)
		}
		if _, _, err := s.Put(t.Context(), strings.NewReader("1234"), 4); err != nil {
			t.Errorf("at the limit: %v", err)
		}
		if _, _, err := s.Put(t.Context(), strings.NewReader("1"), 0); err == nil {
			t.Error("no limit accepted")
		}
		broken := errors.New("cable")
		if _, _, err := s.Put(t.Context(), io.MultiReader(strings.NewReader("x"), iotest.ErrReader(broken)), 100); !errors.Is(err, broken) {
			t.Errorf("a broken upload: %v", err)
		}
		canceled, cancel := context.WithCancel(t.Context())
		cancel()
		if _, _, err := s.Put(canceled, strings.NewReader("late"), 100); !errors.Is(err, context.Canceled) {
			t.Errorf("canceled: %v", err)
		}
		hash := strings.Repeat("a", 64)
		for _, bad := range []string{"", "..", "../../etc/passwd", strings.ToUpper(hash), hash[:63] + "/", hash + "a"} {
			_, _, err := s.Open(t.Context(), bad)
			_, err2 := s.Stat(t.Context(), bad)
			err3 := s.Delete(t.Context(), bad)
			for _, e := range []error{err, err2, err3} {
				if !errs.Is(e, errs.NotFound) {
					t.Errorf("%q: %v", bad, e)
				}
			}
		}
		n := 0
		if err := s.Walk(t.Context(), func(blob.Info) error { n++; return nil }); err != nil || n != 1 {
			t.Errorf("%d blobs after the refusals, want 1: %v", n, err)
		}
	})
}

func TestConcurrentPuts(t *testing.T) {
	each(t, func(t *testing.T, s blob.Store) {
		data := bytes.Repeat([]byte("x"), 50_000)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if _, _, err := s.Put(t.Context(), bytes.NewReader(data), 1<<20); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	})
}

func TestDirLeavesNothing(t *testing.T) {
	root := t.TempDir()
	stale, fresh := filepath.Join(root, "tmp", "put-stale"), filepath.Join(root, "tmp", "put-fresh")
	if err := os.MkdirAll(filepath.Dir(stale), 0o700); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for path, at := range map[string]time.Time{stale: now.Add(-48 * time.Hour), fresh: now} {
		if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Chtimes(path, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	d, err := blob.NewDir(root, now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(stale); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a dead process's file stays")
	}
	if err := os.Remove(fresh); err != nil {
		t.Errorf("a living process's file went: %v", err)
	}
	put(t, d, "a")
	if _, _, err := d.Put(t.Context(), strings.NewReader("12345"), 4); err == nil {
		t.Error("accepted")
	}
	if left, err := os.ReadDir(filepath.Join(root, "tmp")); err != nil || len(left) != 0 {
		t.Errorf("left in tmp: %v %v", left, err)
	}
	info, err := os.Stat(filepath.Join(root, "ca"))
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v %v", info, err)
	}
}

func TestS3Settings(t *testing.T) {
	fake, s := fakeS3(t)
	srv := httptest.NewServer(fake)
	defer srv.Close()
	cfg := blob.S3Config{Endpoint: strings.TrimPrefix(srv.URL, "http://"), Bucket: "absent", AccessKey: "k", SecretKey: "hidden-secret", Insecure: true, PathStyle: true}
	if _, err := blob.NewS3(t.Context(), cfg); !errs.Is(err, errs.Invalid) {
		t.Errorf("no bucket: %v", err)
	}
	hash := put(t, s, "a")
	fake.mu.Lock()
	fake.broken = true
	fake.mu.Unlock()
	if _, err := blob.NewS3(t.Context(), cfg); !errs.Is(err, errs.Unavailable) || strings.Contains(err.Error(), "hidden-secret") {
		t.Errorf("refused: %v", err)
	}
	if _, err := s.Stat(t.Context(), hash); !errs.Is(err, errs.Unavailable) {
		t.Errorf("broken: %v", err)
	}
}
