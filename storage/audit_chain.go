package storage

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash"
	"strings"
	"time"
	"unicode/utf8"

	"tongxin/internal/call"
	"tongxin/internal/ids"
	"tongxin/internal/trail"
)

// maxDetail is the longest value of an entry's detail, in bytes.
const maxDetail = 500

// AuditRow is one stored entry. Every lane of every node writes a chain of its
// own: Seq counts from 1, and Hash covers the row and the hash before it.
type AuditRow struct {
	Chain, Seq int64
	At         time.Time
	ActorID    ids.ID
	ActorKind  string
	ActorName  string
	Action     string
	Object     string
	ObjectID   ids.ID
	OrgID      ids.ID
	OrgPath    string
	Result     string
	Addr       string
	UserAgent  string
	RequestID  string
	Detail     string // JSON object of texts, "{}" when there is none
	Prev, Hash string
}

func auditCols() []string {
	return []string{
		"chain", "seq", "at", "actor_id", "actor_kind", "actor_name", "action", "object", "object_id",
		"org_id", "org_path", "result", "addr", "user_agent", "request_id", "detail", "prev", "hash",
	}
}

func (r *AuditRow) args() []any {
	return []any{
		r.Chain, r.Seq, Millis(r.At), int64(r.ActorID), r.ActorKind, r.ActorName, r.Action, r.Object, int64(r.ObjectID),
		int64(r.OrgID), r.OrgPath, r.Result, r.Addr, r.UserAgent, r.RequestID, r.Detail, r.Prev, r.Hash,
	}
}

func scanAudit(s Scanner) (r AuditRow, err error) {
	var at int64
	err = s.Scan(&r.Chain, &r.Seq, &at, &r.ActorID, &r.ActorKind, &r.ActorName, &r.Action, &r.Object, &r.ObjectID,
		&r.OrgID, &r.OrgPath, &r.Result, &r.Addr, &r.UserAgent, &r.RequestID, &r.Detail, &r.Prev, &r.Hash)
	r.At = FromMillis(at)
	return r, err
}

// auditRow is what is stored of an entry. Everything is cut to its column, so
// that a long name can never make a change fail.
func auditRow(e trail.Entry, info call.Info, now time.Time) (AuditRow, error) {
	r := AuditRow{
		At: now, Action: clip(e.Action, 64), Object: clip(e.Object, 32), ObjectID: e.ID,
		OrgID: e.OrgID, OrgPath: clip(e.OrgPath, 255), Result: clip(string(e.Result), 16),
		Addr: clip(info.Addr, 64), UserAgent: clip(info.UserAgent, 200), RequestID: clip(info.RequestID, 64),
		Detail: "{}",
	}
	if r.Result == "" {
		r.Result = string(trail.OK)
	}
	if e.Actor != nil {
		r.ActorID, r.ActorKind, r.ActorName = e.Actor.ID, clip(string(e.Actor.Kind), 16), clip(e.Actor.Name, 100)
	}
	if len(e.Detail) > 0 {
		d := make(map[string]string, len(e.Detail))
		for k, v := range e.Detail {
			d[clip(k, 64)] = clip(v, maxDetail)
		}
		b, err := json.Marshal(d) // sorts the keys
		if err != nil {
			return r, err
		}
		r.Detail = string(b)
	}
	return r, nil
}

// clip cuts s to n bytes at the border of a character, and makes it valid UTF-8.
func clip(s string, n int) string {
	if len(s) > n {
		for n > 0 && !utf8.RuneStart(s[n]) {
			n--
		}
		s = s[:n]
	}
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "?")
}

// chainKey parts the audit key from other uses of the same secret.
func chainKey(auditKey []byte) []byte {
	sum := sha256.Sum256(append([]byte("tongxin audit chain\x00"), auditKey...))
	return sum[:]
}

// chainKeys lists the keys that prove a chain, newest first.
func chainKeys(current []byte, old ...[]byte) [][]byte {
	keys := [][]byte{chainKey(current)}
	for _, k := range old {
		keys = append(keys, chainKey(k))
	}
	return keys
}

// sealer computes the hashes of chains. Not safe for concurrent use.
type sealer struct {
	mac hash.Hash
	buf []byte
}

func newSealer(key []byte) *sealer { return &sealer{mac: hmac.New(sha256.New, key)} }

func (s *sealer) num(n int64) { s.buf = binary.BigEndian.AppendUint64(s.buf, uint64(n)) }

// text writes the length first: no two rows have one encoding.
func (s *sealer) text(t string) { s.num(int64(len(t))); s.buf = append(s.buf, t...) }

func (s *sealer) sum() string {
	s.mac.Reset()
	_, _ = s.mac.Write(s.buf) // a hash never fails
	return base64.RawURLEncoding.EncodeToString(s.mac.Sum(s.buf[:0]))
}

// row is HMAC-SHA256(key, "row", prev, every column in order).
func (s *sealer) row(r *AuditRow) string {
	s.buf = append(s.buf[:0], "row\x00"...)
	s.text(r.Prev)
	for _, n := range []int64{r.Chain, r.Seq, Millis(r.At), int64(r.ActorID), int64(r.ObjectID), int64(r.OrgID)} {
		s.num(n)
	}
	for _, t := range []string{r.ActorKind, r.ActorName, r.Action, r.Object, r.OrgPath, r.Result, r.Addr, r.UserAgent, r.RequestID, r.Detail} {
		s.text(t)
	}
	return s.sum()
}

// head seals the end of a chain, so that rows cut off the end are missed.
func (s *sealer) head(chain, seq int64, hash string) string {
	s.buf = append(s.buf[:0], "head\x00"...)
	s.num(chain)
	s.num(seq)
	s.text(hash)
	return s.sum()
}

// chainHead is the end of a lane's chain. The zero value: read it first.
type chainHead struct {
	known bool
	seq   int64 // 0: no row yet
	hash  string
}

// flush writes the audit entries of the callers that succeeded, chained after
// the lane's head, and moves the head once. It returns the new head, which
// counts when the transaction commits.
func (l *lane) flush(ctx context.Context, now time.Time, jobs []*job, results []error) (chainHead, error) {
	var rows []AuditRow
	for i, j := range jobs {
		if results[i] != nil {
			continue
		}
		for _, e := range j.tx.trail {
			r, err := auditRow(e, call.From(j.ctx), now)
			if err != nil {
				return l.head, err
			}
			rows = append(rows, r)
		}
	}
	if len(rows) == 0 {
		return l.head, nil
	}
	head, err := l.readHead(ctx)
	if err != nil {
		return head, err
	}
	if l.sealer == nil {
		l.sealer = newSealer(l.db.keys[0])
	}
	was := head.seq
	for i := range rows {
		r := &rows[i]
		r.Chain, r.Seq, r.Prev = l.chain, head.seq+1, head.hash
		r.Hash = l.sealer.row(r)
		head.seq, head.hash = r.Seq, r.Hash
	}
	if err := l.insertAudit(rows); err != nil {
		return head, err
	}
	return head, l.moveHead(was, head)
}

func (l *lane) readHead(ctx context.Context) (chainHead, error) {
	if l.head.known {
		return l.head, nil
	}
	rows, err := l.query(ctx, `SELECT seq, hash FROM audit_heads WHERE chain = ?`, []any{l.chain})
	h := chainHead{known: true}
	if err = (&Row{rows: rows, err: err}).Scan(&h.seq, &h.hash); errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return h, err
}

// insertAudit: one prepared statement a row where that is fastest, else many
// rows in one round trip.
func (l *lane) insertAudit(rows []AuditRow) error {
	step := 1
	if !l.db.dialect.prepares() {
		step = maxBatch
	}
	for len(rows) > 0 {
		n := min(step, len(rows))
		args := make([]any, 0, n*18)
		for i := range rows[:n] {
			args = append(args, rows[i].args()...)
		}
		if l.inserts[n] == "" {
			l.inserts[n] = insertSQL("audit", auditCols(), n)
		}
		if err := l.exec(l.inserts[n], args...); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// moveHead compares and swaps: a process that lost its slot and does not know
// it yet fails here instead of forking the chain.
func (l *lane) moveHead(was int64, head chainHead) error {
	mac := l.sealer.head(l.chain, head.seq, head.hash)
	if was == 0 {
		return l.exec(`INSERT INTO audit_heads (chain, seq, hash, mac) VALUES (?, ?, ?, ?)`, l.chain, head.seq, head.hash, mac)
	}
	res, err := l.execArgs(context.Background(), `UPDATE audit_heads SET seq = ?, hash = ?, mac = ? WHERE chain = ? AND seq = ?`,
		[]any{head.seq, head.hash, mac, l.chain, was})
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(errors.New("storage: another process writes this audit chain"), err)
	}
	return nil
}

// Record writes audit entries that belong to no other change: a refused or
// failed try, a reading that must be noted.
func (db *DB) Record(ctx context.Context, entries ...trail.Entry) error {
	return db.Write(ctx, func(tx *Tx) error {
		for _, e := range entries {
			tx.Audit(e)
		}
		return nil
	})
}
