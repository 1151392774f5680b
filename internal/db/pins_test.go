package db

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// modernc.org/sqlite is translated against one version of modernc.org/libc
// and works with no other: https://gitlab.com/cznic/sqlite/-/issues/177.
func TestLibcIsTheOneThatSQLiteWasMadeFor(t *testing.T) {
	goMod, err := os.ReadFile(list(t, "{{.GoMod}}", "modernc.org/sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	wanted := regexp.MustCompile(`modernc\.org/libc (\S+)`).FindSubmatch(goMod)
	if wanted == nil {
		t.Fatalf("no libc in\n%s", goMod)
	}
	if used := list(t, "{{.Version}}", "modernc.org/libc"); used != string(wanted[1]) {
		t.Errorf("libc %s is used, sqlite wants %s", used, wanted[1])
	}
}

func list(t *testing.T, format, module string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", format, module).Output()
	if err != nil {
		t.Fatalf("go list %s: %v", module, err)
	}
	return strings.TrimSpace(string(out))
}

func TestEveryQueryCanBePrepared(t *testing.T) {
	mirror := openInside(t)
	prepared, err := Prepare(t.Context(), mirror.writer)
	if err != nil {
		t.Fatal(err)
	}
	if err := prepared.Close(); err != nil {
		t.Error(err)
	}
}

// sqlc.slice numbers the parameters after it wrongly, and a parameter in
// ORDER BY CASE is lost: https://github.com/sqlc-dev/sqlc/issues/2452.
// What only SQLite has stands in one file.
func TestQueriesKeepClearOfTraps(t *testing.T) {
	files, err := filepath.Glob("../../queries/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	anywhere := regexp.MustCompile(`(?i)sqlc\.slice|ORDER\s+BY\s+CASE`)
	sqliteOnly := regexp.MustCompile(`(?i)json_|strftime|unixepoch|\bMATCH\b|INDEXED\s+BY|INSERT\s+OR|\browid\b`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if trap := anywhere.Find(text); trap != nil {
			t.Errorf("%s holds %q", file, trap)
		}
		if only := sqliteOnly.Find(text); only != nil && filepath.Base(file) != "sqlite.sql" {
			t.Errorf("%s holds %q, which belongs in sqlite.sql", file, only)
		}
	}
}
