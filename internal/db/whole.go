package db

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// A damage is what SQLite would open, and serve or delete, although a part of
// it is lost.
type damage string

func (d damage) Error() string { return string(d) }

func logPath(mirror string) string { return mirror + "-wal" }

// hasLog reports whether the log beside a file may hold anything.
func hasLog(mirror string) bool {
	log, err := os.Stat(logPath(mirror))
	return err == nil && log.Size() > logHeadSize
}

// isAtRest reports whether nobody has a file open and all of it is in the
// file. Whoever opens it makes a log and an index of the log, and the last to
// close it removes both, unless killed.
func isAtRest(mirror string) bool {
	if hasLog(mirror) {
		return false
	}
	_, log := os.Stat(logPath(mirror))
	_, index := os.Stat(mirror + "-shm")
	return errors.Is(log, fs.ErrNotExist) || errors.Is(index, fs.ErrNotExist)
}

// checkLogged refuses what SQLite would make wrong of a file with a log, before
// SQLite sees either. It would delete the log of an empty file, and play any
// log into any other, also into one that was put where another had been: what
// Backup wrote says that it has none, until SQLite has opened it to write.
func checkLogged(path string) error {
	if !hasLog(path) {
		return nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil // SQLite knows better what is wrong
	}
	defer file.Close()
	var head [20]byte
	if _, err := io.ReadFull(file, head[:]); err != nil || !bytes.HasPrefix(head[:], []byte("SQLite format 3\x00")) {
		return damaged(path, damage("its head is lost, and its log is not"))
	}
	// The versions for writing and reading, https://sqlite.org/fileformat2.html
	if [2]byte(head[18:]) != [2]byte{2, 2} {
		return fmt.Errorf("%s was put where another file had been, whose log is still there and would spoil it: "+
			"delete %s and %s-shm and start again", path, logPath(path), path)
	}
	if _, err := scanLog(logPath(path), noPage); err != nil {
		return fault(path, err)
	}
	return nil
}

// checkOrphan refuses to make a file where the log of another lies, which
// SQLite would delete.
func checkOrphan(path string) error {
	if !hasLog(path) {
		return nil
	}
	return fmt.Errorf("%s is gone, but its log %s is still there and was left as it is: put the file back, or move the log away, too, "+
		"to mirror afresh, or name another file with --db", path, logPath(path))
}

// checkWhole refuses a file that lacks a page of the database. Each lies in
// the file or, until it is moved there, in the log; SQLite looks at the size
// of the file alone, rounded up, and not even at that where there is a log.
// The caller's transaction keeps what it can see of the log from being
// overwritten.
func checkWhole(ctx context.Context, tx queryer, path string) error {
	var pages, size int64
	if err := tx.QueryRowContext(ctx, "SELECT page_count, page_size FROM pragma_page_count, pragma_page_size").Scan(&pages, &size); err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	present := info.Size() / size
	if present >= pages {
		return nil
	}
	logged, err := scanLog(logPath(path), present)
	if err != nil {
		return err
	}
	missing := 0
	for page := present + 1; page <= pages; page++ {
		if _, ok := logged[uint32(page)]; !ok {
			missing++
		}
	}
	if missing > 0 {
		return damage(fmt.Sprintf("it is cut short: %d of %d pages are missing", missing, pages))
	}
	return nil
}
