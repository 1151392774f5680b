package directory

import "errors"

// A Query is one reading statement in SQLite's SQL. Args are its parameters in
// their order: nil, bool, int64, float64 or string.
type Query struct {
	SQL  string
	Args []any
}

// A Table is what a query answered. Cells are nil, int64, float64, string or
// []byte; every row has as many as there are columns.
type Table struct {
	Columns   []string
	Rows      [][]any
	Truncated bool // there was more than may be answered at once
}

// A QueryRefusedError says what is wrong with a query, in a sentence for who
// wrote it.
type QueryRefusedError struct{ Why string }

func (e *QueryRefusedError) Error() string { return "query refused: " + e.Why }

// ErrTooManyQueries says that as many queries run and wait as may.
var ErrTooManyQueries = errors.New("too many queries at once")
