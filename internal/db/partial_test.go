package db_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/db"
	"rollcall/internal/db/dbtest"
)

const (
	backUpVar = "ROLLCALL_TEST_BACK_UP" // the mirror and, after a colon, the name of the copy
	isCopying = "is copying"
)

// TestBackupThatStandsStill is no test but what a process does that is to be
// killed: a backup that gets halfway.
func TestBackupThatStandsStill(t *testing.T) {
	from, to, isAsked := strings.Cut(os.Getenv(backUpVar), ":")
	if !isAsked {
		t.Skip("runs in a process of its own")
	}
	mirror, err := db.OpenReadOnly(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	looks := 0
	err = mirror.Backup(stepping{t.Context(), func() error {
		if looks++; looks == 2 {
			fmt.Println(isCopying)
			select {}
		}
		return nil
	}}, to)
	t.Error("it ended", err)
}

// backingUp starts a process that stands still halfway in a backup.
func backingUp(t *testing.T, from, to string) *exec.Cmd {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestBackupThatStandsStill$", "-test.v")
	command.Env = append(os.Environ(), backUpVar+"="+from+":"+to)
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	var said []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if said = append(said, lines.Text()); lines.Text() == isCopying {
			return command
		}
	}
	t.Fatalf("it does not copy: %q, %v", said, command.Wait())
	return nil
}

func kill(t *testing.T, command *exec.Cmd) {
	t.Helper()
	if err := command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err, isExit := errors.AsType[*exec.ExitError](command.Wait()); !isExit {
		t.Fatal(err)
	}
}

func TestABackupRemovesWhatAKilledOneLeft(t *testing.T) {
	from := filepath.Join(t.TempDir(), "rollcall.db")
	mirror := dbtest.Open(t, from)
	bulky(t, mirror)
	dir := t.TempDir()
	to := filepath.Join(dir, "copy*.db")
	others := []string{
		".copy*.db.1.partial-lock.mine", ".copy*.db.x1.partial-lock", ".copy*.db..partial-lock", ".copy*.dbx.1.partial-lock", ".other.db.1.partial-lock",
	}
	for _, name := range others {
		write(t, filepath.Join(dir, name), nil)
	}
	killed, running := backingUp(t, from, to), backingUp(t, from, to)
	kill(t, killed)
	if left := filesIn(t, dir); len(left) != len(others)+4 {
		t.Fatalf("two that were begun left %q", left)
	}
	if err := mirror.Backup(t.Context(), to); err != nil {
		t.Fatal(err)
	}
	if left := filesIn(t, dir); len(left) != len(others)+2+1 {
		t.Errorf("one is under way, and beside it lie %q", left)
	}
	kill(t, running)
	if err := os.Remove(to); err != nil {
		t.Fatal(err)
	}
	if err := mirror.Backup(t.Context(), to); err != nil {
		t.Fatal(err)
	}
	for _, name := range append(others, "copy*.db") {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	if d := cmp.Diff([]string(nil), filesIn(t, dir)); d != "" {
		t.Errorf("left behind: %s", d)
	}
}
