package storage

import (
	"context"
	"strconv"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/trail"
	"tongxin/member"
	"tongxin/moderate"
	"tongxin/staff"
)

// Rotator is what a rotation needs of the house's keys; internal/seal is one.
type Rotator interface {
	Sealer
	Outdated(sealed string) bool
	BlindIndex(purpose, value string) string
}

// Rotated counts what a rotation did to one column.
type Rotated struct {
	Column    string // "members.phone_sealed"
	Looked    int    // rows with a sealed value
	Resealed  int
	Remaining int // rows that could not be resealed: see Problems
	// Problems name rows by id and say why, never what they hold; the first ten.
	Problems []string
}

// sealedColumn is one place where something is kept sealed.
type sealedColumn struct {
	table, column string
	use           func(ids.ID) string
	// index and key are recomputed with it; empty: there are none.
	index, key, purpose string
}

func sealedColumns() []sealedColumn {
	return []sealedColumn{
		{table: "members", column: "phone_sealed", use: member.PhoneUse, index: "phone_index", key: "phone_key", purpose: member.PhonePurpose},
		{table: "members", column: "id_sealed", use: member.IDUse, index: "id_index", key: "id_key", purpose: member.IDPurpose},
		{table: "member_requests", column: "text_sealed", use: member.RequestUse},
		{table: "member_requests", column: "answer_sealed", use: member.AnswerUse},
		{table: "staff_accounts", column: "phone_sealed", use: staff.PhoneUse},
		{table: "staff_accounts", column: "totp_sealed", use: staff.TotpUse},
		{table: "platform_accounts", column: "secrets", use: secretsOf},
		{table: "moderation_items", column: "text_sealed", use: moderate.TextUse},
		{table: "feed_webhooks", column: "secret", use: hookContext},
	}
}

// rotateBatch is how many rows one transaction reseals.
const rotateBatch = 200

// Rotate seals everything that is sealed under an earlier key or another
// algorithm anew and recomputes the blind indexes. It works beside a running
// program, in batches, each with its audit entry; cut off, it goes on where it
// was when it is run again, because what is done is no longer outdated. report
// hears of each column when it is through.
func (db *DB) Rotate(ctx context.Context, keys Rotator, report func(Rotated)) error {
	for _, c := range sealedColumns() {
		done := Rotated{Column: c.table + "." + c.column}
		for after := ids.ID(0); ; {
			rows, err := All(ctx, db, c.scan, c.selectSQL(), after, rotateBatch)
			if err != nil {
				return err
			}
			if len(rows) == 0 {
				break
			}
			if err := db.reseal(ctx, keys, c, rows, &done); err != nil {
				return err
			}
			after = rows[len(rows)-1].id
		}
		report(done)
	}
	return nil
}

// sealedRow is one sealed value; index is "" where the column has none.
type sealedRow struct {
	id            ids.ID
	sealed, index string
}

func (c sealedColumn) selectSQL() string {
	index := "''"
	if c.index != "" {
		index = c.index
	}
	return "SELECT id, " + c.column + ", " + index + " FROM " + c.table + " WHERE id > ? AND " + c.column + " <> '' ORDER BY id LIMIT ?"
}

func (sealedColumn) scan(r Scanner) (row sealedRow, err error) {
	err = r.Scan(&row.id, &row.sealed, &row.index)
	return row, err
}

// reseal does one batch in one transaction. A row that somebody changed
// meanwhile is left alone: what they wrote is sealed under the current key.
func (db *DB) reseal(ctx context.Context, keys Rotator, c sealedColumn, rows []sealedRow, total *Rotated) error {
	var d Rotated
	err := db.Write(ctx, func(tx *Tx) error {
		d = Rotated{Column: total.Column, Looked: len(rows)} // the closure may run twice
		for _, row := range rows {
			next, err := c.renew(keys, row)
			if err != nil {
				d.Remaining++
				d.Problems = append(d.Problems, "row "+row.id.String()+": "+err.Error())
				continue
			}
			if next == row {
				continue
			}
			n, err := tx.putSealed(c, row, next)
			if err != nil {
				if Duplicate(err) { // two rows with one number under two keys: a person must say whose it is
					d.Remaining++
					d.Problems = append(d.Problems, "row "+row.id.String()+": another active member has the same number")
					continue
				}
				return err
			}
			d.Resealed += n
		}
		if d.Resealed > 0 {
			tx.Audit(trail.Entry{
				Actor: authz.SystemActor("rotate-keys"), Action: "keys.rotate", Object: "keys",
				Detail: map[string]string{"column": c.table + "." + c.column, "rows": strconv.Itoa(d.Resealed)},
			})
		}
		return nil
	})
	total.Looked, total.Resealed, total.Remaining = total.Looked+d.Looked, total.Resealed+d.Resealed, total.Remaining+d.Remaining
	total.Problems = append(total.Problems, d.Problems...)
	total.Problems = total.Problems[:min(len(total.Problems), 10)]
	return err
}

// renew is the row as it shall be; the same row when it is up to date.
func (c sealedColumn) renew(keys Rotator, row sealedRow) (sealedRow, error) {
	if c.index == "" && !keys.Outdated(row.sealed) {
		return row, nil
	}
	plain, err := keys.Open(row.sealed, c.use(row.id))
	if err != nil {
		return row, errs.Wrap(err, errs.Internal, "cannot be opened with the keys that are set")
	}
	next := row
	if c.index != "" {
		next.index = keys.BlindIndex(c.purpose, string(plain))
	}
	if keys.Outdated(row.sealed) {
		next.sealed, err = keys.Seal(plain, c.use(row.id))
	}
	return next, err
}

func (tx *Tx) putSealed(c sealedColumn, was, next sealedRow) (int, error) {
	set, args := c.column+" = ?", []any{next.sealed}
	if c.index != "" {
		// The key guards uniqueness while the member is active, and is "#id" otherwise.
		set += ", " + c.index + " = ?, " + c.key + " = CASE WHEN " + c.key + " = ? THEN ? ELSE " + c.key + " END"
		args = append(args, next.index, was.index, next.index)
	}
	res, err := tx.Exec("UPDATE "+c.table+" SET "+set+" WHERE id = ? AND "+c.column+" = ?", append(args, was.id, was.sealed)...)
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	return int(n), err
}
