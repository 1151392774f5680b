package directory

import (
	"strconv"
	"strings"
	"unicode"
)

// Fold maps strings that differ in case or outer blanks alone to one key. It
// knows all of Unicode's simple case folding, as strings.EqualFold does.
func Fold(s string) string { return FoldCase(strings.TrimSpace(s)) }

// FoldCase is Fold with outer blanks kept: one folded string contains another
// if the strings do, whatever their case.
func FoldCase(s string) string { return strings.Map(foldRune, s) }

// FoldEmail is the key under which an e-mail is compared.
func FoldEmail(s string) string { return Fold(s) }

// foldRune returns the smallest rune of r's folding orbit, or its lower case
// for the ASCII letters, so that keys of plain names can be read.
func foldRune(r rune) rune {
	if 'A' <= r && r <= 'Z' {
		return r + 'a' - 'A'
	}
	if r < unicode.MaxASCII {
		return r
	}
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	if 'A' <= least && least <= 'Z' {
		return least + 'a' - 'A'
	}
	return least
}

// A GroupRef is how a caller names a group: by id, or by name.
type GroupRef struct {
	ID   string // empty when named
	Name string
}

// ParseGroupRef reads 32 hex digits as an id and anything else as a name;
// "id:" or "name:" in front forces it.
func ParseGroupRef(s string) GroupRef {
	if id, ok := strings.CutPrefix(s, "id:"); ok {
		return GroupRef{ID: id}
	}
	if name, ok := strings.CutPrefix(s, "name:"); ok {
		return GroupRef{Name: name}
	}
	if isHex32(s) {
		return GroupRef{ID: s}
	}
	return GroupRef{Name: s}
}

func isHex32(s string) bool {
	if len(s) != 32 {
		return false
	}
	for _, c := range []byte(s) {
		if !('0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F') {
			return false
		}
	}
	return true
}

// A PersonRef is how a caller names a person: a member's id, or an e-mail
// that is looked up among members, then guests.
type PersonRef struct {
	ID    int64 // 0 when named by e-mail
	Email string
}

// ParsePersonRef reads digits as a member's id and anything else as an
// e-mail; "id:" or "name:" in front forces it. An id that is no positive
// number names nobody: the reference is then the text as an e-mail.
func ParsePersonRef(s string) PersonRef {
	if email, ok := strings.CutPrefix(s, "name:"); ok {
		return PersonRef{Email: email}
	}
	if id, err := strconv.ParseUint(strings.TrimPrefix(s, "id:"), 10, 63); err == nil && id > 0 {
		return PersonRef{ID: int64(id)}
	}
	return PersonRef{Email: s}
}
