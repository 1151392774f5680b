package db

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Beside a mirror lies a copy of it from before the last change of its
// schema, named after the version that it changed to: rollcall.db.before-v2.
// Going back to the program of before is to stop, and to rename it.

const asideInfix = ".before-v"

func asidePath(mirror string, version int64) string {
	return mirror + asideInfix + strconv.FormatInt(version, 10)
}

// asides lists the copies beside a mirror by version.
func asides(mirror string) map[int64]string {
	folder := filepath.Dir(mirror)
	entries, _ := os.ReadDir(folder) // a folder that cannot be listed has none
	found := map[int64]string{}
	for _, entry := range entries {
		text, ok := strings.CutPrefix(entry.Name(), filepath.Base(mirror)+asideInfix)
		version, err := strconv.ParseInt(text, 10, 64)
		if path := filepath.Join(folder, entry.Name()); ok && err == nil && filepath.Clean(asidePath(mirror, version)) == path {
			found[version] = path
		}
	}
	return found
}

// putAside copies the mirror before its schema changes. A copy of an older
// schema than the file's is kept: it was made by an upgrade to this version
// that was cut short between two migrations, and the file is halfway.
func (db *DB) putAside(ctx context.Context, present facts, to schema) error {
	path := asidePath(db.path, to.newest)
	kept, err := factsOf(ctx, path)
	if err == nil && kept.organization == present.organization && kept.schema < present.schema {
		return nil
	}
	if err := db.copyAside(ctx, path); err != nil {
		return err
	}
	db.logger.Info("mirror copied before its schema changes", "copy", path, "version", present.schema)
	return nil
}

// copyAside copies the mirror, under the lock of the one process that writes
// it: what one that was killed left unfinished is in nobody's use.
func (db *DB) copyAside(ctx context.Context, path string) error {
	partial := path + ".partial"
	removeDatabase(partial)
	defer removeDatabase(partial)
	if _, err := makeFile(partial); err != nil {
		return err
	}
	if err := db.copyInto(ctx, db.writer, partial); err != nil {
		return err
	}
	return moveTo(partial, path)
}

// keepOnly removes the copies from before earlier upgrades.
func (db *DB) keepOnly(present schema) {
	for version, path := range asides(db.path) {
		if version == present.newest {
			continue
		}
		if err := os.Remove(path); err != nil {
			db.logger.Warn("a copy from before an earlier upgrade stays", "error", err)
		}
	}
}

// newer refuses the mirror of a newer program and names the copy to go back
// to, if there is one.
func newer(ctx context.Context, path string, about facts, known schema) error {
	mend := "put back a copy from before the upgrade"
	if aside := readable(ctx, path, about.organization, known); aside != "" {
		mend = fmt.Sprintf("stop the newer one and put back the copy from before the upgrade by renaming %s to %s", aside, path)
	}
	return fmt.Errorf("%s was written by a newer Rollcall (schema %d, this one knows %d): upgrade Rollcall, %s, or name another file with --db",
		path, about.schema, known.newest, mend)
}

// readable returns the latest copy beside a mirror that this program can
// open, or nothing.
func readable(ctx context.Context, mirror, organization string, known schema) (path string) {
	var latest int64
	for _, aside := range asides(mirror) {
		about, err := factsOf(ctx, aside)
		if err == nil && about.organization == organization && about.schema <= known.newest && about.schema > latest {
			path, latest = aside, about.schema
		}
	}
	return path
}
