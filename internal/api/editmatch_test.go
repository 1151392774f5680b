package api

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestSafeEditUnderIfMatch(t *testing.T) {
	o := newOrganisation(t)
	path := "/v1/groups/" + o.group
	read := o.get(path)
	version := fmt.Sprint(read.at("data", "version"))
	for _, match := range []string{`"another"`, `W/"` + version + `"`, `W/"a", "b"`, read.header.Get("ETag"), ""} {
		for _, dry := range []string{"", "?dry_run=true"} {
			p := o.edit("PATCH", path+dry, `{"name":"Never"}`, "If-Match", match).wantsProblem(412, preconditionFailed)
			if p.Version != version {
				t.Errorf("If-Match: %s is told version %q", match, p.Version)
			}
		}
	}
	for _, match := range []string{version, "a b", `"a" "b"`, `"open`, `*, "a"`, `"a", *`} {
		o.edit("PATCH", path, `{"name":"Never"}`, "If-Match", match).wantsProblem(422, invalidParameter)
	}
	if o.sent() != 0 {
		t.Error("something was sent")
	}
	o.edit("PATCH", path, `{"name":"First"}`, "If-Match", `W/"x", "a,b" ,, "`+version+`"`).wants(200)
	o.edit("PATCH", path, `{"name":"Second"}`, "If-Match", `"`+version+`"`).wantsProblem(412, preconditionFailed)
	o.edit("PATCH", path, `{"name":"Second"}`, "If-Match", `*`).wants(200)
	o.edit("PATCH", "/v1/groups/none", `{"name":"Second"}`, "If-Match", `*`).wantsProblem(404, unknownGroup)
}

func TestVersionsOfSeveralHeaderLines(t *testing.T) {
	got, err := versionsOf(http.Header{"If-Match": {`"a"`, ` W/"b" , "c"`, `"d"`}})
	if err != nil || !slices.Equal(got, []string{"a", "c", "d"}) {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := versionsOf(http.Header{"If-Match": {`"a"`, `*`}}); err == nil {
		t.Error("no error")
	}
	if got, err := versionsOf(http.Header{}); err != nil || got != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func FuzzVersionsOf(f *testing.F) {
	for _, seed := range []string{`"a"`, `W/"a", "b"`, `*`, ``, `"`, `,,`, `W/`, `"a"x`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		versions, err := versionsOf(http.Header{"If-Match": {line}})
		if err != nil {
			return
		}
		if versions == nil != (strings.TrimSpace(line) == "*") {
			t.Errorf("%q allows any version", line)
		}
		for _, v := range versions {
			if !strings.Contains(line, `"`+v+`"`) {
				t.Errorf("%q does not hold %q", line, v)
			}
		}
	})
}
