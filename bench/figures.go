package main

import (
	"math"
	"slices"
)

// A figure is one row of the table at one size of the organisation.
type figure struct {
	Row     string    `json:"row"`
	Size    string    `json:"size"`
	Values  []float64 `json:"values"` // one a round, in Unit; what the goal is about
	Unit    string    `json:"unit"`
	Goal    goal      `json:"goal"`
	Missing string    `json:"missing,omitempty"` // why there are no values

	// Cost is what Rollcall itself took, one a round, in CostUnit, and Input
	// what it took that for: bytes of an answer, or memberships. They make the
	// plot. A row has none where its cost would say nothing alone.
	Cost     []float64 `json:"cost,omitempty"`
	CostUnit string    `json:"cost_unit,omitempty"`
	Input    float64   `json:"input,omitempty"`
	Floors   []float64 `json:"floors,omitempty"` // Cost in floors, of what has one: a busy machine moves it less

	Loads map[string][]loadResult `json:"loads,omitempty"` // by who was asked
}

// median is NaN of nothing.
func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// isGross reports whether the figure misses its goal by half, or what is
// reached of it.
func (f figure) isGross() bool {
	return len(f.Values) > 0 && f.Goal.isGross(median(f.Values))
}

// inFloors makes ratios say how many floors something costs.
var inFloors = atMost(1)

// ratios are what a goal is about: of a floor where it is a least, in floors
// where it is a most.
func ratios(g goal, own, floor []float64) []float64 {
	out := make([]float64, min(len(own), len(floor)))
	for i := range out {
		if g.AtMost != 0 {
			out[i] = own[i] / floor[i]
		} else {
			out[i] = floor[i] / own[i]
		}
	}
	return out
}
