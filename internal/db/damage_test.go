package db_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/db"
	"rollcall/internal/db/dbtest"
	"rollcall/internal/directory"
)

// A remnant is a file and its log, as a process that was killed leaves them.
type remnant struct{ file, log []byte }

// remnantOf reads what lies on the disk while a mirror is open and at rest.
func remnantOf(t *testing.T, path string) remnant {
	t.Helper()
	file, err := os.ReadFile(path)
	log, logErr := os.ReadFile(path + "-wal")
	if err := errors.Join(err, logErr); err != nil {
		t.Fatal(err)
	}
	return remnant{file, log}
}

func (r remnant) lay(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "rollcall.db")
	write(t, path, r.file)
	if r.log != nil {
		write(t, path+"-wal", r.log)
	}
	return path
}

// wantRefused wants both ways in to refuse, in one sentence, and to change
// nothing. An index that SQLite makes of a log says nothing that the log does
// not.
func (r remnant) wantRefused(t *testing.T, says ...string) {
	t.Helper()
	path := r.lay(t)
	_, err := db.Open(t.Context(), db.Options{Path: path, Organization: dbtest.Organization})
	wantSentence(t, err, append(says, path, "left as it is")...)
	if strings.Contains(err.Error(), "delete") {
		t.Errorf("it advises to delete something: %v", err)
	}
	_, err = db.OpenReadOnly(t.Context(), path)
	wantSentence(t, err, append(says, path)...)
	after := contents(t, filepath.Dir(path))
	delete(after, "rollcall.db-shm")
	before := map[string]string{"rollcall.db": string(r.file)}
	if r.log != nil {
		before["rollcall.db-wal"] = string(r.log)
	}
	if !maps.Equal(before, after) {
		t.Errorf("a refused Open changed files: %q", slices.Sorted(maps.Keys(after)))
	}
}

// wantRevision wants both ways in to show a revision, and the file to be whole.
func (r remnant) wantRevision(t *testing.T, want int64) {
	t.Helper()
	path := r.lay(t)
	reader, err := db.OpenReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	shown, err := reader.Freshness(t.Context())
	if err := errors.Join(err, reader.Close()); err != nil || shown.Revision != want {
		t.Errorf("the reader shows revision %d, %v; want %d", shown.Revision, err, want)
	}
	mirror := dbtest.Open(t, path)
	if shown, err = mirror.Freshness(t.Context()); err != nil || shown.Revision != want {
		t.Errorf("revision %d, %v; want %d", shown.Revision, err, want)
	}
	if found := rowsOf(t, db.Readers(mirror), "PRAGMA integrity_check"); strings.TrimSpace(found[0]) != "ok" {
		t.Errorf("not whole: %s", found)
	}
}

func (r remnant) withLog(log []byte) remnant { return remnant{r.file, log} }

// flipped has the bits of one byte turned.
func flipped(content []byte, at int) []byte {
	turned := bytes.Clone(content)
	turned[at] ^= 0xff
	return turned
}

// killed makes a mirror with three revisions that are in the log alone, and
// tells where in the log the last begins.
func killed(t *testing.T) (left remnant, last int) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rollcall.db")
	mirror := dbtest.Open(t, path)
	seed(t, mirror)
	rename(t, mirror, "second")
	last = len(remnantOf(t, path).log)
	rename(t, mirror, "third")
	return remnantOf(t, path), last
}

func TestALogWithoutItsHeadIsRefused(t *testing.T) {
	left, _ := killed(t)
	for at := range 32 {
		left.withLog(flipped(left.log, at)).wantRefused(t, "damaged", "head of its log")
	}
	zeroed := bytes.Clone(left.log)
	clear(zeroed[:32])
	left.withLog(zeroed).wantRefused(t, "damaged", "head of its log")
}

// Whatever is spoilt before the last transaction began, of the heads of frames
// and of the pages in them.
func TestALogThatIsSpoiltBeforeItsEndIsRefused(t *testing.T) {
	left, last := killed(t)
	const frame = 24 + 4096
	rng := rand.New(rand.NewPCG(1, 1))
	for range 25 {
		at := 32 + rng.IntN(last-32-frame)
		left.withLog(flipped(left.log, at)).wantRefused(t, "damaged", "its log is damaged before byte")
	}
	for at := range 24 {
		left.withLog(flipped(left.log, 32+frame+at)).wantRefused(t, "damaged", "its log is damaged before byte")
	}
	for _, ofTheEnd := range []int{0, 8, 24, frame - 1} {
		left.withLog(flipped(left.log, last-frame+ofTheEnd)).wantRefused(t, "damaged", "its log is damaged before byte")
	}
	overwritten := bytes.Clone(left.log)
	copy(overwritten[last/2:], strings.Repeat("\xa5", 5000))
	left.withLog(overwritten).wantRefused(t, "damaged")
}

// A write that was under way may have left anything, of its frames and of a
// log that it was the first to write.
func TestWhateverAKilledWriteLeftIsTakenUp(t *testing.T) {
	left, last := killed(t)
	rng := rand.New(rand.NewPCG(2, 2))
	for range 3 {
		left.withLog(left.log[:last+rng.IntN(len(left.log)-last)]).wantRevision(t, 2)
		left.withLog(flipped(left.log, last+rng.IntN(len(left.log)-last))).wantRevision(t, 2)
	}
	path := filepath.Join(t.TempDir(), "rollcall.db")
	closed(t, path)
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{0, 1, 31, 32} {
		remnant{file, left.log[:size]}.wantRevision(t, 1)
		remnant{file, make([]byte, size)}.wantRevision(t, 1)
	}
}

// A log that is begun anew keeps the frames of before behind those of now.
func TestALogThatWasBegunAnewIsTakenUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rollcall.db")
	mirror := dbtest.Open(t, path)
	seed(t, mirror)
	rename(t, mirror, "second")
	rename(t, mirror, "third")
	if _, err := db.Writer(mirror).ExecContext(t.Context(), "PRAGMA wal_checkpoint(RESTART)"); err != nil {
		t.Fatal(err)
	}
	before := remnantOf(t, path)
	before.wantRevision(t, 3)
	rename(t, mirror, "fourth")
	after := remnantOf(t, path)
	if len(after.log) != len(before.log) || bytes.Equal(after.log[:32], before.log[:32]) {
		t.Fatalf("the log of %d bytes was not begun anew", len(after.log))
	}
	after.wantRevision(t, 4)
	headAlone := append(bytes.Clone(after.log[:32]), before.log[32:]...)
	after.withLog(headAlone).wantRevision(t, 3)
	torn := flipped(after.log, 32+24)
	after.withLog(torn).wantRevision(t, 3)
	after.withLog(flipped(after.log, 9)).wantRefused(t, "head of its log")
}

// A publication that failed leaves frames behind that the next overwrites in
// part.
func TestALogWithTracesOfAFailureIsTakenUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rollcall.db")
	mirror := dbtest.Open(t, path)
	seed(t, mirror)
	limitPages(t, mirror, 600)
	if _, err := db.Writer(mirror).ExecContext(t.Context(), "PRAGMA cache_size = 10"); err != nil {
		t.Fatal(err)
	}
	at := len(remnantOf(t, path).log)
	for _, groups := range []int{300, 200} {
		if _, err := mirror.Publish(t.Context(), largeGroups(groups)); err == nil {
			t.Fatal("the disk was not full")
		}
		left := remnantOf(t, path)
		if len(left.log) < at+(100<<12) {
			t.Fatalf("the log has %d bytes, nothing was spilt", len(left.log))
		}
		left.wantRevision(t, 1)
	}
	rename(t, mirror, "second")
	remnantOf(t, path).wantRevision(t, 2)
	rename(t, mirror, "third")
	remnantOf(t, path).wantRevision(t, 3)
}

func TestAFileThatIsCutIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rollcall.db")
	mirror := dbtest.Open(t, path)
	seed(t, mirror)
	publish(t, mirror, largeGroups(10))
	if err := mirror.Close(); err != nil {
		t.Fatal(err)
	}
	stopped, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rename(t, dbtest.Open(t, path), "third") // touches none of the last pages
	left := remnantOf(t, path)
	left.wantRevision(t, 3)
	for _, lost := range []int{1, 2048, 4095, 4096, 4097, 3 * 4096} {
		remnant{file: stopped[:len(stopped)-lost]}.wantRefused(t, "damaged")
		remnant{left.file[:len(left.file)-lost], left.log}.wantRefused(t, "damaged", "cut short", "are missing")
	}
}

// largeGroups is a publication of groups that take three pages each.
func largeGroups(n int) (p directory.Publication) {
	for i := range n {
		row := groupRow(fmt.Sprintf("%032x", i), "Group", nil)
		row.Description = new(strings.Repeat("about ", 2000))
		p.Groups = append(p.Groups, updateGroup(row, 1, 2))
	}
	return p
}

// What a kill leaves as the log is moved into the file: a file that is still
// short, and a log that has the rest.
func TestAFileWhoseRestIsInTheLogIsTakenUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rollcall.db")
	mirror := dbtest.Open(t, path)
	seed(t, mirror)
	short := len(remnantOf(t, path).file)
	publish(t, mirror, largeGroups(100))
	if _, err := db.Writer(mirror).ExecContext(t.Context(), "PRAGMA wal_checkpoint(PASSIVE)"); err != nil {
		t.Fatal(err)
	}
	left := remnantOf(t, path)
	if len(left.file) < short+(100<<12) {
		t.Fatalf("the file has grown from %d to %d bytes alone", short, len(left.file))
	}
	for _, size := range []int{short, short + 1, short + 4096, short + 50*4096 - 7, len(left.file) - 1} {
		remnant{left.file[:size], left.log}.wantRevision(t, 2)
	}
	remnant{left.file[:2*4096], left.log}.wantRefused(t, "damaged", "are missing")
}

// What a write that was under way left of a page is not the page.
func TestAPageThatOnlyAKilledWriteHasIsMissing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rollcall.db")
	mirror := dbtest.Open(t, path)
	seed(t, mirror)
	publish(t, mirror, largeGroups(10))
	if err := mirror.Close(); err != nil {
		t.Fatal(err)
	}
	mirror = dbtest.Open(t, path)
	rename(t, mirror, "third")
	if _, err := db.Writer(mirror).ExecContext(t.Context(), "UPDATE groups SET description = description || '!', payload = payload || '!'"); err != nil {
		t.Fatal(err)
	}
	left := remnantOf(t, path)
	left.wantRevision(t, 3)
	cut := remnant{left.file[:len(left.file)-1], left.log}
	cut.wantRevision(t, 3)
	cut.withLog(left.log[:len(left.log)-1]).wantRefused(t, "damaged", "1 of ")
}

// SQLite would play the log into the wrong file, or delete it.
func TestALogBesideAFileWithoutAHeadIsLeftAlone(t *testing.T) {
	left, _ := killed(t)
	zeroed := bytes.Clone(left.file)
	clear(zeroed[:100])
	for _, file := range [][]byte{zeroed, flipped(left.file, 0), left.file[:19], nil} {
		remnant{file, left.log}.wantRefused(t, "damaged", "its head is lost")
	}
}

func TestALogWhoseFileIsGoneIsLeftAlone(t *testing.T) {
	left, _ := killed(t)
	path := left.lay(t)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	before := contents(t, filepath.Dir(path))
	_, err := db.Open(t.Context(), db.Options{Path: path, Organization: dbtest.Organization})
	wantSentence(t, err, path+" is gone", path+"-wal", "put the file back", "left as it is", "--db")
	if d := cmp.Diff(before, contents(t, filepath.Dir(path))); d != "" {
		t.Errorf("a refused Open changed files:\n%s", d)
	}
	write(t, path+"-wal", left.log[:32]) // which holds nothing
	mirror, err := db.Open(t.Context(), db.Options{Path: path, Organization: dbtest.Organization})
	if err != nil {
		t.Fatal(err)
	}
	if err := mirror.Close(); err != nil {
		t.Error(err)
	}
}

// A reader beside a writer sees the log change under it.
func TestAReaderBesideABusyWriterIsNeverRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rollcall.db")
	mirror := dbtest.Open(t, path)
	seed(t, mirror)
	if _, err := db.Writer(mirror).ExecContext(t.Context(), "PRAGMA wal_autocheckpoint = 20"); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		var failed error
		for n := range 60 {
			_, err := mirror.Publish(t.Context(), directory.Publication{
				Cause: directory.CauseSweep, Members: []directory.MemberUpdate{updateMember(memberRow(1, "ann@x.test", fmt.Sprint(n)), 0, 1)},
			})
			failed = errors.Join(failed, err)
		}
		done <- failed
	}()
	for looks := 0; ; looks++ {
		select {
		case err := <-done:
			if err != nil || looks == 0 {
				t.Errorf("%d looks, %v", looks, err)
			}
			return
		default:
		}
		reader, err := db.OpenReadOnly(t.Context(), path)
		if err != nil {
			t.Error(err)
			continue
		}
		if err := reader.Close(); err != nil {
			t.Error(err)
		}
	}
}
