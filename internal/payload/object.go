package payload

import (
	"bytes"
	"encoding/json"
	"errors"
	"iter"
	"strings"
)

// A field is one member of a JSON object.
type field struct {
	key   []byte // as sent, with its quotes
	value []byte // as sent
	spec
}

// An object is the fields of a JSON object in the order they came. It shares
// memory with the bytes it was parsed from.
type object []field

var errNoObject = errors.New("not a JSON object")

// parseObject checks all of raw and splits it into fields.
func parseObject(raw []byte) (object, error) {
	if !json.Valid(raw) {
		return nil, errNoObject
	}
	if start := skipSpace(raw, 0); raw[start] != '{' {
		return nil, errNoObject
	}
	fields := make(object, 0, 32)
	for key, value := range members(raw) {
		fields = append(fields, field{key, value, specOf(key)})
	}
	return fields, nil
}

// get returns the value of the field with a canonical name: where a row
// carries both generations of the name, or a key twice, the last that is not
// null. Without such a field it is nil.
func (o object) get(name string) []byte {
	var found []byte
	for _, f := range o {
		if f.name == name && (found == nil || !isNull(f.value)) {
			found = f.value
		}
	}
	return found
}

// members yields the keys, quoted, and values of a JSON object. It trusts raw
// to be valid JSON; anything but an object yields nothing.
func members(raw []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		i := skipSpace(raw, 0)
		if raw[i] != '{' {
			return
		}
		i = skipSpace(raw, i+1)
		for raw[i] != '}' {
			keyEnd := valueEnd(raw, i)
			start := skipSpace(raw, skipSpace(raw, keyEnd)+1)
			end := valueEnd(raw, start)
			if !yield(raw[i:keyEnd:keyEnd], raw[start:end:end]) {
				return
			}
			i = skipSeparator(raw, end)
		}
	}
}

// elements yields the values of a JSON array, under the terms of members.
func elements(raw []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		i := skipSpace(raw, 0)
		if raw[i] != '[' {
			return
		}
		i = skipSpace(raw, i+1)
		for raw[i] != ']' {
			end := valueEnd(raw, i)
			if !yield(raw[i:end:end]) {
				return
			}
			i = skipSeparator(raw, end)
		}
	}
}

func skipSpace(raw []byte, i int) int {
	for i < len(raw) && (raw[i] == ' ' || raw[i] == '\n' || raw[i] == '\t' || raw[i] == '\r') {
		i++
	}
	return i
}

// skipSeparator moves past a comma, if one comes next, to what follows.
func skipSeparator(raw []byte, i int) int {
	i = skipSpace(raw, i)
	if raw[i] == ',' {
		return skipSpace(raw, i+1)
	}
	return i
}

// valueEnd returns where the value that begins at i ends.
func valueEnd(raw []byte, i int) int {
	switch raw[i] {
	case '"':
		return stringEnd(raw, i)
	case '{', '[':
		return nestEnd(raw, i)
	}
	for i < len(raw) && raw[i] != ',' && raw[i] != ']' && raw[i] != '}' && raw[i] > ' ' {
		i++
	}
	return i
}

func stringEnd(raw []byte, i int) int {
	for i++; raw[i] != '"'; i++ {
		if raw[i] == '\\' {
			i++
		}
	}
	return i + 1
}

func nestEnd(raw []byte, i int) int {
	for depth := 0; ; i++ {
		switch raw[i] {
		case '"':
			i = stringEnd(raw, i) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
}

func isNull(value []byte) bool { return len(value) > 0 && value[0] == 'n' }

// text decodes a JSON string; ok is false for values of another kind.
func text(value []byte) (s string, ok bool) {
	if len(value) == 0 || value[0] != '"' {
		return "", false
	}
	inner := value[1 : len(value)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return string(inner), true
	}
	if plain, ok := unescape(inner); ok {
		return plain, true
	}
	err := json.Unmarshal(value, &s)
	return s, err == nil
}

// unescape decodes what Tallyfy's encoder escapes most, slashes; ok is false
// where there is anything else to decode.
func unescape(inner []byte) (s string, ok bool) {
	if bytes.Count(inner, []byte(`\`)) != bytes.Count(inner, []byte(`\/`)) {
		return "", false
	}
	return string(bytes.ReplaceAll(inner, []byte(`\/`), []byte("/"))), true
}

func compareFields(a, b *field) int {
	if c := strings.Compare(a.name, b.name); c != 0 {
		return c
	}
	return bytes.Compare(a.key, b.key)
}
