package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"rollcall/internal/db"
)

// backupCommand copies the database file.
type backupCommand struct {
	fileSettings
	File string `arg:"" help:"The file to make; one that exists is never replaced."`
}

// Help is added to the command's help.
func (c *backupCommand) Help() string {
	return "Copies --db, history and all, as it stands at one instant, also beside a running server, which goes on meanwhile. " +
		"The copy appears when it is whole. To restore it: stop the server, remove what is at --db and its -wal and -shm companions, " +
		"put the copy there, start the server."
}

// Run exits 0 when the copy is on disk.
func (c *backupCommand) Run(ctx context.Context, con *console) (err error) {
	if err := c.check(); err != nil {
		return err
	}
	mirror, err := db.OpenReadOnly(ctx, c.DB)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, mirror.Close()) }()
	if err := mirror.Backup(ctx, c.File); err != nil {
		return err
	}
	info, err := os.Stat(c.File)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(con.stdout, "copied %s to %s, %d bytes\n", c.DB, c.File, info.Size())
	return err
}
