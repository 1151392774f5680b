package promises_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A program is a rollcall under way in a process of its own. It is killed
// with the test if it has not ended before.
type program struct {
	t       *testing.T
	command *exec.Cmd
	log     *logbook
	ended   chan struct{}
}

// launch starts the program and does not wait until it listens.
func launch(t *testing.T, env environment, args ...string) *program {
	t.Helper()
	p := &program{t: t, command: exec.Command(needBinary(t), args...), log: newLogbook(), ended: make(chan struct{})}
	p.command.Env, p.command.Stderr = env.list(), p.log
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		_ = p.command.Wait() // the exit code is looked at by those whom it concerns
	}()
	t.Cleanup(p.kill)
	return p
}

// serve starts the server and returns once it listens.
func serve(t *testing.T, env environment, args ...string) *program {
	t.Helper()
	p := launch(t, env, append([]string{"serve"}, args...)...)
	select {
	case <-p.log.listening:
	case <-p.ended:
		t.Fatalf("ended before it listened:\n%s", p.log)
	}
	return p
}

// url is where the program listens.
func (p *program) url() string { return p.log.url }

// kill ends the program at once, whatever it does.
func (p *program) kill() {
	_ = p.command.Process.Kill() // it may have ended
	<-p.ended
}

// stop ends the program as an orchestrator does.
func (p *program) stop() {
	p.t.Helper()
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	late := time.AfterFunc(overdue, func() { _ = p.command.Process.Kill() })
	<-p.ended
	late.Stop()
	if code := p.command.ProcessState.ExitCode(); code != 0 {
		p.t.Errorf("exit code %d after SIGTERM:\n%s", code, p.log)
	}
}

// A run is a program that has ended by itself.
type run struct {
	code   int
	stdout string
	stderr string
}

// overdue is how long a command may take that ends by itself.
const overdue = time.Minute

// runToEnd runs a command that ends by itself.
func runToEnd(t *testing.T, env environment, args ...string) run {
	t.Helper()
	return runToEndAs(t, env, func(*exec.Cmd) {}, args...)
}

func runToEndAs(t *testing.T, env environment, as func(*exec.Cmd), args ...string) run {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), overdue)
	defer cancel()
	command := exec.CommandContext(ctx, needBinary(t), args...)
	var out, errs bytes.Buffer
	command.Env, command.Stdout, command.Stderr = env.list(), &out, &errs
	as(command)
	err := command.Run()
	if ctx.Err() != nil {
		t.Fatalf("%q did not end:\n%s%s", args, out.String(), errs.String())
	}
	if _, isExit := errors.AsType[*exec.ExitError](err); err != nil && !isExit {
		t.Fatal(err)
	}
	return run{command.ProcessState.ExitCode(), out.String(), errs.String()}
}

// wantRefused checks that a run ended with a code and one sentence that holds
// every part.
func (r run) wantRefused(t *testing.T, code int, parts ...string) {
	t.Helper()
	if r.code != code {
		t.Errorf("exit code %d, want %d", r.code, code)
	}
	if strings.Count(r.stderr, "\n") != 1 || !strings.HasPrefix(r.stderr, "rollcall: ") {
		t.Errorf("stderr is not one sentence: %q", r.stderr)
	}
	for _, part := range parts {
		if !strings.Contains(r.stderr, part) {
			t.Errorf("stderr lacks %q: %q", part, r.stderr)
		}
	}
}

// An environment is all that a process gets of one.
type environment map[string]string

func (e environment) with(changes ...string) environment {
	changed := environment{}
	for name, value := range e {
		changed[name] = value
	}
	for i := 0; i+1 < len(changes); i += 2 {
		changed[changes[i]] = changes[i+1]
	}
	return changed
}

func (e environment) list() (list []string) {
	for name, value := range e {
		list = append(list, name+"="+value)
	}
	return list
}

// A logbook keeps the end of what a program says and hears where it listens.
type logbook struct {
	mu        sync.Mutex
	text      []byte
	url       string
	listening chan struct{} // closed when url is known
}

func newLogbook() *logbook { return &logbook{listening: make(chan struct{})} }

const keptLog = 64 << 10

// Write takes what the program says. The line that tells the address comes
// in one piece, as slog writes it.
func (l *logbook) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.url == "" {
		l.hear(text)
	}
	l.text = append(l.text, text...)
	if over := len(l.text) - keptLog; over > 0 {
		l.text = l.text[over:]
	}
	return len(text), nil
}

func (l *logbook) hear(text []byte) {
	for line := range bytes.Lines(text) {
		var entry struct{ Msg, URL string }
		if json.Unmarshal(line, &entry) == nil && entry.Msg == "listening" {
			l.url = entry.URL
			close(l.listening)
		}
	}
}

// String is the end of what was said.
func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text)
}
