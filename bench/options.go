package main

import (
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"rollcall/internal/tallyfysim"
)

// A size is how large an organisation is.
type size struct {
	name                   string
	members, groups, edges int
}

var sizes = []size{
	{"S", 10_000, 1_000, 100_000},
	{"L", 100_000, 10_000, 1_000_000},
}

func (s size) simulated() *tallyfysim.Sim {
	return tallyfysim.New(tallyfysim.Options{Seed: 1, Groups: s.groups, Members: s.members, Edges: s.edges})
}

// options are what a run measures, and how often.
type options struct {
	short  bool
	rounds int
	sizes  []size
	parts  []string
	json   string
	plot   string
}

// mostRounds leave the small size some people whom nobody asked for before.
const mostRounds = 8

var allParts = []string{"reads", "sweeps", "queries"}

func parseOptions(args []string, stderr io.Writer) (options, error) {
	var o options
	var named, parts string
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.BoolVar(&o.short, "short", false, "the form for CI: reads of the small size, without wrk and peers; exits 1 where a goal, or what is reached of it, is missed by half")
	flags.IntVar(&o.rounds, "rounds", 3, "rounds of each row, interleaved")
	flags.StringVar(&named, "sizes", "S,L", "sizes of the organisation, with commas between")
	flags.StringVar(&parts, "parts", strings.Join(allParts, ","), "what to measure, with commas between")
	flags.StringVar(&o.json, "json", "", "file for all figures as JSON")
	flags.StringVar(&o.plot, "plot", "", "file for the plot of cost against size, as SVG")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("%q is no flag: -help lists them", flags.Arg(0))
	case o.rounds < 1 || o.rounds > mostRounds:
		return o, fmt.Errorf("-rounds: %d is not from 1 to %d", o.rounds, mostRounds)
	case o.short:
		named, parts = "S", "reads"
	}
	return o, o.choose(strings.Split(named, ","), strings.Split(parts, ","))
}

func (o *options) choose(named, parts []string) error {
	for _, name := range named {
		i := slices.IndexFunc(sizes, func(s size) bool { return s.name == name })
		if i < 0 {
			return fmt.Errorf("-sizes: %q is not known, give S, L or both", name)
		}
		o.sizes = append(o.sizes, sizes[i])
	}
	for _, part := range parts {
		if !slices.Contains(allParts, part) {
			return fmt.Errorf("-parts: %q is not known, give some of %s", part, strings.Join(allParts, ", "))
		}
	}
	o.parts = parts
	return nil
}

func (o options) measures(part string) bool { return slices.Contains(o.parts, part) }

// limit is when a run ends, done or not.
func (o options) limit() time.Duration {
	if o.short {
		return 2 * time.Minute
	}
	return 10 * time.Minute
}

// command is how to repeat the run.
func (o options) command() string {
	if o.short {
		return "go run ./bench -short"
	}
	var names []string
	for _, s := range o.sizes {
		names = append(names, s.name)
	}
	return fmt.Sprintf("go run ./bench -sizes %s -parts %s -rounds %d", strings.Join(names, ","), strings.Join(o.parts, ","), o.rounds)
}
