// Package picture makes of any uploaded picture what WeChat takes: upright,
// without metadata, in the right format and under the right size. It reads the
// header before it decodes, so that a small file cannot claim a large memory.
//
// Decoding needs about 4 bytes per pixel two or three times over (a 60 MP
// picture up to 700 MB): callers bound how many run at once. The functions
// keep no state.
package picture

import (
	"bytes"
	"encoding/binary"
	"image"
	_ "image/gif"  // decoders register themselves
	_ "image/jpeg" // with package image
	_ "image/png"
	"io"

	_ "golang.org/x/image/bmp"
	_ "golang.org/x/image/webp"

	"tongxin/internal/errs"
)

// Limits on what is accepted at all.
const (
	MaxPixels = 60_000_000
	MaxBytes  = 30 << 20
	maxSide   = 30_000
)

// HeaderBytes is how much of a file Inspect may need: the size of a JPEG
// stands behind its metadata.
const HeaderBytes = 512 << 10

// Info is what the header of a picture says. W and H are in pixels, as stored,
// before the orientation in EXIF is applied.
type Info struct {
	Format      string // jpeg, png, gif, webp, bmp
	W, H        int
	Orientation int  // EXIF 1–8; 1 when it says nothing
	Animated    bool // a gif or webp with more than one frame, as far as header bytes show
}

// Mime is the media type of the format.
func (i Info) Mime() string { return "image/" + i.Format }

// Inspect reads the header of a picture; the first HeaderBytes of a file are
// enough. size is the length of the whole file in bytes. Unsupported for what
// is no picture of a known kind, TooLarge past MaxPixels or MaxBytes, Invalid
// for a broken header.
func Inspect(header []byte, size int64) (Info, error) {
	if size > MaxBytes {
		return Info{}, errs.New(errs.TooLarge, "图片超过 30 MB，请压缩后再上传。")
	}
	format := sniff(header)
	if format == "" {
		return Info{}, errs.New(errs.Unsupported, "不支持这种文件，请上传 JPG、PNG、GIF、WebP 或 BMP 图片。")
	}
	cfg, name, err := image.DecodeConfig(bytes.NewReader(header))
	if err != nil || name != format {
		return Info{}, errs.Wrap(err, errs.Invalid, "图片已损坏，无法读取，请重新导出后再上传。")
	}
	if cfg.Width <= 0 || cfg.Height <= 0 {
		return Info{}, errs.New(errs.Invalid, "图片的宽度或高度为零，请重新导出后再上传。")
	}
	if cfg.Width > maxSide || cfg.Height > maxSide || cfg.Width*cfg.Height > MaxPixels {
		return Info{}, errs.New(errs.TooLarge, "图片尺寸太大（%d×%d），请缩小到 6000 万像素以内。", cfg.Width, cfg.Height)
	}
	info := Info{Format: format, W: cfg.Width, H: cfg.Height, Orientation: 1}
	switch format {
	case "jpeg":
		info.Orientation = orientation(header)
	case "gif":
		info.Animated = gifFrames(header)
	case "webp":
		info.Animated = len(header) > 20 && string(header[12:16]) == "VP8X" && header[20]&2 != 0
	}
	return info, nil
}

func sniff(b []byte) string {
	switch {
	case bytes.HasPrefix(b, []byte("\xff\xd8\xff")):
		return "jpeg"
	case bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")):
		return "png"
	case bytes.HasPrefix(b, []byte("GIF87a")), bytes.HasPrefix(b, []byte("GIF89a")):
		return "gif"
	case len(b) >= 12 && string(b[:4]) == "RIFF" && string(b[8:12]) == "WEBP":
		return "webp"
	case bytes.HasPrefix(b, []byte("BM")) && len(b) > 26:
		return "bmp"
	}
	return ""
}

// gifFrames reports a second frame, walking the blocks without decoding.
func gifFrames(b []byte) bool {
	r := bytes.NewReader(b)
	if _, err := r.Seek(10, io.SeekStart); err != nil {
		return false
	}
	flags, err := r.ReadByte()
	if err != nil {
		return false
	}
	skip := int64(2)
	if flags&0x80 != 0 {
		skip += 3 << (flags&7 + 1)
	}
	if _, err := r.Seek(skip, io.SeekCurrent); err != nil {
		return false
	}
	frames := 0
	for {
		switch c, err := r.ReadByte(); {
		case err != nil || c == ';':
			return false
		case c == '!':
			if _, err := r.ReadByte(); err != nil || !skipBlocks(r) {
				return false
			}
		case c == ',':
			if frames++; frames > 1 {
				return true
			}
			var d [9]byte
			if _, err := io.ReadFull(r, d[:]); err != nil {
				return false
			}
			skip := int64(1)
			if d[8]&0x80 != 0 {
				skip += 3 << (d[8]&7 + 1)
			}
			if _, err := r.Seek(skip, io.SeekCurrent); err != nil || !skipBlocks(r) {
				return false
			}
		default:
			return false
		}
	}
}

func skipBlocks(r *bytes.Reader) bool {
	for {
		n, err := r.ReadByte()
		if err != nil {
			return false
		}
		if n == 0 {
			return true
		}
		if _, err := r.Seek(int64(n), io.SeekCurrent); err != nil {
			return false
		}
	}
}

// orientation finds tag 0x0112 in the EXIF block of a JPEG. Source: Exif 2.32,
// 4.6.4.
func orientation(b []byte) int {
	for p := 2; p+4 <= len(b) && b[p] == 0xff; {
		kind, n := b[p+1], int(binary.BigEndian.Uint16(b[p+2:]))
		if kind == 0xda || n < 2 || p+2+n > len(b) {
			return 1
		}
		if kind == 0xe1 {
			if o := exifOrientation(b[p+4 : p+2+n]); o != 0 {
				return o
			}
		}
		p += 2 + n
	}
	return 1
}

func exifOrientation(b []byte) int {
	if !bytes.HasPrefix(b, []byte("Exif\x00\x00")) {
		return 0
	}
	b = b[6:]
	if len(b) < 8 {
		return 0
	}
	var order binary.ByteOrder = binary.LittleEndian
	if b[0] == 'M' {
		order = binary.BigEndian
	}
	at := int64(order.Uint32(b[4:]))
	if at < 8 || at+2 > int64(len(b)) {
		return 0
	}
	n := int(order.Uint16(b[at:]))
	for i := range n {
		e := at + 2 + int64(i)*12
		if e+12 > int64(len(b)) {
			return 0
		}
		if order.Uint16(b[e:]) == 0x0112 {
			if o := int(order.Uint16(b[e+8:])); o >= 1 && o <= 8 {
				return o
			}
			return 0
		}
	}
	return 0
}
