package picture

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"

	"github.com/disintegration/imaging"

	"tongxin/internal/errs"
)

// Limits of the platform, in bytes. Source: uploadimg and add_material
// documentation, 2025; a little is left free.
const (
	MaxContent = 1<<20 - 4<<10  // uploadimg: jpg or png under 1 MB
	MaxCover   = 10<<20 - 4<<10 // add_material image
)

// Sides in pixels beyond which a phone shows nothing more.
const (
	contentSide = 1920
	longSide    = 6000 // posters and long screenshots stay readable
	coverSide   = 2400
)

// ForContent makes of a picture a jpg or png under 1 MB for the body of an
// article: upright, without metadata, at most 1920 px wide. A png stays one
// while it is small enough, else it is flattened on white. Of an animation the
// first frame is left, because the body takes only jpg and png. Errors as
// Inspect, and Invalid for a picture that cannot be decoded.
func ForContent(data []byte) (out []byte, mime string, err error) {
	info, err := Inspect(data, int64(len(data)))
	if err != nil {
		return nil, "", err
	}
	img, err := decode(data, info)
	if err != nil {
		return nil, "", err
	}
	return fit(shrink(img, contentSide, longSide), info.Format, MaxContent)
}

// ForCover makes of a picture permanent material of at most 10 MB, at most
// 2400 px a side, otherwise as ForContent.
func ForCover(data []byte) (out []byte, mime string, err error) {
	info, err := Inspect(data, int64(len(data)))
	if err != nil {
		return nil, "", err
	}
	img, err := decode(data, info)
	if err != nil {
		return nil, "", err
	}
	return fit(shrink(img, coverSide, coverSide), info.Format, MaxCover)
}

// Thumb makes a small jpg (or a png where there is transparency) whose longer
// side has at most maxPx pixels, for lists and previews.
func Thumb(data []byte, maxPx int) (out []byte, mime string, err error) {
	info, err := Inspect(data, int64(len(data)))
	if err != nil {
		return nil, "", err
	}
	img, err := decode(data, info)
	if err != nil {
		return nil, "", err
	}
	if maxPx < 16 || maxPx > 4096 {
		return nil, "", errs.New(errs.Invalid, "缩略图的边长应在 16 到 4096 像素之间。")
	}
	img = shrink(img, maxPx, maxPx)
	if !opaque(img) {
		return encodePNG(img)
	}
	return encodeJPEG(img, 80)
}

// maxScans bounds the passes a progressive JPEG makes over all of its pixels:
// encoders make about ten, and one that says nothing takes some fifty bytes.
const maxScans = 100

// scans counts the passes of a JPEG up to its end, not what may follow it.
func scans(b []byte) (n int) {
	for i := 2; i+1 < len(b); {
		switch m := b[i+1]; {
		case b[i] != 0xff || m == 0 || m >= 0xd0 && m <= 0xd7:
			i++ // within a scan
		case m == 0xff:
			i++ // fill
		case m == 0xd9:
			return n
		case m == 0xd8 || m == 1:
			i += 2
		case i+3 >= len(b):
			return n
		default:
			if m == 0xda {
				n++
			}
			i += 2 + max(2, int(b[i+2])<<8|int(b[i+3]))
		}
	}
	return n
}

func decode(data []byte, info Info) (image.Image, error) {
	if info.Format == "jpeg" && scans(data) > maxScans {
		return nil, errs.New(errs.Invalid, "图片的编码异常，无法处理，请重新导出后再上传。")
	}
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, errs.Wrap(err, errs.Invalid, "图片已损坏，无法读取，请重新导出后再上传。")
	}
	if b := img.Bounds(); b.Dx() <= 0 || b.Dy() <= 0 {
		return nil, errs.New(errs.Invalid, "图片是空的，请换一张。")
	}
	return upright(img, info.Orientation), nil
}

// upright applies an EXIF orientation.
func upright(img image.Image, o int) image.Image {
	switch o {
	case 2:
		return imaging.FlipH(img)
	case 3:
		return imaging.Rotate180(img)
	case 4:
		return imaging.FlipV(img)
	case 5:
		return imaging.Transpose(img)
	case 6:
		return imaging.Rotate270(img)
	case 7:
		return imaging.Transverse(img)
	case 8:
		return imaging.Rotate90(img)
	}
	return img
}

func shrink(img image.Image, maxW, maxH int) image.Image {
	b := img.Bounds()
	if b.Dx() <= maxW && b.Dy() <= maxH {
		return img
	}
	w, h := maxW, b.Dy()*maxW/b.Dx()
	if b.Dx() <= maxW || h > maxH {
		w, h = b.Dx()*maxH/b.Dy(), maxH
	}
	return imaging.Resize(img, max(w, 1), max(h, 1), imaging.CatmullRom)
}

// fit encodes under limit: png as it is, then jpg with falling quality, then
// smaller.
func fit(img image.Image, format string, limit int) ([]byte, string, error) {
	clear := !opaque(img)
	if format == "png" || format == "gif" || format == "bmp" || clear {
		out, mime, err := encodePNG(img)
		if err != nil || len(out) <= limit {
			return out, mime, err
		}
	}
	if clear {
		img = onWhite(img)
	}
	for {
		for _, q := range []int{90, 82, 74, 66} {
			out, mime, err := encodeJPEG(img, q)
			if err != nil || len(out) <= limit {
				return out, mime, err
			}
		}
		b := img.Bounds()
		if b.Dx() < 64 && b.Dy() < 64 {
			return nil, "", errs.New(errs.TooLarge, "图片无法压缩到微信要求的大小，请换一张。")
		}
		img = imaging.Resize(img, max(b.Dx()*3/4, 1), max(b.Dy()*3/4, 1), imaging.CatmullRom)
	}
}

func opaque(img image.Image) bool {
	o, ok := img.(interface{ Opaque() bool })
	return ok && o.Opaque()
}

func onWhite(img image.Image) image.Image {
	b := img.Bounds()
	return imaging.Overlay(imaging.New(b.Dx(), b.Dy(), color.White), img, image.Point{}, 1)
}

func encodePNG(img image.Image) ([]byte, string, error) {
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.DefaultCompression}).Encode(&b, img); err != nil {
		return nil, "", errs.Wrap(err, errs.Internal, "图片转换失败，请换一张。")
	}
	return b.Bytes(), "image/png", nil
}

func encodeJPEG(img image.Image, quality int) ([]byte, string, error) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: quality}); err != nil {
		return nil, "", errs.Wrap(err, errs.Internal, "图片转换失败，请换一张。")
	}
	return b.Bytes(), "image/jpeg", nil
}
