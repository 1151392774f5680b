package db_test

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/db"
	"rollcall/internal/db/dbtest"
	"rollcall/internal/directory"
)

func TestOpenMakesAFileThatItsOwnerAloneMayRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?#%.db")
	mirror, err := db.Open(t.Context(), db.Options{Path: path, Organization: dbtest.Organization})
	if err != nil {
		t.Fatal(err)
	}
	defer mirror.Close()
	seed(t, mirror)
	for _, suffix := range []string{"", "-wal", "-shm", "-lock"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %s", info.Name(), info.Mode())
		}
	}
	if size, err := mirror.Size(t.Context()); err != nil || size < 4096 {
		t.Errorf("size %d, %v", size, err)
	}
}

func TestCloseLeavesOneFileAndAnEmptyLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rollcall.db")
	mirror := dbtest.Open(t, path)
	seed(t, mirror)
	if err := errors.Join(mirror.Close(), mirror.Close()); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"rollcall.db", "rollcall.db-lock"}, filesIn(t, filepath.Dir(path))); d != "" {
		t.Error(d)
	}
}

func TestARestartKeepsEverything(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rollcall.db")
	mirror := dbtest.Open(t, path)
	before := seed(t, mirror)
	group := mustGroup(t, mirror, sales)
	if err := mirror.Close(); err != nil {
		t.Fatal(err)
	}
	mirror = dbtest.Open(t, path)
	if after, err := mirror.Freshness(t.Context()); err != nil || after != before {
		t.Errorf("freshness %+v, %v; want %+v", after, err, before)
	}
	if d := cmp.Diff(group, mustGroup(t, mirror, sales)); d != "" {
		t.Error(d)
	}
}

// A refusal is a file that Open must not touch, and what it says of it.
type refusal struct {
	prepare      func(t *testing.T, path string)
	organization string
	says         []string
}

var refusals = map[string]refusal{
	"another organisation": {
		prepare:      func(t *testing.T, path string) { closed(t, path) },
		organization: "ffff",
		says:         []string{dbtest.Organization, "ffff", "--org", "--db"},
	},
	"newer schema": {
		prepare: func(t *testing.T, path string) {
			closed(t, path)
			execute(t, path, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)")
		},
		says: []string{"newer Rollcall", "99", "--db"},
	},
	"no database": {
		prepare: func(t *testing.T, path string) { write(t, path, []byte(strings.Repeat("no database ", 500))) },
		says:    []string{"damaged or no database", "left as it is", "backup", "--db"},
	},
	"another program's database": {
		prepare: func(t *testing.T, path string) {
			write(t, path, nil)
			execute(t, path, "CREATE TABLE accounts (id INTEGER)")
		},
		says: []string{"not Rollcall's", "--db"},
	},
	"cut short": {
		prepare: func(t *testing.T, path string) {
			closed(t, path)
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(path, info.Size()-8192); err != nil {
				t.Fatal(err)
			}
		},
		says: []string{"damaged", "left as it is", "--db"},
	},
	"damaged schema": {
		prepare: func(t *testing.T, path string) {
			closed(t, path)
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			copy(content[100:], strings.Repeat("\xa5", 200))
			write(t, path, content)
		},
		says: []string{"damaged", "left as it is", "--db"},
	},
	"a folder": {
		prepare: func(t *testing.T, path string) {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		},
		says: []string{"folder", "--db"},
	},
}

func TestOpenRefusesAndChangesNothing(t *testing.T) {
	for name, r := range refusals {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "rollcall.db")
			r.prepare(t, path)
			if r.organization == "" {
				r.organization = dbtest.Organization
			}
			before := contents(t, filepath.Dir(path))
			_, err := db.Open(t.Context(), db.Options{Path: path, Organization: r.organization})
			wantSentence(t, err, r.says...)
			if d := cmp.Diff(before, contents(t, filepath.Dir(path))); d != "" {
				t.Errorf("a refused Open changed files:\n%s", d)
			}
		})
	}
}

func TestOpenRefusesAPlaceThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	write(t, file, nil)
	for name, path := range map[string]string{
		"no folder":            filepath.Join(dir, "none", "rollcall.db"),
		"a file, not a folder": filepath.Join(file, "rollcall.db"),
	} {
		_, err := db.Open(t.Context(), db.Options{Path: path, Organization: "o"})
		t.Log(name)
		wantSentence(t, err, "cannot write", "--db")
	}
	if d := cmp.Diff([]string{"file"}, filesIn(t, dir)); d != "" {
		t.Error(d)
	}
}

func TestOpenRefusesAFolderWithoutPermission(t *testing.T) {
	if os.Geteuid() == 0 || runtime.GOOS == "windows" {
		t.Skip("permissions do not bind this user")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	_, err := db.Open(t.Context(), db.Options{Path: filepath.Join(dir, "rollcall.db"), Organization: "o"})
	wantSentence(t, err, "cannot write", "--db")
}

func TestAnOpenThatFailsHalfWayTakesItsFilesBack(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := db.Open(ctx, db.Options{Path: filepath.Join(dir, "rollcall.db"), Organization: "o"}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if files := filesIn(t, dir); len(files) != 0 {
		t.Errorf("left behind: %v", files)
	}
}

func TestOpenRefusesWithoutNames(t *testing.T) {
	_, err := db.Open(t.Context(), db.Options{Organization: "o"})
	wantSentence(t, err, "--db")
	_, err = db.Open(t.Context(), db.Options{Path: filepath.Join(t.TempDir(), "rollcall.db")})
	wantSentence(t, err, "--org")
}

func TestASecondWriterIsRefusedAndAReaderIsNot(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rollcall.db")
	mirror := dbtest.Open(t, path)
	fresh := seed(t, mirror)
	before := filesIn(t, filepath.Dir(path))
	_, err := db.Open(t.Context(), db.Options{Path: path, Organization: dbtest.Organization})
	wantSentence(t, err, "another Rollcall process", "--db")
	if d := cmp.Diff(before, filesIn(t, filepath.Dir(path))); d != "" {
		t.Error(d)
	}

	reader, err := db.OpenReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if got, err := reader.Freshness(t.Context()); err != nil || got != fresh {
		t.Errorf("the reader sees %+v, %v; want %+v", got, err, fresh)
	}
	if reader.Organization() != dbtest.Organization {
		t.Errorf("organization %s", reader.Organization())
	}
	if _, err := reader.Publish(t.Context(), directory.Publication{}); err == nil {
		t.Error("the reader published")
	}
	if err := reader.RecordSpend(t.Context(), directory.Spend{}); err == nil {
		t.Error("the reader noted requests")
	}
	publish(t, mirror, directory.Publication{GoneGroups: []directory.Gone[string]{{ID: sales, Origin: observed(0, 1)}}})
	if got, err := reader.Freshness(t.Context()); err != nil || got.Revision != 2 {
		t.Errorf("the reader sees revision %d, %v; want 2", got.Revision, err)
	}

	if err := mirror.Close(); err != nil {
		t.Fatal(err)
	}
	dbtest.Open(t, path) // the lock went with the first
}

func TestOpenReadOnlyRefusesWhatIsNoMirror(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "rollcall.db")
	_, err := db.OpenReadOnly(t.Context(), missing)
	wantSentence(t, err, "--db")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v is not ErrNotExist", err)
	}
	empty := filepath.Join(dir, "empty.db")
	write(t, empty, nil)
	_, err = db.OpenReadOnly(t.Context(), empty)
	wantSentence(t, err, "no mirror", "--db")
	if d := cmp.Diff([]string{"empty.db"}, filesIn(t, dir)); d != "" {
		t.Error(d)
	}
}

func TestAnOpenThatWasKilledIsTakenUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rollcall.db")
	write(t, path, nil) // made, not yet migrated
	mirror := dbtest.Open(t, path)
	if fresh := seed(t, mirror); fresh.Revision != 1 {
		t.Errorf("revision %d", fresh.Revision)
	}
}

func TestEveryMirrorHasItsOwnEpoch(t *testing.T) {
	a, b := seed(t, dbtest.New(t)), seed(t, dbtest.New(t))
	if a.Epoch == "" || a.Epoch == b.Epoch {
		t.Errorf("epochs %q and %q", a.Epoch, b.Epoch)
	}
}

func TestReadersCannotWrite(t *testing.T) {
	mirror := dbtest.New(t)
	seed(t, mirror)
	for _, statement := range []string{
		"DELETE FROM groups", "CREATE TABLE t (a)", "PRAGMA user_version = 7", "PRAGMA query_only = 0; DELETE FROM members",
	} {
		if _, err := db.Readers(mirror).ExecContext(t.Context(), statement); err == nil {
			t.Errorf("a reader ran %s", statement)
		}
	}
	if n := count(t, mirror, "groups") + count(t, mirror, "members"); n != 4 {
		t.Errorf("%d rows left of 4", n)
	}
}

func TestEveryConnectionHasItsSettings(t *testing.T) {
	mirror := dbtest.New(t)
	for pool, settings := range map[*sql.DB]map[string]string{
		db.Writer(mirror):  {"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000"},
		db.Readers(mirror): {"query_only": "1", "busy_timeout": "5000", "journal_mode": "wal"},
	} {
		for name, want := range settings {
			var got string
			if err := pool.QueryRowContext(t.Context(), "PRAGMA "+name).Scan(&got); err != nil || got != want {
				t.Errorf("%s is %s, %v; want %s", name, got, err, want)
			}
		}
	}
}

func wantSentence(t *testing.T, err error, says ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("not refused")
	}
	for _, part := range says {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the refusal does not say %q: %v", part, err)
		}
	}
}

// closed makes a mirror with a revision and closes it.
func closed(t *testing.T, path string) {
	t.Helper()
	mirror := dbtest.Open(t, path)
	seed(t, mirror)
	if err := mirror.Close(); err != nil {
		t.Fatal(err)
	}
}

func execute(t *testing.T, path, statement string) {
	t.Helper()
	pool, err := sql.Open("sqlite", "file:"+filepath.ToSlash(path)+"?mode=rw")
	if err != nil {
		t.Fatal(err)
	}
	_, err = pool.ExecContext(t.Context(), statement)
	if err := errors.Join(err, pool.Close()); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func filesIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, name := range filesIn(t, dir) {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil && !strings.Contains(err.Error(), "is a directory") {
			t.Fatal(err)
		}
		all[name] = string(content)
	}
	return all
}
