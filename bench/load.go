package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A request is one to a server whose address is told apart from it.
type request struct {
	Method string
	Path   string
	Header map[string]string
	Body   string
}

func (q request) to(ctx context.Context, base string) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, q.Method, base+q.Path, strings.NewReader(q.Body))
	if err != nil {
		return nil, err
	}
	for name, value := range q.Header {
		r.Header.Set(name, value)
	}
	return r, nil
}

// A loadSpec is what the loader sends: requests in turn, until there were
// Count of them or, without a count, until its input ends; and no longer than
// Limit, if there is one.
type loadSpec struct {
	Base        string
	Requests    []request
	Count       int
	Limit       time.Duration
	Connections int
	Pause       time.Duration // of a connection, between an answer and the next request
}

// A loadResult is what came of a load.
type loadResult struct {
	Requests int           `json:"requests"`
	Failed   int           `json:"failed"` // answered otherwise than with 2xx or 304, or not at all
	Took     time.Duration `json:"took_ns"`
	P50      time.Duration `json:"p50_ns"`
	P99      time.Duration `json:"p99_ns"`
	CPU      time.Duration `json:"cpu_ns"` // of the server
}

// perRequest is the server's CPU time for one, in nanoseconds.
func (r loadResult) perRequest() float64 { return float64(r.CPU) / float64(r.Requests) }

// runLoad is the loader: a loadSpec in, a loadResult out.
func runLoad(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	in := json.NewDecoder(stdin)
	var spec loadSpec
	if err := in.Decode(&spec); err != nil {
		return fmt.Errorf("read what to load: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if spec.Count == 0 {
		go func() {
			defer cancel()
			_, _ = io.Copy(io.Discard, stdin)
		}()
	}
	return json.NewEncoder(stdout).Encode(spec.run(ctx))
}

func (s loadSpec) run(ctx context.Context) loadResult {
	transport := &http.Transport{MaxIdleConnsPerHost: s.Connections, DisableCompression: true}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: time.Minute}
	var (
		mu     sync.Mutex
		took   []time.Duration
		failed atomic.Int64
		next   atomic.Int64
		all    sync.WaitGroup
	)
	began := time.Now()
	for range s.Connections {
		all.Go(func() {
			var own []time.Duration
			for ctx.Err() == nil && (s.Limit == 0 || time.Since(began) < s.Limit) {
				i := int(next.Add(1)) - 1
				if s.Count > 0 && i >= s.Count {
					break
				}
				sent := time.Now()
				err := ask(ctx, client, s.Base, s.Requests[i%len(s.Requests)])
				if err != nil && ctx.Err() == nil {
					failed.Add(1)
				}
				own = append(own, time.Since(sent))
				pause(ctx, s.Pause)
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, own...)
		})
	}
	all.Wait()
	slices.Sort(took)
	return loadResult{Requests: len(took), Failed: int(failed.Load()), Took: time.Since(began), P50: percentile(took, 50), P99: percentile(took, 99)}
}

// ask sends a request and reads the answer to its end.
func ask(ctx context.Context, client *http.Client, base string, q request) error {
	r, err := q.to(ctx, base)
	if err != nil {
		return err
	}
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode/100 != 2 && answer.StatusCode != http.StatusNotModified {
		return fmt.Errorf("%s %s: %s", q.Method, q.Path, answer.Status)
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) {
	if d == 0 {
		return
	}
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// percentile of sorted durations, 0 of none.
func percentile(sorted []time.Duration, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, len(sorted)*p/100)]
}

// startLoad starts the loader as a process of its own.
func (l *lab) startLoad(ctx context.Context, cpu string, spec loadSpec) (*process, error) {
	p, err := start{name: "loader", cpu: cpu, args: []string{l.self, "load"}}.run(ctx)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(spec)
	if err == nil {
		_, err = io.Copy(p.stdin, bytes.NewReader(text))
	}
	if err != nil {
		p.stop()
		return nil, fmt.Errorf("tell the loader what to send: %w", err)
	}
	return p, nil
}

// endLoad returns what the loader found.
func endLoad(p *process) (result loadResult, err error) {
	defer p.stop()
	answer, err := p.finish()
	if err == nil {
		err = json.Unmarshal(answer, &result)
	}
	return result, err
}
