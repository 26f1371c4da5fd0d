package blob

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"tongxin/internal/errs"
)

// S3Config names a bucket of an S3-compatible store (AWS, MinIO, COS, OSS).
type S3Config struct {
	Endpoint  string // host or host:port
	Bucket    string // must exist
	Prefix    string // put before every key, "tongxin/"; may be empty
	Region    string // empty: us-east-1, which most compatible stores accept
	AccessKey string
	SecretKey string
	Insecure  bool              // plain HTTP, for a store on the same machine
	PathStyle bool              // bucket in the path instead of the host name
	Transport http.RoundTripper // nil: the client's default
	TempDir   string            // where a file waits for its hash; empty: the system's
}

// S3 is a Store in a bucket.
type S3 struct {
	client *minio.Client
	cfg    S3Config
}

var _ Store = (*S3)(nil)

// NewS3 makes a client and asks for the bucket, so that wrong settings show at
// the start and not at the first upload.
func NewS3(ctx context.Context, cfg S3Config) (*S3, error) {
	opt := &minio.Options{
		Creds:  credentials.NewStaticV4(cfg.AccessKey, cfg.SecretKey, ""),
		Secure: !cfg.Insecure, Region: cfg.Region, Transport: cfg.Transport,
	}
	if opt.Region == "" {
		opt.Region = "us-east-1" // else the client asks for it before each bucket
	}
	if cfg.PathStyle {
		opt.BucketLookup = minio.BucketLookupPath
	}
	client, err := minio.New(cfg.Endpoint, opt)
	if err != nil {
		return nil, errs.Wrap(err, errs.Invalid, "对象存储的地址不正确。")
	}
	ok, err := client.BucketExists(ctx, cfg.Bucket)
	if err != nil {
		return nil, errs.Wrap(err, errs.Unavailable, "无法访问对象存储，请检查地址、密钥与网络。")
	}
	if !ok {
		return nil, errs.New(errs.Invalid, "对象存储中没有存储桶 %s，请先创建。", cfg.Bucket)
	}
	return &S3{client: client, cfg: cfg}, nil
}

func (s *S3) key(hash string) string {
	return s.cfg.Prefix + hash[:2] + "/" + hash[2:4] + "/" + hash
}

func (s *S3) err(err error) error {
	if err == nil {
		return nil
	}
	if r := minio.ToErrorResponse(err); r.StatusCode == http.StatusNotFound || r.Code == minio.NoSuchKey {
		return missing()
	}
	return errs.Wrap(err, errs.Unavailable, "文件存储暂时无法访问，请稍后再试。")
}

// Put implements Store. The name is the hash, so the file waits in a temporary
// file until all of it was read.
func (s *S3) Put(ctx context.Context, r io.Reader, limit int64) (hash string, size int64, err error) {
	f, err := os.CreateTemp(s.cfg.TempDir, "tongxin-put-")
	if err != nil {
		return "", 0, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	if hash, size, err = spool(ctx, f, r, limit); err != nil {
		return "", 0, err
	}
	if _, err = f.Seek(0, io.SeekStart); err != nil {
		return "", 0, err
	}
	if _, err = s.client.PutObject(ctx, s.cfg.Bucket, s.key(hash), f, size,
		minio.PutObjectOptions{ContentType: "application/octet-stream"}); err != nil {
		return "", 0, s.err(err)
	}
	return hash, size, nil
}

// Open implements Store. It reads the file's length first: the client would
// tell of a missing one only at the first Read.
func (s *S3) Open(ctx context.Context, hash string) (io.ReadSeekCloser, int64, error) {
	if !Valid(hash) {
		return nil, 0, missing()
	}
	o, err := s.client.GetObject(ctx, s.cfg.Bucket, s.key(hash), minio.GetObjectOptions{})
	if err != nil {
		return nil, 0, s.err(err)
	}
	info, err := o.Stat()
	if err != nil {
		return nil, 0, errors.Join(s.err(err), o.Close())
	}
	return o, info.Size, nil
}

// Stat implements Store.
func (s *S3) Stat(ctx context.Context, hash string) (Info, error) {
	if !Valid(hash) {
		return Info{}, missing()
	}
	o, err := s.client.StatObject(ctx, s.cfg.Bucket, s.key(hash), minio.StatObjectOptions{})
	if err != nil {
		return Info{}, s.err(err)
	}
	return Info{Hash: hash, Size: o.Size, Modified: o.LastModified.UTC()}, nil
}

// Delete implements Store.
func (s *S3) Delete(ctx context.Context, hash string) error {
	if !Valid(hash) {
		return missing()
	}
	err := s.err(s.client.RemoveObject(ctx, s.cfg.Bucket, s.key(hash), minio.RemoveObjectOptions{}))
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	return err
}

// Walk implements Store.
func (s *S3) Walk(ctx context.Context, fn func(Info) error) error {
	ctx, stop := context.WithCancel(ctx) // ends the client's goroutine when fn fails
	defer stop()
	for o := range s.client.ListObjects(ctx, s.cfg.Bucket, minio.ListObjectsOptions{Prefix: s.cfg.Prefix, Recursive: true}) {
		if o.Err != nil {
			return s.err(o.Err)
		}
		hash := o.Key[strings.LastIndexByte(o.Key, '/')+1:]
		if !Valid(hash) || o.Key != s.key(hash) {
			continue
		}
		if err := fn(Info{Hash: hash, Size: o.Size, Modified: o.LastModified.UTC()}); err != nil {
			return err
		}
	}
	return ctx.Err()
}
