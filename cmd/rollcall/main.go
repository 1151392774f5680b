// Command rollcall serves a local mirror of who is in which Tallyfy group.
//
// It reads its settings, builds the parts, joins them and stops them in
// order; what a group is and how it is kept is decided elsewhere.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
)

// Exit codes; check has its own beside them.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

// softMemory is where the garbage collector begins to work harder, so that
// the first sweep of a large organisation does not take what it briefly could
// use. GOMEMLIMIT names another.
const softMemory = 192<<20 + ballast

// ballast is a part of the heap that is never touched, so that it takes no
// memory. The collector, which lets the heap grow by its own size, comes less
// often for it while little else is live.
const ballast = 16 << 20

func main() {
	held := make([]byte, ballast)
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softMemory)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal kills
	code := run(ctx, os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr)
	runtime.KeepAlive(held)
	os.Exit(code)
}

// A console is where a command reads and writes.
type console struct {
	env    func(string) string
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
}

// run is the whole program. It returns the exit code, when ctx has ended and
// everything that was started is stopped, or when the command is done.
func run(ctx context.Context, args []string, env func(string) string, stdin io.Reader, stdout, stderr io.Writer) int {
	con := &console{env: env, stdin: stdin, stdout: stdout, stderr: stderr}
	twins := newEnvironment(env)
	parsed, err := parse(args, con, twins)
	if err == nil && parsed != nil {
		parsed.BindTo(ctx, (*context.Context)(nil))
		err = parsed.Run(con, parsed, twins)
	}
	return conclude(stderr, twins, err)
}

// A usageError is a missing, wrong or contradictory setting. Its text begins
// with the setting and ends with the mend.
type usageError struct{ error }

func usagef(format string, args ...any) error {
	return usageError{fmt.Errorf(format, args...)}
}

func (e usageError) Unwrap() error { return e.error }

// An exitError ends the program with a code of its own. Err may be nil: the
// command has said all.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// conclude says what went wrong, once, and returns the exit code.
func conclude(stderr io.Writer, twins *environment, err error) int {
	code := exitFailure
	if exit, ok := errors.AsType[*exitError](err); ok {
		code, err = exit.code, exit.err
	} else if _, ok := errors.AsType[usageError](err); ok {
		code = exitUsage
	} else if err == nil {
		code = exitOK
	}
	if err != nil {
		fmt.Fprintf(stderr, "rollcall: %s\n", twins.name(err.Error()))
	}
	return code
}
