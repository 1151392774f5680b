package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// benchmarkRounds is how often each benchmark runs; loading the large
// organisation takes longest.
const benchmarkRounds = 3

// measureBenchmarks adds the figures of all comparisons.
func (l *lab) measureBenchmarks(ctx context.Context, r *report) error {
	found := measurements{}
	var err error
	for _, run := range benchmarkRuns(comparisons) {
		l.say("benchmarks of %s: %s", run.pkg, run.pattern)
		if err = l.runBenchmarks(ctx, run, found); err != nil {
			break
		}
	}
	for _, c := range comparisons {
		r.add(c.figure(found))
	}
	return err
}

// A benchmarkRun is one start of a package's benchmarks.
type benchmarkRun struct {
	pkg     string
	pattern string
	time    string // for each, as -test.benchtime has it
}

// benchmarkRuns are what must be started for what is compared: those below one
// name together, as they share what it loads, and briefly; the others once.
func benchmarkRuns(all []comparison) (runs []benchmarkRun) {
	var names []benchmark
	for _, c := range all {
		for _, b := range []benchmark{c.one, c.of} {
			if b.name != "" && !slices.Contains(names, b) {
				names = append(names, b)
			}
		}
	}
	below := map[benchmark][]string{}
	var tops []benchmark
	for _, b := range names {
		top, sub, _ := strings.Cut(b.name, "/")
		key := benchmark{b.pkg, top}
		if _, known := below[key]; !known {
			tops = append(tops, key)
		}
		below[key] = append(below[key], sub)
	}
	for _, top := range tops {
		run := benchmarkRun{top.pkg, "^Benchmark" + top.name + "$", "1x"}
		if subs := below[top]; subs[0] != "" {
			run.pattern += "/^(" + strings.Join(subs, "|") + ")$"
			run.time = "100ms"
		}
		runs = append(runs, run)
	}
	return runs
}

// runBenchmarks adds to found what a run measures. The test's program is
// started by itself, so that it ends when we do.
func (l *lab) runBenchmarks(ctx context.Context, run benchmarkRun, found measurements) error {
	program := filepath.Join(l.dir, strings.ReplaceAll(run.pkg, "/", "-")+".test")
	if _, err := os.Stat(program); err != nil {
		build := start{name: "go test -c", dir: l.root, args: []string{"go", "test", "-c", "-o", program, "./" + run.pkg}}
		if _, err := build.output(ctx); err != nil {
			return err
		}
	}
	said, err := start{
		name: run.pkg, cpu: l.pins.server, dir: filepath.Join(l.root, run.pkg), env: append(onOneCPU, "TMPDIR="+l.dir),
		args: []string{program, "-test.run=^$", "-test.bench=" + run.pattern, "-test.benchtime=" + run.time, "-test.count=" + strconv.Itoa(benchmarkRounds)},
	}.output(ctx)
	if err != nil {
		return err
	}
	return found.parse(run.pkg, string(said))
}

// measurements are the metrics of benchmarks, one value a round.
type measurements map[benchmark]map[string][]float64

// parse adds what a package's benchmarks printed.
func (m measurements) parse(pkg, text string) error {
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		name, isBenchmark := strings.CutPrefix(line, "Benchmark")
		if !isBenchmark || len(fields) < 4 {
			continue
		}
		name, _, _ = strings.Cut(strings.Fields(name)[0], "-") // the number of CPUs
		b := benchmark{pkg, name}
		if m[b] == nil {
			m[b] = map[string][]float64{}
		}
		for i := 2; i+1 < len(fields); i += 2 {
			value, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				return fmt.Errorf("benchmark %s: %q is no number", name, fields[i])
			}
			m[b][fields[i+1]] = append(m[b][fields[i+1]], value)
		}
	}
	return nil
}

// figure is what the comparison found.
func (c comparison) figure(found measurements) figure {
	f := figure{Row: c.row, Size: "L", Unit: c.unit, Goal: c.goal}
	own, err := found.values(c.one, c.metric)
	if err == nil && c.of == (benchmark{}) {
		f.Values = own
		return f
	}
	other, missing := found.values(c.of, c.metric)
	if err = errors.Join(err, missing); err != nil {
		f.Missing = strings.ReplaceAll(err.Error(), "\n", ", ")
		return f
	}
	f.Values = make([]float64, min(len(own), len(other)))
	for i := range f.Values {
		f.Values[i] = own[i] / other[i]
	}
	f.Cost, f.CostUnit = own, strings.TrimSuffix(c.metric, "/op")
	return f
}

func (m measurements) values(b benchmark, metric string) ([]float64, error) {
	values := m[b][metric]
	if len(values) == 0 {
		return nil, fmt.Errorf("no %s of %s Benchmark%s", metric, b.pkg, b.name)
	}
	return values, nil
}
