package api

import (
	"fmt"
	"strings"
	"testing"
)

func TestPatchThatMakesNoSense(t *testing.T) {
	o := newOrganisation(t)
	in := o.in.ID
	for body, location := range map[string]string{
		``:                       "",
		`{}`:                     "body",
		`[]`:                     "body",
		`null`:                   "body",
		`{"name":`:               "",
		`{"nam":"x"}`:            "body.nam",
		`{"members":[1]}`:        "body.members",
		`{"name":null}`:          "body.name",
		`{"name":5}`:             "body.name",
		`{"add_members":null}`:   "body.add_members",
		`{"add_members":5}`:      "body.add_members",
		`{"add_members":[""]}`:   "body.add_members[0]",
		`{"add_members":[0]}`:    "body.add_members[0]",
		`{"add_members":[1.5]}`:  "body.add_members[0]",
		`{"add_members":[null]}`: "body.add_members[0]",
		`{"add_members":[1e1]}`:  "",
		`{"add_guests":[7]}`:     "body.add_guests[0]",
		`{"add_guests":[" "]}`:   "body.add_guests[0]",
		fmt.Sprintf(`{"add_members":[%d],"remove_members":["IN@x.test"]}`, in):          "body.add_members",
		`{"add_guests":["a@x.test"],"remove_guests":[" A@X.test"]}`:                     "body.add_guests",
		`{"add_members":[` + strings.TrimSuffix(strings.Repeat(`1,`, 1001), ",") + `]}`: "body.add_members",
	} {
		p := o.edit("PATCH", "/v1/groups/Night%20shift", body).wantsProblem(422, invalidParameter)
		if location != "" && (len(p.Errors) == 0 || p.Errors[0].Location != location) {
			t.Errorf("%.60s: %+v, want %s", body, p.Errors, location)
		}
	}
	o.edit("PATCH", "/v1/groups/Night%20shift?dryrun=true", `{"name":"x"}`).wantsProblem(422, invalidParameter)
	o.edit("PATCH", "/v1/groups/Night%20shift?dry_run=maybe", `{"name":"x"}`).wantsProblem(422, invalidParameter)
	o.edit("PUT", "/v1/groups/Night%20shift/guests/%20", "").wantsProblem(422, invalidParameter)
	if len(o.sim.Requests()) != 0 {
		t.Error("upstream was asked")
	}
}
