package payload

import (
	"encoding/json"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// convert spells a seen value the way the list spells field f.
func (o object) convert(f field, value []byte) []byte {
	switch f.kind {
	case idSet:
		if setLike(value) {
			return convertIDs(f.value, value)
		}
	case mailSet:
		if isNull(value) {
			return []byte("[]")
		}
	case instant:
		if s, ok := stampOf(value); ok {
			return quote(s.like(o.sample(f, s)))
		}
	case folded:
		return convertCase(f.value, value)
	case id:
		if n, ok := idOf(value); ok && f.value[0] != '"' {
			return strconv.AppendInt(nil, n, 10)
		}
	case flag:
		if set, ok := truth(value); ok && (f.value[0] == 't' || f.value[0] == 'f') {
			return strconv.AppendBool(nil, set)
		}
	}
	return convertPlain(f.value, value)
}

// sample returns the timestamp whose spelling a seen one takes: the stored
// value, or where that is null another of the row, or the seen one itself.
func (o object) sample(f field, seen stamp) stamp {
	if s, ok := stampOf(f.value); ok {
		return s
	}
	for _, other := range o {
		if s, ok := stampOf(other.value); ok && other.kind == instant {
			return s
		}
	}
	return seen
}

// convertIDs keeps the order in which the ids were seen. Where the stored
// array shows no type they are numbers, as lists send them.
func convertIDs(stored, seen []byte) []byte {
	quoted := false
	for element := range elements(stored) {
		quoted = element[0] == '"'
		break
	}
	out := []byte{'['}
	for element := range elements(seen) {
		if len(out) > 1 {
			out = append(out, ',')
		}
		n, ok := idOf(element)
		switch {
		case !ok:
			out = append(out, element...)
		case quoted:
			out = strconv.AppendQuote(out, strconv.FormatInt(n, 10))
		default:
			out = strconv.AppendInt(out, n, 10)
		}
	}
	return append(out, ']')
}

// convertCase begins a word with a capital if the stored one does.
func convertCase(stored, seen []byte) []byte {
	was, ok := text(stored)
	if !ok {
		return seen
	}
	word, ok := text(seen)
	first, size := utf8.DecodeRuneInString(word)
	if began, _ := utf8.DecodeRuneInString(was); !ok || !unicode.IsUpper(began) {
		return seen
	}
	return quote(string(unicode.ToUpper(first)) + word[size:])
}

// convertPlain makes a number of a text, or a text of a number, where the
// list has the other.
func convertPlain(stored, seen []byte) []byte {
	switch {
	case isNumber(stored) && seen[0] == '"':
		if inner := seen[1 : len(seen)-1]; json.Valid(inner) && isNumber(inner) {
			return inner
		}
	case stored[0] == '"' && isNumber(seen):
		return quote(string(seen))
	}
	return seen
}

func isNumber(value []byte) bool {
	return len(value) > 0 && (value[0] == '-' || '0' <= value[0] && value[0] <= '9')
}

func quote(s string) []byte {
	quoted, _ := json.Marshal(s) // a string always encodes
	return quoted
}
