package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var aKey = regexp.MustCompile(`^rollcall_[A-Z2-7]{52}\n$`)

func TestANewKeyAloneGoesToStdout(t *testing.T) {
	code, out, stderr := invoke(t, nil, "keys", "new", "app", "--scope=read,write")
	if code != exitOK || !aKey.MatchString(out) {
		t.Errorf("exit code %d, %q", code, out)
	}
	// What goes to stderr may be appended to the file as it is.
	path := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(path, []byte(stderr), 0o600); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(stderr, "\napp read,write ") || strings.Contains(stderr, strings.TrimSpace(out)) {
		t.Errorf("stderr %q", stderr)
	}
	if code, _, stderr := invoke(t, map[string]string{"ROLLCALL_KEYS_FILE": path}, "keys", "new", "other"); code != exitOK {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}

func TestANewKeyIsAddedToTheKeysFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	env := map[string]string{"ROLLCALL_KEYS_FILE": path}
	code, out, stderr := invoke(t, env, "keys", "new", "app")
	content, err := os.ReadFile(path)
	if err != nil || code != exitOK || !aKey.MatchString(out) || !strings.HasPrefix(string(content), "app read ") || strings.Contains(string(content)+stderr, strings.TrimSpace(out)) {
		t.Errorf("exit code %d, %q, %q; file %q %v", code, out, stderr, content, err)
	}
	code, out, stderr = invoke(t, env, "keys", "new", "app")
	if code != exitFailure || out != "" {
		t.Errorf("the same name again: exit code %d, %q", code, out)
	}
	wantSentence(t, stderr, path, "app is in it already", "choose another name")
	if after, err := os.ReadFile(path); err != nil || string(after) != string(content) {
		t.Errorf("the file is %q now, %v", after, err)
	}
}

func TestKeysOfNoUseAreUsageErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	for _, args := range [][]string{{"a name"}, {""}, {"app", "--scope=rw"}, {"app", "--scope="}, {"app", "--scope=read, write"}, {}} {
		args = append([]string{"keys", "new", "--keys-file=" + path}, args...)
		code, out, stderr := invoke(t, nil, args...)
		if code != exitUsage || out != "" || stderr == "" {
			t.Errorf("%q: exit code %d, %q, %q", args, code, out, stderr)
		}
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a file was made")
	}
}
