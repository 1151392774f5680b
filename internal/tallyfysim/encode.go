package tallyfysim

import (
	"strconv"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

func appendID(b []byte, id int64, asText bool) []byte {
	if !asText {
		return strconv.AppendInt(b, id, 10)
	}
	return append(strconv.AppendInt(append(b, '"'), id, 10), '"')
}

// appendSeconds writes an instant in UTC down to seconds, without a zone.
func appendSeconds(b []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	b = append(appendTwo(appendTwo(b, year/100), year%100), '-')
	b = append(appendTwo(b, int(month)), '-')
	b = append(appendTwo(b, day), 'T')
	b = append(appendTwo(b, hour), ':')
	b = append(appendTwo(b, minute), ':')
	return appendTwo(b, second)
}

func appendTwo(b []byte, n int) []byte { return append(b, byte('0'+n/10%10), byte('0'+n%10)) }

const hexDigits = "0123456789abcdef"

// appendText quotes s as PHP's json_encode does.
func appendText(b []byte, s string) []byte {
	return append(appendBare(append(b, '"'), s), '"')
}

// appendBare escapes s and leaves the quotes to the caller.
func appendBare(b []byte, s string) []byte {
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' && c != '/' {
			i++
			continue
		}
		b = append(b, s[start:i]...)
		r, size := utf8.DecodeRuneInString(s[i:])
		b = appendEscaped(b, r)
		i += size
		start = i
	}
	return append(b, s[start:]...)
}

func appendEscaped(b []byte, r rune) []byte {
	switch r {
	case '"', '\\', '/':
		return append(b, '\\', byte(r))
	case '\n':
		return append(b, '\\', 'n')
	case '\r':
		return append(b, '\\', 'r')
	case '\t':
		return append(b, '\\', 't')
	case '\b':
		return append(b, '\\', 'b')
	case '\f':
		return append(b, '\\', 'f')
	}
	if high, low := utf16.EncodeRune(r); high != utf8.RuneError {
		return appendUnit(appendUnit(b, high), low)
	}
	return appendUnit(b, r)
}

func appendUnit(b []byte, r rune) []byte {
	return append(b, '\\', 'u', hexDigits[r>>12&0xf], hexDigits[r>>8&0xf], hexDigits[r>>4&0xf], hexDigits[r&0xf])
}
