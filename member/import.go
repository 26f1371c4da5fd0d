package member

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/trail"
)

// CellError names a wrong cell. Message says what to do and never repeats the
// cell: it may be a number of a person.
type CellError struct {
	Column  string `json:"column"`
	Message string `json:"message"`
}

// RowAction is what an import does with a row.
type RowAction string

// Actions.
const (
	RowCreate RowAction = "create"
	RowUpdate RowAction = "update"
	RowSame   RowAction = "same"
	RowWrong  RowAction = "wrong"
)

// ImportRow is the reading of one line.
type ImportRow struct {
	Line    int         `json:"line" doc:"line of the file; the header is usually 1"`
	Name    string      `json:"name"`
	OrgName string      `json:"orgName"`
	Action  RowAction   `json:"action" enum:"create,update,same,wrong"`
	Changes []string    `json:"changes,omitempty" doc:"columns that would change"`
	Errors  []CellError `json:"errors,omitempty"`
}

// ImportReport is what an import would do or did.
type ImportReport struct {
	Rows    []ImportRow `json:"rows"`
	Created int         `json:"created"`
	Updated int         `json:"updated"`
	Same    int         `json:"same"`
	Wrong   int         `json:"wrong"`
	Written bool        `json:"written" doc:"false after a dry run, and while rows are wrong and are not to be skipped"`
}

// ImportAsk says how a file is to be taken.
type ImportAsk struct {
	Format    Format
	OrgID     ids.ID // branch of rows that name none; none: each row must
	DryRun    bool   // write nothing
	SkipWrong bool   // write the rows that are well although others are not
}

// Import reads a roster and adds or updates its members: by ID number, else by
// phone, within the branches the actor manages. Nothing is written on a dry run,
// nor while a row is wrong unless SkipWrong says so; all is one transaction. The
// same file again changes nothing.
func (s *Service) Import(ctx context.Context, actor *authz.Actor, data []byte, ask ImportAsk) (*ImportReport, error) {
	if actor.Scope(Manage).Empty() {
		return nil, errs.New(errs.Forbidden, "您没有导入党员名册的权限。")
	}
	rows, err := ParseRoster(data, ask.Format)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, errs.New(errs.Invalid, "文件里没有党员，请从第二行起填写，每人一行。")
	}
	imp := &importer{s: s, actor: actor, ask: ask, seen: map[string]int{}, report: &ImportReport{Rows: []ImportRow{}}}
	if imp.orgs, err = s.cfg.Orgs(ctx); err != nil {
		return nil, err
	}
	for chunk := range slices.Chunk(rows, importChunk) {
		if err := imp.read(ctx, chunk); err != nil {
			return nil, err
		}
	}
	rep := imp.report
	if ask.DryRun || rep.Wrong > 0 && !ask.SkipWrong {
		return rep, nil
	}
	if len(imp.writes) > 0 {
		e := trail.Entry{Actor: actor, Action: "member.import", Object: "member", Detail: map[string]string{
			"created": strconv.Itoa(rep.Created),
			"updated": strconv.Itoa(rep.Updated), "same": strconv.Itoa(rep.Same), "wrong": strconv.Itoa(rep.Wrong),
		}}
		if err := s.cfg.Store.Import(ctx, imp.writes, e); err != nil {
			if errs.Is(err, errs.Stale) {
				return nil, errs.Wrap(err, errs.Conflict, "导入期间名册被他人修改，没有写入任何内容，请重新检查后再导入。")
			}
			return nil, err
		}
		s.cfg.OnChange()
	}
	rep.Written = true
	return rep, nil
}

// importChunk is how many rows are looked up at once.
const importChunk = 200

// importer carries one import from row to row.
type importer struct {
	s      *Service
	actor  *authz.Actor
	ask    ImportAsk
	orgs   []Org
	seen   map[string]int // index of a number → line that had it
	report *ImportReport
	writes []Write
}

// reading is one row on its way.
type reading struct {
	row  SheetRow
	in   Input
	keys Keys
	out  ImportRow
}

func (r *reading) wrong(column, message string) {
	r.out.Errors = append(r.out.Errors, CellError{Column: column, Message: message})
}

func (im *importer) read(ctx context.Context, rows []SheetRow) error {
	var list []*reading
	var all Keys
	for _, row := range rows {
		r := &reading{row: row, out: ImportRow{Line: row.Line, Name: row.Cells[colName]}}
		im.input(r)
		im.twice(r)
		all.Phone, all.ID = append(all.Phone, r.keys.Phone...), append(all.ID, r.keys.ID...)
		list = append(list, r)
	}
	known, err := im.s.cfg.Store.Holders(ctx, all)
	if err != nil {
		return err
	}
	for _, r := range list {
		if err := im.settle(ctx, r, known); err != nil {
			return err
		}
	}
	return nil
}

// input reads the cells that need no database.
func (im *importer) input(r *reading) {
	cell := func(name string) string { return r.row.Cells[name] }
	in := &r.in
	in.Name, in.Phone, in.IDNumber, in.Note = cell(colName), cell(colPhone), cell(colID), cell(colNote)
	for name, to := range map[string]*string{colPhone: &in.Phone, colID: &in.IDNumber} {
		if strings.ContainsAny(*to, ".E+") && strings.Contains(*to, "E+") {
			r.wrong(name, "号码被表格软件改成了科学计数，请把这一列设为“文本”格式，再重新填写。")
			*to = ""
		}
	}
	kind, ok := map[string]Kind{"正式党员": Full, "正式": Full, "预备党员": Probationary, "预备": Probationary}[cell(colKind)]
	if in.Kind = kind; !ok {
		r.wrong(colKind, "请填写“正式党员”或“预备党员”。")
		in.Kind = Full // so that one mistake is not told twice
	}
	if in.Gender, ok = map[string]string{"": "", "男": "male", "女": "female"}[cell(colGender)]; !ok {
		r.wrong(colGender, "请填写“男”或“女”，也可不填。")
	}
	for _, p := range strings.FieldsFunc(cell(colPosts), func(c rune) bool { return strings.ContainsRune("、,，;；/ ", c) }) {
		if p == remove {
			continue
		}
		in.Posts = append(in.Posts, p)
	}
	for name, to := range map[string]*Date{colBirth: &in.BirthDate, colJoined: &in.JoinedAt, colFull: &in.FullAt, colExtend: &in.ExtendedTo} {
		if cell(name) == remove {
			continue
		}
		if *to, ok = parseDate(cell(name)); !ok {
			r.wrong(name, "日期不正确，请按 2024-07-01 的样子填写。")
		}
	}
	im.place(r)
	phone, _ := phoneOf(in.Phone)
	number, _ := idNumberOf(in.IDNumber, im.s.today())
	r.keys = im.s.keys(phone, number)
}

// check applies the rules of the form to the row as it would stand.
func (im *importer) check(r *reading) {
	var e *errs.Error
	if err := r.in.check(im.s.rules, im.s.today()); !errors.As(err, &e) {
		return
	}
	names := map[string]string{
		"name": colName, "kind": colKind, "posts": colPosts, "gender": colGender, "phone": colPhone, "idNumber": colID,
		"birthDate": colBirth, "joinedAt": colJoined, "fullAt": colFull, "extendedTo": colExtend, "note": colNote,
	}
	for _, f := range e.Fields {
		column := names[f.Name]
		told := slices.ContainsFunc(r.out.Errors, func(x CellError) bool { return x.Column == column })
		if !told { // a date that could not be read is not also missing
			r.wrong(column, f.Msg)
		}
	}
}

// place finds branch and group by their names within what the actor manages.
func (im *importer) place(r *reading) {
	name, scope := r.row.Cells[colOrg], im.actor.Scope(Manage)
	var found []Org
	for _, o := range im.orgs {
		if o.Branch && scope.Covers(o.Path) && (name == "" && o.ID == im.ask.OrgID || name != "" && (o.Name == name || o.Short == name)) {
			found = append(found, o)
		}
	}
	switch {
	case len(found) == 0 && name == "":
		r.wrong(colOrg, "请填写所在党支部，或在导入时选择默认的党支部。")
		return
	case len(found) == 0:
		r.wrong(colOrg, "没有找到这个党支部，请按“组织与人员”里的名称填写，并确认它在您的管理范围内。")
		return
	case len(found) > 1:
		r.wrong(colOrg, "有几个党支部叫这个名称，请填写全称。")
		return
	}
	r.in.OrgID, r.out.OrgName = found[0].ID, found[0].Name
	group := r.row.Cells[colGroup]
	if group == "" || group == remove {
		return
	}
	for _, o := range im.orgs {
		if o.Group && o.ParentID == found[0].ID && (o.Name == group || o.Short == group) {
			r.in.GroupID = o.ID
			return
		}
	}
	r.wrong(colGroup, "这个党支部没有这个党小组，请先新建，或核对名称。")
}

// twice finds a person who is in the file already.
func (im *importer) twice(r *reading) {
	for column, keys := range map[string][]string{colPhone: r.keys.Phone, colID: r.keys.ID} {
		if len(keys) == 0 {
			continue
		}
		if line, ok := im.seen[keys[0]]; ok {
			r.wrong(column, "与第 "+strconv.Itoa(line)+" 行相同，同一个人请只留一行。")
			continue
		}
		im.seen[keys[0]] = r.row.Line
	}
}

// settle decides what becomes of a row, and keeps the write of a good one.
func (im *importer) settle(ctx context.Context, r *reading, known []Member) error {
	m := im.match(r, known)
	if m != nil {
		im.fill(&r.in, r, m)
	} else if r.in.Note == remove {
		r.in.Note = ""
	}
	im.check(r)
	if len(r.out.Errors) == 0 {
		if err := im.write(ctx, r, m); err != nil {
			return err
		}
	}
	if len(r.out.Errors) > 0 {
		r.out.Action = RowWrong
	}
	switch r.out.Action {
	case RowCreate:
		im.report.Created++
	case RowUpdate:
		im.report.Updated++
	case RowSame:
		im.report.Same++
	case RowWrong:
		im.report.Wrong++
	}
	im.report.Rows = append(im.report.Rows, r.out)
	return nil
}

func (im *importer) write(ctx context.Context, r *reading, m *Member) error {
	var w Write
	var err error
	if m == nil {
		r.out.Action = RowCreate
		w, err = im.s.fresh(ctx, im.actor, r.in)
	} else {
		was, changed := *m, false
		w, changed, err = im.s.change(ctx, im.actor, &was, r.in)
		r.out.Action = RowSame
		if err == nil && !changed {
			return nil
		}
		r.out.Action = RowUpdate
	}
	var e *errs.Error
	if errors.As(err, &e) && e.Code == errs.Invalid {
		r.wrong(columnOf(e), e.Msg)
		return nil
	}
	if err != nil {
		return err
	}
	if m != nil {
		im.s.stamp(im.actor, w.Member)
		for key := range w.Entry.Detail {
			r.out.Changes = append(r.out.Changes, changeName(key))
		}
		slices.Sort(r.out.Changes)
	}
	im.writes = append(im.writes, w)
	return nil
}

func columnOf(e *errs.Error) string {
	if len(e.Fields) == 0 {
		return colName
	}
	return changeName(e.Fields[0].Name)
}

// changeName is the column of a field of a member.
func changeName(field string) string {
	names := map[string]string{
		"name": colName, "org": colOrg, "orgId": colOrg, "group": colGroup, "groupId": colGroup, "kind": colKind, "posts": colPosts,
		"gender": colGender, "idNumber": colID, "phone": colPhone, "birthDate": colBirth, "joinedAt": colJoined, "fullAt": colFull,
		"extendedTo": colExtend, "note": colNote,
	}
	return names[field]
}

// fill keeps what stands where a cell is empty; "-" takes it away.
func (im *importer) fill(in *Input, r *reading, m *Member) {
	keep := func(column string) bool { return r.row.Cells[column] == "" }
	if keep(colPosts) {
		in.Posts = m.Posts
	}
	if keep(colGender) && in.Gender == "" {
		in.Gender = m.Gender
	}
	if keep(colBirth) && in.BirthDate == "" {
		in.BirthDate = m.BirthDate
	}
	for column, pair := range map[string][2]*Date{colJoined: {&in.JoinedAt, &m.JoinedAt}, colFull: {&in.FullAt, &m.FullAt}, colExtend: {&in.ExtendedTo, &m.ExtendedTo}} {
		if keep(column) {
			*pair[0] = *pair[1]
		}
	}
	if keep(colNote) {
		in.Note = m.Note
	} else if in.Note == remove {
		in.Note = ""
	}
	if keep(colGroup) && in.OrgID == m.OrgID {
		in.GroupID = m.GroupID
	}
	in.StaffID = m.StaffID
}

// match finds the member that a row is about: by ID number, else by phone. What
// lies outside the actor's branches is told without a name or a place.
func (im *importer) match(r *reading, known []Member) *Member {
	find := func(keys []string, of func(*Member) string) *Member {
		var left *Member
		for i := range known {
			if k := of(&known[i]); k == "" || !slices.Contains(keys, k) {
				continue
			}
			if known[i].State == Active {
				return &known[i]
			}
			left = &known[i]
		}
		return left
	}
	byID := find(r.keys.ID, func(m *Member) string { return m.IDIndex })
	byPhone := find(r.keys.Phone, func(m *Member) string { return m.PhoneIndex })
	if byPhone != nil && byPhone.State != Active {
		byPhone = nil // the number is free again
	}
	m, column := byID, colID
	if m == nil {
		m, column = byPhone, colPhone
	}
	scope := im.actor.Scope(Manage)
	switch {
	case m == nil:
		return nil
	case !scope.Covers(m.OrgPath) && m.State != Active:
		return nil // left another branch, joins this one
	case !scope.Covers(m.OrgPath):
		r.wrong(column, "这个号码已登记在您管理范围以外的名册里，请联系上级党组织核实。")
	case m.State != Active:
		r.wrong(column, "这位党员已标记为离开，请先在名册里“恢复在册”，再导入。")
	case byID != nil && byPhone != nil && byID.ID != byPhone.ID:
		r.wrong(colPhone, "这个手机号已登记给另一位党员，请核对。")
	case byID == nil && len(r.keys.ID) > 0 && m.IDIndex != "":
		r.wrong(colID, "这个手机号已登记给另一位党员（身份证号不同），请核对。")
	case byID == nil && m.Name != r.in.Name && len(r.keys.ID) == 0:
		r.wrong(colPhone, "这个手机号已登记给另一位党员（姓名不同），请核对；如已改名，请同时填写身份证号。")
	}
	return m
}
