package export

import (
	"io"
	"strconv"
	"strings"

	"rollcall/internal/rfc4180"
)

// A csv is a table with a header, and an empty field for null.
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
	c.buf = append(c.buf, rfc4180.LineEnd...)
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
	c.buf = append(c.buf, rfc4180.LineEnd...)
	return c.spill()
}

func (c *csv) appendText(buf []byte, s string) []byte {
	if c.isExcel && s != "" && strings.IndexByte("=+-@\t\r", s[0]) >= 0 {
		return rfc4180.AppendQuoted(buf, "'"+s)
	}
	return rfc4180.AppendText(buf, s)
}
