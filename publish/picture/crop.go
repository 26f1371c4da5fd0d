package picture

import (
	"fmt"
	"math"

	"tongxin/internal/errs"
)

// Ratios of the two covers WeChat shows: the wide one in the list, the square
// one when shared. Source: draft/add, pic_crop_235_1 and pic_crop_1_1, 2025.
const (
	Wide   = 2.35
	Square = 1.0
)

// tolerance of a ratio: crops come as fractions, rounded to a pixel.
const tolerance = 0.02

// Center is the largest centred crop of a ratio in a picture of w × h pixels
// (upright): x1, y1, x2, y2 in fractions of width and height.
func Center(w, h int, ratio float64) [4]float64 {
	if w <= 0 || h <= 0 || ratio <= 0 {
		return [4]float64{0, 0, 1, 1}
	}
	have := float64(w) / float64(h)
	if have > ratio {
		m := (1 - ratio/have) / 2
		return [4]float64{m, 0, 1 - m, 1}
	}
	m := (1 - have/ratio) / 2
	return [4]float64{0, m, 1, 1 - m}
}

// CheckCrop validates a crop for a picture of w × h pixels (upright). A zero
// crop means "centred" and is valid. Errors are Invalid.
func CheckCrop(crop [4]float64, w, h int, ratio float64) error {
	if crop == [4]float64{} {
		return nil
	}
	for _, v := range crop {
		if math.IsNaN(v) || v < 0 || v > 1 {
			return errs.New(errs.Invalid, "封面裁剪超出了图片，请重新选择裁剪范围。")
		}
	}
	cw, ch := (crop[2]-crop[0])*float64(w), (crop[3]-crop[1])*float64(h)
	if cw < 1 || ch < 1 {
		return errs.New(errs.Invalid, "封面裁剪的范围是空的，请重新选择。")
	}
	if slack := tolerance + 1/ch; math.Abs(cw/ch-ratio) > ratio*slack {
		return errs.New(errs.Invalid, "封面裁剪的比例应为 %s，现在约为 %.2f:1，请重新选择。", ratioName(ratio), cw/ch)
	}
	return nil
}

func ratioName(r float64) string {
	if r == Square {
		return "1:1"
	}
	return "2.35:1"
}

// CropText is the platform's form "X1_Y1_X2_Y2" with the fractions between 0
// and 1; "" for a zero crop, which leaves the choice to the platform.
func CropText(crop [4]float64) string {
	if crop == [4]float64{} {
		return ""
	}
	for i, v := range crop {
		crop[i] = math.Min(math.Max(v, 0), 1)
	}
	return fmt.Sprintf("%.6f_%.6f_%.6f_%.6f", crop[0], crop[1], crop[2], crop[3])
}
