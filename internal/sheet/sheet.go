// Package sheet reads the rows of spreadsheets that people upload. It bounds
// what a file may unpack to before it reads it, and knows nothing of what the
// rows mean.
package sheet

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"

	"tongxin/internal/errs"
)

// XLSXMime is the media type of a spreadsheet.
const XLSXMime = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

// Limits of a file. A spreadsheet is a zip: what it unpacks to is bounded.
const (
	maxUnpacked = 48 << 20 // bytes of all parts
	maxParts    = 500
	maxColumns  = 100
)

// Take gets one row, its cells as they are stored. It returns false to end.
type Take func(line int, cells []string) (more bool, err error)

// XLSX reads the first sheet of a spreadsheet, row by row.
func XLSX(data []byte, take Take) error {
	broken := func() error {
		// The cause is left out: it may quote the file.
		return errs.New(errs.Invalid, "无法读取这个文件。请确认它是没有加密的 .xlsx 表格；旧的 .xls 请另存为 .xlsx。")
	}
	if err := bounded(data); err != nil {
		return err
	}
	f, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{
		RawCellValue:   true,
		UnzipSizeLimit: maxUnpacked, UnzipXMLSizeLimit: maxUnpacked,
	}) // equal limits: nothing is unpacked to disk
	if err != nil {
		return broken()
	}
	defer f.Close() //nolint:errcheck // there are no temporary files
	sheets := f.GetSheetList()
	if len(sheets) == 0 {
		return broken()
	}
	it, err := f.Rows(sheets[0])
	if err != nil {
		return broken()
	}
	defer it.Close() //nolint:errcheck // as above
	for line := 1; it.Next(); line++ {
		cells, err := it.Columns(excelize.Options{RawCellValue: true})
		if err != nil {
			return broken()
		}
		if more, err := row(line, cells, take); err != nil || !more {
			return err
		}
	}
	if it.Error() != nil {
		return broken()
	}
	return nil
}

func row(line int, cells []string, take Take) (bool, error) {
	if len(cells) > maxColumns {
		return false, errs.New(errs.Invalid, "第 %d 行的列数太多，请使用下载的模板填写。", line)
	}
	return take(line, cells)
}

// bounded refuses a zip that would unpack to more than an honest table has.
// What a header hides is stopped by the reader, which unpacks no more than the
// header says.
func bounded(data []byte) error {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return errs.New(errs.Invalid, "无法读取这个文件。请确认它是没有加密的 .xlsx 表格；旧的 .xls 请另存为 .xlsx。")
	}
	size := uint64(0)
	for _, part := range z.File {
		if size += part.UncompressedSize64; size > maxUnpacked || part.UncompressedSize64 > maxUnpacked {
			return errs.New(errs.TooLarge, "表格展开后太大，请只保留要导入的内容，另存后再导入。")
		}
	}
	if len(z.File) > maxParts {
		return errs.New(errs.TooLarge, "表格里的工作表或图片太多，请只保留要导入的内容，另存后再导入。")
	}
	return nil
}

// CSV reads UTF-8 with or without a byte order mark, or GB18030 as Excel saves
// it in China.
func CSV(data []byte, take Take) error {
	data, err := Text(data)
	if err != nil {
		return err
	}
	in := csv.NewReader(bytes.NewReader(data))
	in.FieldsPerRecord, in.ReuseRecord = -1, true
	for {
		rec, err := in.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		var pe *csv.ParseError
		if errors.As(err, &pe) {
			return errs.New(errs.Invalid, "第 %d 行格式不正确，请检查引号和逗号。", pe.StartLine)
		}
		if err != nil {
			return err
		}
		line, _ := in.FieldPos(0)
		if more, err := row(line, rec, take); err != nil || !more {
			return err
		}
	}
}

// Text is the UTF-8 of a text file that may be GB18030.
func Text(data []byte) ([]byte, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if utf8.Valid(data) {
		return data, nil
	}
	decoded, err := simplifiedchinese.GB18030.NewDecoder().Bytes(data)
	if err != nil || !utf8.Valid(decoded) {
		return nil, errs.New(errs.Invalid, "无法识别文件编码，请另存为 UTF-8 编码后再导入。")
	}
	return decoded, nil
}
