package member

import (
	"strings"
	"unicode/utf8"

	"tongxin/internal/errs"
	"tongxin/internal/sheet"
)

// Limits of an import; internal/sheet bounds what a spreadsheet unpacks to.
const (
	MaxFile  = 5 << 20 // bytes as sent
	MaxRows  = 5000
	maxBlank = 1000 // blank rows in a row end a sheet
	maxCell  = 500  // characters
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
	read, ok := map[Format]func([]byte, sheet.Take) error{XLSX: sheet.XLSX, CSV: sheet.CSV}[format]
	if !ok {
		return nil, errs.New(errs.Unsupported, "请上传 .xlsx 表格或 CSV 文件。")
	}
	var r sheetReader
	err := read(data, func(line int, cells []string) (bool, error) {
		err := r.take(line, cells)
		return !r.done, err
	})
	if err == nil {
		err = r.whole()
	}
	return r.rows, err
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

func (r *sheetReader) whole() error {
	if r.head == nil {
		return errs.New(errs.Invalid, "文件是空的，请下载模板填写。")
	}
	return nil
}
