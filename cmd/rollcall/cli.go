package main

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// commands is the whole command line.
type commands struct {
	Serve      serveCommand      `cmd:"" help:"Mirror the organisation and answer."`
	Demo       demoCommand       `cmd:"" help:"Serve a simulated organisation from a temporary file: no account, nothing left behind."`
	Sync       syncCommand       `cmd:"" help:"Sweep once and exit."`
	Status     statusCommand     `cmd:"" help:"Say how old the mirror is, what it holds and what its last attempt met."`
	Health     healthCommand     `cmd:"" help:"Exit 0 if the server is alive."`
	Ready      readyCommand      `cmd:"" help:"Exit 0 if the server has data to answer with."`
	Groups     groupsCommand     `cmd:"" help:"List the groups a person is in, or all groups."`
	Members    membersCommand    `cmd:"" help:"List who is in a group, or the members who are in some groups and not in others."`
	Check      checkCommand      `cmd:"" help:"Say whether a person is in a group."`
	Changes    changesCommand    `cmd:"" help:"Print what changed, and with --follow what changes."`
	Diff       diffCommand       `cmd:"" help:"Print what differs between two states."`
	Hygiene    hygieneCommand    `cmd:"" help:"List what is out of order in groups, members and guests."`
	Export     exportCommand     `cmd:"" help:"Save a table as a file."`
	Snapshot   snapshotCommand   `cmd:"" help:"Save all tables as one SQLite file."`
	Forget     forgetCommand     `cmd:"" help:"Erase somebody who is gone from every past state."`
	Keys       keysCommand       `cmd:"" help:"Make keys for --auth=keys."`
	Backup     backupCommand     `cmd:"" help:"Copy the database file, history and all, also beside a running server."`
	Doctor     doctorCommand     `cmd:"" help:"Say which of Rollcall's assumptions about Tallyfy hold for your organisation, with at most thirty reads."`
	Config     configCommand     `cmd:"" help:"Print the settings serve would use and where each comes from, secrets redacted."`
	Completion completionCommand `cmd:"" help:"Print a script that makes bash, zsh or fish complete commands, flags and names."`
	Version    versionCommand    `cmd:"" help:"Print the version."`
	Complete   completeCommand   `cmd:"" hidden:""`
}

const description = "Rollcall keeps a local mirror of who is in which Tallyfy group and answers from it."

// parse reads the command line and the environment. It returns nil and no
// error when help was asked for and printed.
func parse(args []string, con *console, twins *environment) (*kong.Context, error) {
	helped := false
	parser, err := kong.New(&commands{},
		kong.Name("rollcall"),
		kong.Description(description),
		kong.Vars{"listen": defaultListen},
		kong.Writers(con.stdout, con.stderr),
		kong.Exit(func(int) { helped = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}),
		kong.ValueFormatter(twins.describe),
		kong.TypeMapper(reflect.TypeFor[time.Duration](), kong.MapperFunc(decodeDuration)),
		kong.TypeMapper(reflect.TypeFor[int](), kong.MapperFunc(decodeInt)),
		kong.PostBuild(twins.take),
		kong.Resolvers(twins),
	)
	if err != nil {
		return nil, err
	}
	if len(args) == 0 {
		return nil, usagef("name a command, such as serve or demo; rollcall --help lists them")
	}
	parsed, err := parser.Parse(args)
	switch {
	case helped:
		return nil, nil
	case err != nil:
		return nil, usageError{explain(err)}
	}
	return parsed, nil
}

// decodeDuration reads a duration as time.ParseDuration does.
func decodeDuration(ctx *kong.DecodeContext, target reflect.Value) error {
	var text string
	if err := ctx.Scan.PopValueInto("duration", &text); err != nil {
		return err
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("wants a duration with its unit, such as 90s, 5m or 1h30m, not %q", text)
	}
	target.SetInt(int64(d))
	return nil
}

// decodeInt reads a decimal number.
func decodeInt(ctx *kong.DecodeContext, target reflect.Value) error {
	var text string
	if err := ctx.Scan.PopValueInto("number", &text); err != nil {
		return err
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return fmt.Errorf("wants a whole number, not %q", text)
	}
	target.SetInt(int64(n))
	return nil
}

// explain turns kong's complaint into a sentence with a mend.
func explain(err error) error {
	text := err.Error()
	flag, _, isFlag := strings.Cut(text, ":")
	switch {
	case strings.HasPrefix(text, "--") && strings.Contains(text, "<EOL>"):
		return fmt.Errorf("%s: wants a value", flag)
	case strings.HasPrefix(text, "--") && isFlag, strings.Contains(text, "must be one of"), strings.Contains(text, "did you mean"):
		return err
	}
	return fmt.Errorf("%w: rollcall COMMAND --help says what there is", err)
}
