//go:build !unix

package main

import (
	"context"
	"io/fs"
	"net"
)

// bindSocket makes a socket. Where modes mean nothing, the folder's access
// rules protect it.
func bindSocket(ctx context.Context, config net.ListenConfig, path string, _ fs.FileMode) (net.Listener, error) {
	return config.Listen(ctx, "unix", path)
}
