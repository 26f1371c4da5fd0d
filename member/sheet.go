package member

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"

	"tongxin/internal/errs"
)

// Limits of an import. A spreadsheet is a zip: what it unpacks to is bounded
// before it is read, and so are columns and empty rows.
const (
	MaxFile     = 5 << 20  // bytes as sent
	maxUnpacked = 48 << 20 // bytes of all parts of a spreadsheet
	maxParts    = 500
	MaxRows     = 5000
	maxColumns  = 100
	maxBlank    = 1000 // blank rows in a row end a sheet
	maxCell     = 500  // characters
)

// Format of a roster file.
type Format string

// Formats.
const (
	XLSX Format = "xlsx"
	CSV  Format = "csv"
)

// Columns of a roster, as they stand in the first row of a file.
const (
	colName   = "姓名"
	colOrg    = "所在党支部"
	colGroup  = "党小组"
	colKind   = "党员类别"
	colPosts  = "职务"
	colGender = "性别"
	colID     = "身份证号"
	colPhone  = "手机号"
	colBirth  = "出生日期"
	colJoined = "入党日期"
	colFull   = "转正日期"
	colExtend = "延长预备期至"
	colNote   = "备注"
)

func columns() []string {
	return []string{colName, colOrg, colGroup, colKind, colPosts, colGender, colID, colPhone, colBirth, colJoined, colFull, colExtend, colNote}
}

// SheetRow is one line of a file, cells by column.
type SheetRow struct {
	Line  int
	Cells map[string]string
}

// ParseRoster reads a roster file. Columns are found by their names in the
// first row, in any order; unknown ones are passed over.
func ParseRoster(data []byte, format Format) ([]SheetRow, error) {
	if len(data) > MaxFile {
		return nil, errs.New(errs.TooLarge, "文件超过 5 MB，请分成几个文件导入。")
	}
	var sheet sheetReader
	var err error
	switch format {
	case XLSX:
		return parseXLSX(data)
	case CSV:
		err = sheet.readCSV(data)
	default:
		err = errs.New(errs.Unsupported, "请上传 .xlsx 表格或 CSV 文件。")
	}
	return sheet.rows, err
}

// sheetReader takes rows one after another, whatever they come from.
type sheetReader struct {
	head  map[int]string
	rows  []SheetRow
	blank int
	done  bool
}

// take reads one row of cells; the first that is not blank is the header.
func (r *sheetReader) take(line int, cells []string) error {
	if len(cells) > maxColumns {
		return errs.New(errs.Invalid, "第 %d 行的列数太多，请使用下载的模板填写。", line)
	}
	row, any := SheetRow{Line: line, Cells: map[string]string{}}, false
	for i, cell := range cells {
		cell = clean(cell)
		any = any || cell != ""
		if name, ok := r.head[i]; ok {
			row.Cells[name] = cell
		}
	}
	if !any {
		r.blank++
		r.done = r.blank > maxBlank
		return nil
	}
	r.blank = 0
	if r.head == nil {
		return r.takeHead(cells)
	}
	if strings.HasPrefix(row.Cells[colName], "示例") {
		return nil // the example of the template
	}
	if len(r.rows) == MaxRows {
		return errs.New(errs.TooLarge, "一次最多导入 %d 行，请分成几个文件。", MaxRows)
	}
	r.rows = append(r.rows, row)
	return nil
}

func (r *sheetReader) takeHead(cells []string) error {
	r.head = map[int]string{}
	found := map[string]bool{}
	for i, cell := range cells {
		cell = strings.TrimRight(clean(cell), "*＊")
		for _, name := range columns() {
			if cell == name && !found[name] {
				r.head[i], found[name] = name, true
			}
		}
	}
	for _, name := range []string{colName, colKind} {
		if !found[name] {
			return errs.New(errs.Invalid, "第一行缺少“%s”这一列，请下载模板，按模板的第一行填写。", name)
		}
	}
	if !found[colPhone] && !found[colID] {
		return errs.New(errs.Invalid, "第一行须有“手机号”或“身份证号”，用来认出同一个人，请下载模板。")
	}
	return nil
}

// clean takes off blanks, the apostrophe that marks text, and what is too long.
func clean(s string) string {
	s = strings.TrimLeft(strings.TrimSpace(strings.ToValidUTF8(s, "")), "'")
	if utf8.RuneCountInString(s) > maxCell {
		s = string([]rune(s)[:maxCell])
	}
	return strings.TrimSpace(s)
}

// readCSV reads UTF-8 with or without a byte order mark, or GB18030 as Excel
// saves it in China.
func (r *sheetReader) readCSV(data []byte) error {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		decoded, err := simplifiedchinese.GB18030.NewDecoder().Bytes(data)
		if err != nil {
			return errs.New(errs.Invalid, "无法识别文件编码，请另存为 .xlsx 或 CSV UTF-8 后再导入。")
		}
		data = decoded
	}
	in := csv.NewReader(bytes.NewReader(data))
	in.FieldsPerRecord, in.ReuseRecord = -1, true
	for !r.done {
		rec, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var pe *csv.ParseError
		if errors.As(err, &pe) {
			return errs.New(errs.Invalid, "第 %d 行格式不正确，请检查引号和逗号。", pe.StartLine)
		}
		if err != nil {
			return err
		}
		line, _ := in.FieldPos(0)
		if err := r.take(line, rec); err != nil {
			return err
		}
	}
	return r.whole()
}

func (r *sheetReader) whole() error {
	if r.head == nil {
		return errs.New(errs.Invalid, "文件是空的，请下载模板填写。")
	}
	return nil
}

// parseXLSX reads the first sheet, row by row, cells as they are stored.
func parseXLSX(data []byte) ([]SheetRow, error) {
	broken := func(cause error) error {
		return errs.Wrap(cause, errs.Invalid, "无法读取这个文件。请确认它是没有加密的 .xlsx 表格；旧的 .xls 请另存为 .xlsx。")
	}
	if err := bounded(data); err != nil {
		return nil, err
	}
	f, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{
		RawCellValue:   true,
		UnzipSizeLimit: maxUnpacked, UnzipXMLSizeLimit: maxUnpacked,
	}) // equal limits: nothing is unpacked to disk
	if err != nil {
		return nil, broken(nil) // its cause may quote the file
	}
	defer f.Close() //nolint:errcheck // there are no temporary files
	sheets := f.GetSheetList()
	if len(sheets) == 0 {
		return nil, broken(nil)
	}
	it, err := f.Rows(sheets[0])
	if err != nil {
		return nil, broken(nil)
	}
	defer it.Close() //nolint:errcheck // as above
	var r sheetReader
	for line := 1; !r.done && it.Next(); line++ {
		cells, err := it.Columns(excelize.Options{RawCellValue: true})
		if err != nil {
			return nil, broken(nil)
		}
		if err := r.take(line, cells); err != nil {
			return nil, err
		}
	}
	if it.Error() != nil {
		return nil, broken(nil)
	}
	return r.rows, r.whole()
}

// bounded refuses a zip that would unpack to more than an honest roster has.
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
			return errs.New(errs.TooLarge, "表格展开后太大，请只保留名册内容，另存后再导入。")
		}
	}
	if len(z.File) > maxParts {
		return errs.New(errs.TooLarge, "表格里的工作表或图片太多，请只保留名册内容，另存后再导入。")
	}
	return nil
}
