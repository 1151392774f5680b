package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

func grownRows() []figure {
	at := func(row, size string, cost, input float64) figure {
		return figure{Row: row, Size: size, Values: []float64{cost}, Cost: []float64{cost}, CostUnit: "ns", Input: input}
	}
	return []figure{
		at("flat & small", "S", 100, 300), at("sweep", "S", 10, 100_000), at("slow", "S", 10, 300), at("only here", "S", 1, 1),
		at("flat & small", "L", 900, 300), at("sweep", "L", 100, 1_000_000), at("slow", "L", 30, 600),
	}
}

// A machine that was busier at one size than at the other shows in the cost and
// not in floors.
func TestGrowthIsInFloorsWhereThereIsOne(t *testing.T) {
	rows := grownRows()
	rows[0].Floors, rows[4].Floors = []float64{2}, []float64{2.2}
	for _, g := range growths(rows) {
		if g.Row == rows[0].Row && (g.Unit != "floors" || g.isFaster()) {
			t.Errorf("%+v", g)
		}
	}
}

func TestTheTableHasALineAFigure(t *testing.T) {
	var out bytes.Buffer
	err := writeTable(&out, []figure{
		{Row: "one", Size: "S", Values: []float64{0.9, 0.8, 1}, Unit: "of the floor", Goal: atLeast(0.85), Cost: []float64{12_000, 13_000}, CostUnit: "ns"},
		{Row: "two", Size: "L", Missing: "not there: status 404", Goal: atMost(6)},
		{Row: "three", Size: "L", Values: []float64{5}, Unit: "MB", Goal: atMost(2), Cost: []float64{5}, CostUnit: "MB"},
	})
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if err != nil || len(lines) != 4 {
		t.Fatalf("%v\n%s", err, &out)
	}
	for i, words := range []string{"row size median spread unit goal cost", "one S 0.9 0.8–1 of the floor ≥ 0.85 met 12500 ns", "two L - not there: status 404 ≤ 6", "three L 5 MB ≤ 2 MISSED BY HALF"} {
		if got := strings.Join(strings.Fields(lines[i]), " "); got != words {
			t.Errorf("%q, want %q", got, words)
		}
	}
}

func TestWhatGrowsFasterThanItsInputIsNamed(t *testing.T) {
	want := map[string]bool{"flat & small": true, "sweep": false, "slow": true}
	all := growths(grownRows())
	if len(all) != len(want) {
		t.Errorf("%d rows at two sizes, want %d", len(all), len(want))
	}
	for _, g := range all {
		if g.isFaster() != want[g.Row] {
			t.Errorf("%s: ×%v for ×%v", g.Row, g.cost(), g.input())
		}
	}
	var out bytes.Buffer
	if err := writeGrowth(&out, all); err != nil || strings.Count(out.String(), "FASTER") != 2 {
		t.Errorf("%v\n%s", err, &out)
	}
}

func TestThePlotIsWellFormedAndNamesEachRow(t *testing.T) {
	for _, all := range [][]growth{nil, growths(grownRows())} {
		picture := plot(all)
		texts := textsOf(t, picture)
		for _, g := range all {
			if !strings.Contains(texts, g.Row) {
				t.Errorf("%s is not in the plot", g.Row)
			}
		}
		if bytes.Contains(picture, []byte("NaN")) || bytes.Contains(picture, []byte("Inf")) {
			t.Errorf("a place is no number:\n%s", picture)
		}
	}
}

func textsOf(t *testing.T, picture []byte) string {
	t.Helper()
	var texts strings.Builder
	in := xml.NewDecoder(bytes.NewReader(picture))
	for {
		token, err := in.Token()
		if errors.Is(err, io.EOF) {
			return texts.String()
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, picture)
		}
		if text, is := token.(xml.CharData); is {
			texts.Write(text)
		}
	}
}

func TestLabelsDoNotCoverEachOtherNorLeaveThePlot(t *testing.T) {
	for _, ends := range [][]float64{{100, 100, 100, 105}, {100, 600, 610, 620, 625, 625}, {plotHeight, plotHeight, plotHeight}, {50}, nil} {
		places := spaced(ends)
		for i, place := range places {
			if i > 0 && place < places[i-1]+labelHeight || place > plotBottom {
				t.Errorf("%v: labels at %v", ends, places)
				break
			}
		}
	}
}
