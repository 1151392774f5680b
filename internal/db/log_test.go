package db_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rollcall/internal/db"
	"rollcall/internal/db/dbtest"
	"rollcall/internal/directory"
)

func unchanged(minute int) directory.Publication {
	sweep := sweepAt(minute)
	sweep.Result = directory.SweepUnchanged
	return directory.Publication{Sweep: sweep}
}

func TestTheLogOfALargePublicationDoesNotStay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rollcall.db")
	mirror := dbtest.Open(t, path)
	bulky(t, mirror)
	if size := logSize(t, path); size < 6<<20 {
		t.Fatalf("the log has %d bytes: too few to show anything", size)
	}
	publish(t, mirror, unchanged(1))
	if size := logSize(t, path); size > 4<<20 {
		t.Errorf("after the next note the log still has %d bytes", size)
	}
}

func TestAnUnchangedSweepWritesItsOwnNoteAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rollcall.db")
	mirror := dbtest.Open(t, path)
	before := bulky(t, mirror)
	publish(t, mirror, unchanged(1))
	if _, err := db.Writer(mirror).ExecContext(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		t.Fatal(err)
	}
	if after := publish(t, mirror, unchanged(2)); after.Pin() != before.Pin() {
		t.Errorf("an unchanged sweep made %+v of %+v", after, before)
	}
	wrote := tablesInLog(t, mirror, path)
	slices.Sort(wrote)
	if want := []string{"mirror", "sqlite_sequence", "sweeps", "sweeps_that_succeeded"}; !slices.Equal(wrote, want) {
		t.Errorf("an unchanged sweep wrote to %q, want %q", wrote, want)
	}
}

func logSize(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// tablesInLog names the table or index of each page in the log, which has
// been empty before. https://sqlite.org/fileformat2.html#the_write_ahead_log
func tablesInLog(t *testing.T, mirror *db.DB, path string) (names []string) {
	t.Helper()
	log, err := os.ReadFile(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	const header, frame = 32, 24 + 4096
	owners := map[string]string{}
	for _, line := range rowsOf(t, db.Readers(mirror), "SELECT pageno, name FROM dbstat") {
		page, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		owners[page] = name
	}
	for at := header; at < len(log); at += frame {
		page := binary.BigEndian.Uint32(log[at:])
		names = append(names, owners[fmt.Sprint(page)])
	}
	return names
}
