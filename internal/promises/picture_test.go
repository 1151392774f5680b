package promises_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"rollcall/internal/directory"
	"rollcall/internal/tallyfysim"
)

// A picture is who is in which group and who there is: for each id what a row
// says, in words.
type picture struct {
	groups  map[string]string
	members map[int64]string
}

func wordsOfGroup(name, description string, members []int64, guests []string) string {
	folded := make([]string, 0, len(guests))
	for _, guest := range guests {
		folded = append(folded, directory.FoldEmail(guest))
	}
	return fmt.Sprintf("%q %q %d %q", name, description, distinct(members), distinct(folded))
}

func wordsOfMember(email, first, last, role, status string) string {
	return fmt.Sprintf("%q %q %q %q %q", email, first, last, role, status)
}

func distinct[T cmp.Ordered](s []T) []T {
	s = slices.Sorted(slices.Values(s))
	return slices.Compact(s)
}

// throughPrefix begins the names of groups that are written through the
// program under test, so that its copy of them may run ahead of its sweeps.
const throughPrefix = "Through"

func isThrough(words string) bool { return strings.HasPrefix(words, `"`+throughPrefix) }

func withoutThrough(groups map[string]string) map[string]string {
	rest := make(map[string]string, len(groups))
	for id, words := range groups {
		if !isThrough(words) {
			rest[id] = words
		}
	}
	return rest
}

// sharing returns the older of two maps when they are equal, to spare memory.
func sharing[K comparable](before, after map[K]string) map[K]string {
	if maps.Equal(before, after) {
		return before
	}
	return after
}

// spoken is what was last said of each row, so that it need not be worded
// again.
type spoken[K comparable, R any] map[K]struct {
	row   R
	words string
}

func (s spoken[K, R]) words(id K, row R, same func(a, b R) bool, word func() string) string {
	last, ok := s[id]
	if !ok || !same(last.row, row) {
		last.row, last.words = row, word()
		s[id] = last
	}
	return last.words
}

func sameGroup(a, b tallyfysim.Group) bool {
	return a.Name == b.Name && a.Description == b.Description && slices.Equal(a.Members, b.Members) && slices.Equal(a.Guests, b.Guests)
}

func sameUser(a, b tallyfysim.User) bool {
	return a.Email == b.Email && a.FirstName == b.FirstName && a.LastName == b.LastName && a.Role == b.Role && a.Status == b.Status
}

// differences names what two maps have otherwise, the first few.
func differences[K cmp.Ordered](want, got map[K]string) string {
	var b strings.Builder
	few := 5
	for _, id := range distinct(slices.Concat(slices.Collect(maps.Keys(want)), slices.Collect(maps.Keys(got)))) {
		if want[id] == got[id] {
			continue
		}
		if few--; few < 0 {
			return b.String() + "and more\n"
		}
		fmt.Fprintf(&b, "%v\n  upstream %s\n  mirror   %s\n", id, want[id], got[id])
	}
	return b.String()
}
