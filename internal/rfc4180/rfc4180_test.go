package rfc4180_test

import (
	"encoding/csv"
	"strings"
	"testing"

	"rollcall/internal/rfc4180"
)

func TestFieldsAreQuotedWhereTheyMustBe(t *testing.T) {
	for text, want := range map[string]string{
		"": `""`, "a": "a", "é ß": "é ß", " a": `" a"`, "a,b": `"a,b"`, `a"b`: `"a""b"`, "a\nb": "\"a\nb\"", "a\r\nb": "\"a\r\nb\"", `"`: `""""`,
	} {
		if got := string(rfc4180.AppendText(nil, text)); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func FuzzAnyTextIsReadBack(f *testing.F) {
	f.Add("a", `"`, "\n,")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		var line []byte
		for i, text := range []string{a, b, c} {
			if i > 0 {
				line = append(line, ',')
			}
			line = rfc4180.AppendText(line, text)
		}
		fields, err := csv.NewReader(strings.NewReader(string(line) + rfc4180.LineEnd)).Read()
		if err != nil || len(fields) != 3 {
			t.Fatalf("%q: %q, %v", line, fields, err)
		}
		for i, text := range []string{a, b, c} {
			if want := strings.ReplaceAll(text, "\r\n", "\n"); fields[i] != want { // the reader's own rule
				t.Errorf("%q came back as %q", text, fields[i])
			}
		}
	})
}
