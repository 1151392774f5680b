// Package migrations holds the schema of the mirror as goose migrations. A
// released one is never edited; a change is a further file.
package migrations

import "embed"

// FS holds the migrations in its root.
//
//go:embed *.sql
var FS embed.FS
