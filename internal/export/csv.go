package export

import (
	"io"
	"strconv"
	"strings"
)

// A csv is a table as RFC 4180 has it: a header, lines that end in CRLF, an
// empty field for null. Line ends inside of fields stay as they are, and an
// empty text stands in quotes, so that who looks can tell it from null.
type csv struct {
	lines
	isExcel bool
}

// bom makes Excel read UTF-8.
const bom = "\ufeff"

func newCSV(w io.Writer, columns []Column, isExcel bool) *csv {
	c := &csv{newLines(w, columns), isExcel}
	if isExcel {
		c.buf = append(c.buf, bom...)
	}
	for i, column := range columns {
		if i > 0 {
			c.buf = append(c.buf, ',')
		}
		c.buf = append(c.buf, column.Name...)
	}
	c.buf = append(c.buf, "\r\n"...)
	return c
}

func (c *csv) write(row []value) error {
	for i, v := range row {
		if i > 0 {
			c.buf = append(c.buf, ',')
		}
		switch {
		case v.isNull:
		case c.columns[i].Type == Integer:
			c.buf = strconv.AppendInt(c.buf, v.number, 10)
		case c.columns[i].Type == Instant:
			c.buf = append(c.buf, c.instant(i, v.number)...)
		default:
			c.buf = c.appendText(c.buf, v.text)
		}
	}
	c.buf = append(c.buf, "\r\n"...)
	return c.spill()
}

func (c *csv) appendText(buf []byte, s string) []byte {
	isFormula := c.isExcel && s != "" && strings.IndexByte("=+-@\t\r", s[0]) >= 0
	if s != "" && !isFormula && !strings.ContainsAny(s, "\",\r\n") && s[0] != ' ' {
		return append(buf, s...)
	}
	buf = append(buf, '"')
	if isFormula {
		buf = append(buf, '\'')
	}
	for {
		before, after, isQuoted := strings.Cut(s, `"`)
		buf = append(buf, before...)
		if !isQuoted {
			return append(buf, '"')
		}
		buf, s = append(buf, `""`...), after
	}
}
