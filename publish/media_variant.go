package publish

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/publish/picture"
)

// Variants of pictures are blobs like any other. Which blob is the variant of
// which picture is kept among the uploads, under the account that no account
// has: the house itself. There are at most two for each picture.
const house = ids.ID(0)

func variantKey(hash string, size int) string { return fmt.Sprintf("variant:%d:%s", size, hash) }

// openVariant opens a variant and makes it when it is missing.
func (s *Service) openVariant(ctx context.Context, hash string, size int) (io.ReadCloser, int64, string, error) {
	key := variantKey(hash, size)
	refs, err := s.Store.Uploads(ctx, house, []string{key})
	if err != nil {
		return nil, 0, "", err
	}
	if refs[key] != "" {
		r, n, mime, err := s.openRef(ctx, refs[key])
		if !errs.Is(err, errs.NotFound) {
			return r, n, mime, err
		}
	}
	// Others may wait for the one who makes it: that caller's leaving must not fail them.
	ref, err := s.variants.do(key, func() (string, error) { return s.makeVariant(context.WithoutCancel(ctx), hash, size) })
	if err != nil {
		return nil, 0, "", err
	}
	return s.openRef(ctx, ref)
}

// openRef opens "<mime> <hash>".
func (s *Service) openRef(ctx context.Context, ref string) (io.ReadCloser, int64, string, error) {
	mime, hash, _ := strings.Cut(ref, " ")
	r, n, err := s.Blobs.Open(ctx, hash)
	return r, n, mime, err
}

func (s *Service) makeVariant(ctx context.Context, hash string, size int) (string, error) {
	r, n, err := s.Blobs.Open(ctx, hash)
	if err != nil {
		return "", err
	}
	defer r.Close() //nolint:errcheck // only read
	if n > maxPicture {
		return "", errs.New(errs.TooLarge, "图片太大，无法生成缩略图。")
	}
	data, err := io.ReadAll(io.LimitReader(r, maxPicture))
	if err != nil {
		return "", err
	}
	small, mime, err := s.shrink(ctx, data, size)
	if err != nil {
		return "", err
	}
	return s.saveVariant(ctx, hash, size, small, mime)
}

func (s *Service) saveVariant(ctx context.Context, hash string, size int, data []byte, mime string) (string, error) {
	small, _, err := s.Blobs.Put(ctx, bytes.NewReader(data), maxPicture)
	if err != nil {
		return "", err
	}
	ref := mime + " " + small
	return ref, s.Store.SaveUpload(ctx, house, variantKey(hash, size), ref)
}

// shrink decodes within the bound on decodes at once.
func (s *Service) shrink(ctx context.Context, data []byte, size int) ([]byte, string, error) {
	select {
	case s.pics <- struct{}{}:
		defer func() { <-s.pics }()
	case <-ctx.Done():
		return nil, "", errs.Wrap(context.Cause(ctx), errs.Unavailable, "图片处理正忙，请稍后再试。")
	}
	return picture.Thumb(data, size)
}
