package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// outputSettings choose how a reading command prints.
type outputSettings struct {
	Output string `name:"output" short:"o" env:"ROLLCALL_OUTPUT" enum:"table,json,csv,ndjson" default:"table" placeholder:"table" help:"How to print: table, json, csv or ndjson."`
}

// A row is one object of an answer, as sent and by field.
type row struct {
	raw    json.RawMessage
	fields map[string]any
}

func newRow(raw json.RawMessage) (row, error) {
	r := row{raw: raw}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&r.fields); err != nil {
		return row{}, fmt.Errorf("the server sent a row that is not an object: %w", err)
	}
	return r, nil
}

// text is a field for people and spreadsheets: null is empty, what has parts
// is JSON.
func (r row) text(field string) string {
	switch value := r.fields[field].(type) {
	case nil:
		return ""
	case string:
		return value
	case map[string]any, []any:
		text, _ := json.Marshal(value) // it was JSON before
		return string(text)
	default:
		return fmt.Sprint(value)
	}
}

// A list is all rows of a walk, with the columns worth showing.
type list struct {
	columns []string // of tables and of CSV, by the fields' names
	rows    []row
	whole   map[string]json.RawMessage // the envelope of the first page
}

// print writes the list in one of the formats.
func (l *list) print(w io.Writer, format string) error {
	switch format {
	case "json":
		return l.printJSON(w)
	case "ndjson":
		return l.printLines(w)
	case "csv":
		return l.printCSV(w)
	default:
		return l.printTable(w)
	}
}

// printJSON writes the shape that the server answers in, all pages in one.
func (l *list) printJSON(w io.Writer) error { return printWhole(w, l.whole, array(l.rows)) }

// array is rows as they were sent.
func array(rows []row) json.RawMessage {
	raws := make([][]byte, len(rows))
	for i, r := range rows {
		raws[i] = r.raw
	}
	return slices.Concat([]byte("["), bytes.Join(raws, []byte(",")), []byte("]"))
}

// printWhole writes the envelope of a first page around the data of all.
func printWhole(w io.Writer, whole map[string]json.RawMessage, data json.RawMessage) error {
	whole["data"] = data
	whole["next_cursor"] = json.RawMessage("null")
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(whole)
}

func (l *list) printLines(w io.Writer) error {
	for _, r := range l.rows {
		var line bytes.Buffer
		if err := json.Compact(&line, r.raw); err != nil {
			return err
		}
		line.WriteByte('\n')
		if _, err := w.Write(line.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

func (l *list) printCSV(w io.Writer) error {
	writer := csv.NewWriter(w)
	if err := writer.Write(l.columns); err != nil {
		return err
	}
	for _, r := range l.rows {
		if err := writer.Write(r.texts(l.columns)); err != nil {
			return err
		}
	}
	writer.Flush()
	return writer.Error()
}

func (l *list) printTable(w io.Writer) error {
	writer := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(writer, strings.ToUpper(strings.ReplaceAll(strings.Join(l.columns, "\t"), "_", " ")))
	for _, r := range l.rows {
		cells := r.texts(l.columns)
		for i := range cells {
			cells[i] = printable(cells[i])
		}
		fmt.Fprintln(writer, strings.Join(cells, "\t"))
	}
	return writer.Flush()
}

func (r row) texts(fields []string) []string {
	texts := make([]string, len(fields))
	for i, field := range fields {
		texts[i] = r.text(field)
	}
	return texts
}

// printable takes out what could move a terminal's cursor or break a table.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// age says how long ago an RFC 3339 instant was, roughly.
func age(instant string) string {
	at, err := time.Parse(time.RFC3339, instant)
	if err != nil {
		return "at an unknown time"
	}
	return time.Since(at).Truncate(time.Second).String() + " ago"
}
