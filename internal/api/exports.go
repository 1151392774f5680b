package api

import (
	"context"

	"rollcall/internal/directory"
)

// A Snapshotter keeps the present revision as an SQLite file of plain tables:
// groups, members, memberships, membership_history and changes.
type Snapshotter interface {
	// Snapshot returns the path of the file that shows the present revision,
	// made if need be; callers at once share one making. Nothing writes to the
	// file any more. It stays until release, which must be called once.
	Snapshot(ctx context.Context) (path string, f directory.Freshness, release func(), err error)
}

// Exports are tables as files.
type Exports interface {
	Snapshotter
}
