//go:build unix

package main

import (
	"log/slog"
	"os"
	"strings"
	"syscall"
	"testing"

	"rollcall/internal/access"
)

// lines are those of a log, as they come.
type lines chan string

func (l lines) Write(line []byte) (int, error) {
	l <- string(line)
	return len(line), nil
}

func TestAHangupReadsKeysAndCertificatesAgainAndSaysSo(t *testing.T) {
	file, _ := newKeysFile(t, "read")
	cert, key := newPair(t, "who.example")
	s := &settings{
		listenSettings: listenSettings{Listen: "127.0.0.1:0"},
		accessSettings: accessSettings{Auth: "keys", KeysFile: file, TLSCert: cert, TLSKey: key},
	}
	told := make(lines, 1)
	log := slog.New(slog.NewTextHandler(told, nil))
	e, err := openEntrance(s, nil, log)
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	defer e.rereadOnHangup(log)()
	hangUp := func() [2]string {
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		return [2]string{<-told, <-told}
	}

	second := addKey(t, file, "second", "read")
	for _, line := range hangUp() {
		if !strings.Contains(line, "level=INFO") || !strings.Contains(line, "was read again") {
			t.Error(line)
		}
	}
	wantKeys(t, e.keys, 2)

	for _, file := range []string{file, cert} {
		if err := os.WriteFile(file, []byte("broken by "+second), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, line := range hangUp() {
		if !strings.Contains(line, "level=ERROR") || !strings.Contains(line, "what was read before stays") || strings.Contains(line, second) {
			t.Error(line)
		}
	}
	wantKeys(t, e.keys, 2)
}

func wantKeys(t *testing.T, keys *access.Keys, n int) {
	t.Helper()
	if keys.Len() != n {
		t.Errorf("there are %d keys, want %d", keys.Len(), n)
	}
}
