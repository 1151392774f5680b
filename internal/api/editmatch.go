package api

import (
	"net/http"
	"strings"
)

// versionsOf reads If-Match (RFC 9110, 13.1.1): the versions that a group may
// have, nil for any, and none where the header names none that can match. The
// comparison is strong, so weak ones are left out.
func versionsOf(h http.Header) ([]string, error) {
	lines := h.Values("If-Match")
	if len(lines) == 0 || len(lines) == 1 && strings.TrimSpace(lines[0]) == "*" {
		return nil, nil
	}
	versions := []string{}
	rest := strings.Join(lines, ",")
	for rest = strings.TrimLeft(rest, ", \t"); rest != ""; rest = strings.TrimLeft(rest, ", \t") {
		tag, isWeak := strings.CutPrefix(rest, "W/")
		version, after, ok := cutQuoted(tag)
		if !ok {
			return nil, invalidAt("header.If-Match", `is no list of versions in quotes, such as "5f0c2a9d41e7b836", and not *`)
		}
		if !isWeak {
			versions = append(versions, version)
		}
		rest = after
	}
	return versions, nil
}

// cutQuoted cuts an opaque tag, in quotes, off the front of a list.
func cutQuoted(s string) (tag, after string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		return "", "", false
	}
	tag, after, ok = strings.Cut(s[1:], `"`)
	after = strings.TrimLeft(after, " \t")
	return tag, after, ok && (after == "" || after[0] == ',')
}
