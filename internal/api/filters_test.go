package api

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFiltersNarrowAListToWhatMeetsAll(t *testing.T) {
	w := newPeople(t)
	for _, c := range []struct {
		path, field string
		want        []any
	}{
		{"/v1/members?in=Sales", "id", []any{11.0, 12.0, 13.0}},
		{"/v1/members?in=Sales&in=" + slashedID, "id", []any{13.0}},
		{"/v1/members?in=Sales&not_in=Support", "id", []any{12.0, 13.0}},
		{"/v1/members?in=Sales&not_in=Support&not_in=Ops+/+Night", "id", []any{12.0}},
		{"/v1/members?in_any=Support&in_any=name:Ops+/+Night&sort=-name", "id", []any{13.0, 11.0}},
		{"/v1/members?not_in=id:" + salesID, "id", []any{}},
		{"/v1/members?no_group=true", "id", []any{}},
		{"/v1/members?no_group=false", "id", []any{11.0, 12.0, 13.0}},
		{"/v1/members?status=disabled", "id", []any{12.0}},
		{"/v1/members?role=ADMIN", "id", []any{11.0}},
		{"/v1/members?role=nobody", "id", []any{}},
		{"/v1/members?domain=X.test", "id", []any{11.0, 12.0, 13.0}},
		{"/v1/members?domain=test", "id", []any{}},
		{"/v1/members?email=ADA@x.test", "id", []any{11.0}},
		{"/v1/members?email=ada@x.test&status=disabled", "id", []any{}},
		{"/v1/members?q=A@X", "id", []any{11.0}},
		{"/v1/members?q=%20exAMple&status=active", "id", []any{11.0}},
		{"/v1/members?q=%25", "id", []any{}},
		{"/v1/groups?name=Ops+/+Night", "name", []any{"Ops / Night"}},
		{"/v1/groups?name=" + salesID, "name", []any{"Sales"}},
		{"/v1/groups?name=Sales&has_guests=false", "name", []any{}},
		{"/v1/groups?q=upp", "name", []any{"Support", "SUPPORT"}},
		{"/v1/groups?q=ABOUT&min_members=1&sort=-name", "name", []any{"Support", "Sales", "Ops / Night"}},
		{"/v1/groups?min_members=2&with=members", "name", []any{"Sales"}},
		{"/v1/groups?empty=true", "name", []any{"SUPPORT"}},
		{"/v1/groups?empty=false", "name", []any{"Sales", "Support", "Ops / Night"}},
		{"/v1/groups?has_guests=true", "name", []any{"Sales"}},
		{"/v1/memberships?limit=2", "email", []any{"Ada@x.test", "bo@x.test", "cy@x.test", "Guest@Outside.test", "Ada@x.test", "cy@x.test"}},
		{"/v1/memberships?sort=name&limit=2", "email", []any{"cy@x.test", "Ada@x.test", "bo@x.test", "cy@x.test", "Guest@Outside.test", "Ada@x.test"}},
		{"/v1/memberships?member=13", "group_name", []any{"Sales", "Ops / Night"}},
		{"/v1/memberships?member=cy@x.test&sort=name", "group_name", []any{"Ops / Night", "Sales"}},
		{"/v1/memberships?member=guest@outside.test", "group_name", []any{"Sales"}},
		{"/v1/memberships?group=Ops+/+Night", "member_id", []any{13.0}},
		{"/v1/memberships?group=Sales&member=11", "member_id", []any{11.0}},
		{"/v1/memberships?group=Ops+/+Night&member=11", "member_id", []any{}},
		{"/v1/memberships?kind=guest", "email", []any{"Guest@Outside.test"}},
		{"/v1/memberships?domain=outside.TEST", "email", []any{"Guest@Outside.test"}},
		{"/v1/memberships?status=active", "member_id", []any{11.0, 11.0}},
		{"/v1/memberships?role=light&kind=guest", "member_id", []any{}},
		{"/v1/groups/Sales/members?status=invited", "member_id", []any{13.0}},
	} {
		if diff := cmp.Diff(c.want, w.walk(c.path, c.field)); diff != "" {
			t.Error(c.path, diff)
		}
		got := w.get(c.path + "&count=true").wants(200)
		if total := got.at("total"); total != float64(len(c.want)) {
			t.Errorf("%s counts %v, want %d", c.path, total, len(c.want))
		}
		if strings.Contains(w.get(c.path).body, `"total"`) {
			t.Error(c.path, "counts unasked")
		}
	}
	if total := w.get("/v1/members?count=true&limit=1").wants(200).at("total"); total != 3.0 {
		t.Error(total)
	}
}

// A name that cannot be resolved must not pass for a list without rows.
func TestANameThatAFilterCannotResolveIsNoEmptyList(t *testing.T) {
	w := newPeople(t)
	for _, name := range []string{"in", "in_any", "not_in"} {
		for _, path := range []string{"/v1/members?in=Sales&" + name + "=", "/v1/members?" + name + "=Sales&" + name + "="} {
			if p := w.get(path+"Salse").wantsProblem(404, unknownGroup); !strings.Contains(p.Detail, "Salse") {
				t.Error(path, p.Detail)
			}
			p := w.get(path+"supporT").wantsProblem(409, ambiguousName)
			if diff := cmp.Diff([]string{supportID, shoutedID}, p.IDs); diff != "" || !strings.Contains(p.Detail, "supporT") {
				t.Error(path, diff, p.Detail)
			}
		}
	}
	for _, path := range []string{"/v1/groups?name=Salse", "/v1/groups?name=Salse&empty=true", "/v1/memberships?group=Salse", "/v1/memberships?group=Salse&member=11"} {
		w.get(path).wantsProblem(404, unknownGroup)
	}
	for _, path := range []string{"/v1/groups?name=supporT", "/v1/memberships?group=supporT"} {
		w.get(path).wantsProblem(409, ambiguousName)
	}
	for _, path := range []string{
		"/v1/members?email=nobody@x.test", "/v1/members?email=guest@outside.test", "/v1/members?email=99",
		"/v1/memberships?member=nobody@x.test", "/v1/memberships?member=99&group=Sales",
	} {
		w.get(path).wantsProblem(404, unknownPerson)
	}
}

func TestAFilterThatCannotBeReadIsA422(t *testing.T) {
	w := newPeople(t)
	for path, parameter := range map[string]string{
		"/v1/members?frob=1":                                          "frob",
		"/v1/members?status=gone":                                     "status",
		"/v1/members?status=active&status=invited":                    "status",
		"/v1/members?in=":                                             "in",
		"/v1/members?in=Sales&in=":                                    "in",
		"/v1/members?in=" + strings.Repeat("Sales&in=", 32) + "Sales": "in",
		"/v1/members?no_group=maybe":                                  "no_group",
		"/v1/members?no_group":                                        "no_group",
		"/v1/members?email=a@x.test&email=b@x.test":                   "email",
		"/v1/members?q=":                                              "q",
		"/v1/members?q=" + strings.Repeat("x", 201):                   "q",
		"/v1/members?count=x":                                         "count",
		"/v1/members?limit=0&in=Sales":                                "limit",
		"/v1/groups?min_members=-1":                                   "min_members",
		"/v1/groups?min_members=many":                                 "min_members",
		"/v1/groups?empty=2":                                          "empty",
		"/v1/groups?has_guests=true&has_guests=true":                  "has_guests",
		"/v1/groups?in=Sales":                                         "in",
		"/v1/memberships?kind=robot":                                  "kind",
		"/v1/memberships?group=Sales&group=Support":                   "group",
		"/v1/memberships?q=x":                                         "q",
		"/v1/groups/Sales/members?group=Sales":                        "group",
	} {
		p := w.get(path).wantsProblem(422, invalidParameter)
		if len(p.Errors) == 0 || p.Errors[0].Location != "query."+parameter || !strings.Contains(p.Detail, parameter) {
			t.Errorf("%.100s: %+v does not name %s", path, p, parameter)
		}
	}
}

func TestACursorBelongsToItsFilters(t *testing.T) {
	w := newPeople(t)
	next := w.get("/v1/members?in=Sales&limit=1").wants(200).at("next_cursor").(string)
	for _, path := range []string{"/v1/members?limit=1", "/v1/members?in=Support", "/v1/members?in=Sales&in=Sales", "/v1/members?in=Sales&sort=name", "/v1/memberships?group=Sales"} {
		p := w.get(path+"&cursor="+next).wantsProblem(422, invalidParameter)
		if !slices.ContainsFunc(p.Errors, func(d ProblemDetail) bool { return d.Location == "query.cursor" }) {
			t.Error(path, p)
		}
	}
	w.get("/v1/members?in=Sales&limit=1000&cursor=" + next).wants(200)
}
