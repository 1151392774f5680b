package main

import (
	"testing"
	"time"
)

const wrkSaid = `Running 1s test @ http://127.0.0.1:8080/v1/members/1001
  1 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   220.57us  179.25us   6.17ms   94.50%
    Req/Sec    76.53k     5.12k   81.02k    80.00%
  Latency Distribution
     50%  179.00us
     75%  240.00us
     90%  310.00us
     99%    1.64ms
  76412 requests in 1.10s, 27.11MB read
Requests/sec:  69465.45
Transfer/sec:     24.65MB
`

func TestWrkIsRead(t *testing.T) {
	got, err := parseWrk(wrkSaid)
	want := loadResult{Requests: 76412, Took: 1100 * time.Millisecond, P50: 179 * time.Microsecond, P99: 1640 * time.Microsecond}
	if err != nil || got != want {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
}

func TestWrkTellsOfFailures(t *testing.T) {
	got, err := parseWrk(wrkSaid + "  Socket errors: connect 1, read 2, write 0, timeout 4\n  Non-2xx or 3xx responses: 8\n")
	if err != nil || got.Failed != 15 {
		t.Errorf("%d failed, %v, want 15", got.Failed, err)
	}
}

func TestWrkThatSaysNothingIsAnError(t *testing.T) {
	if got, err := parseWrk("unable to connect to 127.0.0.1:1 Connection refused\n"); err == nil {
		t.Errorf("%+v", got)
	}
}
