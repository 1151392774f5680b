package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"text/tabwriter"

	"github.com/alecthomas/kong"
)

// configCommand prints the settings that serve would use.
type configCommand struct {
	settings
	Output string `name:"output" short:"o" env:"ROLLCALL_OUTPUT" enum:"table,json,csv,ndjson" default:"table" placeholder:"table" help:"json, or a table."`
}

// A setting is one effective value and where it comes from: a flag, an
// environment variable or the default. A secret shows that it is set.
type setting struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Source string `json:"source"`
}

// redacted stands for a secret that is set.
const redacted = "***"

// Run prints every setting; it says on stderr why serve would refuse them.
func (c *configCommand) Run(ctx context.Context, con *console, parsed *kong.Context, twins *environment) error {
	token, tokenErr := tokenFrom(ctx, con.env, c.clientOptions())
	if token.settings == nil {
		token.settings = []setting{{tokenVar, "", "not usable"}}
	}
	if mode, err := c.mode(c.address()); err == nil {
		c.Auth, c.AllowQuery = string(mode), new(c.allowsQuery(mode))
	}
	all := append(token.settings, effective(parsed, twins)...)
	if err := printSettings(con, c.Output, all); err != nil {
		return err
	}
	if err := firstError(c.check, func() error { return tokenErr }); err != nil {
		fmt.Fprintf(con.stderr, "rollcall: serve would refuse this: %s\n", twins.name(err.Error()))
	}
	return nil
}

// effective lists the flags of the selected command in their order.
func effective(parsed *kong.Context, twins *environment) []setting {
	given := map[*kong.Flag]bool{}
	for _, path := range parsed.Path {
		if path.Flag != nil && !path.Resolved {
			given[path.Flag] = true
		}
	}
	var all []setting
	for _, flag := range parsed.Flags() {
		if flag.Name == "help" || flag.Name == "output" {
			continue
		}
		source := "default"
		if given[flag] {
			source = "flag"
		} else if name := twins.used[flag.Value]; name != "" {
			source = name
		}
		value := withoutPassword(valueText(parsed.FlagValue(flag)))
		if flag.Name == pseudonymKeyFlag && value != "" {
			value = redacted
		}
		all = append(all, setting{"--" + flag.Name, value, source})
	}
	return all
}

// valueText is a value as one would give it; of a flag that was not given and
// has no default it is empty.
func valueText(value any) string {
	if given, ok := value.(*bool); ok {
		if given == nil {
			return ""
		}
		value = *given
	}
	return fmt.Sprint(value)
}

// withoutPassword redacts the password of a URL.
func withoutPassword(value string) string {
	if u, err := url.Parse(value); err == nil && u.User != nil {
		return u.Redacted()
	}
	return value
}

func printSettings(con *console, format string, all []setting) error {
	if format == "json" {
		encoder := json.NewEncoder(con.stdout)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(all)
	}
	writer := tabwriter.NewWriter(con.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(writer, "SETTING\tVALUE\tSOURCE")
	for _, s := range all {
		fmt.Fprintf(writer, "%s\t%s\t%s\n", s.Name, s.Value, s.Source)
	}
	return writer.Flush()
}
