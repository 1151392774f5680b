// Package promises_test holds the assembled program against what its README
// promises: a real process, a real file, and everything done to both that can
// be done to a process and a file.
package promises_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

// A reporter is a *testing.T or a *rapid.T.
type reporter interface {
	Helper()
	Context() context.Context
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := binary(); err == nil && isBuilt {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

var isBuilt bool

// binary builds the program once for all tests, without the race detector,
// with the flags of a release.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "rollcall-promises-")
	if err != nil {
		return "", err
	}
	if err := errors.Join(os.Chmod(dir, 0o755), lookAtSources()); err != nil {
		return "", err
	}
	path := filepath.Join(dir, "rollcall")
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	build := exec.Command("go", "build", "-trimpath", "-o", path, "rollcall/cmd/rollcall")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	isBuilt = true
	return path, nil
})

// lookAtSources lets go test see which files the results depend on, so that
// it does not repeat results of an older program.
func lookAtSources() error {
	for _, dir := range []string{"cmd", "internal", "migrations"} {
		err := filepath.WalkDir(filepath.Join("..", "..", dir), func(_ string, _ fs.DirEntry, err error) error { return err })
		if err != nil {
			return err
		}
	}
	return nil
}

// needBinary returns the program, or skips what needs a process of its own.
func needBinary(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds the program and runs it")
	}
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return path
}
