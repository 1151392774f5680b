package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// An address is where to listen: a TCP host and port, or a unix socket.
type address struct {
	setting string      // the flag, for messages
	network string      // tcp or unix
	where   string      // host:port, or the socket's path
	mode    fs.FileMode // of a socket
}

// parseAddress reads host:port, or unix:/path?mode=0660. A socket's mode is
// 0600 unless given.
func parseAddress(setting, text string) (address, error) {
	if path, ok := strings.CutPrefix(text, "unix:"); ok {
		return parseSocket(setting, text, path)
	}
	_, port, err := net.SplitHostPort(text)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return address{}, usagef("%s: %q is not an address, give host:port, such as 127.0.0.1:7655, or unix:/path", setting, text)
	}
	return address{setting: setting, network: "tcp", where: text}, nil
}

func parseSocket(setting, text, path string) (address, error) {
	path, query, _ := strings.Cut(path, "?")
	options, err := url.ParseQuery(query)
	mode := uint64(0o600)
	if err == nil && options.Has("mode") {
		mode, err = strconv.ParseUint(options.Get("mode"), 8, 9)
		options.Del("mode")
	}
	if err != nil || path == "" || len(options) > 0 {
		return address{}, usagef("%s: %q is not a socket, give unix:/path, or unix:/path?mode=0660", setting, text)
	}
	return address{setting: setting, network: "unix", where: path, mode: fs.FileMode(mode)}, nil
}

// isLocal reports whether only this machine can reach the address.
func (a address) isLocal() bool {
	if a.network == "unix" {
		return true
	}
	host, _, err := net.SplitHostPort(a.where)
	return err == nil && isLoopback(host)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// listen binds the address. The error of a taken one says how to choose
// another. Closing the listener of a socket removes its file.
func (a address) listen(ctx context.Context) (net.Listener, error) {
	listener, err := a.bind(ctx)
	if errors.Is(err, syscall.EADDRINUSE) && a.isStaleSocket(ctx) {
		if err := os.Remove(a.where); err != nil {
			return nil, fmt.Errorf("%s: a dead socket is in the way: %w", a.setting, err)
		}
		listener, err = a.bind(ctx)
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s: %s is taken by another program, stop that one or choose another address", a.setting, a.where)
	case err != nil:
		return nil, fmt.Errorf("%s: %s cannot be listened on, choose another address: %w", a.setting, a.where, err)
	}
	return listener, nil
}

func (a address) bind(ctx context.Context) (net.Listener, error) {
	var config net.ListenConfig
	if a.network == "tcp" {
		return config.Listen(ctx, "tcp", a.where)
	}
	return bindSocket(ctx, config, a.where, a.mode)
}

// isStaleSocket reports whether the address is a socket that nobody answers
// on, left by a process that was killed.
func (a address) isStaleSocket(ctx context.Context) bool {
	info, err := os.Lstat(a.where)
	if a.network != "unix" || err != nil || info.Mode()&fs.ModeSocket == 0 {
		return false
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", a.where)
	if err == nil {
		conn.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

// urlOf writes where a listener is bound as a client would name it.
func urlOf(listener net.Listener) string {
	addr, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		return "unix:" + listener.Addr().String()
	}
	host := addr.IP.String()
	if addr.IP.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, strconv.Itoa(addr.Port))
}
