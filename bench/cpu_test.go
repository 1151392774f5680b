package main

import (
	"os"
	"testing"
	"time"
)

func TestSchedstatIsRead(t *testing.T) {
	for text, want := range map[string]time.Duration{"381724201 3409536 9\n": 381724201, "0 0 1\n": 0, "": -1, "none 0 0": -1} {
		got, err := parseSchedstat(text)
		if (err != nil) != (want < 0) || err == nil && got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

func TestAProcessHasSpentTime(t *testing.T) {
	if _, err := os.Stat("/proc/self/schedstat"); err != nil {
		t.Skip("no /proc with schedstat")
	}
	before, err := cpuTime(os.Getpid())
	if err != nil || before == 0 {
		t.Fatal(before, err)
	}
	for n := 0; n < 50_000_000; n++ {
		_ = n
	}
	if after, err := cpuTime(os.Getpid()); err != nil || after <= before {
		t.Errorf("%v after %v, %v", after, before, err)
	}
	if bytes, err := anonymous(os.Getpid()); err != nil || bytes < 1<<20 {
		t.Errorf("%d bytes, %v", bytes, err)
	}
}

func TestOneWhoEndedHasNoTime(t *testing.T) {
	if got, err := cpuTime(1 << 30); err == nil {
		t.Errorf("%v", got)
	}
}

func TestPins(t *testing.T) {
	for allowed, want := range map[string]pins{
		"0-1": {"0", "1"}, "0-3,8": {"0", "8"}, "2,5": {"2", "5"}, "0": {}, "": {}, "3-3": {},
	} {
		if got := pinsFor(allowed); got != want {
			t.Errorf("%q: %v, want %v", allowed, got, want)
		}
	}
}
