package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// startDemo runs demo and returns its invitation and what stops it.
func startDemo(t *testing.T, args ...string) (invitation string, stop func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	read, write := io.Pipe()
	done := make(chan int, 1)
	go func() {
		defer write.Close()
		done <- run(ctx, append([]string{"demo"}, args...), func(string) string { return "" }, strings.NewReader(""), write, io.Discard)
	}()
	var text strings.Builder
	lines := bufio.NewScanner(read)
	for tries := 0; tries < 3 && lines.Scan(); {
		text.WriteString(lines.Text() + "\n")
		if strings.HasPrefix(lines.Text(), "  curl ") {
			tries++
		}
	}
	go io.Copy(io.Discard, read)
	return text.String(), func() int {
		cancel()
		return <-done
	}
}

// The demonstration's own words are run by a shell, as its reader would.
func TestDemoDoesWhatItInvitesToAndLeavesNothing(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("no curl here")
	}
	t.Setenv("TMPDIR", t.TempDir())
	for _, args := range [][]string{nil, {"--demo-generation=2025", "--demo-no-meta"}} {
		invitation, stop := startDemo(t, append(args, "--listen=127.0.0.1:0")...)
		var answers []string
		for line := range strings.Lines(invitation) {
			if strings.HasPrefix(line, "  curl ") {
				answers = append(answers, shell(t, line))
			}
		}
		if code := stop(); code != exitOK {
			t.Errorf("%q: exit code %d", args, code)
		}
		if len(answers) != 3 {
			t.Fatalf("%q: three things to try are %d:\n%s", args, len(answers), invitation)
		}
		for i, want := range []string{`"member_count":`, `"name":"Night shift"`, `"member":true`} {
			if !strings.Contains(answers[i], want) {
				t.Errorf("%q: answer %d lacks %s:\n%s", args, i, want, answers[i])
			}
		}
		if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) != 0 {
			t.Errorf("%q: left behind: %v %v", args, left, err)
		}
	}
}

func shell(t *testing.T, command string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("written for a POSIX shell")
	}
	out, err := exec.CommandContext(t.Context(), "sh", "-c", strings.TrimSpace(command)+" --silent --show-error --fail-with-body").CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	return string(out)
}

func TestTheReadmeInvitesToWhatTheDemoDoes(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	invitation, stop := startDemo(t, "--listen=127.0.0.1:0")
	defer stop()
	usual := strings.ReplaceAll(invitation, after(invitation, "Rollcall "), "http://"+defaultListen)
	for line := range strings.Lines(usual) {
		if try, ok := strings.CutPrefix(line, "  "); ok && strings.HasPrefix(try, "curl") && !strings.Contains(string(readme), "\n"+try) {
			t.Errorf("the README lacks: %s", try)
		}
	}
}

func TestDemoSaysHowToChooseAnotherPort(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	code, _, stderr := invoke(t, nil, "demo", "--listen="+taken.Addr().String())
	if code != exitFailure {
		t.Errorf("exit code %d", code)
	}
	wantSentence(t, stderr, "--listen (ROLLCALL_LISTEN)", "choose another")
}

func TestTheSimulatedTallyfyCanBeAskedItself(t *testing.T) {
	invitation, stop := startDemo(t, "--listen=127.0.0.1:0")
	defer stop()
	url := after(invitation, "simulated Tallyfy")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/me", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+after(invitation, "token"))
	request.Header.Set("Accept", "application/json")
	request.Header.Set("X-Tallyfy-Client", "APIClient")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("status %d", response.StatusCode)
	}
}

// after is the word that follows a label at the beginning of a line.
func after(text, label string) string {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), label+" "); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}
