package typeset

import (
	"github.com/boombuler/barcode/qr"

	"tongxin/internal/errs"
)

// QR is the matrix of a QR code (ISO/IEC 18004, level M: 15 % may be damaged)
// without its quiet zone, which must be four cells wide.
func QR(text string) ([][]bool, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return nil, errs.Wrap(err, errs.Internal, "二维码没有生成。")
	}
	n := code.Bounds().Dx()
	out := make([][]bool, n)
	for y := range out {
		out[y] = make([]bool, n)
		for x := range out[y] {
			r, _, _, _ := code.At(x, y).RGBA()
			out[y][x] = r == 0
		}
	}
	return out, nil
}
