package api

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"rollcall/internal/directory"
	"rollcall/internal/rfc4180"
)

// tableEncoders word a table, by format.
var tableEncoders = map[string]func(directory.Table, directory.Freshness) ([]byte, error){
	"json": tableAsJSON, "ndjson": tableAsLines, "csv": tableAsCSV,
}

func tableAsJSON(t directory.Table, f directory.Freshness) ([]byte, error) {
	rows := make(queryRows, len(t.Rows))
	for i, row := range t.Rows {
		rows[i] = make([]any, len(row))
		for j, cell := range row {
			rows[i][j] = jsonCell(cell)
		}
	}
	return encode(QueryAnswer{t.Columns, rows, t.Truncated, shown(f)})
}

// tableAsLines writes one object a row, with its columns in their order.
func tableAsLines(t directory.Table, _ directory.Freshness) ([]byte, error) {
	var out bytes.Buffer
	names := make([][]byte, len(t.Columns))
	for i, name := range apart(t.Columns) {
		raw, err := encode(name)
		if err != nil {
			return nil, err
		}
		names[i] = bytes.TrimSpace(raw)
	}
	for _, row := range t.Rows {
		for i, cell := range row {
			value, err := encode(jsonCell(cell))
			if err != nil {
				return nil, err
			}
			out.WriteByte(before(i))
			out.Write(names[i])
			out.WriteByte(':')
			out.Write(bytes.TrimSpace(value))
		}
		out.WriteString("}\n")
	}
	return out.Bytes(), nil
}

// before is the sign in front of an object's field.
func before(field int) byte {
	if field == 0 {
		return '{'
	}
	return ','
}

// apart gives every name that comes again a number.
func apart(names []string) []string {
	taken := map[string]bool{}
	for _, name := range names {
		taken[name] = true
	}
	out, seen := make([]string, len(names)), map[string]bool{}
	for i, name := range names {
		out[i] = name
		for n := 2; seen[out[i]] || out[i] != name && taken[out[i]]; n++ {
			out[i] = name + "_" + strconv.Itoa(n)
		}
		seen[out[i]] = true
	}
	return out
}

func tableAsCSV(t directory.Table, _ directory.Freshness) ([]byte, error) {
	var out []byte
	for i, name := range t.Columns {
		out = rfc4180.AppendText(separated(out, i), name)
	}
	out = append(out, rfc4180.LineEnd...)
	for _, row := range t.Rows {
		for i, cell := range row {
			if out = separated(out, i); cell != nil {
				out = rfc4180.AppendText(out, textCell(cell))
			}
		}
		out = append(out, rfc4180.LineEnd...)
	}
	return out, nil
}

// separated appends what stands in front of a line's field.
func separated(out []byte, field int) []byte {
	if field == 0 {
		return out
	}
	return append(out, ',')
}

// jsonCell is a cell as encoding/json takes it.
func jsonCell(cell any) any {
	switch cell := cell.(type) {
	case float64:
		return json.Number(floatText(cell))
	case []byte:
		return base64.StdEncoding.EncodeToString(cell)
	}
	return cell
}

func textCell(cell any) string {
	switch cell := cell.(type) {
	case float64:
		return floatText(cell)
	case []byte:
		return base64.StdEncoding.EncodeToString(cell)
	}
	return fmt.Sprint(cell)
}

// floatText is the shortest number that reads as the same float, and that
// never reads as a whole number. Infinity is a number larger than any, as
// SQLite writes it.
func floatText(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "9e999"
	case math.IsInf(f, -1):
		return "-9e999"
	}
	text := strconv.FormatFloat(f, 'g', -1, 64)
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return text
}
