package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A lab is what all measurements of a run share: a directory that goes with
// it, the program that is measured, and its keys.
type lab struct {
	options
	dir      string
	root     string // of the module
	self     string // our own program, for its parts
	program  string
	readKey  string
	writeKey string
	pins     pins
	log      io.Writer
}

// newLab checks what is needed, builds the program and makes its keys.
func newLab(ctx context.Context, o options, log io.Writer) (l *lab, err error) {
	if !o.short && o.measures("reads") {
		if err := needWrk(); err != nil {
			return nil, err
		}
	}
	l = &lab{options: o, pins: pinsFor(allowedCPUs()), log: log}
	if _, err := exec.LookPath("taskset"); err != nil {
		l.pins = pins{}
	}
	if l.pins == (pins{}) {
		l.say("nothing is pinned, for want of a second CPU or of taskset: the server and its load share what there is")
	}
	if l.self, err = os.Executable(); err != nil {
		return nil, err
	}
	if l.root, err = moduleRoot(ctx); err != nil {
		return nil, err
	}
	if l.dir, err = os.MkdirTemp("", "rollcall-bench"); err != nil {
		return nil, err
	}
	l.program = filepath.Join(l.dir, "rollcall")
	l.say("building")
	if err := l.prepare(ctx); err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

func (l *lab) prepare(ctx context.Context) (err error) {
	if err = l.build(ctx); err != nil {
		return err
	}
	if l.readKey, err = l.newKey(ctx, "read"); err != nil {
		return err
	}
	l.writeKey, err = l.newKey(ctx, "write")
	return err
}

// close removes what the run left on disk.
func (l *lab) close() error { return os.RemoveAll(l.dir) }

// say tells how far a run has come.
func (l *lab) say(format string, args ...any) { fmt.Fprintf(l.log, format+"\n", args...) }

func moduleRoot(ctx context.Context) (string, error) {
	said, err := start{name: "go env", args: []string{"go", "env", "GOMOD"}}.output(ctx)
	if err != nil {
		return "", err
	}
	file := strings.TrimSpace(string(said))
	if filepath.Base(file) != "go.mod" {
		return "", errors.New("this is not inside the module: run it in a checkout")
	}
	return filepath.Dir(file), nil
}
