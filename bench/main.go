// Command bench measures Rollcall against the machine it runs on: each figure
// is a ratio to a floor that was measured in the same run, by the CPU time of
// the server where a clock on the wall would be noise. docs/performance.md
// says what each row is.
//
// It builds and starts the real program over a simulated Tallyfy that it
// serves itself, ends what it started, and leaves nothing behind.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal kills
	if err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// parts of the harness that run as processes of their own, so that they can
// be pinned and their CPU time be told apart.
var parts = map[string]func(ctx context.Context, stdin io.Reader, stdout io.Writer) error{
	"floor": runFloor,
	"load":  runLoad,
	"spin":  runSpin,
}

var errTooLong = errors.New("out of time")

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	if len(args) == 1 && parts[args[0]] != nil {
		return parts[args[0]](ctx, stdin, stdout)
	}
	o, err := parseOptions(args, stderr)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.limit(), errTooLong)
	defer cancel()
	r := &report{BeganAt: time.Now().UTC(), Machine: machine(), Command: o.command()}
	err = measure(ctx, o, r, stderr)
	if ctx.Err() != nil {
		err = context.Cause(ctx) // the rest follows from it
	}
	r.Took = time.Since(r.BeganAt).Round(time.Second).String()
	return errors.Join(r.write(o, stdout), err, r.verdict(o))
}

// measure adds to r what o asks for; with an error r holds what was measured
// before it.
func measure(ctx context.Context, o options, r *report, stderr io.Writer) (err error) {
	l, err := newLab(ctx, o, stderr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	for _, size := range o.sizes {
		if err := l.measureSize(ctx, size, r); err != nil {
			return fmt.Errorf("size %s: %w", size.name, err)
		}
	}
	if o.measures("queries") {
		return l.measureBenchmarks(ctx, r)
	}
	return nil
}
