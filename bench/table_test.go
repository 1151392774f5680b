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
		at("flat & small", "L", 110, 300), at("sweep", "L", 100, 1_000_000), at("slow", "L", 30, 600),
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
	want := map[string]bool{"flat & small": false, "sweep": false, "slow": true}
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
	if err := writeGrowth(&out, all); err != nil || strings.Count(out.String(), "FASTER") != 1 {
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

func TestLabelsDoNotCoverEachOther(t *testing.T) {
	var figures []figure
	for _, name := range []string{"a", "b", "c", "d"} {
		for _, s := range sizes {
			figures = append(figures, figure{Row: name, Size: s.name, Cost: []float64{1}, Input: 1})
		}
	}
	places := map[string]bool{}
	for line := range strings.Lines(string(plot(growths(figures)))) {
		if _, label, found := strings.Cut(line, `<text x="572" y="`); found {
			y, _, _ := strings.Cut(label, `"`)
			places[y] = true
		}
	}
	if len(places) != 4 {
		t.Errorf("four labels at %v", places)
	}
}
