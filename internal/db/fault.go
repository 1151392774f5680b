package db

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// fault turns what SQLite or the system says of a file into what to do about
// it.
func fault(path string, err error) error {
	if errors.Is(err, errForeign) {
		return fmt.Errorf("%s is a database, but not Rollcall's: name another file with --db", path)
	}
	_, isDamage := errors.AsType[damage](err)
	switch {
	case isDamage, hasCode(err, sqlite3.SQLITE_CORRUPT), hasCode(err, sqlite3.SQLITE_NOTADB):
		return damaged(path, err)
	case isFull(err):
		return noRoom(path, err)
	case needsToWrite(err), errors.Is(err, fs.ErrPermission):
		return unwritable(path, err)
	case hasCode(err, sqlite3.SQLITE_IOERR):
		return fmt.Errorf("the disk fails %s (%w): check it, or name a file on another with --db", path, err)
	}
	return fmt.Errorf("open %s: %w", path, err)
}

// needsToWrite reports whether SQLite was refused a file that it would write.
func needsToWrite(err error) bool {
	return hasCode(err, sqlite3.SQLITE_READONLY) || hasCode(err, sqlite3.SQLITE_CANTOPEN) || hasCode(err, sqlite3.SQLITE_PERM)
}

// readFault is what fault says, to one who would only read.
func readFault(path string, err error) error {
	if !needsToWrite(err) && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	for _, name := range []string{path, logPath(path)} {
		file, err := os.Open(name)
		if err == nil {
			err = file.Close()
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("cannot read the mirror: %w: run as somebody who may, or name another file with --db", err)
		}
	}
	if refusal, ok := errors.AsType[*sqlite.Error](err); ok {
		err = refusal // without what was said to one who would write
	}
	if !hasLog(path) {
		return fmt.Errorf("cannot read the mirror %s: %w: run as the user of its server, or name another file with --db", path, err)
	}
	return fmt.Errorf("cannot read %s where nothing can be written (%w), as it has a log that has to be read with it: start the server on it, "+
		"or copy it and %s to another folder and name the copy with --db", path, err, logPath(path))
}

func damaged(path string, err error) error {
	return fmt.Errorf("%s is damaged or no database (%w) and was left as it is: put back a backup, move it and its companions "+
		"away to mirror afresh, or name another file with --db", path, err)
}

func unwritable(path string, err error) error {
	if isFull(err) {
		return noRoom(path, err)
	}
	return fmt.Errorf("cannot write the mirror: %w: make it writable, or name a file in a folder that exists and can be written with --db (now %s)", err, path)
}

func noRoom(path string, err error) error {
	return fmt.Errorf("no room for %s (%w): free some on its disk, or name a file on another with --db", path, err)
}

// isFull reports whether a disk took no more: of a file or, where SQLite does
// not tell, of the index that it makes of a log.
func isFull(err error) bool {
	refusal, ok := errors.AsType[*sqlite.Error](err)
	return hasCode(err, sqlite3.SQLITE_FULL) || ok && refusal.Code() == sqlite3.SQLITE_IOERR_SHMSIZE ||
		errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

func isBusy(err error) bool { return hasCode(err, sqlite3.SQLITE_BUSY) }

// hasCode reports whether an error is SQLite's of one primary code.
func hasCode(err error, code int) bool {
	refusal, ok := errors.AsType[*sqlite.Error](err)
	return ok && refusal.Code()&0xff == code
}
