package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// A growth is what one row costs at each size, smallest first.
type growth struct {
	Row    string        `json:"row"`
	Unit   string        `json:"unit"`
	Points []growthPoint `json:"points"`
}

type growthPoint struct {
	Size  string  `json:"size"`
	Edges float64 `json:"memberships"`
	Input float64 `json:"input"` // what the cost is for: bytes of an answer, or memberships
	Cost  float64 `json:"cost"`
}

// growths pairs the figures of a row at different sizes.
func growths(figures []figure) (all []growth) {
	for _, s := range sizes {
		for _, f := range figures {
			if f.Size != s.name || len(f.Cost) == 0 {
				continue
			}
			cost, unit := f.Cost, f.CostUnit
			if len(f.Floors) > 0 {
				cost, unit = f.Floors, "floors"
			}
			i := slices.IndexFunc(all, func(g growth) bool { return g.Row == f.Row })
			if i < 0 {
				i = len(all)
				all = append(all, growth{Row: f.Row, Unit: unit})
			}
			all[i].Points = append(all[i].Points, growthPoint{s.name, float64(s.edges), f.Input, median(cost)})
		}
	}
	return slices.DeleteFunc(all, func(g growth) bool { return len(g.Points) < 2 })
}

// cost is by how much the cost grows from the smallest size to the largest.
func (g growth) cost() float64 { return g.last().Cost / g.Points[0].Cost }

// input is by how much that grows which the cost is for.
func (g growth) input() float64 { return max(1, g.last().Input/g.Points[0].Input) }

func (g growth) last() growthPoint { return g.Points[len(g.Points)-1] }

// tolerance is by how much a cost may outgrow its input before it is named:
// caches that no longer hold everything cost that much.
const tolerance = 1.25

func (g growth) isFaster() bool { return g.cost() > tolerance*g.input() }

// writeGrowth prints a line a row and names what grows faster than its input.
func writeGrowth(w io.Writer, all []growth) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "growth\tfrom\tto\tcost\tinput\t")
	for _, g := range all {
		word := ""
		if g.isFaster() {
			word = "FASTER THAN ITS INPUT"
		}
		fmt.Fprintf(table, "%s\t%s\t%s %s\t×%s\t×%s\t%s\n", g.Row, number(g.Points[0].Cost), number(g.last().Cost), g.Unit, number(g.cost()), number(g.input()), word)
	}
	return table.Flush()
}
