package payload

import "bytes"

// A Showing tells how a row shows the fields of a body that was sent, each by
// the newest of its names.
type Showing struct {
	Same   []string // as they were sent
	Other  []string // otherwise
	Absent []string
}

// MemberShows compares a body that was sent with a user, over both
// generations of names and all spellings; null and an empty text are the same.
// It is false for a body that is no object.
func MemberShows(user, sent []byte) (Showing, bool) {
	asked, err := parseObject(sent)
	if err != nil {
		return Showing{}, false
	}
	shown, err := parseObject(user)
	if err != nil {
		shown = nil
	}
	var s Showing
	for _, f := range asked {
		value := shown.get(f.name)
		switch {
		case value == nil, f.kind == include:
			s.Absent = append(s.Absent, f.name)
		case isNone(f.value) && isNone(value), sameValue(f.spec, f.value, value):
			s.Same = append(s.Same, f.name)
		default:
			s.Other = append(s.Other, f.name)
		}
	}
	return s, true
}

// MemberChanged reports whether two copies of a user differ in any of the
// fields, named as in a Showing.
func MemberChanged(before, after []byte, fields []string) bool {
	left, err := parseObject(before)
	if err != nil {
		return true
	}
	right, err := parseObject(after)
	if err != nil {
		return true
	}
	for _, name := range fields {
		was, is := left.get(name), right.get(name)
		if (was == nil) != (is == nil) || was != nil && !sameValue(specs[name], was, is) {
			return true
		}
	}
	return false
}

func isNone(value []byte) bool { return isNull(value) || bytes.Equal(value, []byte(`""`)) }
