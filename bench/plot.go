package main

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"slices"
)

// The plot, in units of SVG. Both axes are logarithmic; a row begins at 1.
const (
	plotWidth, plotHeight       = 960, 640
	plotLeft, plotTop           = 60, 30
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

func newAxes(all []growth) axes {
	a := axes{math.Inf(1), math.Inf(-1), 0, 1}
	for _, g := range all {
		for _, p := range g.Points {
			x, y := math.Log10(p.Edges), math.Log10(p.Cost/g.Points[0].Cost)
			a.minX, a.maxX = min(a.minX, x), max(a.maxX, x)
			a.minY, a.maxY = min(a.minY, math.Floor(y)), max(a.maxY, math.Ceil(y))
		}
	}
	a.maxY = max(a.maxY, a.maxX-a.minX)
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
	for decade := a.minY; decade <= a.maxY; decade++ {
		y := a.y(math.Pow(10, decade))
		fmt.Fprintf(b, `<path d="M%d %.1fH%d" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">×%s</text>`+"\n",
			plotLeft, y, plotRight, plotLeft-plotTick, y+plotUp, number(math.Pow(10, decade)))
	}
	for _, p := range all[0].Points {
		fmt.Fprintf(b, `<text x="%.1f" y="%d" text-anchor="middle">%s: %.0f memberships</text>`+"\n", a.x(p.Edges), plotBottom+plotBelow, p.Size, p.Edges)
	}
	first, last := math.Pow(10, a.minX), math.Pow(10, a.maxX)
	fmt.Fprintf(b, `<path d="M%.1f %.1fL%.1f %.1f" stroke="#999" stroke-dasharray="4 4"/>`+"\n", a.x(first), a.y(1), a.x(last), a.y(last/first))
	a.lines(b, all)
}

// lines draws the rows, the steepest first, so that labels can make way for
// those above them.
func (a axes) lines(b *bytes.Buffer, all []growth) {
	steepest := slices.SortedStableFunc(slices.Values(all), func(g, h growth) int {
		if g.cost() > h.cost() {
			return -1
		}
		return 1
	})
	free := float64(plotTop)
	for i, g := range steepest {
		colour := plotColours[i%len(plotColours)]
		for j, p := range g.Points {
			draw := "L"
			if j == 0 {
				b.WriteString(`<path fill="none" stroke="` + colour + `" stroke-width="1.5" d="`)
				draw = "M"
			}
			fmt.Fprintf(b, "%s%.1f %.1f", draw, a.x(p.Edges), a.y(p.Cost/g.Points[0].Cost))
		}
		at := a.y(g.cost())
		label := max(at, free)
		free = label + labelHeight
		fmt.Fprintf(b, `"/><text x="%d" y="%.1f" fill="%s">×%s %s</text>`+"\n", plotRight+labelDistance, label+plotUp, colour, number(g.cost()), html.EscapeString(g.Row))
	}
}
