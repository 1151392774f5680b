package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"rollcall/internal/tallyfysim"
)

// build makes the program with the flags of a release, so that its packages
// are compiled once for both.
func build(t *testing.T, path string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", path, ".")
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// The real binary, stopped as an orchestrator stops it: in the middle of a
// sweep that would take for ever and with a caller waiting for it.
func TestTheBinaryStopsCleanlyOnSIGTERM(t *testing.T) {
	if testing.Short() || runtime.GOOS == "windows" {
		t.Skip("builds the program and sends it a signal")
	}
	binary := filepath.Join(t.TempDir(), "rollcall")
	build(t, binary)
	sim, env := organization(t)
	arrived := make(chan struct{}, 8)
	sim.Fault(tallyfysim.Fault{Delay: time.Hour, Before: func() { arrived <- struct{}{} }})
	for _, signal := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		command := exec.CommandContext(t.Context(), binary, "serve")
		for name, value := range env {
			command.Env = append(command.Env, name+"="+value)
		}
		stderr, err := command.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		url := listeningAt(t, stderr)
		<-arrived // the first sweep has begun
		var caller sync.WaitGroup
		caller.Go(func() {
			if response, err := http.Post(url+"/v1/sync?wait=60s", "", nil); err == nil {
				response.Body.Close()
			}
		})
		if err := command.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		overdue := time.AfterFunc(30*time.Second, func() { command.Process.Kill() })
		if err := command.Wait(); err != nil {
			t.Errorf("after %v: %v", signal, err)
		}
		overdue.Stop()
		caller.Wait()
		if code, out, errs := invoke(t, nil, "status", "--db", env["ROLLCALL_DB"]); code != exitOK {
			t.Errorf("the file does not open: %s %s", out, errs)
		}
	}
}

// listeningAt reads a log up to the line that says where the program listens.
func listeningAt(t *testing.T, log io.Reader) string {
	t.Helper()
	for lines := bufio.NewScanner(log); lines.Scan(); {
		var entry struct{ Msg, URL string }
		if json.Unmarshal(lines.Bytes(), &entry) == nil && entry.Msg == "listening" {
			return entry.URL
		}
	}
	t.Fatal("it ended before it listened")
	return ""
}
