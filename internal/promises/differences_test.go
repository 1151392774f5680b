package promises_test

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rollcall/internal/tallyfysim"
)

// A systematic difference is one in every answer of some sort. Instead
// returns what Rollcall says where Tallyfy says s.
type systematic struct {
	name    string
	instead func(p *pairing, a ask, s said) said
}

// everywhere are the systematic differences in the order in which one builds
// on the other.
var everywhere = []systematic{
	{"list-form", inListForm},
	{"meta", withMeta},
	{"groups-include", withWrappedGroups},
	{"links", withOwnLinks},
	{"created-groups", asCreated},
}

func isAnswered(a ask, s said) bool { return a.method == http.MethodGet && s.status == http.StatusOK }

// inListForm serves a single row as Tallyfy lists it.
func inListForm(p *pairing, a ask, s said) said {
	list, id := p.listOf(a.path)
	if id == "" || !isAnswered(a, s) {
		return s
	}
	if u, err := url.Parse(a.path); err == nil && u.RawQuery != "" {
		list += "?" + u.RawQuery
	}
	s.body = map[string]any{"data": p.rows("/" + list)[idOf(s.at("data"))]}
	return s
}

// withMeta says what meta a list has where Tallyfy leaves it out.
func withMeta(p *pairing, a ask, s said) said {
	if list, id := p.listOf(a.path); list == "" || id != "" || !isAnswered(a, s) || s.at("meta") != nil {
		return s
	}
	s.body = send(p.telling, a, p.telling.Token()).body
	return s
}

// withWrappedGroups shows in the groups of a user what Tallyfy shows since
// 2026: wrapped, and with those who are in them.
func withWrappedGroups(p *pairing, a ask, s said) said {
	if list, _ := p.listOf(a.path); list != "users" || p.reading.Generation != tallyfysim.Gen2025 || !strings.Contains(a.path, "with=groups") || !isAnswered(a, s) {
		return s
	}
	all := p.rows("/groups")
	return s.each(func(user map[string]any) any {
		bare, ok := user["groups"].([]any)
		if !ok {
			return user
		}
		wrapped := []any{}
		for _, group := range bare {
			row := all[idOf(group)].(map[string]any)
			included := map[string]any{}
			for _, key := range []string{"id", "name", "logo", "members", "guests"} {
				included[key] = row[key]
			}
			wrapped = append(wrapped, included)
		}
		return with(user, "groups", map[string]any{"data": wrapped})
	})
}

// withOwnLinks points links at the host and path that the client used.
func withOwnLinks(_ *pairing, a ask, s said) said {
	links, ok := s.at("meta", "pagination", "links").(map[string]any)
	if !ok {
		return s
	}
	base := "http://localhost:7655"
	if strings.HasPrefix(a.path, "/api/") {
		base += "/api"
	}
	own := map[string]any{}
	for name, link := range links {
		if text, isText := link.(string); isText {
			link = strings.Replace(text, "https://api.tallyfy.com", base, 1)
		}
		own[name] = link
	}
	body, meta := s.body.(map[string]any), s.at("meta").(map[string]any)
	pagination := with(s.at("meta", "pagination").(map[string]any), "links", own)
	s.body = with(body, "meta", with(meta, "pagination", pagination))
	return s
}

// asCreated shows a group that was made since the last sweep as Tallyfy's
// answer to that showed it.
func asCreated(p *pairing, a ask, s said) said {
	if list, _ := p.listOf(a.path); list != "groups" || !isAnswered(a, s) {
		return s
	}
	return s.each(func(group map[string]any) any {
		if created, ok := p.created[idOf(group)]; ok {
			return created
		}
		return group
	})
}

// each changes every row of an answer, or its only one.
func (s said) each(change func(map[string]any) any) said {
	body, ok := s.body.(map[string]any)
	if !ok {
		return s
	}
	switch data := body["data"].(type) {
	case map[string]any:
		s.body = with(body, "data", change(data))
	case []any:
		rows := make([]any, len(data))
		for i, row := range data {
			rows[i] = change(row.(map[string]any))
		}
		s.body = with(body, "data", rows)
	}
	return s
}

// with returns a copy of an object with another value.
func with(object map[string]any, key string, value any) map[string]any {
	changed := map[string]any{key: value}
	for k, v := range object {
		if k != key {
			changed[k] = v
		}
	}
	return changed
}

// declared are the names of the differences that the documentation lists.
func declared(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "differences.md"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, found := range regexp.MustCompile("(?m)^\\| `([a-z0-9-]+)` \\|").FindAllSubmatch(text, -1) {
		names = append(names, string(found[1]))
	}
	slices.Sort(names)
	return names
}
