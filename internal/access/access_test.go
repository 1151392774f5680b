package access

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
)

func headers(authorization ...string) http.Header {
	return http.Header{"Authorization": authorization}
}

func TestAKeyIdentifiesItsNameAndNeverLeaves(t *testing.T) {
	secret, line := newKey(t, "reports", ScopeRead)
	a, err := New(Options{Mode: ModeKeys, Keys: openKeys(t, writeFile(t, filepath.Join(t.TempDir(), "keys"), line))})
	if err != nil {
		t.Fatal(err)
	}
	for _, header := range []http.Header{headers("Bearer " + secret), headers(basic("anybody:" + secret))} {
		c, err := a.Identify(t.Context(), header)
		if err != nil || c.Actor != "reports" || c.How != ByKey || c.Authorization() != "" {
			t.Errorf("Identify = %v with %q upstream, %v", c, c.Authorization(), err)
		}
	}
}

func TestAStrangerIsUnauthenticated(t *testing.T) {
	_, line := newKey(t, "reports", ScopeRead)
	a, err := New(Options{Mode: ModeKeys, Keys: openKeys(t, writeFile(t, filepath.Join(t.TempDir(), "keys"), line))})
	if err != nil {
		t.Fatal(err)
	}
	wrong, _ := newKey(t, "reports", ScopeRead)
	for _, header := range []http.Header{{}, headers(""), headers("Bearer " + wrong), headers("Bearer a", "Bearer b"), headers(basic(wrong + ":"))} {
		c, err := a.Identify(t.Context(), header)
		if !errors.Is(err, ErrUnauthenticated) || c.How != "" || c.Actor != "" {
			t.Errorf("Identify = %v, %v", c, err)
		} else if strings.Contains(err.Error(), wrong) {
			t.Errorf("the error holds the key: %v", err)
		}
	}
}

func TestATokenIdentifiesItsOwnerAndGoesUpstreamAsBearer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tallyfy := newTallyfy()
		tallyfy.admit("t1", admin)
		g := newGrants(t, tallyfy)
		a, err := New(Options{Mode: ModeTallyfy, Grants: g})
		if err != nil {
			t.Fatal(err)
		}
		for _, header := range []http.Header{headers("Bearer t1"), headers(basic("me@x.test:t1"))} {
			c, err := a.Identify(t.Context(), header)
			if err != nil || c.Actor != "7" || c.How != ByToken || c.Authorization() != "Bearer t1" {
				t.Errorf("Identify = %v with %q upstream, %v", c, c.Authorization(), err)
			}
			if got := cell(a, c, Forget); got != yes {
				t.Errorf("an admin's forget: %s", got)
			}
		}
		if _, err := a.Identify(t.Context(), http.Header{}); !errors.Is(err, ErrUnauthenticated) {
			t.Errorf("without a token: %v", err)
		}
	})
}

func TestUpstreamsRefusalEndsAGrantAndOtherAnswersDoNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tallyfy := newTallyfy()
		tallyfy.admit("t1", admin)
		a, err := New(Options{Mode: ModeTallyfy, Grants: newGrants(t, tallyfy)})
		if err != nil {
			t.Fatal(err)
		}
		for _, status := range []int{200, 404, 422, 429, 500, 401, 403} {
			c, err := a.Identify(t.Context(), headers("Bearer t1"))
			if err != nil {
				t.Fatal(err)
			}
			a.UpstreamAnswered(c, status)
			if _, err := a.Identify(t.Context(), headers("Bearer t1")); err != nil {
				t.Fatal(err)
			}
			if want := max(1, map[int]int{401: 2, 403: 3}[status]); tallyfy.count("me") != want {
				t.Errorf("after a %d there were %d probes in all, want %d", status, tallyfy.count("me"), want)
			}
		}
	})
}

func TestAnybodysHeaderGoesUpstreamAsItCame(t *testing.T) {
	a, err := New(Options{Mode: ModeNone})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		header http.Header
		want   string
	}{
		{http.Header{}, ""},
		{headers("bearer  t1"), "bearer  t1"},
		{headers(basic("u:t1")), basic("u:t1")},
		{headers("Bearer "), ""},
		{headers("Negotiate t1"), ""},
		{headers("Bearer a", "Bearer b"), ""},
	} {
		got, err := a.Identify(t.Context(), c.header)
		if err != nil || got.How != ByNothing || got.Actor != "" || got.Authorization() != c.want {
			t.Errorf("%v: %v with %q upstream, %v", c.header, got, got.Authorization(), err)
		}
	}
}

func TestNothingPrintsATokenOrAKey(t *testing.T) {
	const secret = "S3CRET"
	c := Caller{Actor: "7", How: ByToken, own: newCredential("Bearer "+secret, secret)}
	holder := struct {
		inner any
		plain Caller
	}{c, c}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+"\n", c)
		fmt.Fprintf(&out, verb+"\n", &c)
		fmt.Fprintf(&out, verb+"\n", holder)
	}
	for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(h).Info("line", "caller", c, "pointer", &c, "holder", holder)
	}
	if strings.Contains(out.String(), secret) || strings.Contains(out.String(), fmt.Sprintf("%x", secret)) {
		t.Errorf("printed:\n%s", out.String())
	}
	if !strings.Contains(out.String(), `"caller":{"actor":"7","by":"token"}`) {
		t.Errorf("the log does not say who it was:\n%s", out.String())
	}
}
