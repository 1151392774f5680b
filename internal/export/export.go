// Package export turns tables into files: rows of one revision as CSV, NDJSON
// and Parquet, and all tables together as an SQLite file.
//
// What a table holds is declared once, in tables.go, and is the same in every
// format. Columns are only ever appended. Rows are read in chunks and written
// as they come, so that memory does not grow with them; where a file is made
// for many to fetch, nobody's speed but the disk's counts.
package export

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"rollcall/internal/directory"
)

// A Source is the mirror that tables are read from. Reads at a pin show its
// revision; no read leaves a transaction open.
type Source interface {
	Organization() string
	// State returns the state that a pin or an instant names, or the present.
	State(context.Context, *directory.Pin, *directory.AsOf) (directory.Freshness, error)
	Groups(context.Context, directory.GroupFilter, directory.ListQuery) (directory.Page[directory.Group], error)
	Members(context.Context, directory.MemberFilter, directory.ListQuery) (directory.Page[directory.Member], error)
	Memberships(context.Context, directory.MembershipFilter, directory.ListQuery) (directory.Page[directory.Membership], error)
	AllMemberships(context.Context, directory.Pin, *directory.AsOf) iter.Seq2[[]directory.Membership, error]
	AllChanges(context.Context, directory.Pin) iter.Seq2[[]directory.Change, error]
	AllStays(context.Context, directory.Pin, *directory.AsOf) iter.Seq2[[]directory.Stay, error]
}

// A Type is what the values of a column are.
type Type int

// The types. An instant is in UTC, to the millisecond.
const (
	Text Type = iota
	Integer
	Instant
)

// A Column is one column of a table, in every format.
type Column struct {
	Name     string
	Type     Type
	Nullable bool
	veil     veil
}

// A value is that of one field. Instants are unix milliseconds.
type value struct {
	isNull bool
	text   string
	number int64
}

// A sink takes the rows of one table in a format. It keeps no row that it was
// given.
type sink interface {
	write(row []value) error
	// close writes what remains; it does not close what is written to.
	close() error
}

// newSink begins a table in a format that is one stream of bytes.
func newSink(x directory.Export, t table, w io.Writer) (sink, error) {
	switch x.Format {
	case "csv":
		return newCSV(w, t.columns(), x.Excel), nil
	case "ndjson":
		return newNDJSON(w, t.columns()), nil
	case "parquet":
		return newParquet(w, t), nil
	}
	return nil, fmt.Errorf("no table is written as %q", x.Format)
}

// write copies a table from a source to a sink and ends it.
func write(ctx context.Context, src Source, t table, q directory.ExportQuery, k *key, s sink) error {
	disguise := func(value, veil) value { panic("nobody asked for pseudonyms") }
	if q.Pseudonymize {
		if k == nil {
			return errNoKey
		}
		disguise = k.disguise
	}
	columns := t.columns()
	err := t.each(ctx, src, q, func(row []value) error {
		if q.Pseudonymize {
			for i, c := range columns {
				row[i] = disguise(row[i], c.veil)
			}
		}
		return s.write(row)
	})
	if err != nil {
		return err
	}
	return s.close()
}

var errNoKey = errors.New("there is no key to make pseudonyms with")
