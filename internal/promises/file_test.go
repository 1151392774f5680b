package promises_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"sync"

	"modernc.org/sqlite"
)

// A file is one state of a mirror looked at from outside, beside whoever
// writes it.
type file struct{ *sql.DB }

// openFile opens a mirror as somebody with a tool of their own does.
func openFile(ctx context.Context, path string) (*file, error) {
	lockByDescription()
	pool, err := sql.Open("sqlite", "file:"+filepath.ToSlash(path)+"?mode=ro&_pragma=busy_timeout(5000)")
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(1)
	f := &file{pool}
	if _, err := pool.ExecContext(ctx, "BEGIN"); err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}

// lockByDescription keeps the end of one look at a file from dropping locks
// that this process holds on it. Some systems cannot; some test came first.
var lockByDescription = sync.OnceFunc(func() { _, _ = sqlite.OFDLocking(true) })

func (f *file) close() { f.Close() }

// lines runs a query and returns each row as words.
func (f *file) lines(ctx context.Context, query string) ([]string, error) {
	rows, err := f.QueryContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, query)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var lines []string
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		lines = append(lines, fmt.Sprintln(values...))
	}
	return lines, rows.Err()
}

// A snapshot is all of a file that promises speak of.
type snapshot struct {
	rows
	history
	broken []string // what of the file breaks a promise
}

// look takes a snapshot of a file, which must hold a mirror.
func look(ctx context.Context, path string) (s snapshot, err error) {
	f, err := openFile(ctx, path)
	if err != nil {
		return s, err
	}
	defer f.close()
	if s.broken, err = f.broken(ctx); err != nil {
		return s, err
	}
	if s.rows, err = f.rows(ctx); err != nil {
		return s, err
	}
	if s.history, err = f.history(ctx); err != nil {
		return s, err
	}
	s.broken = slices.Concat(s.broken, s.rows.broken(), s.history.broken())
	return s, nil
}

// picture is what the rows say.
func (s snapshot) picture() picture {
	p := picture{map[string]string{}, map[int64]string{}}
	for _, g := range s.groups {
		p.groups[g.id] = wordsOfGroup(g.name, g.description.String, g.members, g.guests)
	}
	for _, m := range s.members {
		p.members[m.id] = wordsOfMember(m.email, m.first.String, m.last.String, m.role.String, m.status)
	}
	return p
}
