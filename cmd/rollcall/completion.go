package main

import (
	"embed"
	"fmt"
)

// completionCommand prints what makes a shell complete.
type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

//go:embed completion
var completionScripts embed.FS

// Help is added to the command's help.
func (c *completionCommand) Help() string {
	return "Add source <(rollcall completion bash) to ~/.bashrc, the same with zsh to ~/.zshrc, or rollcall completion fish | source to " +
		"~/.config/fish/config.fish. Commands, flags and their values are completed, and from the server, if it answers within a second, names of groups and e-mails of members."
}

// Run prints the script, which asks the program for candidates.
func (c *completionCommand) Run(con *console) error {
	script, err := completionScripts.ReadFile("completion/" + c.Shell)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(con.stdout, "%s", script)
	return err
}
