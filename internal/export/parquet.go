package export

import (
	"io"

	"github.com/parquet-go/parquet-go"
)

// rowGroup is how many rows of a Parquet file stand together: what is written
// of one is kept in memory until it is whole.
const rowGroup = 20_000

// parquetBatch is how many rows are handed on together.
const parquetBatch = 256

// A parquetFile is a table with its types: INT64, TIMESTAMP in milliseconds
// and UTC, and UTF-8 strings, compressed by zstd.
type parquetFile struct {
	w       *parquet.GenericWriter[any]
	columns []Column
	rows    []parquet.Row
	texts   []byte // of the rows
}

func newParquet(w io.Writer, t table) *parquetFile {
	columns := t.columns()
	f := &parquetFile{columns: columns}
	f.w = parquet.NewGenericWriter[any](w, parquet.NewSchema(t.name(), newParquetRow(columns)),
		parquet.Compression(&parquet.Zstd), parquet.MaxRowsPerRowGroup(rowGroup))
	return f
}

// A parquetRow is a group of columns in their own order; parquet.Group has
// them by name.
type parquetRow struct {
	parquet.Group
	fields []parquet.Field
}

func (r parquetRow) Fields() []parquet.Field { return r.fields }

func newParquetRow(columns []Column) parquetRow {
	row := parquetRow{Group: parquet.Group{}}
	for _, c := range columns {
		row.Group[c.Name] = parquetNode(c)
	}
	sorted := row.Group.Fields()
	for _, c := range columns {
		for _, field := range sorted {
			if field.Name() == c.Name {
				row.fields = append(row.fields, field)
			}
		}
	}
	return row
}

func parquetNode(c Column) parquet.Node {
	var node parquet.Node
	switch c.Type {
	case Integer:
		node = parquet.Int(64)
	case Instant:
		node = parquet.Encoded(parquet.Timestamp(parquet.Millisecond), &parquet.RLEDictionary)
	default:
		node = parquet.Encoded(parquet.String(), &parquet.RLEDictionary)
	}
	if c.Nullable {
		node = parquet.Optional(node)
	}
	return node
}

func (f *parquetFile) write(row []value) error {
	if len(f.rows) < cap(f.rows) {
		f.rows = f.rows[:len(f.rows)+1]
	} else {
		f.rows = append(f.rows, nil)
	}
	last := &f.rows[len(f.rows)-1]
	*last = (*last)[:0]
	for i, v := range row {
		*last = append(*last, f.value(i, v))
	}
	if len(f.rows) < parquetBatch {
		return nil
	}
	return f.flush()
}

// value is a field with its place: its column, and whether it is there.
func (f *parquetFile) value(i int, v value) parquet.Value {
	defined := 0
	if f.columns[i].Nullable && !v.isNull {
		defined = 1
	}
	switch {
	case v.isNull:
		return parquet.NullValue().Level(0, 0, i)
	case f.columns[i].Type != Text:
		return parquet.Int64Value(v.number).Level(0, defined, i)
	}
	begin := len(f.texts)
	f.texts = append(f.texts, v.text...)
	return parquet.ByteArrayValue(f.texts[begin:len(f.texts):len(f.texts)]).Level(0, defined, i)
}

func (f *parquetFile) flush() error {
	_, err := f.w.WriteRows(f.rows)
	f.rows, f.texts = f.rows[:0], f.texts[:0]
	return err
}

func (f *parquetFile) close() error {
	if err := f.flush(); err != nil {
		return err
	}
	return f.w.Close()
}
