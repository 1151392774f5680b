package main

import "strconv"

// A goal bounds a figure from one side; the zero goal does not.
type goal struct {
	AtLeast float64 `json:"at_least,omitempty"`
	AtMost  float64 `json:"at_most,omitempty"`
}

func atLeast(v float64) goal { return goal{AtLeast: v} }
func atMost(v float64) goal  { return goal{AtMost: v} }

func (g goal) isNone() bool { return g == goal{} }

func (g goal) isMet(v float64) bool {
	return (g.AtLeast == 0 || v >= g.AtLeast) && (g.AtMost == 0 || v <= g.AtMost)
}

// isGross reports whether a figure is so far off that no noise explains it:
// half of what it should be at least, or twice what it may be at most.
func (g goal) isGross(v float64) bool {
	return !goal{g.AtLeast / 2, g.AtMost * 2}.isMet(v)
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
