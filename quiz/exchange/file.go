// Package exchange brings questions in and out of files: the xlsx template,
// GIFT, Aiken and Moodle XML. It reads and writes bytes; what may enter the bank
// is decided by quiz.Bank. Whatever a hostile file holds, reading it is bounded
// in time and memory, calls no address and expands no entity.
package exchange

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"tongxin/internal/errs"
	"tongxin/internal/sheet"
	"tongxin/quiz"
)

// MaxFile bounds a file, in bytes as sent. Moodle XML carries pictures.
const MaxFile = 20 << 20

// Format of a file.
type Format string

// Formats. GIFT: docs.moodle.org/en/GIFT_format; Aiken:
// docs.moodle.org/en/Aiken_format; Moodle XML: docs.moodle.org/en/Moodle_XML_format.
const (
	XLSX   Format = "xlsx"
	GIFT   Format = "gift"
	Aiken  Format = "aiken"
	Moodle Format = "moodle"
)

// Defaults stand in for what a file does not say.
type Defaults struct {
	Topic      string // empty: 未分类
	Difficulty int    // 0: 3
}

func (d Defaults) put(c *quiz.Content) {
	if len(c.Topics) == 0 {
		c.Topics = []string{d.Topic}
		if d.Topic == "" {
			c.Topics[0] = "未分类"
		}
	}
	if c.Difficulty == 0 {
		c.Difficulty = d.Difficulty
	}
	if c.Difficulty == 0 {
		c.Difficulty = 3
	}
}

// File is what was read.
type File struct {
	Items    []quiz.FileItem
	Pictures map[string]quiz.Attachment // by SHA-256
}

// Parse reads a file. What is wrong with one question stands in its item; an
// error means that the file as a whole cannot be read.
func Parse(data []byte, format Format, d Defaults) (*File, error) {
	if len(data) > MaxFile {
		return nil, errs.New(errs.TooLarge, "文件超过 %d MB，请分成几个文件导入。", MaxFile>>20)
	}
	f := &File{Pictures: map[string]quiz.Attachment{}}
	var err error
	switch format {
	case XLSX:
		err = f.readSheet(data)
	case GIFT, Aiken:
		var text []byte
		if text, err = sheet.Text(data); err != nil {
			return nil, err
		}
		lines := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(text))
		if format == GIFT {
			err = f.readGIFT(lines)
		} else {
			err = f.readAiken(lines)
		}
	case Moodle:
		err = f.readMoodle(data)
	default:
		err = errs.Bad("format", "文件格式只能是 xlsx、gift、aiken 或 moodle。")
	}
	if err != nil {
		return nil, err
	}
	for i := range f.Items {
		it := &f.Items[i]
		it.Content = it.Content.Tidy()
		d.put(&it.Content)
		if it.Where == nil {
			it.Where = part
		}
	}
	return f, nil
}

// add keeps an item; too many end the reading.
func (f *File) add(it quiz.FileItem) error {
	if len(f.Items) >= quiz.MaxItems {
		return errs.New(errs.TooLarge, "一次最多导入 %d 道题，请分成几个文件。", quiz.MaxItems)
	}
	f.Items = append(f.Items, it)
	return nil
}

// picture keeps the bytes of a picture and returns its reference.
func (f *File) picture(name string, data []byte) string {
	sum := sha256.Sum256(data)
	hash := hex.EncodeToString(sum[:])
	if _, there := f.Pictures[hash]; !there {
		f.Pictures[hash] = quiz.Attachment{Name: name, Data: data}
	}
	return "asset:" + hash
}

// part names a field of a content in words.
func part(field string) string {
	for _, p := range []struct{ begin, name string }{
		{"stem", "题干"},
		{"options", "选项"},
		{"blanks", "答案"},
		{"items", "排序项"},
		{"pairs", "连线"},
		{"extra", "连线"},
		{"rubric", "评分要点"},
		{"explanation", "解析"},
		{"source", "出处"},
		{"topics", "知识点"},
		{"difficulty", "难度"},
		{"kind", "题型"},
	} {
		if strings.HasPrefix(field, p.begin) {
			return p.name
		}
	}
	return ""
}

// clip is the beginning of s, for names and messages.
func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}
