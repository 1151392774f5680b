package main

import (
	"bytes"
	"strings"
	"testing"
)

// invoke runs the program to its end in an environment of its own.
func invoke(t *testing.T, env map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), args, func(name string) string { return env[name] }, strings.NewReader(""), &out, &errs)
	return code, out.String(), errs.String()
}

// wantSentence checks that a complaint is one line that holds every part.
func wantSentence(t *testing.T, stderr string, parts ...string) {
	t.Helper()
	if strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, "rollcall: ") {
		t.Errorf("stderr is not one sentence: %q", stderr)
	}
	for _, part := range parts {
		if !strings.Contains(stderr, part) {
			t.Errorf("stderr lacks %q: %q", part, stderr)
		}
	}
}
