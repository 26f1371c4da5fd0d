package storage

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// cell kinds: how a column travels in JSON.
const (
	cellInt  = "int"
	cellText = "text"
	cellBlob = "blob" // base64
)

type tableHead struct {
	Columns []string `json:"columns"`
	Kinds   []string `json:"kinds"`
}

// kind maps the few types that migrations may use.
func (c column) kind() (string, error) {
	base, _, _ := strings.Cut(c.Type, "(")
	switch base {
	case "bigint", "int", "integer", "smallint", "tinyint":
		return cellInt, nil
	case "varchar", "char", "text", "mediumtext", "longtext":
		return cellText, nil
	case "blob", "mediumblob", "longblob", "varbinary":
		return cellBlob, nil
	}
	return "", fmt.Errorf("storage: column %s has type %s, which a backup cannot carry", c.Name, c.Type)
}

// dumpTable writes every row in the order of the primary key.
func (db *DB) dumpTable(ctx context.Context, q Queryer, table string, w io.Writer) (n int64, err error) {
	cols, err := db.dialect.columns(ctx, asRower{q}, table)
	if err != nil {
		return 0, err
	}
	var head tableHead
	var order []string
	for _, c := range cols {
		kind, err := c.kind()
		if err != nil {
			return 0, err
		}
		head.Columns, head.Kinds = append(head.Columns, c.Name), append(head.Kinds, kind)
		if c.Key {
			order = append(order, c.Name)
		}
	}
	query := "SELECT " + strings.Join(head.Columns, ", ") + " FROM " + table
	if len(order) > 0 {
		query += " ORDER BY " + strings.Join(order, ", ")
	}
	buf := bufio.NewWriter(w)
	out := json.NewEncoder(buf)
	out.SetEscapeHTML(false)
	if err := out.Encode(head); err != nil {
		return 0, err
	}
	rows, err := q.Query(ctx, query)
	if err != nil {
		return 0, err
	}
	defer rows.Close() //nolint:errcheck // closed below on success
	for ; rows.Next(); n++ {
		values, err := head.scan(rows)
		if err != nil {
			return n, err
		}
		if err := out.Encode(values); err != nil {
			return n, err
		}
	}
	return n, errors.Join(rows.Err(), rows.Close(), buf.Flush())
}

// asRower lets the dialect read columns inside the moment of a backup.
type asRower struct{ q Queryer }

func (a asRower) QueryContext(ctx context.Context, q string, args ...any) (*sql.Rows, error) {
	return a.q.Query(ctx, q, args...)
}

func (h tableHead) scan(s Scanner) ([]any, error) {
	dest := make([]any, len(h.Kinds))
	for i, kind := range h.Kinds {
		switch kind {
		case cellInt:
			dest[i] = new(sql.NullInt64)
		case cellText:
			dest[i] = new(sql.NullString)
		default:
			dest[i] = new([]byte)
		}
	}
	if err := s.Scan(dest...); err != nil {
		return nil, err
	}
	for i, d := range dest {
		dest[i] = nil
		switch v := d.(type) {
		case *sql.NullInt64:
			if v.Valid {
				dest[i] = v.Int64
			}
		case *sql.NullString:
			if v.Valid {
				dest[i] = v.String
			}
		case *[]byte:
			if *v != nil {
				dest[i] = base64.StdEncoding.EncodeToString(*v)
			}
		}
	}
	return dest, nil
}

// decode turns a row of JSON into arguments of an INSERT.
func (h tableHead) decode(row []any) ([]any, error) {
	if len(row) != len(h.Kinds) {
		return nil, errors.New("storage: a row of the backup has the wrong number of columns")
	}
	for i, v := range row {
		var err error
		switch v := v.(type) {
		case nil:
		case json.Number:
			row[i], err = v.Int64()
		case string:
			if h.Kinds[i] == cellBlob {
				row[i], err = base64.StdEncoding.DecodeString(v)
			}
		default:
			err = errors.New("storage: a value of the backup has the wrong type")
		}
		if err != nil {
			return nil, err
		}
	}
	return row, nil
}
