// Package rfc4180 words the fields of CSV as RFC 4180 has them.
// encoding/csv, where it ends lines in CRLF as that demands, also changes the
// line ends inside of fields, and cannot tell an empty text from null.
package rfc4180

import "strings"

// LineEnd ends a line.
const LineEnd = "\r\n"

// AppendText appends a text as a field, in quotes where it needs them. An empty
// text stands in quotes, so that who looks can tell it from null, which is
// nothing at all.
func AppendText(buf []byte, text string) []byte {
	if text != "" && !strings.ContainsAny(text, "\",\r\n") && text[0] != ' ' {
		return append(buf, text...)
	}
	return AppendQuoted(buf, text)
}

// AppendQuoted appends a text as a field in quotes.
func AppendQuoted(buf []byte, text string) []byte {
	buf = append(buf, '"')
	for {
		before, after, isQuoted := strings.Cut(text, `"`)
		buf = append(buf, before...)
		if !isQuoted {
			return append(buf, '"')
		}
		buf, text = append(buf, `""`...), after
	}
}
