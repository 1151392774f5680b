package db

import (
	"fmt"
	"net/url"
	"path/filepath"
)

// access says what a connection is for.
type access string

const (
	toWrite   access = "rw"
	toRead    access = "ro"
	toInspect access = "ro&immutable=1" // a file that nobody has open; leaves no trace beside it
)

const defaultMMap = 128 << 20

// dsn names a file to the driver. It begins with file:, without which the
// driver would take mode for a part of the name and open for writing.
// The path is made absolute, as some relative ones mean something else to
// SQLite. Settings stand in it, so that every connection of a pool has them.
func dsn(path string, mode access, settings string) string {
	if absolute, err := filepath.Abs(path); err == nil {
		path = absolute
	}
	slashed := filepath.ToSlash(path)
	if filepath.VolumeName(path) != "" {
		slashed = "/" + slashed
	}
	escaped := (&url.URL{Path: slashed}).EscapedPath()
	return "file:" + escaped + "?mode=" + string(mode) + "&_dqs=0&_pragma=busy_timeout(5000)" + settings
}

// writerDSN has a log that grew with a large publication cut back, at the
// next write, to what it grows to anyway between two checkpoints.
func writerDSN(path string) string {
	return dsn(path, toWrite, "&_txlock=immediate&_defensive=1&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"+
		"&_pragma=foreign_keys(1)&_pragma=journal_size_limit(4194304)")
}

// readerDSN shares what may be mapped among the connections, as each maps
// the file for itself.
func readerDSN(path string, mode access, mmap int64, connections int) string {
	if mmap == 0 {
		mmap = defaultMMap
	}
	return dsn(path, mode, fmt.Sprintf("&_pragma=query_only(1)&_pragma=mmap_size(%d)", max(0, mmap)/int64(connections)))
}
