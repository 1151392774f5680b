package tallyfy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEverySpellingOfTheBaseURLLeadsToOneAddress(t *testing.T) {
	for in, want := range map[string]string{
		"https://go.tallyfy.com/api":          "https://go.tallyfy.com/api",
		"https://go.tallyfy.com/api/":         "https://go.tallyfy.com/api",
		"https://go.tallyfy.com":              "https://go.tallyfy.com/api",
		"https://go.tallyfy.com/":             "https://go.tallyfy.com/api",
		"https://GO.tallyfy.com":              "https://GO.tallyfy.com/api",
		"https://api.tallyfy.com":             "https://api.tallyfy.com",
		"https://api.tallyfy.com/":            "https://api.tallyfy.com",
		"https://api.tallyfy.com/api":         "https://api.tallyfy.com",
		"https://staging.go.tallyfy.com":      "https://staging.go.tallyfy.com/api",
		"https://staging-api.tallyfy.com/api": "https://staging-api.tallyfy.com",
		"https://proxy.test/a%2Fb/":           "https://proxy.test/a%2Fb",
		"https://proxy.test:8443/x/y//":       "https://proxy.test:8443/x/y",
		"http://localhost:8080":               "http://localhost:8080",
		"http://127.0.0.1:8080/api/":          "http://127.0.0.1:8080/api",
		"http://127.8.9.1/":                   "http://127.8.9.1",
		"http://[::1]:80":                     "http://[::1]:80",
		" https://proxy.test ":                "https://proxy.test",
	} {
		base, err := parseBase(in)
		if err != nil || base.String() != want {
			t.Errorf("%q: %v, %v; want %s", in, base, err, want)
		}
	}
}

func TestTheBaseURLReachesTheRequest(t *testing.T) {
	for base, want := range map[string]string{
		"https://go.tallyfy.com":      "https://go.tallyfy.com/api/organizations/",
		"https://api.tallyfy.com/api": "https://api.tallyfy.com/organizations/",
		"https://proxy.test/a%2Fb/":   "https://proxy.test/a%2Fb/organizations/",
	} {
		up := always(200, emptyList)
		c := newClient(t, up, func(o *Options) { o.BaseURL = base })
		if _, err := c.GroupPage(t.Context(), 1); err != nil || !strings.HasPrefix(up.last().URL.String(), want+testOrg+"/groups?") {
			t.Errorf("read %s, %v", up.last().URL, err)
		}
		if _, err := c.Forward(t.Context(), post(t)); err != nil || up.last().URL.String() != want+"x/groups" {
			t.Errorf("forwarded to %s, %v", up.last().URL, err)
		}
	}
}

func TestNewRefusesWhatCannotWorkAndNamesTheSetting(t *testing.T) {
	folder := t.TempDir()
	noPEM := filepath.Join(folder, "ca.pem")
	if err := os.WriteFile(noPEM, []byte("not a certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"http beyond loopback": {func(o *Options) { o.BaseURL = "http://tallyfy.test" }, "--base-url"},
		"http to a lookalike":  {func(o *Options) { o.BaseURL = "http://localhost.evil.test" }, "--base-url"},
		"another scheme":       {func(o *Options) { o.BaseURL = "ftp://tallyfy.test" }, "--base-url"},
		"no scheme":            {func(o *Options) { o.BaseURL = "tallyfy.test/api" }, "--base-url"},
		"empty":                {func(o *Options) { o.BaseURL = "" }, "--base-url"},
		"a password":           {func(o *Options) { o.BaseURL = "https://u:" + testToken + "@tallyfy.test" }, "--base-url"},
		"a query":              {func(o *Options) { o.BaseURL = "https://tallyfy.test?a=b" }, "--base-url"},
		"no organisation":      {func(o *Options) { o.Organization = "" }, "--org"},
		"dots":                 {func(o *Options) { o.Organization = ".." }, "--org"},
		"no token":             {func(o *Options) { o.Token = nil }, "TALLYFY_ACCESS_TOKEN"},
		"negative rate":        {func(o *Options) { o.Rate = -1 }, "--upstream-rate"},
		"no CA file":           {func(o *Options) { o.CAFile = filepath.Join(folder, "missing") }, "--upstream-ca-file"},
		"no certificate in it": {func(o *Options) { o.CAFile = noPEM }, "--upstream-ca-file"},
	} {
		o := Options{BaseURL: "https://tallyfy.test", Organization: testOrg, Token: StaticToken(testToken)}
		c.change(&o)
		_, err := New(o)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), testToken) {
			t.Errorf("%s: %v, want a word on %s", name, err, c.want)
		}
	}
}
