package db

import (
	"strings"
	"testing"
)

func TestAMatchIsMadeOfQuotedTrigrams(t *testing.T) {
	for part, want := range map[string]string{
		"": "", "ab": "", "éé": "", "abc": `"abc"`, "abcd": `"abc" "bcd"`, "abcde": `"abc" "cde"`, "abcdef": `"abc" "cde" "def"`, `a"b`: `"a""b"`, "a b": `"a b"`, "\U0001f600é\n": "\"\U0001f600é\n\"", "ab\x00c": "",
	} {
		got, ok := matchOf(part)
		if got != want || ok != (want != "") {
			t.Errorf("%q: %q, %t, want %q", part, got, ok, want)
		}
	}
	long, _ := matchOf(strings.Repeat("abcdefgh", 50))
	if n := len(strings.Fields(long)); n < maxTrigrams/2 || n > maxTrigrams {
		t.Errorf("a long part asks for %d trigrams", n)
	}
}
