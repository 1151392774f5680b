package db

import (
	"context"
	"database/sql"
)

// statements prepares each query of a transaction once. database/sql would
// bind a prepared one to the transaction at every call and keep all of those
// until its end: a hundred thousand in a first sweep.
type statements struct {
	tx       *sql.Tx
	prepared map[string]*sql.Stmt
}

func newStatements(tx *sql.Tx) *statements {
	return &statements{tx: tx, prepared: map[string]*sql.Stmt{}}
}

// PrepareContext returns a statement that ends with the transaction.
func (s *statements) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	if stmt, ok := s.prepared[query]; ok {
		return stmt, nil
	}
	stmt, err := s.tx.PrepareContext(ctx, query)
	if err == nil {
		s.prepared[query] = stmt
	}
	return stmt, err
}

func (s *statements) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	stmt, err := s.PrepareContext(ctx, query) //nolint:sqlclosecheck // the transaction's end closes it
	if err != nil {
		return nil, err
	}
	return stmt.ExecContext(ctx, args...)
}

func (s *statements) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	stmt, err := s.PrepareContext(ctx, query) //nolint:sqlclosecheck // the transaction's end closes it
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

// QueryRowContext leaves an error of preparing to the row, as a transaction
// does.
func (s *statements) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	stmt, err := s.PrepareContext(ctx, query) //nolint:sqlclosecheck // the transaction's end closes it
	if err != nil {
		return s.tx.QueryRowContext(ctx, query, args...)
	}
	return stmt.QueryRowContext(ctx, args...)
}
