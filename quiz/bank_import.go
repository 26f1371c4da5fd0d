package quiz

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/trail"
)

// MaxItems bounds one import.
const MaxItems = 2000

// FileItem is one question of a file on its way into the bank.
type FileItem struct {
	Line     int           // where it begins in the file, from 1
	Name     string        // its title, or which one it is
	Content  Content       // as far as it could be read
	Problems []ItemProblem // what keeps it out
	Notes    []string      // what the file says and the bank cannot keep
	// Where names the place of a field of Content in the file, "选项B"; nil: the
	// messages say enough.
	Where func(field string) string
}

// ItemProblem is one thing to mend in the file.
type ItemProblem struct {
	Where   string `json:"where" doc:"column or part of the question"`
	Message string `json:"message" doc:"what to do"`
}

// Wrong notes a problem.
func (it *FileItem) Wrong(where, format string, args ...any) {
	it.Problems = append(it.Problems, ItemProblem{where, fmt.Sprintf(format, args...)})
}

// Note notes what was left out, once.
func (it *FileItem) Note(format string, args ...any) {
	if s := fmt.Sprintf(format, args...); !slices.Contains(it.Notes, s) {
		it.Notes = append(it.Notes, s)
	}
}

// Attachment is a picture inside a file. Items refer to it by its SHA-256, as
// the media library does.
type Attachment struct {
	Name string
	Data []byte
}

// ImportAction is what an import does with an item.
type ImportAction string

// Actions.
const (
	ImportCreate ImportAction = "create"
	ImportSame   ImportAction = "same"
	ImportWrong  ImportAction = "wrong"
)

// ImportItem is the reading of one question.
type ImportItem struct {
	Line     int           `json:"line"`
	Name     string        `json:"name"`
	Kind     Kind          `json:"kind,omitempty"`
	Stem     string        `json:"stem" doc:"its beginning"`
	Action   ImportAction  `json:"action" enum:"create,same,wrong"`
	Problems []ItemProblem `json:"problems,omitempty"`
	Notes    []string      `json:"notes,omitempty" doc:"what was left out, and other questions that read the same"`
}

// ImportReport is what an import would do or did.
type ImportReport struct {
	Items   []ImportItem `json:"items"`
	Created int          `json:"created"`
	Same    int          `json:"same" doc:"the bank has them already"`
	Wrong   int          `json:"wrong"`
	Written bool         `json:"written" doc:"false after a dry run, and while questions are wrong and are not to be skipped"`
}

// ImportAsk says how items are to be taken.
type ImportAsk struct {
	OrgID       ids.ID
	State       QuestionState // Draft or Active; empty: Draft
	DryRun      bool          // write nothing
	SkipWrong   bool          // write what is well although something is not
	Attachments map[string]Attachment
}

// Import adds questions to the bank of an organisation. What the organisation
// has or had already, word for word, is left alone, so the same file again adds
// nothing. Nothing is written on a dry run, nor while an item is wrong unless
// SkipWrong says so; all is one transaction. Pictures go into the library first,
// where they stay should the transaction fail.
func (b *Bank) Import(ctx context.Context, actor *authz.Actor, items []FileItem, ask ImportAsk) (*ImportReport, error) {
	p, err := b.place(ctx, actor, ask.OrgID)
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return nil, errs.New(errs.Invalid, "文件里没有题目，请对照模板或说明检查文件。")
	}
	if len(items) > MaxItems {
		return nil, errs.New(errs.TooLarge, "一次最多导入 %d 道题，这个文件有 %d 道，请分成几个文件。", MaxItems, len(items))
	}
	im := &bankImport{b: b, actor: actor, place: p, ask: ask, report: &ImportReport{Items: []ImportItem{}}}
	if err := im.read(ctx, items); err != nil {
		return nil, err
	}
	if ask.DryRun || im.report.Wrong > 0 && !ask.SkipWrong {
		return im.report, nil
	}
	return im.report, im.write(ctx)
}

// bankImport carries one import.
type bankImport struct {
	b      *Bank
	actor  *authz.Actor
	place  Place
	ask    ImportAsk
	report *ImportReport
	fresh  []Question
	good   map[string]error // attachments that were looked at
}

func (im *bankImport) read(ctx context.Context, items []FileItem) error {
	same, stems := make([]string, len(items)), make([]string, len(items))
	for i := range items {
		c := items[i].Content.Tidy()
		items[i].Content, same[i], stems[i] = c, SameKey(&c), StemKey(&c)
	}
	held, err := im.b.cfg.Store.Holds(ctx, im.place.ID, same)
	if err != nil {
		return err
	}
	list, err := im.b.cfg.Store.AlikeStems(ctx, reach(im.actor), stems)
	if err != nil {
		return err
	}
	alike := map[string]Alike{}
	for _, a := range list {
		alike[a.StemKey] = a
	}
	im.good = map[string]error{}
	seen := map[string]int{} // key → line
	for i := range items {
		it := &items[i]
		out := ImportItem{Line: it.Line, Name: it.Name, Kind: it.Content.Kind, Stem: clip(it.Content.Stem, 60), Action: ImportCreate}
		if err := im.check(ctx, it); err != nil {
			return err
		}
		_, known := held[same[i]]
		line, twice := seen[same[i]]
		stemLine, alikeHere := seen["stem "+stems[i]]
		other, alikeThere := alike[stems[i]]
		switch {
		case len(it.Problems) > 0:
			out.Action = ImportWrong
		case known:
			out.Action = ImportSame
		case twice:
			out.Action = ImportSame
			it.Note("与第 %d 行的题目相同，只导入一次。", line)
		case alikeHere:
			it.Note("题干与第 %d 行的题目相同，请核对是否重复。", stemLine)
		case alikeThere:
			it.Note("“%s”的题库里已有题干相同的题，请核对是否重复。", other.OrgName)
		}
		if out.Action == ImportCreate {
			seen[same[i]], seen["stem "+stems[i]] = it.Line, it.Line
			im.fresh = append(im.fresh, im.b.fresh(im.actor, im.place, QuestionInput{State: im.ask.State, Content: it.Content}))
		}
		out.Problems, out.Notes = it.Problems, it.Notes
		im.count(out)
	}
	return nil
}

func (im *bankImport) count(out ImportItem) {
	switch out.Action {
	case ImportCreate:
		im.report.Created++
	case ImportSame:
		im.report.Same++
	case ImportWrong:
		im.report.Wrong++
	}
	im.report.Items = append(im.report.Items, out)
}

// check holds an item to the rules of a question, and its pictures to the file
// or the library. An item that could not be read is not judged further: its
// later mistakes may be those of the reading.
func (im *bankImport) check(ctx context.Context, it *FileItem) error {
	if len(it.Problems) > 0 {
		return nil
	}
	var e *errs.Error
	if err := it.Content.Check(); errors.As(err, &e) {
		for _, f := range e.Fields {
			where := ""
			if it.Where != nil {
				where = it.Where(f.Name)
			}
			it.Wrong(where, "%s", f.Msg)
		}
		return nil
	}
	for _, hash := range it.Content.Pictures() {
		a, ours := im.ask.Attachments[hash]
		if !ours {
			ok, err := im.b.cfg.Picture(ctx, im.actor, hash)
			if err != nil {
				return err
			}
			if !ok {
				it.Wrong("图片", "素材库里没有题目所用的图片，请先上传。")
			}
			continue
		}
		err, looked := im.good[hash]
		if !looked {
			_, err = im.b.cfg.Upload(ctx, im.actor, im.place.ID, a, true)
			im.good[hash] = err
		}
		if errs.Is(err, errs.Internal) {
			return err
		}
		if err != nil {
			it.Wrong("图片", "图片“%s”：%s", clip(a.Name, 40), sentence(err))
		}
	}
	return nil
}

func (im *bankImport) write(ctx context.Context) error {
	done := map[string]bool{}
	for _, q := range im.fresh {
		for _, hash := range q.Content.Pictures() {
			a, ours := im.ask.Attachments[hash]
			if !ours || done[hash] {
				continue
			}
			got, err := im.b.cfg.Upload(ctx, im.actor, im.place.ID, a, false)
			if err != nil {
				return err
			}
			if got != hash {
				return errs.New(errs.Internal, "quiz: the library names a picture otherwise than by its SHA-256")
			}
			done[hash] = true
		}
	}
	if len(im.fresh) > 0 {
		e := trail.Entry{
			Actor: im.actor, Action: "question.import", Object: "question", OrgID: im.place.ID, OrgPath: im.place.Path,
			Detail: map[string]string{
				"created": strconv.Itoa(im.report.Created), "same": strconv.Itoa(im.report.Same), "wrong": strconv.Itoa(im.report.Wrong),
				"state": string(im.fresh[0].State),
			},
		}
		made, err := im.b.cfg.Store.ImportQuestions(ctx, im.fresh, e)
		if err != nil {
			return err
		}
		// What somebody else imported in the meantime is there as well.
		im.report.Same += im.report.Created - made
		im.report.Created = made
	}
	im.report.Written = true
	return nil
}

// MayImport tells whether the actor may put questions into an organisation's bank.
func (b *Bank) MayImport(ctx context.Context, actor *authz.Actor, org ids.ID) error {
	_, err := b.place(ctx, actor, org)
	return err
}
