package api

import (
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOverlapHasTheDesignsShape(t *testing.T) {
	w := newPeople(t)
	got := w.get("/v1/overlap?count=true").wants(200)
	third := 1.0 / 3
	want := []any{
		map[string]any{"group_a": salesID, "group_b": supportID, "shared": 1.0, "only_a": 2.0, "only_b": 0.0, "jaccard": third, "containment": 1.0},
		map[string]any{"group_a": salesID, "group_b": slashedID, "shared": 1.0, "only_a": 2.0, "only_b": 0.0, "jaccard": third, "containment": 1.0},
	}
	if diff := cmp.Diff(any(want), got.at("data")); diff != "" || got.at("total") != 2.0 {
		t.Error(diff, got.body)
	}
	first := w.get("/v1/overlap?limit=1").wants(200)
	next, _ := first.at("next_cursor").(string)
	if second := w.get("/v1/overlap?limit=1&cursor=" + next).wants(200); !cmp.Equal(second.column("group_b"), []any{slashedID}) || second.at("next_cursor") != nil {
		t.Error(second.body)
	}
	for query, groups := range map[string][]any{
		"sort=name":          {slashedID, supportID}, // both with Sales, which has the lesser id
		"sort=-name":         {supportID, slashedID},
		"group=Ops+/+Night":  {slashedID},
		"group=" + supportID: {supportID},
		"group=" + shoutedID: {},
	} {
		if got := w.get("/v1/overlap?" + query).wants(200); !cmp.Equal(got.column("group_b"), groups) {
			t.Error(query, got.body)
		}
	}
}

func TestCoMembersComeWithTheGroupsTheyShare(t *testing.T) {
	w := newPeople(t)
	got := w.get("/v1/members/13/co-members?count=true").wants(200)
	if !cmp.Equal(got.column("id"), []any{11.0, 12.0}) || !cmp.Equal(got.column("shared"), []any{1.0, 1.0}) || got.at("total") != 2.0 {
		t.Error(got.body)
	}
	row := got.at("data").([]any)[0].(map[string]any)
	delete(row, "shared")
	if diff := cmp.Diff(w.get("/v1/members/11").at("data"), any(row)); diff != "" {
		t.Error(diff)
	}
	if got := w.get("/v1/members/guest@outside.test/co-members?sort=-name").wants(200); !cmp.Equal(got.column("id"), []any{13.0, 12.0, 11.0}) {
		t.Error(got.body)
	}
}

func TestSharedGroupsAreThoseOfBoth(t *testing.T) {
	w := newPeople(t)
	for path, names := range map[string][]any{
		"11/shared-groups?with=13":                        {"Sales"},
		"ada@x.test/shared-groups?with=11&sort=-name":     {"Support", "Sales"},
		"12/shared-groups?with=guest@outside.test":        {"Sales"},
		"guest@outside.test/shared-groups?with=cy@x.test": {"Sales"},
	} {
		if got := w.get("/v1/members/" + path).wants(200); !cmp.Equal(got.column("name"), names) {
			t.Error(path, got.body)
		}
	}
}

func TestComparisonsRefuseWhatTheyCannotAnswer(t *testing.T) {
	w := newPeople(t)
	cursor, _ := w.get("/v1/overlap?limit=1").at("next_cursor").(string)
	for target, want := range map[string]struct {
		status int
		kind   string
	}{
		"/v1/overlap?group=nobody":                      {404, unknownGroup},
		"/v1/overlap?group=support":                     {409, ambiguousName},
		"/v1/overlap?group=":                            {422, invalidParameter},
		"/v1/overlap?group=Sales&group=Support":         {422, invalidParameter},
		"/v1/overlap?groups=Sales":                      {422, invalidParameter},
		"/v1/overlap?limit=0":                           {422, invalidParameter},
		"/v1/overlap?limit=1001":                        {422, invalidParameter},
		"/v1/overlap?sort=shared":                       {422, invalidParameter},
		"/v1/overlap?cursor=x":                          {422, invalidParameter},
		"/v1/overlap?group=Sales&cursor=" + cursor:      {422, invalidParameter},
		"/v1/overlap?as_of=2999-01-01":                  {422, invalidParameter},
		"/v1/overlap?as_of=2001-01-01":                  {404, unknownInstant},
		"/v1/members/99/co-members":                     {404, unknownPerson},
		"/v1/members/nobody@x.test/co-members":          {404, unknownPerson},
		"/v1/members/11/co-members?with=12":             {422, invalidParameter},
		"/v1/members/11/co-members?cursor=" + cursor:    {422, invalidParameter},
		"/v1/members/11/shared-groups":                  {422, invalidParameter},
		"/v1/members/11/shared-groups?with=":            {422, invalidParameter},
		"/v1/members/11/shared-groups?with=11&with=12":  {422, invalidParameter},
		"/v1/members/11/shared-groups?with=99":          {404, unknownPerson},
		"/v1/members/99/shared-groups?with=11":          {404, unknownPerson},
		"/v1/members/11/shared-groups?with=x&limit=one": {422, invalidParameter},
	} {
		w.get(target).wantsProblem(want.status, want.kind)
	}
}

// A place that no list gives, under a cursor of the present state.
func TestACursorWithAnImpossiblePlaceIsGone(t *testing.T) {
	w := newPeople(t)
	for _, target := range []string{"/v1/overlap?limit=1", "/v1/overlap?group=Sales&limit=1", "/v1/members/13/co-members?limit=1"} {
		token, _ := w.get(target).at("next_cursor").(string)
		c, err := parseCursor(token)
		if err != nil {
			t.Fatal(target, err)
		}
		c.Key, c.ID = "nowhere", "nowhere"
		w.get(target+"&cursor="+url.QueryEscape(c.String())).wantsProblem(410, cursorGone)
	}
}
