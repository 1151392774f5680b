package db

import (
	"context"
	"os"
	"path/filepath"
	"strings"
)

// A partial is a copy that is being made, hidden beside the name it is to
// have. Its lock is taken before it exists and released after it is gone, so
// that a partial whose lock is free was abandoned by a process that was killed.
type partial struct {
	path string
	lock *processLock
}

// begin makes an empty partial of a file. Each has a name of its own.
func begin(ctx context.Context, of string) (p partial, err error) {
	named, err := os.CreateTemp(filepath.Dir(of), partialPrefix(of)+"*"+lockPath(partialSuffix))
	if err != nil {
		return p, err
	}
	p.path = strings.TrimSuffix(named.Name(), lockPath(""))
	if err = named.Close(); err == nil {
		p.lock, err = lockFile(ctx, p.path)
	}
	if err == nil {
		_, err = makeFile(p.path)
	}
	if err != nil {
		p.remove()
	}
	return p, err
}

const partialSuffix = ".partial"

func partialPrefix(of string) string { return "." + filepath.Base(of) + "." }

// remove takes away what there still is of a partial.
func (p partial) remove() {
	removeDatabase(p.path)
	if p.lock != nil {
		_ = p.lock.release() // it ends with the process at the latest
	}
	_ = os.Remove(lockPath(p.path))
}

// removeAbandoned removes the partials of a file that nobody makes any more.
// One that cannot be removed is in nobody's way.
func removeAbandoned(ctx context.Context, of string) {
	folder := filepath.Dir(of)
	entries, _ := os.ReadDir(folder) // a folder that cannot be listed has none
	for _, entry := range entries {
		name, isLock := strings.CutSuffix(entry.Name(), lockPath(""))
		if !isLock || !isPartial(name, of) {
			continue
		}
		p := partial{path: filepath.Join(folder, name)}
		var err error
		if p.lock, err = lockFile(ctx, p.path); err == nil {
			p.remove()
		}
	}
}

// isPartial tells the partials of a file from those of one whose name begins
// with the same words.
func isPartial(name, of string) bool {
	random, isOurs := strings.CutPrefix(name, partialPrefix(of))
	random, isPartial := strings.CutSuffix(random, partialSuffix)
	return isOurs && isPartial && random != "" && strings.Trim(random, "0123456789") == ""
}
