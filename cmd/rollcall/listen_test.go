package main

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func TestAddressesAreLocalOnlyOnLoopbackAndSockets(t *testing.T) {
	for text, local := range map[string]bool{
		"127.0.0.1:7655": true, "127.9.9.9:0": true, "[::1]:80": true, "localhost:80": true, "unix:/run/x": true,
		":80": false, "0.0.0.0:80": false, "[::]:80": false, "192.0.2.1:80": false, "example.com:80": false,
		"localhost.example.com:80": false,
	} {
		got, err := parseAddress("--listen", text)
		if err != nil || got.isLocal() != local {
			t.Errorf("%s: local %v, %v", text, got.isLocal(), err)
		}
	}
}

func TestSocketsHaveTheirModeAndReplaceDeadOnes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes mean nothing there")
	}
	path := filepath.Join(t.TempDir(), "s")
	for mode, text := range map[os.FileMode]string{0o600: "unix:" + path, 0o660: "unix:" + path + "?mode=0660"} {
		a, err := parseAddress("--listen", text)
		if err != nil {
			t.Fatal(err)
		}
		listener, err := a.listen(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: mode %v, %v", text, info.Mode(), err)
		}
		if _, err := a.listen(t.Context()); err == nil {
			t.Error("a socket that is answered on was taken over")
		}
		listener.(*net.UnixListener).SetUnlinkOnClose(false) // as a killed process leaves it
		listener.Close()
	}
}

func TestOtherFilesAreNotTakenForDeadSockets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notes")
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := parseAddress("--listen", "unix:"+path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.listen(t.Context()); err == nil {
		t.Error("listened on a plain file")
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != "mine" {
		t.Errorf("the file was touched: %q %v", content, err)
	}
}
