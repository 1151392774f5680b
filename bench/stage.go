package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"
)

// A stage is an organisation of one size, and the program that mirrors it.
type stage struct {
	size         size
	upstream     *upstream
	organisation organisation
	file         string
	server       *rollcall // the one that runs now
}

// measureSize adds all figures that need the program, at one size.
func (l *lab) measureSize(ctx context.Context, of size, r *report) error {
	if !l.measures("reads") && !l.measures("sweeps") {
		return nil
	}
	l.say("size %s: %d members, %d groups, %d memberships", of.name, of.members, of.groups, of.edges)
	u, err := startUpstream(ctx, of)
	if err != nil {
		return err
	}
	defer u.server.Close()
	s := &stage{size: of, upstream: u, organisation: organisationOf(u.Sim, l.readKey), file: filepath.Join(l.dir, of.name+".db")}
	if err := l.onOneCPU(ctx, s, r); err != nil {
		return err
	}
	if !l.measures("sweeps") {
		return nil
	}
	if err := l.measureStart(ctx, s, r); err != nil {
		return err
	}
	return l.measureLatency(ctx, s, r)
}

// onOneCPU measures what CPU time tells: the program on a CPU of its own.
func (l *lab) onOneCPU(ctx context.Context, s *stage, r *report) (err error) {
	if s.server, err = l.serve(ctx, s.upstream, s.file, l.pins.server, onOneCPU...); err != nil {
		return err
	}
	defer s.server.end()
	if err := l.measureSweeps(ctx, s, r); err != nil {
		return err
	}
	if !l.measures("reads") {
		return nil
	}
	l.say("reads, %d rounds", l.options.rounds)
	return l.measureReads(ctx, s, r)
}

const sweepRounds = 3

// measureSweeps adds what the first sweep, into an empty file, and unchanged
// ones take of the CPU, and what the first makes of disk and memory.
func (l *lab) measureSweeps(ctx context.Context, s *stage, r *report) error {
	l.say("first sweep")
	memory := watchMemory(s.server.pid())
	err := s.server.awaitData(ctx)
	peak := memory.stop()
	if err != nil {
		return err
	}
	spent, err := cpuTime(s.server.pid())
	if err != nil {
		return err
	}
	size, err := fileSize(s.file)
	if err != nil || !l.measures("sweeps") {
		return err
	}
	r.add(s.cost("requests of a sweep", "requests", float64(s.upstream.asked.Load())))
	r.add(s.cost("answers to them", "MB", float64(s.upstream.sent.Load())/megabyte))
	r.add(s.cost("first sweep, with fetching and decoding", "CPU s", spent.Seconds()))
	r.add(s.cost("file and log after it", "MB", float64(size)/megabyte))
	r.add(s.cost("RssAnon, most in a first sweep", "MB", float64(peak)/megabyte))
	l.say("unchanged sweeps")
	var unchanged []float64
	for range min(l.options.rounds, sweepRounds) {
		spent, err := cpuOf(s.server.pid(), func() error { return s.server.sweep(ctx) })
		if err != nil {
			return err
		}
		unchanged = append(unchanged, spent.Seconds())
	}
	r.add(s.cost("unchanged sweep, with fetching and decoding", "CPU s", unchanged...))
	return nil
}

// cost is a figure without a goal, of what grows with the organisation.
func (s *stage) cost(name, unit string, values ...float64) figure {
	return figure{Row: name, Size: s.size.name, Values: values, Unit: unit, Cost: values, CostUnit: unit, Input: float64(s.size.edges)}
}

// cpuOf is the CPU time of a process while something is done.
func cpuOf(pid int, do func() error) (time.Duration, error) {
	before, err := cpuTime(pid)
	if err != nil {
		return 0, err
	}
	if err := do(); err != nil {
		return 0, err
	}
	after, err := cpuTime(pid)
	return after - before, err
}

// measureStart adds the time from starting the program over a file that is
// there to its first answer, while upstream says nothing.
func (l *lab) measureStart(ctx context.Context, s *stage, r *report) error {
	l.say("starts")
	s.upstream.mute.Store(true)
	defer s.upstream.mute.Store(false)
	var took []float64
	for range l.options.rounds {
		began := time.Now()
		server, err := l.serve(ctx, s.upstream, s.file, "")
		if err != nil {
			return err
		}
		err = server.answers(ctx, s.organisation.member(s.organisation.who))
		took = append(took, float64(time.Since(began))/float64(time.Millisecond))
		server.end()
		if err != nil {
			return err
		}
	}
	f := s.cost("start to first answer", "ms", took...)
	f.Goal = atMost(100)
	r.add(f)
	return nil
}

func (r *rollcall) answers(ctx context.Context, q request) error {
	status, err := r.do(ctx, q)
	if err == nil && status != 200 {
		err = fmt.Errorf("%s was answered with status %d: %s", q.Path, status, r.said)
	}
	return err
}
