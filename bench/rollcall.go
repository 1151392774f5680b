package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// onOneCPU keeps a Go server to one thread of Go code.
var onOneCPU = []string{"GOMAXPROCS=1"}

// A rollcall is the real program, serving.
type rollcall struct {
	*process
	url    string
	client *http.Client
	lab    *lab
}

// build makes the program.
func (l *lab) build(ctx context.Context) error {
	_, err := start{
		name: "go build", dir: l.root, env: []string{"CGO_ENABLED=0"},
		args: []string{"go", "build", "-trimpath", "-o", l.program, "./cmd/rollcall"},
	}.output(ctx)
	return err
}

// newKey makes a key of a scope.
func (l *lab) newKey(ctx context.Context, scope string) (string, error) {
	said, err := start{
		name: "rollcall keys new",
		args: []string{l.program, "keys", "new", "--keys-file=" + l.keysFile(), "--scope=" + scope, "bench-" + scope},
	}.output(ctx)
	return strings.TrimSpace(string(said)), err
}

func (l *lab) keysFile() string { return filepath.Join(l.dir, "keys") }

// serve starts the program over u, on a file of its own for each size, and
// waits until it listens.
func (l *lab) serve(ctx context.Context, u *upstream, file, cpu string, env ...string) (*rollcall, error) {
	heard := newListening()
	p, err := start{
		name: "rollcall", cpu: cpu, watch: heard,
		env: append(env, "TALLYFY_ACCESS_TOKEN="+u.Token()),
		args: []string{
			l.program, "serve", "--base-url=" + u.url, "--org=" + u.Organization(), "--listen=127.0.0.1:0", "--db=" + file,
			"--auth=keys", "--keys-file=" + l.keysFile(), "--poll-interval=24h", "--upstream-rate=0", "--upstream-hourly=0",
			"--log-format=json", "--log-level=info",
		},
	}.run(ctx)
	if err != nil {
		return nil, err
	}
	go func() {
		_ = p.waited() // whoever stops it is told
		close(heard.url)
	}()
	select {
	case url, isUp := <-heard.url:
		if !isUp {
			return nil, fmt.Errorf("rollcall ended at once: %s", p.said)
		}
		return &rollcall{p, url, &http.Client{Transport: &http.Transport{DisableCompression: true}, Timeout: 90 * time.Second}, l}, nil
	case <-ctx.Done():
		p.stop()
		return nil, ctx.Err()
	}
}

// end stops the program.
func (r *rollcall) end() {
	r.client.CloseIdleConnections()
	r.stop()
}

// awaitData waits until the program has swept once.
func (r *rollcall) awaitData(ctx context.Context) error {
	for {
		status, err := r.do(ctx, request{Method: http.MethodGet, Path: "/readyz"})
		if err == nil && status == http.StatusOK {
			return nil
		}
		pause(ctx, 5*time.Millisecond)
		if ctx.Err() != nil {
			return fmt.Errorf("wait for the first sweep: %w (%d, %w): %s", ctx.Err(), status, err, r.said)
		}
	}
}

// sweep has the program sweep, and waits for the end.
func (r *rollcall) sweep(ctx context.Context) error {
	for {
		q := request{Method: http.MethodPost, Path: "/v1/sync?wait=60s", Header: bearer(r.lab.writeKey)}
		switch status, err := r.do(ctx, q); {
		case err != nil:
			return fmt.Errorf("ask for a sweep: %w", err)
		case status == http.StatusOK:
			return nil
		case status != http.StatusAccepted: // which runs still
			return fmt.Errorf("ask for a sweep: answered with status %d: %s", status, r.said)
		}
	}
}

func (r *rollcall) do(ctx context.Context, q request) (status int, err error) {
	sent, err := q.to(ctx, r.url)
	if err != nil {
		return 0, err
	}
	answer, err := r.client.Do(sent)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode, err
}

// fileSize is that of a database and its log.
func fileSize(path string) (int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	total := info.Size()
	if log, err := os.Stat(path + "-wal"); err == nil {
		total += log.Size()
	}
	return total, nil
}

func bearer(key string) map[string]string {
	return map[string]string{"Authorization": "Bearer " + key, "Accept": "application/json"}
}

// listening finds in the program's log where it listens.
type listening struct {
	url   chan string // closed when the program has ended
	rest  []byte      // of a line that is not whole yet
	found bool
}

func newListening() *listening { return &listening{url: make(chan string, 1)} }

// Write takes what the program logs, in pieces of any size.
func (l *listening) Write(b []byte) (int, error) {
	l.rest = append(l.rest, b...)
	for {
		line, rest, whole := bytes.Cut(l.rest, []byte("\n"))
		if !whole {
			return len(b), nil
		}
		l.rest = rest
		var said struct{ Msg, URL string }
		if json.Unmarshal(line, &said) == nil && said.Msg == "listening" && !l.found {
			l.found = true
			l.url <- said.URL
		}
	}
}
