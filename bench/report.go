package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// A report is everything that a run found.
type report struct {
	BeganAt time.Time `json:"began_at"`
	Took    string    `json:"took"`
	Machine string    `json:"machine"`
	Command string    `json:"command"`
	Figures []figure  `json:"figures"`
	Growth  []growth  `json:"growth"`
	Notes   []string  `json:"notes,omitempty"`
}

func (r *report) add(figures ...figure) { r.Figures = append(r.Figures, figures...) }

func (r *report) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

// write prints the tables and writes the files that were asked for.
func (r *report) write(o options, stdout io.Writer) error {
	r.Growth = growths(r.Figures)
	fmt.Fprintf(stdout, "%s\n%s, %s, took %s\n\n", r.Command, r.Machine, r.BeganAt.Format(time.DateOnly), r.Took)
	err := writeTable(stdout, r.Figures)
	if len(r.Growth) > 0 {
		fmt.Fprintln(stdout)
		err = errors.Join(err, writeGrowth(stdout, r.Growth))
	}
	for _, note := range r.Notes {
		fmt.Fprintf(stdout, "\n%s\n", note)
	}
	if o.json != "" {
		text, failed := json.MarshalIndent(r, "", "  ")
		err = errors.Join(err, failed, os.WriteFile(o.json, append(text, '\n'), 0o600))
	}
	if o.plot != "" {
		err = errors.Join(err, os.WriteFile(o.plot, plot(r.Growth), 0o600))
	}
	return err
}

// verdict is the error of the short form where a goal, or what is reached of
// it, is missed by half. The long form measures and judges nothing.
func (r *report) verdict(o options) error {
	if !o.short {
		return nil
	}
	var missed []string
	for _, f := range r.Figures {
		if f.isGross() {
			missed = append(missed, fmt.Sprintf("%s is %s %s, the goal is %s", f.Row, number(median(f.Values)), f.Unit, f.Goal))
		}
	}
	if len(missed) == 0 {
		return nil
	}
	return errors.New("goals, or what is reached of them, are missed by half in every try: " + strings.Join(missed, "; "))
}
