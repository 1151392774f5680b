package main

import (
	"math"
	"slices"
	"testing"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		of   []float64
		want float64
	}{{[]float64{3, 1, 2}, 2}, {[]float64{4, 1, 2, 3}, 2.5}, {[]float64{7}, 7}} {
		if got := median(c.of); got != c.want {
			t.Errorf("%v: %v, want %v", c.of, got, c.want)
		}
	}
	if got := median(nil); !math.IsNaN(got) {
		t.Errorf("of nothing: %v", got)
	}
}

// A ratio is of one round: what slowed the machine in it slowed both.
func TestRatiosAreOfARound(t *testing.T) {
	own, floor := []float64{20, 40, 10}, []float64{10, 10}
	if got, want := ratios(atLeast(0.5), own, floor), []float64{0.5, 0.25}; !slices.Equal(got, want) {
		t.Errorf("of the floor: %v, want %v", got, want)
	}
	if got, want := ratios(atMost(6), own, floor), []float64{2, 4}; !slices.Equal(got, want) {
		t.Errorf("in floors: %v, want %v", got, want)
	}
}

func TestGoals(t *testing.T) {
	for _, c := range []struct {
		goal         goal
		value        float64
		isMet, gross bool
		text         string
	}{
		{atLeast(0.85), 0.85, true, false, "≥ 0.85"},
		{atLeast(0.85), 0.84, false, false, "≥ 0.85"},
		{atLeast(0.85), 0.42, false, true, "≥ 0.85"},
		{atMost(180), 180, true, false, "≤ 180"},
		{atMost(180), 181, false, false, "≤ 180"},
		{atMost(180), 361, false, true, "≤ 180"},
		{atMost(6).butReached(20), 39, false, false, "≤ 6"},
		{atMost(6).butReached(20), 41, false, true, "≤ 6"},
		{atLeast(0.6).butReached(0.35), 0.2, false, false, "≥ 0.6"},
		{atLeast(0.6).butReached(0.35), 0.17, false, true, "≥ 0.6"},
		{atLeast(0.6).butReached(0.35), 0.7, true, false, "≥ 0.6"},
		{goal{}, 1e9, true, false, ""},
	} {
		if c.goal.isMet(c.value) != c.isMet || c.goal.isGross(c.value) != c.gross || c.goal.String() != c.text {
			t.Errorf("%v of %s: met %v, gross %v", c.value, c.goal, c.goal.isMet(c.value), c.goal.isGross(c.value))
		}
	}
}

func TestOnlyTheShortFormFails(t *testing.T) {
	r := &report{}
	r.add(figure{Row: "one", Values: []float64{0.1, 0.8, 0.8}, Goal: atLeast(0.85)}, figure{Row: "missing", Goal: atLeast(0.85)})
	if err := r.verdict(options{short: true}); err != nil {
		t.Errorf("a round of noise: %v", err)
	}
	r.add(figure{Row: "two", Values: []float64{0.1, 0.1, 0.8}, Goal: atLeast(0.85)})
	if err := r.verdict(options{short: true}); err == nil {
		t.Error("a goal missed by half is passed over")
	}
	if err := r.verdict(options{}); err != nil {
		t.Errorf("the long form: %v", err)
	}
}

func TestOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, args := range [][]string{{"-sizes", "XL"}, {"-parts", "all"}, {"-rounds", "0"}, {"-rounds", "9"}, {"extra"}, {"-sizes", ""}} {
		if o, err := parseOptions(args, t.Output()); err == nil {
			t.Errorf("%q: %+v", args, o)
		}
	}
	o, err := parseOptions([]string{"-short", "-sizes", "L"}, t.Output())
	if err != nil || len(o.sizes) != 1 || o.sizes[0].name != "S" || o.measures("queries") {
		t.Errorf("short: %+v, %v", o, err)
	}
}
