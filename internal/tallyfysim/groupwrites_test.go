package tallyfysim_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/tallyfysim"
)

func TestCreateGroup(t *testing.T) {
	s := small(tallyfysim.Options{})
	r := ask(t, s, http.MethodPost, "./groups", `{"name":"Day shift","description":"Plant B","members":["1001",1002,1001],"guests":["x@client.test","X@Client.test"],"owner":7}`)
	made := r.want(t, http.StatusCreated, "").data(t)
	if !cmp.Equal(made["members"], []any{1001.0, 1002.0}) || !cmp.Equal(made["guests"], []any{"x@client.test"}) || made["owner"] != nil {
		t.Errorf("got %v", made)
	}
	get(t, s, "./groups/"+made["id"].(string)).want(t, http.StatusOK, "Day shift")
	get(t, s, "./guests/x%40client.test").want(t, http.StatusOK, "x@client.test")
}

func TestGroupWritesAreValidated(t *testing.T) {
	long := strings.Repeat("ž", 201)
	s := small(tallyfysim.Options{})
	other := s.CreateGroup(tallyfysim.Group{Name: "Other", Description: "d"})
	before, _ := s.Group(other)
	for _, c := range []struct{ body, field string }{
		{`{"description":"d"}`, "name"},
		{`{"name":"  ","description":"d"}`, "name"},
		{`{"name":7,"description":"d"}`, "name"},
		{`{"name":null,"description":"d"}`, "name"},
		{`{"name":"` + long + `","description":"d"}`, "name"},
		{`{"name":"Night shift","description":"d"}`, "name"},
		{`{"name":"New"}`, "description"},
		{`{"name":"New","description":""}`, "description"},
		{`{"name":"New","description":"d","members":[1001,5]}`, "members.1"},
		{`{"name":"New","description":"d","members":["x"]}`, "members.0"},
		{`{"name":"New","description":"d","members":7}`, "members"},
		{`{"name":"New","description":"d","members":null}`, "members"},
		{`{"name":"New","description":"d","guests":["nobody"]}`, "guests.0"},
		{`{"name":"New","description":"d","guests":["Wrenna0@works.test"]}`, "guests.0"},
		{``, "name"},
	} {
		ask(t, s, http.MethodPost, "./groups", c.body).want(t, http.StatusUnprocessableEntity, `"`+c.field+`":["The `)
		if c.field != "name" || c.body != "" && !strings.HasPrefix(c.body, `{"desc`) {
			ask(t, s, http.MethodPut, "./groups/"+other, c.body).want(t, http.StatusUnprocessableEntity, `"`+c.field+`"`)
		}
	}
	ask(t, s, http.MethodPost, "./groups", `{"name":`).want(t, http.StatusBadRequest, `"error":true`)
	if after, _ := s.Group(other); !cmp.Equal(before, after) || len(s.Groups()) != 2 {
		t.Errorf("a refused write changed something: %v", cmp.Diff(before, after))
	}
}

func TestABodyThatIsNotSaidToBeJSONCountsAsEmpty(t *testing.T) {
	s := small(tallyfysim.Options{})
	req := newRequest(t, s, http.MethodPost, "./groups", `{"name":"New","description":"d"}`)
	req.Header.Set("Content-Type", "text/plain")
	send(t, s, req).want(t, http.StatusUnprocessableEntity, "name field is required")
}

func TestValidationWithoutAMessage(t *testing.T) {
	s := small(tallyfysim.Options{BareValidation: true})
	r := ask(t, s, http.MethodPost, "./groups", `{"name":"New"}`).want(t, http.StatusUnprocessableEntity, `"error":true`)
	if _, there := r.body["message"]; there {
		t.Errorf("got %s", r.raw)
	}
}

func TestUpdateReplacesTheArraysItNames(t *testing.T) {
	s := small(tallyfysim.Options{})
	ask(t, s, http.MethodPut, "./groups/g", `{"description":"Plant D"}`).want(t, http.StatusCreated, `"members":[1001,1002],"guests":["a@client.test","B@client.test"]`)
	r := ask(t, s, http.MethodPut, "./groups/g", `{"description":"Plant C","members":[1002]}`).want(t, http.StatusCreated, "")
	if row := r.data(t); row["name"] != "Night shift" || !cmp.Equal(row["members"], []any{1002.0}) || len(row["guests"].([]any)) != 2 {
		t.Errorf("got %v", row)
	}
	r = ask(t, s, http.MethodPut, "./groups/g", `{"description":"Plant C","members":[],"guests":[]}`)
	if row := r.data(t); len(row["members"].([]any)) != 0 || len(row["guests"].([]any)) != 0 {
		t.Errorf("got %v", row)
	}
	ask(t, s, http.MethodPut, "./groups/nobody", `{"description":"d"}`).want(t, http.StatusNotFound, "RESOURCE_NOT_FOUND")
}

func TestUpdateUnderOtherReadings(t *testing.T) {
	for _, c := range []struct {
		name   string
		o      tallyfysim.Options
		body   string
		status int
		text   string
	}{
		{"absent arrays clear", tallyfysim.Options{AbsentArraysClear: true}, `{"description":"d"}`, 201, `"members":[],"guests":[]`},
		{"name required", tallyfysim.Options{PutNameRequired: true}, `{"description":"d"}`, 422, "name"},
		{"description optional", tallyfysim.Options{DescriptionOptional: true}, `{"name":"New"}`, 201, "Plant B"},
		{"2025", tallyfysim.Options{Generation: tallyfysim.Gen2025}, `{"members":[1001]}`, 200, `"members":[1001]`},
		{"own name", tallyfysim.Options{}, `{"name":"Night shift","description":"d"}`, 201, ""},
		{"case differs", tallyfysim.Options{}, `{"name":"TWIN","description":"d"}`, 201, ""},
		{"case folded", tallyfysim.Options{NamesFoldCase: true}, `{"name":"TWIN","description":"d"}`, 422, "taken"},
		{"blanks kept", tallyfysim.Options{}, `{"name":" twin ","description":" d "}`, 201, `"name":" twin "`},
		{"trimmed", tallyfysim.Options{NamesTrim: true}, `{"name":" New ","description":" d "}`, 201, `"name":"New","description":"d"`},
		{"trimmed and taken", tallyfysim.Options{NamesTrim: true}, `{"name":" twin ","description":"d"}`, 422, "taken"},
		{"stranger", tallyfysim.Options{KnownGuestsOnly: true}, `{"description":"d","guests":["new@client.test"]}`, 422, "guests.0"},
		{"known guest", tallyfysim.Options{KnownGuestsOnly: true}, `{"description":"d","guests":["b@client.test"]}`, 201, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := small(c.o)
			s.CreateGroup(tallyfysim.Group{Name: "twin", Description: "d"})
			ask(t, s, http.MethodPut, "./groups/g", c.body).want(t, c.status, c.text)
		})
	}
}

func TestTimeOfTheLastUpdate(t *testing.T) {
	for _, c := range []struct {
		name, body string
		o          tallyfysim.Options
		moves      bool
	}{
		{"nothing new", `{"description":"Plant B","members":[1001,1002]}`, tallyfysim.Options{}, false},
		{"description", `{"description":"Plant C"}`, tallyfysim.Options{MembershipKeepsTime: true}, true},
		{"members", `{"description":"Plant B","members":[1001]}`, tallyfysim.Options{}, true},
		{"members, kept", `{"description":"Plant B","members":[1001]}`, tallyfysim.Options{MembershipKeepsTime: true}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := small(c.o)
			before, _ := s.Group("g")
			ask(t, s, http.MethodPut, "./groups/g", c.body).want(t, http.StatusCreated, "")
			after, _ := s.Group("g")
			if moved := !after.UpdatedAt.Equal(before.UpdatedAt); moved != c.moves {
				t.Errorf("moved: %v", moved)
			}
		})
	}
}

func TestDeleteGroup(t *testing.T) {
	s := small(tallyfysim.Options{})
	if r := ask(t, s, http.MethodDelete, "./groups/g", "").want(t, http.StatusNoContent, ""); r.raw != "" {
		t.Errorf("got %q", r.raw)
	}
	get(t, s, "./groups/g").want(t, http.StatusNotFound, "RESOURCE_NOT_FOUND")
	ask(t, s, http.MethodDelete, "./groups/g", "").want(t, http.StatusNotFound, "RESOURCE_NOT_FOUND")
	ask(t, s, http.MethodPost, "./groups", `{"name":"Night shift","description":"again"}`).want(t, http.StatusCreated, "")

	ask(t, small(tallyfysim.Options{DeleteBody: true}), http.MethodDelete, "./groups/g", "").want(t, http.StatusOK, `"data":{"id":"g"`)
	ask(t, small(tallyfysim.Options{DeleteMissing: http.StatusNoContent}), http.MethodDelete, "./groups/h", "").want(t, http.StatusNoContent, "")
}

func TestWhoMayWriteGroups(t *testing.T) {
	for _, allowed := range []bool{false, true} {
		s := small(tallyfysim.Options{StandardManagesGroups: allowed})
		s.AddToken("wrens", person(s, "wren"))
		for _, c := range []struct{ method, path, body string }{
			{http.MethodPost, "./groups", `{"name":"New","description":"d"}`},
			{http.MethodPut, "./groups/g", `{"description":"d"}`},
			{http.MethodDelete, "./groups/g", ""},
		} {
			req := newRequest(t, s, c.method, c.path, c.body)
			req.Header.Set("Authorization", "Bearer wrens")
			if r := send(t, s, req); (r.status == http.StatusForbidden) == allowed {
				t.Errorf("allowed %v: %s gives %d", allowed, c.method, r.status)
			}
		}
	}
}

func TestDisabledUsersAreLeftOutOfGroups(t *testing.T) {
	s := small(tallyfysim.Options{})
	s.Disable(1002)
	r := ask(t, s, http.MethodPut, "./groups/g", `{"description":"d","members":[1001,1002]}`).want(t, http.StatusCreated, "")
	if members := r.data(t)["members"]; !cmp.Equal(members, []any{1001.0}) {
		t.Errorf("got %v", members)
	}
}

func TestNewGuestsAreCappedByTheHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := small(tallyfysim.Options{GuestsPerHour: 2})
		put := func(guests string) reply {
			return ask(t, s, http.MethodPut, "./groups/g", `{"description":"d","guests":[`+guests+`]}`)
		}
		put(`"1@client.test","2@client.test"`).want(t, http.StatusCreated, "")
		time.Sleep(10 * time.Minute)
		r := put(`"1@client.test","3@client.test"`).want(t, http.StatusTooManyRequests, `"code":"RATE_LIMIT_EXCEEDED"`)
		if after := r.header.Get("Retry-After"); after != "3000" {
			t.Errorf("wait %s", after)
		}
		put(`"2@client.test","a@client.test"`).want(t, http.StatusCreated, "")
		time.Sleep(50 * time.Minute)
		put(`"3@client.test"`).want(t, http.StatusCreated, "")
	})
}
