package payload

import "bytes"

// SameGroup reports whether two payloads show the same state of a group as
// far as both can: normalised, over the keys that both carry, without the
// fields that move by themselves. Bytes that are no object are the same as
// nothing.
func SameGroup(a, b []byte) bool { return same(a, b) }

// SameMember is SameGroup for users.
func SameMember(a, b []byte) bool { return same(a, b) }

func same(a, b []byte) bool {
	left, err := parseObject(a)
	if err != nil {
		return false
	}
	right, err := parseObject(b)
	if err != nil {
		return false
	}
	for _, f := range left {
		other := right.get(f.name)
		if other != nil && f.kind != include && !f.churn && !sameValue(f.spec, left.get(f.name), other) {
			return false
		}
	}
	return true
}

// sameValue compares two values of one field; of pictures the part before
// the query, of timestamps the digits that both show.
func sameValue(s spec, a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	if s.kind == instant {
		if x, ok := stampOf(a); ok {
			if y, ok := stampOf(b); ok {
				return sameInstant(x, y)
			}
		}
	}
	return bytes.Equal(rowBytes(s, a), rowBytes(s, b))
}

func rowBytes(s spec, value []byte) []byte {
	var c canon
	c.field(&field{value: value, spec: spec{name: s.name, kind: s.kind}})
	return c.row
}
