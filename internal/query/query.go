// Package query runs one reading SQL statement on a snapshot file.
//
// Whatever the statement is, it harms nothing. The file is opened as one that
// is read only and never changes; there is no way to another file; no
// statement but a SELECT is begun; and time, memory, temporary files, rows and
// the number of statements at once are bounded.
package query

import (
	"context"
	"fmt"
	"time"

	"rollcall/internal/directory"
)

// Snapshots makes the file that statements run on.
type Snapshots interface {
	// Snapshot returns the path of a file that shows the present revision and
	// to which nobody writes any more. It stays until release is called.
	Snapshot(ctx context.Context) (path string, f directory.Freshness, release func(), err error)
}

// Bounds of a Runner.
const (
	deadline = 10 * time.Second // for one statement, without the making of the snapshot
	running  = 2                // statements at once
	waiting  = 8                // beyond those that run
)

// A Runner runs statements. It is safe for concurrent use.
type Runner struct {
	snapshots Snapshots
	deadline  time.Duration
	admitted  chan struct{} // holds one for each statement that runs or waits
	slots     chan struct{} // holds one for each that runs
}

// New returns a Runner on the snapshots of a keeper.
func New(snapshots Snapshots) *Runner {
	return &Runner{
		snapshots: snapshots, deadline: deadline,
		admitted: make(chan struct{}, running+waiting), slots: make(chan struct{}, running),
	}
}

// Query answers with what a statement finds at the present revision. It fails
// with a *directory.QueryRefusedError for what is no single reading statement,
// has an error or takes too long, with directory.ErrTooManyQueries, and with
// ctx's error when ctx ends.
func (r *Runner) Query(ctx context.Context, q directory.Query) (directory.Table, directory.Freshness, error) {
	statement, err := single(q.SQL)
	if err != nil {
		return directory.Table{}, directory.Freshness{}, err
	}
	q.SQL = statement
	leave, err := r.enter(ctx)
	if err != nil {
		return directory.Table{}, directory.Freshness{}, err
	}
	path, f, release, err := r.snapshots.Snapshot(ctx)
	if err != nil {
		leave()
		return directory.Table{}, directory.Freshness{}, err
	}
	table, err := r.run(ctx, path, q, func() { release(); leave() })
	return table, f, err
}

// enter waits for a turn. It fails at once where too many wait already.
func (r *Runner) enter(ctx context.Context) (leave func(), err error) {
	select {
	case r.admitted <- struct{}{}:
	default:
		return nil, directory.ErrTooManyQueries
	}
	select {
	case r.slots <- struct{}{}:
		return func() { <-r.slots; <-r.admitted }, nil
	case <-ctx.Done():
		<-r.admitted
		return nil, ctx.Err()
	}
}

// run answers when the statement has ended or its time is up. SQLite looks for
// an interrupt between two steps of a statement, and one call of a function may
// make a long step: then done is called, and its place is free, when that has
// ended, too.
func (r *Runner) run(ctx context.Context, path string, q directory.Query, done func()) (directory.Table, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, r.deadline, r.late())
	defer cancel()
	type result struct {
		table directory.Table
		err   error
	}
	results := make(chan result, 1)
	go func() {
		defer done()
		table, err := read(ctx, path, q)
		results <- result{table, err}
	}()
	select {
	case found := <-results:
		return found.table, found.err
	case <-ctx.Done():
		return directory.Table{}, context.Cause(ctx)
	}
}

func (r *Runner) late() error {
	return refused("It ran for %s without an end, which is all the time a statement has: narrow it.", r.deadline)
}

func refused(format string, args ...any) error {
	return &directory.QueryRefusedError{Why: fmt.Sprintf(format, args...)}
}
