package export

import (
	"context"
	"fmt"
	"iter"
	"time"

	"rollcall/internal/directory"
)

// A table is a kind of rows under its name.
type table interface {
	name() string
	columns() []Column
	// each reads the rows at the pin of q. The row it passes on is overwritten
	// by the next.
	each(ctx context.Context, src Source, q directory.ExportQuery, emit func(row []value) error) error
}

// tableOf is a table of rows of one type.
type tableOf[T any] struct {
	label string
	own   []columnOf[T]
	dated func(*T) time.Time // when a row's revision was published, where it has one of its own
	rows  func(ctx context.Context, src Source, q directory.ExportQuery) iter.Seq2[[]T, error]
}

// columnOf is a column and where its value comes from.
type columnOf[T any] struct {
	Column
	of func(*T) value
}

// everywhere are the columns that end every row: whose it is, and of when. A
// row with a revision of its own has that among its own columns.
var everywhere = []Column{
	{Name: "organization_id", Type: Text},
	{Name: "revision", Type: Integer},
	{Name: "published_at", Type: Instant},
}

func (t *tableOf[T]) name() string { return t.label }

func (t *tableOf[T]) columns() []Column {
	columns := make([]Column, 0, len(t.own)+len(everywhere))
	for _, c := range t.own {
		columns = append(columns, c.Column)
	}
	if t.dated != nil {
		return append(columns, everywhere[0], everywhere[2])
	}
	return append(columns, everywhere...)
}

func (t *tableOf[T]) each(ctx context.Context, src Source, q directory.ExportQuery, emit func([]value) error) error {
	row := make([]value, len(t.columns()))
	for rows, err := range t.rows(ctx, src, q) {
		if err != nil {
			return err
		}
		for i := range rows {
			for j := range t.own {
				row[j] = t.own[j].of(&rows[i])
			}
			row[len(t.own)] = text(src.Organization())
			if t.dated != nil {
				row[len(t.own)+1] = instant(t.dated(&rows[i]))
			} else {
				row[len(t.own)+1], row[len(t.own)+2] = number(q.Pin.Revision), instant(q.Pin.PublishedAt)
			}
			if err := emit(row); err != nil {
				return err
			}
		}
	}
	return nil
}

// tables are all there are, in the order of their relations.
func (o Options) tables() []table {
	return []table{groups, members, memberships, history, changes(o.Cursor)}
}

func (o Options) table(name string) (table, error) {
	for _, t := range o.tables() {
		if t.name() == name {
			return t, nil
		}
	}
	return nil, fmt.Errorf("there is no table %q", name)
}

// pageSize is how many rows of a list are read together.
const pageSize = 1000

// pages walks a list at the pin of a query.
func pages[T any](q directory.ExportQuery, list func(directory.ListQuery) (directory.Page[T], error)) iter.Seq2[[]T, error] {
	return func(yield func([]T, error) bool) {
		part := directory.ListQuery{Limit: pageSize, Pin: &q.Pin, AsOf: q.AsOf}
		for {
			page, err := list(part)
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(page.Rows, nil) || page.Next == nil {
				return
			}
			part.After = page.Next
		}
	}
}

// The ways from a field to a value.

func text(s string) value { return value{text: s} }

func maybe[S ~string](s *S) value {
	if s == nil {
		return value{isNull: true}
	}
	return value{text: string(*s)}
}

func number(n int64) value { return value{number: n} }

func instant(t time.Time) value {
	if t.IsZero() {
		return value{isNull: true}
	}
	return value{number: t.UnixMilli()}
}
