package storage

import (
	"context"
	"crypto/hmac"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// AuditProblem is the first row of a chain at which history does not add up.
type AuditProblem struct {
	Chain int64  `json:"chain"`
	Seq   int64  `json:"seq"`
	Kind  string `json:"kind"` // altered, missing, inserted, truncated, head
}

func (p AuditProblem) String() string {
	what := map[string]string{
		"altered":   "was altered",
		"missing":   "is missing",
		"inserted":  "lies after the sealed end of its chain",
		"truncated": "and what followed it were cut off the end",
		"head":      "is the end of a chain whose seal is wrong or gone",
	}[p.Kind]
	return fmt.Sprintf("audit row %d of chain %d %s", p.Seq, p.Chain, what)
}

// AuditReport is the result of reading the whole audit.
type AuditReport struct {
	Chains   int            `json:"chains"`
	Rows     int64          `json:"rows"`
	Problems []AuditProblem `json:"problems,omitempty"` // at most one a chain
}

// VerifyAudit reads every chain and reports the first altered, missing,
// inserted or cut-off row of each. It streams, and works beside running writers:
// every chain is read at one moment. It cannot see that a whole chain with its
// head vanished, nor a database set back to an older copy: keep backups elsewhere.
func (db *DB) VerifyAudit(ctx context.Context) (AuditReport, error) {
	return db.verify(ctx, db, func(v *chainVerifier) error {
		return db.Read(ctx, func(q Queryer) error { return v.read(ctx, q) })
	})
}

// verifyIn reads every chain inside one moment.
func (db *DB) verifyIn(ctx context.Context, q Queryer) (AuditReport, error) {
	return db.verify(ctx, q, func(v *chainVerifier) error { return v.read(ctx, q) })
}

func (db *DB) verify(ctx context.Context, q Queryer, read func(*chainVerifier) error) (rep AuditReport, err error) {
	chains, err := All(ctx, q, ScanInt64, `SELECT chain FROM audit_heads UNION SELECT DISTINCT chain FROM audit ORDER BY chain`)
	if err != nil {
		return rep, err
	}
	for _, chain := range chains {
		v := newChainVerifier(db.keys, chain)
		if err := read(v); err != nil {
			return rep, err
		}
		rep.Chains++
		rep.Rows += v.rows
		if v.problem != nil {
			rep.Problems = append(rep.Problems, *v.problem)
		}
	}
	return rep, nil
}

// chainVerifier follows one chain, row by row.
type chainVerifier struct {
	seals   []*sealer // that may still prove a row: newest first, the one in use last
	chain   int64
	seq     int64
	hash    string
	head    auditHead
	rows    int64
	problem *AuditProblem
}

type auditHead struct {
	chain, seq int64
	hash, mac  string
}

func scanHead(s Scanner) (h auditHead, err error) {
	err = s.Scan(&h.chain, &h.seq, &h.hash, &h.mac)
	return h, err
}

func newChainVerifier(keys [][]byte, chain int64) *chainVerifier {
	v := &chainVerifier{chain: chain}
	for _, k := range keys {
		v.seals = append(v.seals, newSealer(k))
	}
	return v
}

// proved reports whether a hash is right under the key in use or a newer one.
// With the newer one the chain has passed a change of the secret, and there is
// no way back: the older key proves nothing after it.
func (v *chainVerifier) proved(hash string, compute func(*sealer) string) bool {
	for i := len(v.seals) - 1; i >= 0; i-- {
		if hmac.Equal([]byte(compute(v.seals[i])), []byte(hash)) {
			v.seals = v.seals[:i+1]
			return true
		}
	}
	return false
}

func (v *chainVerifier) read(ctx context.Context, q Queryer) error {
	head, err := One(ctx, q, scanHead, sql.ErrNoRows, `SELECT chain, seq, hash, mac FROM audit_heads WHERE chain = ?`, v.chain)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	v.head = head
	rows, err := q.Query(ctx, "SELECT "+strings.Join(auditCols(), ", ")+" FROM audit WHERE chain = ? ORDER BY seq", v.chain)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // closed below on success
	for rows.Next() {
		r, err := scanAudit(rows)
		if err != nil {
			return err
		}
		v.row(&r)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	v.end()
	return rows.Close()
}

func (v *chainVerifier) fail(seq int64, kind string) {
	if v.problem == nil {
		v.problem = &AuditProblem{Chain: v.chain, Seq: seq, Kind: kind}
	}
}

func (v *chainVerifier) row(r *AuditRow) {
	v.rows++
	if v.problem != nil {
		return
	}
	switch {
	case r.Seq != v.seq+1:
		v.fail(v.seq+1, "missing")
	case r.Seq > v.head.seq:
		v.fail(r.Seq, "inserted")
	case r.Prev != v.hash || !v.proved(r.Hash, func(s *sealer) string { return s.row(r) }):
		v.fail(r.Seq, "altered")
	}
	v.seq, v.hash = r.Seq, r.Hash
}

func (v *chainVerifier) end() {
	if v.problem != nil {
		return
	}
	switch {
	case !v.proved(v.head.mac, func(s *sealer) string { return s.head(v.chain, v.head.seq, v.head.hash) }):
		v.fail(v.seq, "head")
	case v.seq < v.head.seq:
		v.fail(v.seq+1, "truncated")
	case v.hash != v.head.hash:
		v.fail(v.seq, "head")
	}
}
