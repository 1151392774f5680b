package payload

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strconv"
	"sync"

	"rollcall/internal/directory"
)

// A canon writes values so that two spellings of the same come out as the
// same bytes and two different ones never do: each value begins with a tag
// and is delimited by length or by brackets.
type canon struct {
	row   []byte
	churn []byte
	order []*field // reused for sorting
}

var canons = sync.Pool{New: func() any { return new(canon) }}

// fingerprint hashes o: its row part, and what moves by itself.
func fingerprint(o object) directory.Fingerprint {
	c := canons.Get().(*canon)
	defer canons.Put(c)
	c.row, c.churn = c.row[:0], c.churn[:0]
	var previous *field
	for _, f := range c.sorted(o) {
		if previous == nil || !sameTwice(previous, f) {
			c.field(f)
		}
		previous = f
	}
	clear(c.order)
	return directory.Fingerprint{Row: hash(c.row), Churn: hash(c.churn)}
}

func (c *canon) sorted(o object) []*field {
	c.order = c.order[:0]
	for i := range o {
		c.order = append(c.order, &o[i])
	}
	slices.SortStableFunc(c.order, compareFields)
	return c.order
}

// sameTwice reports whether a row carries both names of a field with equal
// values, so that it is the same row as one that carries either.
func sameTwice(a, b *field) bool {
	return a.name == b.name && bytes.Equal(a.value, b.value)
}

func hash(b []byte) int64 {
	sum := sha256.Sum256(b)
	return int64(binary.BigEndian.Uint64(sum[:8]))
}

// field writes one top-level field.
func (c *canon) field(f *field) {
	switch {
	case f.kind == include, f.event && !happened(f.value):
	case f.churn:
		c.churn = appendText(c.churn, f.name)
		c.churn = appendValue(c.churn, f.kind, f.value)
	case f.kind == picture:
		c.row = appendText(c.row, f.name)
		c.picture(f.name, f.value)
	default:
		c.row = appendText(c.row, f.name)
		c.row = appendValue(c.row, f.kind, f.value)
	}
}

// picture writes a URL without its query part, or an object that holds some.
func (c *canon) picture(name string, value []byte) {
	switch value[0] {
	case '"':
		address, _ := text(value)
		if i := bytes.IndexByte([]byte(address), '?'); i >= 0 {
			c.churn = appendText(appendText(c.churn, name), address[i:])
			address = address[:i]
		}
		c.row = appendText(c.row, address)
	case '{':
		c.row = append(c.row, '{')
		for _, f := range sortedFields(value) {
			c.row = appendText(c.row, f.name)
			c.picture(f.name, f.value)
		}
		c.row = append(c.row, '}')
	case '[':
		c.row = append(c.row, '[')
		for element := range elements(value) {
			c.picture(name, element)
		}
		c.row = append(c.row, ']')
	default:
		c.row = appendPlain(c.row, value)
	}
}

// appendValue writes a value as its kind is compared.
func appendValue(dst []byte, k kind, value []byte) []byte {
	switch k {
	case id:
		if n, ok := idOf(value); ok {
			return appendNumber(dst, 'i', n)
		}
	case idSet:
		if setLike(value) {
			return appendIDs(dst, value)
		}
	case mailSet:
		if setLike(value) {
			return appendMails(dst, value)
		}
	case instant:
		if s, ok := stampOf(value); ok {
			return appendNumber(appendNumber(dst, 't', s.Unix()), '.', int64(s.Nanosecond()))
		}
	case folded:
		if word, ok := text(value); ok {
			return appendText(dst, directory.Fold(word))
		}
	case flag:
		if set, ok := truth(value); ok {
			return strconv.AppendBool(dst, set)
		}
	}
	return appendPlain(dst, value)
}

func setLike(value []byte) bool { return value[0] == '[' || isNull(value) }

func appendIDs(dst, value []byte) []byte {
	ids, other := idsOf(value)
	dst = append(dst, '[')
	for _, n := range ids {
		dst = appendNumber(dst, 'i', n)
	}
	return append(appendSorted(dst, other), ']')
}

func appendMails(dst, value []byte) []byte {
	mails, other := mailsOf(value)
	dst = append(dst, '[')
	for _, m := range mails {
		dst = appendText(dst, m.key)
	}
	return append(appendSorted(dst, other), ']')
}

// appendSorted writes the odd elements of a set, in an order of their own.
func appendSorted(dst []byte, values [][]byte) []byte {
	encoded := make([]string, len(values))
	for i, v := range values {
		encoded[i] = string(appendPlain(nil, v))
	}
	slices.Sort(encoded)
	for _, e := range slices.Compact(encoded) {
		dst = append(dst, e...)
	}
	return dst
}

// appendPlain writes any JSON value; keys of objects are sorted.
func appendPlain(dst, value []byte) []byte {
	switch value[0] {
	case '"':
		return appendString(dst, value)
	case '{':
		dst = append(dst, '{')
		for _, f := range sortedFields(value) {
			dst = appendPlain(appendText(dst, f.name), f.value)
		}
		return append(dst, '}')
	case '[':
		dst = append(dst, '[')
		for element := range elements(value) {
			dst = appendPlain(dst, element)
		}
		return append(dst, ']')
	}
	dst = append(append(dst, '#'), value...)
	return append(dst, ';')
}

// sortedFields returns the fields of a nested object under their own names.
func sortedFields(value []byte) object {
	var fields object
	for key, v := range members(value) {
		name, _ := text(key)
		fields = append(fields, field{key, v, spec{name: name}})
	}
	slices.SortStableFunc(fields, func(a, b field) int { return compareFields(&a, &b) })
	return fields
}

// appendString is appendText for a JSON string.
func appendString(dst, value []byte) []byte {
	inner := value[1 : len(value)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return append(appendNumber(dst, 's', int64(len(inner))), inner...)
	}
	s, _ := text(value)
	return appendText(dst, s)
}

func appendText(dst []byte, s string) []byte {
	dst = appendNumber(dst, 's', int64(len(s)))
	return append(dst, s...)
}

func appendNumber(dst []byte, tag byte, n int64) []byte {
	return append(strconv.AppendInt(append(dst, tag), n, 10), ':')
}
