package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// stopTimeout is how long a process may take to end before it is killed.
const stopTimeout = 5 * time.Second

// A process is one that we started. It ends when the context that it was
// started with ends, or when it is stopped.
type process struct {
	name   string
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Reader
	said   *lastWords
	waited func() error
}

// A start is how to start a process.
type start struct {
	name  string
	cpu   string   // to pin it to; empty for any
	dir   string   // to start it in; empty for ours
	env   []string // beside ours
	args  []string
	watch io.Writer // gets what it says on stderr, may be nil
}

func (s start) run(ctx context.Context) (*process, error) {
	args := s.args
	if s.cpu != "" {
		args = append([]string{"taskset", "-c", s.cpu}, args...) // which becomes the program
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...) //nolint:gosec // the programs and arguments are ours
	cmd.Dir, cmd.Env = s.dir, append(os.Environ(), s.env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopTimeout
	p := &process{name: s.name, cmd: cmd, said: &lastWords{}}
	cmd.Stderr = p.said
	if s.watch != nil {
		cmd.Stderr = io.MultiWriter(p.said, s.watch)
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.stdin, p.stdout = stdin, bufio.NewReader(stdout)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", s.name, err)
	}
	p.waited = sync.OnceValue(cmd.Wait)
	return p, nil
}

// output runs the process to its end and returns what it prints.
func (s start) output(ctx context.Context) ([]byte, error) {
	p, err := s.run(ctx)
	if err != nil {
		return nil, err
	}
	defer p.stop()
	return p.finish()
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// finish closes the process's input and returns what it answers to that. The
// error holds what it said last.
func (p *process) finish() ([]byte, error) {
	p.stdin.Close()
	answer, err := io.ReadAll(p.stdout)
	if err = errors.Join(p.waited(), err); err != nil {
		return nil, fmt.Errorf("%s: %w: %s", p.name, err, p.said)
	}
	return answer, nil
}

// stop asks the process to end, and kills it if it does not.
func (p *process) stop() {
	kill := time.AfterFunc(stopTimeout, func() { _ = p.cmd.Process.Kill() })
	defer kill.Stop()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	p.stdin.Close()
	_ = p.waited() // of one that was asked to end
}

// lastWords keeps the end of what a process says.
type lastWords struct {
	mu   sync.Mutex
	text []byte
}

const mostWords = 2 << 10

func (w *lastWords) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text = append(w.text, b...)
	if extra := len(w.text) - mostWords; extra > 0 {
		w.text = bytes.Clone(w.text[extra:])
	}
	return len(b), nil
}

func (w *lastWords) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.TrimSpace(string(w.text))
}

// runSpin keeps a CPU busy until its input ends.
func runSpin(ctx context.Context, stdin io.Reader, _ io.Writer) error {
	var ended atomic.Bool
	go func() {
		_, _ = io.Copy(io.Discard, stdin)
		ended.Store(true)
	}()
	for !ended.Load() && ctx.Err() == nil {
	}
	return nil
}
