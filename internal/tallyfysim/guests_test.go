package tallyfysim_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/tallyfysim"
)

func TestUpdatingAGuestReplacesItsMembersAndDropsTheRest(t *testing.T) {
	s := small(tallyfysim.Options{})
	details := func(r reply) map[string]any { return r.data(t)["details"].(map[string]any) }
	if got := details(get(t, s, "./guests/a@client.test"))["associated_members"]; got != nil {
		t.Errorf("at first %v", got)
	}
	r := ask(t, s, http.MethodPut, "./guests/a%40client.test", `{"associated_members":[1001,"1002"],"first_name":"New"}`).want(t, http.StatusCreated, "")
	if got := details(r)["associated_members"]; !cmp.Equal(got, []any{1001.0, 1002.0}) || r.data(t)["first_name"] != nil {
		t.Errorf("got %s", r.raw)
	}
	ask(t, s, http.MethodPut, "./guests/a@client.test", `{"last_name":"New"}`).want(t, http.StatusCreated, `"associated_members":[1001,1002]`)
	ask(t, s, http.MethodPut, "./guests/a@client.test", `{"associated_members":[]}`).want(t, http.StatusCreated, `"associated_members":[]`)
	ask(t, s, http.MethodPut, "./guests/a@client.test", `{"associated_members":[9]}`).want(t, http.StatusUnprocessableEntity, "associated_members.0")
	ask(t, s, http.MethodPut, "./guests/nobody@client.test", `{}`).want(t, http.StatusUnprocessableEntity, "email")
	strict := small(tallyfysim.Options{GuestEmailInBody: true})
	ask(t, strict, http.MethodPut, "./guests/a@client.test", `{}`).want(t, http.StatusUnprocessableEntity, "email")
	ask(t, strict, http.MethodPut, "./guests/a@client.test", `{"email":"x@client.test"}`).want(t, http.StatusUnprocessableEntity, "email")
	ask(t, strict, http.MethodPut, "./guests/a@client.test", `{"email":"a@client.test"}`).want(t, http.StatusCreated, "")
}

func TestTheListOfGuestsIsOrderedAndCutAsAsked(t *testing.T) {
	s := small(tallyfysim.Options{GuestStatus: http.StatusCreated})
	for _, c := range []struct {
		query string
		want  []any
	}{
		{"?sort=email", []any{"a@client.test", "B@client.test"}},
		{"?sort_by=-email", []any{"B@client.test", "a@client.test"}},
		{"?sort=email&per_page=1&page=2", []any{"B@client.test"}},
	} {
		if got := get(t, s, "./guests"+c.query).column(t, "email"); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v", c.query, got)
		}
	}
	get(t, s, "./guests/a@client.test?with=stats").want(t, http.StatusCreated, `"tasks_completed":0`)
	get(t, s, "./guests?with=stats").want(t, http.StatusOK, `"tasks_completed":0`)
	if _, there := get(t, s, "./guests").rows(t)[0]["stats"]; there {
		t.Error("stats that nobody asked for")
	}
	for i := range 1000 {
		ask(t, s, http.MethodPost, "./guests", fmt.Sprintf(`{"email":"g%d@client.test"}`, i)).want(t, http.StatusCreated, "")
	}
	for query, want := range map[string]int{"": 999, "?without_pagination=true": 1002, "?per_page=5000": 999} {
		if got := len(get(t, s, "./guests"+query).rows(t)); got != want {
			t.Errorf("%q: %d rows", query, got)
		}
	}
}
