package main

import (
	"bytes"
	"cmp"
	"fmt"
	"html"
	"math"
	"slices"
)

// The plot, in units of SVG. Both axes are logarithmic; a row begins at 1.
const (
	plotWidth, plotHeight       = 960, 640
	plotLeft, plotTop           = 90, 40
	plotRight, plotBottom       = 560, 590
	labelHeight, labelDistance  = 14, 12
	plotTick, plotBelow, plotUp = 8, 20, 4
)

var plotColours = []string{"#1b6ca8", "#c0392b", "#27864a", "#8e44ad", "#b9770e", "#16807a", "#7f3b08", "#4d4d4d"}

// plot draws how the cost of each row grows with the organisation, relative
// to the smallest size, beside what grows as the organisation does.
func plot(all []growth) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="11">`+"\n", plotWidth, plotHeight)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", plotWidth, plotHeight)
	if len(all) > 0 {
		newAxes(all).draw(&b, all)
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// axes turn memberships and relative costs into places.
type axes struct{ minX, maxX, minY, maxY float64 } // logarithms to the base of 10

// margin is what stays free above and below the lines.
const margin = 0.15

func newAxes(all []growth) axes {
	a := axes{math.Inf(1), math.Inf(-1), 0, 0}
	for _, g := range all {
		for _, p := range g.Points {
			x, y := math.Log10(p.Edges), math.Log10(p.Cost/g.Points[0].Cost)
			a.minX, a.maxX = min(a.minX, x), max(a.maxX, x)
			a.minY, a.maxY = min(a.minY, y), max(a.maxY, y)
		}
	}
	a.minY, a.maxY = a.minY-margin, max(a.maxY, a.maxX-a.minX)+margin
	return a
}

func (a axes) x(edges float64) float64 {
	return plotLeft + (plotRight-plotLeft)*(math.Log10(edges)-a.minX)/max(a.maxX-a.minX, 1e-9)
}

func (a axes) y(relative float64) float64 {
	return plotBottom - (plotBottom-plotTop)*(math.Log10(relative)-a.minY)/(a.maxY-a.minY)
}

func (a axes) draw(b *bytes.Buffer, all []growth) {
	fmt.Fprintf(b, `<text x="%d" y="%d">cost, relative to the smallest size; both axes logarithmic</text>`+"\n", plotLeft, plotTop-labelDistance)
	for _, tick := range a.ticks() {
		y := a.y(tick)
		fmt.Fprintf(b, `<path d="M%d %.1fH%d" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">×%s</text>`+"\n",
			plotLeft, y, plotRight, plotLeft-plotTick, y+plotUp, number(tick))
	}
	for _, p := range all[0].Points {
		fmt.Fprintf(b, `<text x="%.1f" y="%d" text-anchor="middle">%s: %.0f memberships</text>`+"\n", a.x(p.Edges), plotBottom+plotBelow, p.Size, p.Edges)
	}
	first, last := math.Pow(10, a.minX), math.Pow(10, a.maxX)
	fmt.Fprintf(b, `<path d="M%.1f %.1fL%.1f %.1f" stroke="#999" stroke-dasharray="4 4"/>`+"\n", a.x(first), a.y(1), a.x(last), a.y(last/first))
	a.lines(b, all)
}

// ticks are 1, 2 and 5 of each decade, as far as they can be seen.
func (a axes) ticks() (ticks []float64) {
	for decade := math.Floor(a.minY); decade <= a.maxY; decade++ {
		for _, n := range []float64{1, 2, 5} {
			tick := n * math.Pow(10, decade)
			if y := math.Log10(tick); y >= a.minY && y <= a.maxY {
				ticks = append(ticks, tick)
			}
		}
	}
	return ticks
}

// lines draws the rows, the steepest first, each with its name at its end.
func (a axes) lines(b *bytes.Buffer, all []growth) {
	steepest := slices.SortedStableFunc(slices.Values(all), func(g, h growth) int { return cmp.Compare(h.cost(), g.cost()) })
	ends := make([]float64, len(steepest))
	for i, g := range steepest {
		ends[i] = a.y(g.cost())
	}
	for i, label := range spaced(ends) {
		g, colour := steepest[i], plotColours[i%len(plotColours)]
		fmt.Fprintf(b, `<path fill="none" stroke="%s" stroke-width="1.5" d="`, colour)
		for j, p := range g.Points {
			draw := "L"
			if j == 0 {
				draw = "M"
			}
			fmt.Fprintf(b, "%s%.1f %.1f", draw, a.x(p.Edges), a.y(p.Cost/g.Points[0].Cost))
		}
		fmt.Fprintf(b, `"/><text x="%d" y="%.1f" fill="%s">×%s %s</text>`+"\n", plotRight+labelDistance, label+plotUp, colour, number(g.cost()), html.EscapeString(g.Row))
	}
}

// spaced moves places, the uppermost first, apart for labels: down where they
// are too close, and all up again where the last would leave the plot.
func spaced(places []float64) []float64 {
	out := slices.Clone(places)
	for i := 1; i < len(out); i++ {
		out[i] = max(out[i], out[i-1]+labelHeight)
	}
	lowest := float64(plotBottom)
	for i := len(out) - 1; i >= 0; i-- {
		out[i] = min(out[i], lowest)
		lowest = out[i] - labelHeight
	}
	return out
}
