package main

import (
	"context"
	"fmt"
	"time"
)

const (
	latencyTime  = 2 * time.Second  // least that readers are watched for, in each case
	latencyPause = time.Millisecond // between two reads

	latencyBudget = time.Minute // past it no further round begins
)

// measureLatency adds the p99 of reads while the program sweeps, in terms of
// that while something else keeps a CPU busy. The program has all CPUs, as it
// would have; the first sweep itself has no readers, as there is nothing to
// read, so that one that finds every row changed stands for it. Upstream's
// answers are recorded before, or else the simulation would be busier than
// what is measured.
func (l *lab) measureLatency(ctx context.Context, s *stage, r *report) (err error) {
	l.say("latency under sweeps")
	if s.server, err = l.serve(ctx, s.upstream, s.file, ""); err != nil {
		return err
	}
	defer s.server.end()
	defer s.upstream.plays.Store(nil)
	other, shown := newRecording(), newRecording()
	for _, known := range []*recording{other, shown} {
		s.upstream.stirEverything()
		s.upstream.plays.Store(known)
		if err := s.server.sweep(ctx); err != nil {
			return err
		}
	}
	cases := []struct {
		name string
		do   func(context.Context) error
	}{
		{"a busy CPU", l.spin},
		{"an unchanged sweep", s.server.sweep},
		{"a sweep of changes everywhere", func(ctx context.Context) error {
			other, shown = shown, other
			s.upstream.plays.Store(shown)
			return s.server.sweep(ctx)
		}},
	}
	found := make([][]float64, len(cases))
	began := time.Now()
	for round := range l.options.rounds {
		if round > 0 && time.Since(began) > latencyBudget {
			break
		}
		for i, c := range cases {
			p99, err := l.latencyDuring(ctx, s, c.do)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			found[i] = append(found[i], float64(p99))
		}
	}
	for i, c := range cases[1:] {
		goal := atMost(2)
		r.add(figure{Row: "read p99 during " + c.name, Size: s.size.name, Unit: "of a busy CPU", Goal: goal, Values: ratios(goal, found[i+1], found[0])})
	}
	return nil
}

// latencyDuring is the p99 of reads at a steady pace while something is done,
// again and again until there are enough of them.
func (l *lab) latencyDuring(ctx context.Context, s *stage, do func(context.Context) error) (time.Duration, error) {
	spec := loadSpec{Base: s.server.url, Connections: 1, Pause: latencyPause}
	for i := range 500 {
		spec.Requests = append(spec.Requests, s.organisation.member(s.organisation.members[i*17%len(s.organisation.members)]))
	}
	p, err := l.startLoad(ctx, "", spec)
	if err != nil {
		return 0, err
	}
	defer p.stop()
	for began := time.Now(); time.Since(began) < latencyTime; {
		if err := do(ctx); err != nil {
			return 0, err
		}
	}
	result, err := endLoad(p)
	if err == nil && result.Failed > 0 {
		err = fmt.Errorf("%d of %d reads failed", result.Failed, result.Requests)
	}
	return result.P99, err
}

// spin keeps a CPU busy for a while.
func (l *lab) spin(ctx context.Context) error {
	p, err := start{name: "spinner", env: onOneCPU, args: []string{l.self, "spin"}}.run(ctx)
	if err != nil {
		return err
	}
	defer p.stop()
	pause(ctx, latencyTime)
	return ctx.Err()
}
