package api

import (
	"net/url"
	"slices"
	"strings"
)

// canonical is what was asked, with parameters in one order and without
// those named. Paths are kept as sent, escapes included.
func canonical(u *url.URL, without ...string) string {
	if len(without) == 0 && isPlain(u.RawQuery) {
		return u.EscapedPath() + "?" + inOrder(u.RawQuery)
	}
	values := u.Query()
	for _, name := range without {
		values.Del(name)
	}
	return u.EscapedPath() + "?" + values.Encode()
}

// isWellFormed reports whether canonical tells all of a query.
func isWellFormed(query string) bool {
	if isPlain(query) {
		return true
	}
	_, err := url.ParseQuery(query)
	return err == nil
}

// isPlain reports whether a query is surely as url.Values writes it, but for
// the order of its pairs, so that it need not be decoded.
func isPlain(query string) bool {
	if query == "" {
		return true
	}
	for pair := range strings.SplitSeq(query, "&") {
		name, value, isPair := strings.Cut(pair, "=")
		if !isPair || !isUnreserved(name) || !isUnreserved(value) {
			return false
		}
	}
	return true
}

// inOrder sorts the pairs of a plain query by name. Those of one name stay as
// they are.
func inOrder(query string) string {
	if !strings.Contains(query, "&") {
		return query
	}
	byName := func(a, b string) int {
		a, _, _ = strings.Cut(a, "=")
		b, _, _ = strings.Cut(b, "=")
		return strings.Compare(a, b)
	}
	pairs := strings.Split(query, "&")
	if slices.IsSortedFunc(pairs, byName) {
		return query
	}
	slices.SortStableFunc(pairs, byName)
	return strings.Join(pairs, "&")
}

// isUnreserved reports whether a text has only signs that a query never
// escapes (RFC 3986, 2.3).
func isUnreserved(text string) bool {
	for _, c := range []byte(text) {
		isLetter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !isLetter && (c < '0' || '9' < c) && c != '-' && c != '_' && c != '.' && c != '~' {
			return false
		}
	}
	return true
}
