package main

import (
	"context"
	"fmt"

	"rollcall/internal/access"
)

// keysCommand deals with the keys of --auth=keys.
type keysCommand struct {
	New keysNewCommand `cmd:"" help:"Make a key, print it once, and add it to the keys file."`
}

// keysNewCommand makes a key.
type keysNewCommand struct {
	Scope    string `name:"scope" env:"ROLLCALL_SCOPE" default:"read" help:"What the key may be used for: read, write (groups, and sweeps on demand), admin (users, held removals, forgetting), or several with commas between; none includes another."`
	KeysFile string `name:"keys-file" env:"ROLLCALL_KEYS_FILE" placeholder:"FILE" help:"Keys file to add it to, made if there is none; a running server takes it up within a second. Without it the line is printed."`
	Name     string `arg:"" help:"Of who will use it: it stands in logs and in the feed of changes."`
}

// Help is added to the command's help.
func (c *keysNewCommand) Help() string {
	return "The key alone goes to stdout, all else to stderr. It is kept nowhere: the file holds its SHA-256. " +
		"To end a key, remove its line. To have a new key take over from an old one under the same name, make it without --keys-file, " +
		"add the line by hand, and remove the old line when nobody uses that key any more."
}

// Run exits 0 when the key is printed and, if there is a file, in it.
func (c *keysNewCommand) Run(_ context.Context, con *console) error {
	scopes, err := access.ParseScopes(c.Scope)
	if err != nil {
		return usagef("--scope: %w", err)
	}
	secret, line, err := access.NewKey(c.Name, scopes)
	if err != nil {
		return usageError{err}
	}
	if c.KeysFile == "" {
		fmt.Fprintf(con.stderr, "# Put this line into the keys file; the key itself is shown this once and kept nowhere.\n%s\n", line)
	} else if err := access.AppendKey(c.KeysFile, line); err != nil {
		return err
	} else {
		fmt.Fprintf(con.stderr, "added %s (%s) to %s; the key itself is shown this once and kept nowhere\n", c.Name, scopes, c.KeysFile)
	}
	_, err = fmt.Fprintln(con.stdout, secret)
	return err
}
