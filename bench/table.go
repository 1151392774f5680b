package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// writeTable prints a line a figure: the median, the least and the most of
// the rounds, the goal beside them, and what Rollcall itself took.
func writeTable(w io.Writer, figures []figure) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "row\tsize\tmedian\tspread\tunit\tgoal\t\tcost")
	for _, f := range figures {
		fmt.Fprintln(table, f.line())
	}
	return table.Flush()
}

func (f figure) line() string {
	if len(f.Values) == 0 {
		return fmt.Sprintf("%s\t%s\t-\t\t%s\t%s\t\t", f.Row, f.Size, cmp.Or(f.Missing, "not measured"), f.Goal)
	}
	return fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s", f.Row, f.Size, number(median(f.Values)), spread(f.Values), f.Unit, f.Goal, f.word(), f.cost())
}

// spread is the least and the most of several values.
func spread(values []float64) string {
	if len(values) < 2 {
		return ""
	}
	return number(slices.Min(values)) + "–" + number(slices.Max(values))
}

// word says in one what the median is to the goal.
func (f figure) word() string {
	switch {
	case f.Goal.isNone():
		return ""
	case f.Goal.isMet(median(f.Values)):
		return "met"
	case f.Goal.butReached(0).isGross(median(f.Values)):
		return "MISSED BY HALF"
	}
	return "missed"
}

func (f figure) cost() string {
	if len(f.Cost) == 0 || f.CostUnit == f.Unit {
		return ""
	}
	return number(median(f.Cost)) + " " + f.CostUnit
}
