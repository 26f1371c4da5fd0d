package storage

import (
	"context"
	"slices"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/trail"
	"tongxin/member"
)

// Members implements member.Store. Numbers come and go sealed.
type Members struct{ db *DB }

var _ member.Store = (*Members)(nil)

// NewMembers makes the store of the roster.
func NewMembers(db *DB) *Members { return &Members{db: db} }

const memberCols = `m.id, m.org_id, o.name, o.path, m.group_id, g.name, m.name, m.kind, m.posts, m.gender, m.birth_date, m.joined_at, m.full_at,
	m.extended_to, m.state, m.left_at, m.left_why, m.note, m.phone_sealed, m.phone_index, m.id_sealed, m.id_index, m.staff_id, a.name,
	m.purged_at, m.version, m.created_at, m.updated_at, m.updated_by`

const memberFrom = ` FROM members m JOIN orgs o ON o.id = m.org_id LEFT JOIN orgs g ON g.id = m.group_id
	LEFT JOIN staff_accounts a ON a.id = m.staff_id WHERE `

func scanMember(s Scanner) (m member.Member, err error) {
	var group, staff *string
	err = s.Scan(&m.ID, &m.OrgID, &m.OrgName, &m.OrgPath, &m.GroupID, &group, &m.Name, &m.Kind, jsonText{&m.Posts}, &m.Gender, &m.BirthDate,
		&m.JoinedAt, &m.FullAt, &m.ExtendedTo, &m.State, &m.LeftAt, &m.LeftWhy, &m.Note, &m.SealedPhone, &m.PhoneIndex, &m.SealedID, &m.IDIndex,
		&m.StaffID, &staff, moment{&m.PurgedAt}, &m.Version, moment{&m.CreatedAt}, moment{&m.UpdatedAt}, &m.UpdatedBy)
	if group != nil {
		m.GroupName = *group
	}
	if staff != nil {
		m.StaffName = *staff
	}
	return m, err
}

// Member implements member.RosterStore.
func (s *Members) Member(ctx context.Context, id ids.ID) (*member.Member, error) {
	m, err := One(ctx, s.db, scanMember, errs.Missing("党员"), `SELECT `+memberCols+memberFrom+`m.id = ?`, id)
	if err != nil {
		return nil, err
	}
	return &m, nil
}

// Members implements member.RosterStore.
func (s *Members) Members(ctx context.Context, f member.Filter, r page.Request) ([]member.Member, error) {
	var w filter
	scope, args := ScopeSQL("o.path", f.Scope)
	w.add(scope, args...)
	w.add("m.id > ?", r.After)
	if f.Under != "" {
		under, args := ScopeSQL("o.path", authz.Scope{Paths: []string{f.Under}})
		w.add(under, args...)
	}
	if f.Group != 0 {
		w.add("m.group_id = ?", f.Group)
	}
	if f.Kind != "" {
		w.add("m.kind = ?", f.Kind)
	}
	if f.State != "" {
		w.add("m.state = ?", f.State)
	}
	if f.Post != "" { // kept as ["secretary","youth"]: the quotes make the match exact
		w.add("m.posts LIKE ? ESCAPE '!'", containing(`"`+f.Post+`"`))
	}
	if f.Query != "" {
		w.add("LOWER(m.name) LIKE ? ESCAPE '!'", containing(f.Query))
	}
	if len(f.Keys.Phone)+len(f.Keys.ID) > 0 {
		keys, args := keysSQL(f.Keys)
		w.add(keys, args...)
	}
	return All(ctx, s.db, scanMember, `SELECT `+memberCols+memberFrom+w.String()+` ORDER BY m.id LIMIT ?`, append(w.args, r.Limit+1)...)
}

// keysSQL matches any of the indexes, of the kind they are.
func keysSQL(k member.Keys) (string, []any) {
	phone, args := In("m.phone_index", padded(k.Phone))
	number, more := In("m.id_index", padded(k.ID))
	return "(" + phone + " OR " + number + ")", append(args, more...)
}

// Holders implements member.RosterStore.
func (s *Members) Holders(ctx context.Context, k member.Keys) ([]member.Member, error) {
	var out []member.Member
	for _, q := range []struct {
		col  string
		keys []string
	}{{"m.phone_index", k.Phone}, {"m.id_index", k.ID}} {
		for _, part := range chunks(q.keys) {
			where, args := In(q.col, padded(part))
			list, err := All(ctx, s.db, scanMember, `SELECT `+memberCols+memberFrom+where, args...)
			if err != nil {
				return nil, err
			}
			out = append(out, list...)
		}
	}
	slices.SortFunc(out, func(a, b member.Member) int { return int(min(max(int64(a.ID)-int64(b.ID), -1), 1)) })
	return slices.CompactFunc(out, func(a, b member.Member) bool { return a.ID == b.ID }), nil
}

// Create implements member.RosterStore.
func (s *Members) Create(ctx context.Context, w member.Write, e trail.Entry) (id ids.ID, err error) {
	err = s.db.Write(ctx, func(tx *Tx) error {
		made, seen, err := tx.Once(e.Actor, w.Member.ID)
		if id = made; err != nil || seen {
			return err
		}
		tx.Audit(e)
		return tx.addMember(w)
	})
	return id, err
}

// Save implements member.RosterStore.
func (s *Members) Save(ctx context.Context, w member.Write, e trail.Entry) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		tx.Audit(e)
		return tx.putMember(w)
	})
}

// Import implements member.RosterStore.
func (s *Members) Import(ctx context.Context, list []member.Write, e trail.Entry) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		tx.Audit(e)
		for _, w := range list {
			tx.Audit(w.Entry)
			put := tx.putMember
			if w.Expect == 0 {
				put = tx.addMember
			}
			if err := put(w); err != nil {
				return err
			}
		}
		return nil
	})
}

// memberValues are the columns that a write sets, in the order of the statements.
func memberValues(m *member.Member) []any {
	none := "#" + m.ID.String()
	phone, number, staff := none, none, none
	if m.State == member.Active {
		if m.PhoneIndex != "" {
			phone = m.PhoneIndex
		}
		if m.IDIndex != "" {
			number = m.IDIndex
		}
	}
	if m.StaffID != 0 {
		staff = m.StaffID.String()
	}
	posts := m.Posts
	if posts == nil {
		posts = []string{}
	}
	return []any{
		m.OrgID, m.GroupID, m.Name, m.Kind,
		jsonText{posts},
		m.Gender, m.BirthDate, m.JoinedAt, m.FullAt, m.ExtendedTo, m.State, m.LeftAt,
		m.LeftWhy, m.Note, m.SealedPhone, m.PhoneIndex, phone, m.SealedID, m.IDIndex, number, m.StaffID, staff, Millis(m.PurgedAt), m.Version,
		Millis(m.UpdatedAt), m.UpdatedBy,
	}
}

func (tx *Tx) addMember(w member.Write) error {
	if err := tx.numbersFree(w); err != nil {
		return err
	}
	_, err := tx.Exec(`INSERT INTO members (org_id, group_id, name, kind, posts, gender, birth_date, joined_at, full_at, extended_to, state,
		left_at, left_why, note, phone_sealed, phone_index, phone_key, id_sealed, id_index, id_key, staff_id, staff_key, purged_at, version,
		updated_at, updated_by, id, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		append(memberValues(w.Member), w.Member.ID, Millis(w.Member.CreatedAt))...)
	return taken(err)
}

func (tx *Tx) putMember(w member.Write) error {
	if err := tx.numbersFree(w); err != nil {
		return err
	}
	err := swap(tx, "members", w.Member.ID, "党员", `UPDATE members SET org_id = ?, group_id = ?, name = ?, kind = ?, posts = ?, gender = ?,
		birth_date = ?, joined_at = ?, full_at = ?, extended_to = ?, state = ?, left_at = ?, left_why = ?, note = ?, phone_sealed = ?, phone_index = ?,
		phone_key = ?, id_sealed = ?, id_index = ?, id_key = ?, staff_id = ?, staff_key = ?, purged_at = ?, version = ?, updated_at = ?, updated_by = ?
		WHERE id = ? AND version = ?`, append(memberValues(w.Member), w.Member.ID, w.Expect)...)
	if err != nil || w.Member.State == member.Active {
		return taken(err)
	}
	// Who leaves the roster is signed out in the same moment, and stays so after
	// a return.
	_, err = tx.Exec(`UPDATE member_sessions SET ended_at = ?, ended_why = 'left' WHERE member_id = ? AND ended_at = 0`, Millis(tx.Now), w.Member.ID)
	return err
}

// taken is for writers that met at the unique keys; numbersFree tells better
// when one came first. The duplicate's text names a key and holds a blind index.
func taken(err error) error {
	if !Duplicate(err) {
		return err
	}
	return errs.New(errs.Conflict, "手机号、身份证号或工作人员账号已登记给另一位在册党员，请核对。")
}

// numbersFree looks for active members with the same number under any key of
// the house: the unique keys hold only the index that was current when written.
func (tx *Tx) numbersFree(w member.Write) error {
	m := w.Member
	for _, q := range []struct{ cond, field, what string }{
		{"m.phone_key", "phone", "手机号"}, {"m.id_key", "idNumber", "身份证号"}, {"m.staff_key", "staffId", "工作人员账号"},
	} {
		keys := map[string][]string{"phone": w.Keys.Phone, "idNumber": w.Keys.ID}[q.field]
		if q.field == "staffId" && m.StaffID != 0 {
			keys = []string{m.StaffID.String()}
		}
		if len(keys) == 0 || m.State != member.Active && q.field != "staffId" {
			continue
		}
		where, args := In(q.cond, padded(keys))
		n, err := One(tx.Ctx, tx, ScanInt64, nil, `SELECT COUNT(*) FROM members m WHERE `+where+` AND m.id <> ?`, append(args, m.ID)...)
		if err != nil {
			return err
		}
		if n > 0 {
			msg := "这个" + q.what + "已登记给另一位党员，请核对；不在您的名册里时，请联系上级党组织。"
			return &errs.Error{Code: errs.Conflict, Msg: msg, Fields: []errs.Field{{Name: q.field, Msg: msg}}}
		}
	}
	return nil
}

// Record implements member.RosterStore.
func (s *Members) Record(ctx context.Context, e trail.Entry) error { return s.db.Record(ctx, e) }

// Counts implements member.RosterStore.
func (s *Members) Counts(ctx context.Context, scope authz.Scope) ([]member.Count, error) {
	where, args := ScopeSQL("o.path", scope)
	return All(ctx, s.db, func(r Scanner) (c member.Count, err error) {
		err = r.Scan(&c.OrgID, &c.OrgName, &c.Path, &c.All, &c.Full)
		return c, err
	}, `SELECT o.id, o.name, o.path, COUNT(m.id), COALESCE(SUM(CASE WHEN m.kind = ? THEN 1 ELSE 0 END), 0)
		FROM orgs o LEFT JOIN members m ON m.org_id = o.id AND m.state = ?
		WHERE o.kind = 'branch' AND o.archived_at = 0 AND `+where+` GROUP BY o.id, o.name, o.path ORDER BY o.path`,
		append([]any{member.Full, member.Active}, args...)...)
}

// Probation implements member.RosterStore.
func (s *Members) Probation(ctx context.Context, scope authz.Scope, limit int) ([]member.Member, error) {
	where, args := ScopeSQL("o.path", scope)
	return All(ctx, s.db, scanMember, `SELECT `+memberCols+memberFrom+`m.kind = ? AND m.state = ? AND `+where+` ORDER BY m.joined_at, m.id LIMIT ?`,
		append(append([]any{member.Probationary, member.Active}, args...), limit)...)
}

// Expired implements member.RosterStore.
func (s *Members) Expired(ctx context.Context, states []member.State, leftBy member.Date, limit int) ([]member.Member, error) {
	where, args := In("m.state", states)
	return All(ctx, s.db, scanMember, `SELECT `+memberCols+memberFrom+where+` AND m.left_at <> '' AND m.left_at <= ?
		AND (m.phone_sealed <> '' OR m.id_sealed <> '') ORDER BY m.id LIMIT ?`, append(args, leftBy, limit)...)
}

// memberRequestSQL reads requests with the member they are about.
const memberRequestSQL = `SELECT q.id, q.member_id, m.name, m.org_id, o.name, o.path, q.kind, q.state, q.text_sealed, q.answer_sealed, q.created_at,
	q.created_by, q.decided_at, q.decided_by, q.version FROM member_requests q JOIN members m ON m.id = q.member_id JOIN orgs o ON o.id = m.org_id WHERE `

func scanMemberRequest(r Scanner) (q member.Request, err error) {
	err = r.Scan(&q.ID, &q.MemberID, &q.MemberName, &q.OrgID, &q.OrgName, &q.OrgPath, &q.Kind, &q.State, &q.SealedText, &q.SealedAnswer,
		moment{&q.CreatedAt}, &q.CreatedBy, moment{&q.DecidedAt}, &q.DecidedBy, &q.Version)
	return q, err
}

// Request implements member.RequestStore.
func (s *Members) Request(ctx context.Context, id ids.ID) (*member.Request, error) {
	q, err := One(ctx, s.db, scanMemberRequest, errs.Missing("申请"), memberRequestSQL+`q.id = ?`, id)
	if err != nil {
		return nil, err
	}
	return &q, nil
}

// Requests implements member.RequestStore.
func (s *Members) Requests(ctx context.Context, f member.RequestFilter, r page.Request) ([]member.Request, error) {
	var w filter
	scope, args := ScopeSQL("o.path", f.Scope)
	w.add(scope, args...)
	if r.After != 0 {
		w.add("q.id < ?", r.After)
	}
	if f.Member != 0 {
		w.add("q.member_id = ?", f.Member)
	}
	if f.State != "" {
		w.add("q.state = ?", f.State)
	}
	return All(ctx, s.db, scanMemberRequest, memberRequestSQL+w.String()+` ORDER BY q.id DESC LIMIT ?`, append(w.args, r.Limit+1)...)
}

// CreateRequest implements member.RequestStore.
func (s *Members) CreateRequest(ctx context.Context, q *member.Request, e trail.Entry) (id ids.ID, err error) {
	err = s.db.Write(ctx, func(tx *Tx) error {
		made, seen, err := tx.Once(e.Actor, q.ID)
		if id = made; err != nil || seen {
			return err
		}
		tx.Audit(e)
		_, err = tx.Exec(`INSERT INTO member_requests (id, member_id, kind, state, text_sealed, answer_sealed, created_at, created_by, decided_at,
			decided_by, version) VALUES (?, ?, ?, ?, ?, '', ?, ?, 0, '', ?)`, q.ID, q.MemberID, q.Kind, q.State, q.SealedText,
			Millis(q.CreatedAt), q.CreatedBy, q.Version)
		return err
	})
	return id, err
}

// Decide implements member.RequestStore.
func (s *Members) Decide(ctx context.Context, q *member.Request, expect int64, w *member.Write, e trail.Entry) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		err := swap(tx, "member_requests", q.ID, "申请", `UPDATE member_requests SET state = ?, answer_sealed = ?, decided_at = ?, decided_by = ?, version = ?
			WHERE id = ? AND version = ?`, q.State, q.SealedAnswer, Millis(q.DecidedAt), q.DecidedBy, q.Version, q.ID, expect)
		if err != nil {
			return err
		}
		tx.Audit(e)
		if w == nil {
			return nil
		}
		tx.Audit(w.Entry)
		return tx.putMember(*w)
	})
}
