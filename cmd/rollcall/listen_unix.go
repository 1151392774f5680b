//go:build unix

package main

import (
	"context"
	"io/fs"
	"net"
	"os"
	"syscall"
)

// bindSocket makes a socket that is never more open than mode, not for an
// instant. The umask is the process's, so this belongs to the start.
func bindSocket(ctx context.Context, config net.ListenConfig, path string, mode fs.FileMode) (net.Listener, error) {
	before := syscall.Umask(0o177)
	listener, err := config.Listen(ctx, "unix", path)
	syscall.Umask(before)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, mode); err != nil {
		listener.Close()
		return nil, err
	}
	return listener, nil
}
