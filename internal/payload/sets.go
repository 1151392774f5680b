package payload

import (
	"bytes"
	"slices"
	"strings"

	"rollcall/internal/directory"
)

// idOf reads a number or a string of digits as an id; ids are positive.
func idOf(value []byte) (int64, bool) {
	digits := value
	if len(value) > 1 && value[0] == '"' {
		digits = value[1 : len(value)-1]
	}
	if len(digits) == 0 || len(digits) > 19 {
		return 0, false
	}
	var n int64
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, n > 0 // 19 digits may wrap to below zero, never around it
}

// idsOf reads an array of ids, ascending and distinct; other holds the
// elements that are none. It trusts value to be an array or null.
func idsOf(value []byte) (ids []int64, other [][]byte) {
	ids = make([]int64, 0, bytes.Count(value, []byte(","))+1)
	for element := range elements(value) {
		if n, ok := idOf(element); ok {
			ids = append(ids, n)
		} else {
			other = append(other, element)
		}
	}
	if !slices.IsSorted(ids) {
		slices.Sort(ids)
	}
	return slices.Compact(ids), other
}

// A mail is an e-mail and the key it is compared under.
type mail struct{ key, spelling string }

// mailsOf reads an array of e-mails, ascending by key and distinct under it;
// of several spellings it keeps the least. other holds the elements that are
// no text or blank.
func mailsOf(value []byte) (mails []mail, other [][]byte) {
	for element := range elements(value) {
		spelling, ok := text(element)
		if spelling = strings.TrimSpace(spelling); ok && spelling != "" {
			mails = append(mails, mail{directory.FoldEmail(spelling), spelling})
		} else {
			other = append(other, element)
		}
	}
	slices.SortFunc(mails, func(a, b mail) int {
		return cmpStrings(a.key, b.key, a.spelling, b.spelling)
	})
	return slices.CompactFunc(mails, func(a, b mail) bool { return a.key == b.key }), other
}

func cmpStrings(a, b, tieA, tieB string) int {
	if c := strings.Compare(a, b); c != 0 {
		return c
	}
	return strings.Compare(tieA, tieB)
}

// truth reads a flag; ok is false for null and for what is no flag.
func truth(value []byte) (set, ok bool) {
	switch string(value) {
	case `true`, `1`, `"1"`, `"true"`:
		return true, true
	case `false`, `0`, `"0"`, `"false"`, `""`:
		return false, true
	}
	return false, false
}
