package db

import "database/sql"

// Writer and Readers lend a mirror's pools to tests.
func Writer(db *DB) *sql.DB  { return db.writer }
func Readers(db *DB) *sql.DB { return db.readers }
