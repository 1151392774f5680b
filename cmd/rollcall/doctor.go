package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"text/tabwriter"

	"rollcall/internal/doctor"
	"rollcall/internal/tallyfy"
)

// doctorCommand examines Tallyfy.
type doctorCommand struct {
	upstreamSettings
	JSON bool `name:"json" env:"ROLLCALL_DOCTOR_JSON" help:"Print the report as JSON (default: false)."`
}

// Help is added to the command's help.
func (c *doctorCommand) Help() string {
	return "It only reads, at most thirty times, within the limits of --upstream-rate; beside a running server these reads come on top of that server's.\n\n" +
		"Exits 0 when a mirror can be kept, whatever else is contradicted, and 1 when it cannot.\n\n" + tokenHelp
}

// Run prints a verdict on each assumption.
func (c *doctorCommand) Run(ctx context.Context, con *console) error {
	if err := c.check(); err != nil {
		return err
	}
	options := c.clientOptions()
	token, err := tokenFrom(ctx, con.env, options)
	if err != nil {
		return err
	}
	token.use(&options)
	options.Logger = slog.New(slog.DiscardHandler)
	client, err := tallyfy.New(options)
	if err != nil {
		return err
	}
	defer client.Close()
	report, err := doctor.Examine(ctx, client, doctor.Options{Organization: c.Org, BaseURL: c.BaseURL})
	if err != nil {
		return err
	}
	if err := c.print(con.stdout, report); err != nil {
		return err
	}
	if !report.IsUsable() {
		return &exitError{code: exitFailure}
	}
	return nil
}

func (c *doctorCommand) print(w io.Writer, report *doctor.Report) error {
	if c.JSON {
		encoder := json.NewEncoder(w)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(report)
	}
	fmt.Fprintf(w, "organisation %s, requests made: %d\n", report.Organization, report.Requests)
	for _, verdict := range []doctor.Verdict{doctor.Contradicted, doctor.NotVisible, doctor.Confirmed} {
		fmt.Fprintf(w, "\n%d %s\n", report.Count(verdict), verdict)
		if err := printFindings(w, report, verdict); err != nil {
			return err
		}
	}
	if !report.IsUsable() {
		fmt.Fprintln(w, "\nNo mirror can be kept: see what is marked with !")
	}
	return nil
}

// printFindings shows what was assumed and seen, and, where it matters, what
// Rollcall does about it.
func printFindings(w io.Writer, report *doctor.Report, verdict doctor.Verdict) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range report.Findings {
		if f.Verdict != verdict {
			continue
		}
		mark := " "
		if f.Essential && verdict != doctor.Confirmed {
			mark = "!"
		}
		fmt.Fprintf(table, "%s %s\t%s\n", mark, f.Name, f.Assumed)
		if verdict != doctor.Confirmed {
			fmt.Fprintf(table, "\t  seen: %s\n", printable(f.Seen))
		}
		if verdict == doctor.Contradicted {
			fmt.Fprintf(table, "\t  so: %s\n", f.Otherwise)
		}
	}
	return table.Flush()
}
