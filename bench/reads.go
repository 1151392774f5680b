package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"time"
)

// A target answers the requests of one row.
type target struct {
	name string
	base string
	pid  int
}

// A contest is a row, who answers it, and what that cost in each round.
type contest struct {
	row
	requests []request // one, or as many as there are in a round
	targets  []target  // Rollcall, the floor, and the peers that could be started
	answer   int       // bytes
	loads    map[string][]loadResult
	missing  string
	next     int // number of the next request that is a first
}

const (
	ofRollcall = "rollcall"
	ofFloor    = "floor"
)

// measureReads adds the figures of all rows. The server is loaded by nobody
// else and confirmed rows do not change meanwhile.
func (l *lab) measureReads(ctx context.Context, s *stage, r *report) error {
	contests, constants, err := l.contests(ctx, s)
	if err != nil {
		return err
	}
	floor, addresses, err := l.startFloor(ctx, constants)
	if err != nil {
		return err
	}
	defer floor.stop()
	peers := l.startPeers(ctx, s, r)
	defer peers.stop()
	for i, address := range addresses {
		c := contests[i]
		c.targets = []target{{ofRollcall, s.server.url, s.server.pid()}, {ofFloor, address, floor.pid()}}
		if c.peers {
			c.targets = append(c.targets, peers.targets...)
		}
	}
	memory := watchMemory(s.server.pid())
	err = l.rounds(ctx, s.organisation, contests)
	if err == nil && l.short {
		err = l.tryAgain(ctx, s, contests)
	}
	r.add(readFigures(s.size, contests)...)
	r.add(underLoad(s.size, memory.stop()))
	return err
}

// contests asks each row once. Those that the program does not have come
// last, without a constant.
func (l *lab) contests(ctx context.Context, s *stage) (contests []*contest, constants []constant, err error) {
	var missing []*contest
	for _, row := range rows {
		c := &contest{row: row, loads: map[string][]loadResult{}}
		sample := row.ask(s.organisation, 0)
		c.next++
		answer, err := capture(ctx, s.server.client, s.server.url, row.pattern, sample)
		if err == nil && row.known {
			sample.Header["If-None-Match"] = answer.Header.Get("ETag")
			answer, err = capture(ctx, s.server.client, s.server.url, row.pattern, sample)
		}
		switch {
		case err != nil:
			return nil, nil, err
		case isMissing(answer.Status):
			c.missing = fmt.Sprintf("not there: status %d", answer.Status)
			missing = append(missing, c)
			continue
		case row.known != (answer.Status == http.StatusNotModified), answer.Status >= http.StatusBadRequest:
			return nil, nil, fmt.Errorf("%s: %s %s was answered with status %d: %.200s", row.name, sample.Method, sample.Path, answer.Status, answer.Body)
		}
		c.requests, c.answer = []request{sample}, len(answer.Body)
		contests, constants = append(contests, c), append(constants, answer)
	}
	return append(contests, missing...), constants, nil
}

// rounds measures all contests in turn, so that what slows the machine for a
// while slows everybody; who begins changes from round to round.
func (l *lab) rounds(ctx context.Context, o organisation, contests []*contest) error {
	for round := range l.options.rounds {
		for _, c := range contests {
			if c.missing != "" {
				continue
			}
			if err := l.round(ctx, o, c, round); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
		}
	}
	return nil
}

// mostTries of a row whose goal is missed by half: a fault shows in each.
const mostTries = 3

// tryAgain measures anew what misses its goal by half.
func (l *lab) tryAgain(ctx context.Context, s *stage, contests []*contest) error {
	for range mostTries - 1 {
		var gross []*contest
		for i, f := range readFigures(s.size, contests) { // no peers: a figure a contest
			if f.isGross() {
				clear(contests[i].loads)
				gross = append(gross, contests[i])
			}
		}
		if err := l.rounds(ctx, s.organisation, gross); err != nil {
			return err
		}
	}
	return nil
}

// round loads each target of a contest once.
func (l *lab) round(ctx context.Context, o organisation, c *contest, round int) error {
	if c.load == first {
		c.requests = c.requests[:0]
		for range c.load.requests() {
			c.requests = append(c.requests, c.ask(o, c.next))
			c.next++
		}
	}
	for i := range c.targets {
		t := c.targets[(i+round)%len(c.targets)]
		if round == 0 && c.load != first && c.load != few {
			if _, err := l.send(ctx, t, c, 200); err != nil { // to warm up
				return err
			}
		}
		result, err := l.loadOnce(ctx, t, c)
		if err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		c.loads[t.name] = append(c.loads[t.name], result)
	}
	return nil
}

// mostIdle is how often a load may end without an answer, as on a machine so
// busy that the server had no turn.
const mostIdle = 3

// loadOnce loads a target and takes the CPU time of its process.
func (l *lab) loadOnce(ctx context.Context, t target, c *contest) (result loadResult, err error) {
	for range mostIdle {
		result.CPU, err = cpuOf(t.pid, func() (err error) {
			result, err = l.load(ctx, t, c)
			return err
		})
		if err != nil || result.Requests > 0 {
			break
		}
	}
	if err == nil && (result.Failed > 0 || result.Requests == 0) {
		err = fmt.Errorf("%d of %d requests failed", result.Failed, result.Requests)
	}
	return result, err
}

func (l *lab) load(ctx context.Context, t target, c *contest) (loadResult, error) {
	if c.load == repeated && !l.short {
		return l.wrk(ctx, t.base, c.requests[0])
	}
	return l.send(ctx, t, c, c.load.requests())
}

// sendLimit ends a load whose requests take their time.
const sendLimit = 300 * time.Millisecond

// send has our own loader send so many requests, or fewer.
func (l *lab) send(ctx context.Context, t target, c *contest, count int) (loadResult, error) {
	spec := loadSpec{Base: t.base, Requests: c.requests, Count: count, Connections: min(4, count)}
	if c.load != first {
		spec.Limit = sendLimit
	}
	p, err := l.startLoad(ctx, l.pins.load, spec)
	if err != nil {
		return loadResult{}, err
	}
	return endLoad(p)
}

// readFigures makes figures of contests: the ratio to the floor, and to each
// peer.
func readFigures(of size, contests []*contest) (figures []figure) {
	for _, c := range contests {
		f := figure{Row: c.name, Size: of.name, Unit: "of the floor", Goal: c.goal, Missing: c.missing, Loads: maps.Clone(c.loads)}
		if c.goal.AtMost != 0 {
			f.Unit = "floors"
		}
		own, floor := c.perRequest(ofRollcall), c.perRequest(ofFloor)
		f.Values, f.Floors = ratios(c.goal, own, floor), ratios(inFloors, own, floor)
		f.Cost, f.CostUnit, f.Input = own, "ns", float64(max(1, c.answer))
		figures = append(figures, f)
		for _, t := range c.targets[min(2, len(c.targets)):] {
			figures = append(figures, figure{Row: c.name + ", beside " + t.name, Size: of.name, Unit: "of Rollcall's", Values: ratios(goal{}, own, c.perRequest(t.name))})
		}
	}
	return figures
}

func (c *contest) perRequest(name string) (ns []float64) {
	for _, r := range c.loads[name] {
		ns = append(ns, r.perRequest())
	}
	return ns
}
