package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"time"
)

const (
	wrkSeconds     = 1
	wrkConnections = 16
)

// wrk loads a server with one request over and over.
func (l *lab) wrk(ctx context.Context, base string, q request) (loadResult, error) {
	args := []string{"wrk", "-t1", fmt.Sprintf("-c%d", wrkConnections), fmt.Sprintf("-d%ds", wrkSeconds), "--latency", "--timeout", "30s"}
	for _, name := range slices.Sorted(maps.Keys(q.Header)) {
		args = append(args, "-H", name+": "+q.Header[name])
	}
	said, err := start{name: "wrk", cpu: l.pins.load, args: append(args, base+q.Path)}.output(ctx)
	if err != nil {
		return loadResult{}, err
	}
	return parseWrk(string(said))
}

var (
	wrkTotal   = regexp.MustCompile(`(?m)^\s*(\d+) requests in ([0-9.]+[a-z]+),`)
	wrkLatency = regexp.MustCompile(`(?m)^\s*(50|99)%\s+([0-9.]+[a-z]+)$`)
	wrkRefused = regexp.MustCompile(`Non-2xx or 3xx responses: (\d+)`)
	wrkErrors  = regexp.MustCompile(`Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)`)
)

// parseWrk reads wrk's output.
func parseWrk(text string) (result loadResult, err error) {
	total := wrkTotal.FindStringSubmatch(text)
	if total == nil {
		return result, fmt.Errorf("wrk does not say how many requests it sent: %q", text)
	}
	var errs [2]error
	result.Requests, errs[0] = strconv.Atoi(total[1])
	result.Took, errs[1] = time.ParseDuration(total[2])
	if err := errors.Join(errs[:]...); err != nil {
		return result, err
	}
	for _, line := range wrkLatency.FindAllStringSubmatch(text, -1) {
		took, err := time.ParseDuration(line[2])
		if err != nil {
			return result, err
		}
		if line[1] == "50" {
			result.P50 = took
		} else {
			result.P99 = took
		}
	}
	for _, found := range [][]string{wrkRefused.FindStringSubmatch(text), wrkErrors.FindStringSubmatch(text)} {
		for _, n := range found[min(1, len(found)):] {
			failed, _ := strconv.Atoi(n) // digits
			result.Failed += failed
		}
	}
	return result, nil
}

// needWrk fails where there is no wrk.
func needWrk() error {
	if _, err := exec.LookPath("wrk"); err != nil {
		return errors.New("wrk is missing, which sends the load: install Debian's package of that name, or give -short")
	}
	return nil
}
