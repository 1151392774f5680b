package payload

import (
	"strconv"

	"rollcall/internal/directory"
)

// MergeGroup writes what a single read or a write's answer showed into the
// stored list form: seen's values, field by field, under stored's keys, in
// stored's order, types and spellings. Fields that only stored has stay; keys
// that only seen has are dropped, but for the edges of a group that was stored
// without them. The result is the caller's.
func MergeGroup(stored, seen []byte) ([]byte, error) { return merge("group", stored, seen) }

// MergeMember is MergeGroup for users.
func MergeMember(stored, seen []byte) ([]byte, error) { return merge("user", stored, seen) }

func merge(kind string, stored, seen []byte) ([]byte, error) {
	into, err := parseObject(stored)
	if err != nil {
		return nil, &directory.UpstreamError{Op: "merge stored " + kind, Reason: directory.ReasonShape, Err: err}
	}
	from, err := readRow(kind, seen)
	if err != nil {
		return nil, err
	}
	out := append(make([]byte, 0, len(stored)+len(seen)), '{')
	for i, f := range into {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(out, f.key...), ':')
		out = append(out, into.merged(f, from.object)...)
	}
	return append(appendEdges(out, into, from.object), '}'), nil
}

// appendEdges adds to the fields in out the lists of edges that only seen has.
func appendEdges(out []byte, stored, seen object) []byte {
	for _, key := range []string{"members", "guests"} {
		value := seen.get(key)
		if value == nil || stored.get(key) != nil {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(strconv.AppendQuote(out, key), ':')
		out = append(out, stored.convert(field{value: []byte("[]"), spec: specs[key]}, value)...)
	}
	return out
}

// merged returns the value that field f of the stored row takes. A value that
// is the same keeps the list's spelling; what moves by itself is taken over,
// as that is what makes it differ.
func (o object) merged(f field, seen object) []byte {
	value := seen.get(f.name)
	switch {
	case value == nil, f.kind == include:
		return f.value
	case f.kind == picture:
		return value
	case sameValue(f.spec, f.value, value):
		return f.value
	}
	return o.convert(f, value)
}
