// Package payload understands one row of a Tallyfy list: a group or a user.
//
// Tallyfy has sent each field under two names and in several spellings, and
// its lists and single reads still differ in id types, order, keys and
// timestamp digits. The package decodes every variant, tells by fingerprint
// whether two copies are the same row, and writes what a single read showed
// into the stored list form. Unknown fields are kept and no number passes
// through a float.
//
// Errors are *directory.UpstreamError with ReasonShape for what is no JSON
// object and ReasonKeyField for a row that lacks what makes it a row. Their
// texts hold ids and field names, never values of other fields.
package payload

import (
	"bytes"
	"errors"
	"unicode/utf8"

	"rollcall/internal/directory"
)

// maxOddities bounds what one row can report.
const maxOddities = 8

// A row is one upstream object on its way into a noun.
type row struct {
	object
	payload  []byte
	oddities []string
}

// readRow parses raw into fields over a copy of its own. Bytes that are not
// UTF-8 become U+FFFD, as encoding/json would decode them, so that what is
// stored can be served.
func readRow(kind string, raw []byte) (*row, error) {
	own := bytes.Clone(bytes.TrimSpace(raw))
	r := &row{payload: own}
	if !utf8.Valid(own) {
		r.payload = bytes.ToValidUTF8(own, []byte("\uFFFD"))
		r.odd("row: not UTF-8")
	}
	fields, err := parseObject(r.payload)
	if err != nil {
		return nil, &directory.UpstreamError{Op: "decode " + kind, Reason: directory.ReasonShape, Err: err}
	}
	r.object = fields
	return r, nil
}

// odd notes what was strange, in words from a short fixed list.
func (r *row) odd(what string) {
	if len(r.oddities) < maxOddities {
		r.oddities = append(r.oddities, what)
	}
}

func missingKey(row, what string) error {
	return &directory.UpstreamError{Op: "decode " + row, Reason: directory.ReasonKeyField, Err: errors.New(what)}
}
