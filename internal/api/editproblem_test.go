package api

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall/internal/directory"
	"rollcall/internal/tallyfysim"
)

func TestWhatUpstreamFindsWrongWithASafeEditIsPassedOn(t *testing.T) {
	o := newOrganisation(t)
	p := o.edit("PATCH", "/v1/groups/Night%20shift", `{"name":"Twin","add_guests":["no mail"]}`).wantsProblem(422, upstreamRefused)
	if len(p.Errors) != 2 || p.Errors[1].Location != "tallyfy.name" || !strings.Contains(p.Detail, "already been taken") {
		t.Errorf("%+v", p)
	}
	for body, want := range map[string]string{
		`{"error":true,"message":"Not for you.","code":"X"}`:              "Not for you.",
		`{"error":{"code":"SEAT_POOL_EXHAUSTED","message":"No seats."}}`:  "No seats.",
		`{"error":true,"errors":{"name":["Bad name."]}}`:                  "Bad name.",
		`{"message":"Invalid.","errors":{"a":"One.","b":{"c":["Two."]}}}`: "One. Two.",
		`Unauthorized.`:       "Bad Request",
		`<html>secret</html>`: "Bad Request",
		``:                    "Bad Request",
		`{"message":["odd"]}`: "Bad Request",
		`{"message":"` + strings.Repeat("x", 1000) + `"}`:                                 strings.Repeat("x", 300) + "…",
		`{"errors":{"a":[` + strings.TrimSuffix(strings.Repeat(`"no",`, 50), ",") + `]}}`: strings.TrimSuffix(strings.Repeat("no ", 20), " "),
	} {
		o.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("PUT", ""), Times: 1, Status: 400, Body: []byte(body)})
		p := o.edit("PATCH", "/v1/groups/Night%20shift", `{"name":"Never"}`).wantsProblem(400, upstreamRefused)
		if !strings.HasSuffix(p.Detail, ": "+want) {
			t.Errorf("%.40s is told as %s", body, p.Detail)
		}
	}
	o.sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("PUT", ""), Times: 1, Status: 429, RetryAfter: "7"})
	got := o.edit("PATCH", "/v1/groups/Night%20shift", `{"name":"Never"}`)
	if got.wantsProblem(429, tooManyRequests); got.header.Get("Retry-After") != "7" {
		t.Error(got.header)
	}
}

func TestASafeEditThatIsNotHeldIsAConflict(t *testing.T) {
	o := newOrganisation(t)
	var d openAPI
	o.get("/openapi.json").decode(&d)
	got := o.edit("PUT", "/v1/groups/Night%20shift/members/asleep@x.test", "")
	p := got.wantsProblem(409, editConflict)
	if err := d.check("PUT", "/v1/groups/{g}/members/{m}", got); err != nil {
		t.Error(err)
	}
	var raw struct {
		Differences []struct {
			Field      string
			Sent, Came []int64
		}
	}
	got.decode(&raw)
	if len(raw.Differences) != 1 || raw.Differences[0].Field != "members" || !slices.Contains(raw.Differences[0].Sent, o.asleep.ID) || len(raw.Differences[0].Came) != 0 {
		t.Errorf("%+v: %s", p, got.body)
	}
	if got.header.Get("Rollcall-Revision") == "" || got.header.Get("Age") == "" {
		t.Error(got.header)
	}
}

func TestAFailedSafeEditSaysWhetherItMayHaveHappened(t *testing.T) {
	w := newPeople(t)
	for _, c := range []struct {
		err    error
		status int
		kind   string
		isOpen bool
	}{
		{&directory.UnknownOutcomeError{Err: &directory.UpstreamError{Reason: directory.ReasonTransport}}, 504, outcomeUnknown, true},
		{&directory.UnknownOutcomeError{Err: directory.ErrHeld}, 504, outcomeUnknown, true},
		{&directory.UnknownOutcomeError{Status: 503}, 502, upstreamRefused, true},
		{&directory.UpstreamError{Reason: directory.ReasonBudget, RetryAfter: time.Second}, 429, tooManyRequests, false},
		{&directory.UpstreamError{Reason: directory.ReasonTransport}, 502, upstreamRefused, false},
		{&directory.UpstreamError{Reason: directory.ReasonUnauthorized, Status: 401}, 502, upstreamUnauth, false},
		{directory.ErrHeld, 502, upstreamRefused, false},
		{directory.ErrUnknownGroup, 404, unknownGroup, false},
		{errors.New("secret"), 500, blank, false},
	} {
		w.writer.err = c.err
		got := w.do("PUT", "/v1/groups/Sales/members/12", "", "Authorization", "Bearer own")
		got.wantsProblem(c.status, c.kind)
		if (got.header.Get("Rollcall-Refresh") == "pending") != c.isOpen || strings.Contains(got.body, "secret") {
			t.Error(c.err, got.header, got.body)
		}
	}
}
