package picture

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"golang.org/x/image/bmp"
	"pgregory.net/rapid"

	"tongxin/internal/errs"
)

// corners is a picture whose four quarters differ, so that any turn shows.
func corners(w, h int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.NRGBA{200, 30, 30, 255}
			switch {
			case x >= w/2 && y < h/2:
				c = color.NRGBA{30, 200, 30, 255}
			case x < w/2 && y >= h/2:
				c = color.NRGBA{30, 30, 200, 255}
			case x >= w/2 && y >= h/2:
				c = color.NRGBA{220, 220, 220, 255}
			}
			img.SetNRGBA(x, y, c)
		}
	}
	return img
}

func noise(w, h int, alpha bool) *image.NRGBA {
	r := rand.New(rand.NewPCG(1, 2))
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := 0; i < len(img.Pix); i += 4 {
		v := r.Uint32()
		img.Pix[i], img.Pix[i+1], img.Pix[i+2], img.Pix[i+3] = byte(v), byte(v>>8), byte(v>>16), 255
		if alpha && i%3 == 0 {
			img.Pix[i+3] = 0
		}
	}
	return img
}

func jpegOf(t testing.TB, img image.Image) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pngOf(t testing.TB, img image.Image) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// withEXIF puts an EXIF block with an orientation behind the first marker.
func withEXIF(jpg []byte, o uint16, order binary.ByteOrder) []byte {
	tiff := make([]byte, 8+2+12+4)
	copy(tiff, "II*\x00")
	if order == binary.ByteOrder(binary.BigEndian) {
		copy(tiff, "MM\x00*")
	}
	order.PutUint32(tiff[4:], 8)
	order.PutUint16(tiff[8:], 1)
	order.PutUint16(tiff[10:], 0x0112)
	order.PutUint16(tiff[12:], 3)
	order.PutUint32(tiff[14:], 1)
	order.PutUint16(tiff[18:], o)
	body := append([]byte("Exif\x00\x00"), tiff...)
	seg := []byte{0xff, 0xe1, 0, 0}
	binary.BigEndian.PutUint16(seg[2:], uint16(len(body)+2))
	out := append([]byte{}, jpg[:2]...)
	out = append(append(out, seg...), body...)
	return append(out, jpg[2:]...)
}

func near(a color.Color, r, g, b uint8) bool {
	x := color.NRGBAModel.Convert(a).(color.NRGBA)
	d := func(p, q uint8) bool { return int(p)-int(q) < 30 && int(q)-int(p) < 30 }
	return d(x.R, r) && d(x.G, g) && d(x.B, b)
}

func TestEveryOrientationComesOutUpright(t *testing.T) {
	// How a camera stores an upright picture for each orientation.
	store := map[uint16]func(x, y, w, h int) (int, int){
		1: func(x, y, _, _ int) (int, int) { return x, y },
		2: func(x, y, w, _ int) (int, int) { return w - 1 - x, y },
		3: func(x, y, w, h int) (int, int) { return w - 1 - x, h - 1 - y },
		4: func(x, y, _, h int) (int, int) { return x, h - 1 - y },
		5: func(x, y, _, _ int) (int, int) { return y, x },
		6: func(x, y, w, _ int) (int, int) { return w - 1 - y, x },
		7: func(x, y, w, h int) (int, int) { return w - 1 - y, h - 1 - x },
		8: func(x, y, _, h int) (int, int) { return y, h - 1 - x },
	}
	for o := uint16(1); o <= 8; o++ {
		up := corners(64, 32)
		sw, sh := 64, 32
		if o >= 5 {
			sw, sh = 32, 64
		}
		stored := image.NewNRGBA(image.Rect(0, 0, sw, sh))
		for y := range sh {
			for x := range sw {
				ux, uy := store[o](x, y, 64, 32)
				stored.Set(x, y, up.At(ux, uy))
			}
		}
		for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
			out, mime, err := ForContent(withEXIF(jpegOf(t, stored), o, order))
			if err != nil || mime != "image/jpeg" {
				t.Fatal(o, mime, err)
			}
			img, _, err := image.Decode(bytes.NewReader(out))
			if err != nil {
				t.Fatal(err)
			}
			if img.Bounds().Dx() != 64 || img.Bounds().Dy() != 32 {
				t.Fatalf("orientation %d: size %v", o, img.Bounds())
			}
			if !near(img.At(10, 8), 200, 30, 30) || !near(img.At(54, 8), 30, 200, 30) || !near(img.At(10, 24), 30, 30, 200) {
				t.Errorf("orientation %d is not upright", o)
			}
			if bytes.Contains(out, []byte("Exif")) {
				t.Error("metadata survived")
			}
		}
	}
}

func file(t testing.TB, name string) []byte {
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestContentFitsThePlatform(t *testing.T) {
	var b bytes.Buffer
	if err := bmp.Encode(&b, corners(300, 200)); err != nil {
		t.Fatal(err)
	}
	var g bytes.Buffer
	pal := image.NewPaletted(image.Rect(0, 0, 40, 40), color.Palette{color.White, color.Black})
	if err := gif.EncodeAll(&g, &gif.GIF{Image: []*image.Paletted{pal, pal}, Delay: []int{1, 1}}); err != nil {
		t.Fatal(err)
	}
	for data, want := range map[string]bool{g.String(): true, b.String(): false} {
		if info, err := Inspect([]byte(data), int64(len(data))); err != nil || info.Animated != want {
			t.Errorf("animated: %+v (%v), want %v", info, err, want)
		}
	}
	for name, c := range map[string]struct {
		in   []byte
		mime string
	}{
		"small png":         {pngOf(t, corners(50, 50)), "image/png"},
		"noisy jpeg":        {jpegOf(t, noise(2200, 1400, false)), "image/jpeg"},
		"noisy png":         {pngOf(t, noise(900, 900, false)), "image/jpeg"},
		"transparent large": {pngOf(t, noise(900, 900, true)), "image/jpeg"},
		"transparent small": {pngOf(t, noise(20, 20, true)), "image/png"},
		"bmp":               {b.Bytes(), "image/png"},
		"animated gif":      {g.Bytes(), "image/png"},
		"webp":              {file(t, "testdata/red.webp"), "image/jpeg"},
	} {
		out, mime, err := ForContent(c.in)
		if err != nil || mime != c.mime || len(out) >= 1<<20 {
			t.Errorf("%s: %s, %d bytes, %v", name, mime, len(out), err)
			continue
		}
		cfg, f, err := image.DecodeConfig(bytes.NewReader(out))
		if err != nil || "image/"+f != mime || cfg.Width > contentSide {
			t.Errorf("%s: %v %v %v", name, f, cfg, err)
		}
		again, _, err := ForContent(out)
		if err != nil || len(again) >= 1<<20 {
			t.Errorf("%s: converting again: %v", name, err)
		}
	}
	if out, _, err := ForCover(jpegOf(t, noise(2600, 1300, false))); err != nil || len(out) > 10<<20 {
		t.Error("cover", len(out), err)
	}
}

func TestTransparencyBecomesWhite(t *testing.T) {
	img := noise(900, 900, true)
	for i := range img.Pix[:4*900*4] {
		if i%4 == 3 {
			img.Pix[i] = 0
		}
	}
	out, _, err := ForContent(pngOf(t, img))
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := image.Decode(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	if !near(got.At(5, 0), 255, 255, 255) {
		t.Errorf("transparent became %v", got.At(5, 0))
	}
}

func TestWhatIsRefused(t *testing.T) {
	bomb := pngOf(t, corners(10, 10))
	binary.BigEndian.PutUint32(bomb[16:], 29000) // a header that claims 29000 × 29000
	binary.BigEndian.PutUint32(bomb[20:], 29000)
	// the checksum of the header chunk must match for the size to be believed
	binary.BigEndian.PutUint32(bomb[29:], crc(bomb[12:29]))
	for name, c := range map[string]struct {
		in   []byte
		size int64
		code errs.Code
	}{
		"too many pixels": {bomb, 100, errs.TooLarge},
		"too many bytes":  {pngOf(t, corners(10, 10)), MaxBytes + 1, errs.TooLarge},
		"text":            {[]byte("<svg onload=alert(1)>"), 20, errs.Unsupported},
		"empty":           {nil, 0, errs.Unsupported},
		"cut jpeg":        {[]byte("\xff\xd8\xff\xe0\x00"), 5, errs.Invalid},
		"cut webp":        {[]byte("RIFF\x00\x00\x00\x00WEBP"), 12, errs.Invalid},
	} {
		if _, err := Inspect(c.in, c.size); !errs.Is(err, c.code) {
			t.Errorf("%s: %v", name, err)
		}
	}
	half := jpegOf(t, corners(100, 100))
	if _, _, err := ForContent(half[:len(half)/2]); !errs.Is(err, errs.Invalid) {
		t.Errorf("half a file: %v", err)
	}
}

// TestManyScans: each pass of a progressive JPEG visits all pixels again, so a
// file of 20 MB with a pass every few bytes held the decoder for hours.
func TestManyScans(t *testing.T) {
	file := func(passes int) []byte {
		b := []byte("\xff\xd8" +
			"\xff\xc2\x00\x0b\x08\x00\x08\x00\x08\x01\x01\x11\x00" + // progressive, 8 × 8, grey
			"\xff\xdb\x00\x43\x00" + strings.Repeat("\x01", 64) +
			"\xff\xc4\x00\x14\x00\x01" + strings.Repeat("\x00", 16) +
			"\xff\xc4\x00\x14\x10\x01" + strings.Repeat("\x00", 16) +
			"\xff\xda\x00\x08\x01\x01\x00\x00\x00\x00\x7f")
		for range passes {
			b = append(b, "\xff\xda\x00\x08\x01\x01\x00\x01\x3f\x00\x7f"...)
		}
		return append(b, 0xff, 0xd9)
	}
	if _, _, err := Thumb(file(20), 100); err != nil {
		t.Errorf("a usual number: %v", err)
	}
	if _, _, err := Thumb(append(file(20), file(200)...), 100); err != nil {
		t.Errorf("what follows the end: %v", err)
	}
	if _, _, err := Thumb(file(200), 100); !errs.Is(err, errs.Invalid) {
		t.Errorf("too many: %v", err)
	}
}

func TestThumb(t *testing.T) {
	out, mime, err := Thumb(jpegOf(t, corners(800, 400)), 200)
	if err != nil || mime != "image/jpeg" {
		t.Fatal(mime, err)
	}
	cfg, _, err := image.DecodeConfig(bytes.NewReader(out))
	if err != nil || cfg.Width != 200 || cfg.Height != 100 {
		t.Error(cfg, err)
	}
}

func TestCrops(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(50, 5000).Draw(t, "w"), rapid.IntRange(50, 5000).Draw(t, "h")
		for _, ratio := range []float64{Wide, Square} {
			if err := CheckCrop(Center(w, h, ratio), w, h, ratio); err != nil {
				t.Fatal(w, h, ratio, err)
			}
		}
	})
	if err := CheckCrop([4]float64{0, 0, 1, 1}, 100, 100, Wide); !errs.Is(err, errs.Invalid) {
		t.Error(err)
	}
	for _, bad := range [][4]float64{{0.5, 0, 0.5, 1}, {-0.1, 0, 1, 1}, {0, 0, 1.1, 1}, {0.9, 0.9, 0.1, 0.1}} {
		if err := CheckCrop(bad, 1000, 1000, Square); !errs.Is(err, errs.Invalid) {
			t.Error(bad, err)
		}
	}
	if CropText([4]float64{}) != "" || CropText([4]float64{0, 0.1, 1, 0.5255}) != "0.000000_0.100000_1.000000_0.525500" {
		t.Error(CropText([4]float64{0, 0.1, 1, 0.5255}))
	}
}

func FuzzInspect(f *testing.F) {
	f.Add(pngOf(f, corners(4, 4)))
	f.Add(withEXIF(jpegOf(f, corners(8, 8)), 6, binary.BigEndian))
	f.Add([]byte("GIF89a\x01\x00\x01\x00\x80\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		info, err := Inspect(data, int64(len(data)))
		if err == nil && (info.W <= 0 || info.H <= 0 || info.W*info.H > MaxPixels || info.Orientation < 1 || info.Orientation > 8) {
			t.Error(info)
		}
	})
}

func crc(b []byte) uint32 { return crc32.ChecksumIEEE(b) }
