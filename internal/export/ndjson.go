package export

import (
	"bytes"
	"encoding/json"
	"io"
	"strconv"
	"unicode/utf8"
)

// An ndjson is one JSON object a line.
type ndjson struct {
	lines
	keys []string // with what stands before and behind them
}

func newNDJSON(w io.Writer, columns []Column) *ndjson {
	n := &ndjson{lines: newLines(w, columns)}
	for i, c := range columns {
		before := ","
		if i == 0 {
			before = "{"
		}
		n.keys = append(n.keys, before+strconv.Quote(c.Name)+":")
	}
	return n
}

func (n *ndjson) write(row []value) error {
	for i, v := range row {
		n.buf = append(n.buf, n.keys[i]...)
		switch {
		case v.isNull:
			n.buf = append(n.buf, "null"...)
		case n.columns[i].Type == Integer:
			n.buf = strconv.AppendInt(n.buf, v.number, 10)
		case n.columns[i].Type == Instant:
			n.buf = append(n.buf, '"')
			n.buf = append(n.buf, n.instant(i, v.number)...)
			n.buf = append(n.buf, '"')
		default:
			n.buf = appendJSON(n.buf, v.text)
		}
	}
	n.buf = append(n.buf, "}\n"...)
	return n.spill()
}

// appendJSON writes a string as /v1 does. Few need more than quotes.
func appendJSON(buf []byte, s string) []byte {
	if !isPlainJSON(s) {
		var escaped bytes.Buffer
		encoder := json.NewEncoder(&escaped)
		encoder.SetEscapeHTML(false)
		_ = encoder.Encode(s) // a string always encodes
		return append(buf, bytes.TrimSuffix(escaped.Bytes(), []byte("\n"))...)
	}
	buf = append(buf, '"')
	buf = append(buf, s...)
	return append(buf, '"')
}

func isPlainJSON(s string) bool {
	isASCII := true
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ', c == '"', c == '\\', c == 0xe2: // 0xe2 begins the line separators, which are escaped
			return false
		case c >= utf8.RuneSelf:
			isASCII = false
		}
	}
	return isASCII || utf8.ValidString(s)
}
