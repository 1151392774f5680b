package main

import (
	"cmp"
	"strconv"
)

// A goal bounds a figure from one side; the zero goal does not.
type goal struct {
	AtLeast float64 `json:"at_least,omitempty"`
	AtMost  float64 `json:"at_most,omitempty"`
	Reached float64 `json:"reached,omitempty"` // what docs/performance.md explains, where that misses the goal
}

func atLeast(v float64) goal { return goal{AtLeast: v} }
func atMost(v float64) goal  { return goal{AtMost: v} }

// butReached tells how near a goal is that is missed for known reasons.
func (g goal) butReached(v float64) goal {
	g.Reached = v
	return g
}

func (g goal) isNone() bool { return g == goal{} }

func (g goal) isMet(v float64) bool {
	return (g.AtLeast == 0 || v >= g.AtLeast) && (g.AtMost == 0 || v <= g.AtMost)
}

// isGross reports whether a figure is so far off that no noise explains it:
// half of what it should be at least, or twice what it may be at most, or of
// what is reached where that is less.
func (g goal) isGross(v float64) bool {
	switch {
	case g.isMet(v):
		return false
	case g.AtLeast != 0:
		return v < min(g.AtLeast, cmp.Or(g.Reached, g.AtLeast))/2
	}
	return v > max(g.AtMost, g.Reached)*2
}

func (g goal) String() string {
	switch {
	case g.AtLeast != 0:
		return "≥ " + number(g.AtLeast)
	case g.AtMost != 0:
		return "≤ " + number(g.AtMost)
	}
	return ""
}

// number has three digits that matter.
func number(v float64) string {
	if v >= 100 || v <= -100 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}
