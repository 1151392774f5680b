package doctor_test

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/directory"
	"rollcall/internal/doctor"
	"rollcall/internal/tallyfy"
	"rollcall/internal/tallyfysim"
)

const base = "https://tallyfy.test/api"

// plain is an organisation of the newest documented reading whose links point
// at the host that is asked.
func plain() tallyfysim.Options {
	return tallyfysim.Options{Seed: 7, Groups: 130, Members: 210, Edges: 900, Guests: 15, LinkBase: base}
}

func examine(t *testing.T, sim *tallyfysim.Sim) *doctor.Report {
	t.Helper()
	return examineWith(t, sim, nil)
}

// knowing is a client that is told what to know of its token.
type knowing struct {
	doctor.Upstream
	token *directory.TokenInfo
}

func (k knowing) TokenInfo(ctx context.Context) directory.TokenInfo {
	if k.token != nil {
		return *k.token
	}
	return k.Upstream.TokenInfo(ctx)
}

func examineWith(t *testing.T, sim *tallyfysim.Sim, token *directory.TokenInfo) *doctor.Report {
	t.Helper()
	client, err := tallyfy.New(tallyfy.Options{
		BaseURL: base, Organization: sim.Organization(), Token: tallyfy.StaticToken(sim.Token()),
		Transport: sim.Transport(), Rate: 90, Hourly: 900,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	report, err := doctor.Examine(t.Context(), knowing{client, token}, doctor.Options{Organization: sim.Organization(), BaseURL: base})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func named(r *doctor.Report, verdict doctor.Verdict) map[string]bool {
	names := map[string]bool{}
	for _, f := range r.Findings {
		if f.Verdict == verdict {
			names[f.Name] = true
		}
	}
	return names
}

// TestEachReadingOfTheContractIsToldApart changes one thing of the simulated
// Tallyfy at a time and wants exactly the findings about it to move.
func TestEachReadingOfTheContractIsToldApart(t *testing.T) {
	type reading struct {
		change func(*tallyfysim.Options)
		then   func(*tallyfysim.Sim)
		not    []string // contradicted, which the plain reading does not
		unseen []string // no longer visible
	}
	readings := map[string]reading{
		"plain": {},
		"2025": {
			change: func(o *tallyfysim.Options) { o.Generation = tallyfysim.Gen2025 },
			not:    []string{"group-updated", "group-deleted-at", "user-updated", "user-role", "user-groups-wrapped"},
		},
		"no meta": {
			change: func(o *tallyfysim.Options) { o.NoMeta = true },
			not:    []string{"lists-carry-meta"},
			unseen: []string{"groups-default-page", "groups-page-of-100", "groups-cap", "users-at-once", "users-page-size", "total-is-steady", "total-pages", "links", "links-host"},
		},
		"no status":       {change: func(o *tallyfysim.Options) { o.NoStatus = true }, not: []string{"user-status"}, unseen: []string{"disabled-leave-groups", "invited-in-groups"}},
		"string ids":      {change: func(o *tallyfysim.Options) { o.StringIDs = true }, not: []string{"group-members-numbers", "user-ids"}},
		"links elsewhere": {change: func(o *tallyfysim.Options) { o.LinkBase = "https://api.tallyfy.com" }, not: []string{"links-host"}},
		"descending":      {change: func(o *tallyfysim.Options) { o.Descending = true }, not: []string{"order", "ties"}},
		"cap refused":     {change: func(o *tallyfysim.Options) { o.GroupCapRefuse = true }, not: []string{"groups-cap"}},
		"users capped":    {change: func(o *tallyfysim.Options) { o.UserCap = 100 }, not: []string{"users-at-once", "users-page-size"}, unseen: []string{"members-are-users", "disabled-leave-groups", "invited-in-groups", "users-are-all"}},
		"other page size": {change: func(o *tallyfysim.Options) { o.TotalPagesSize = 100 }, not: []string{"total-pages"}},
		"last repeated":   {change: func(o *tallyfysim.Options) { o.RepeatLastPage = true }, not: []string{"past-the-end"}},
		"malformed 422":   {change: func(o *tallyfysim.Options) { o.MalformedID = 422 }, not: []string{"malformed-group"}},
		"rate headers":    {change: func(o *tallyfysim.Options) { o.RateHeaders, o.PerMinute = true, 600 }, not: []string{"rate-headers"}},
		"disabled stay": {
			change: func(o *tallyfysim.Options) { o.DisabledKeepGroups = true },
			then:   func(s *tallyfysim.Sim) { s.Disable(s.Groups()[0].Members[0]) },
			not:    []string{"disabled-leave-groups"},
		},
		"a stranger in a group": {
			then: func(s *tallyfysim.Sim) {
				s.UpdateGroup(s.Groups()[0].ID, func(g *tallyfysim.Group) { g.Members = append(g.Members, 1_999_999) })
			},
			not: []string{"members-are-users"},
		},
		"lists of HTML": {
			then: func(s *tallyfysim.Sim) {
				s.Fault(tallyfysim.Fault{Match: func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/users") }, Times: 99, Status: 200, Body: []byte("<html>")})
			},
			not: []string{"users-listed"},
			unseen: []string{
				"lists-carry-meta", "users-at-once", "users-page-size", "total-is-steady", "total-pages", "links", "links-host", "users-sort",
				"members-are-users", "disabled-leave-groups", "invited-in-groups", "user-keys", "user-ids", "user-updated", "user-status", "user-role",
				"user-role-case", "user-groups-wrapped", "users-are-all",
			},
		},
	}
	usual := map[doctor.Verdict]map[string]bool{}
	synctest.Test(t, func(t *testing.T) {
		r := examine(t, tallyfysim.New(plain()))
		usual[doctor.Contradicted], usual[doctor.NotVisible] = named(r, doctor.Contradicted), named(r, doctor.NotVisible)
	})
	for name, reading := range readings {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				options := plain()
				if reading.change != nil {
					reading.change(&options)
				}
				sim := tallyfysim.New(options)
				if reading.then != nil {
					reading.then(sim)
				}
				r := examine(t, sim)
				if diff := cmp.Diff(sorted(reading.not), news(r, doctor.Contradicted, usual)); diff != "" {
					t.Errorf("contradicted (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(sorted(reading.unseen), news(r, doctor.NotVisible, usual)); diff != "" {
					t.Errorf("not visible (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func sorted(names []string) []string { return slices.Sorted(slices.Values(names)) }

// news are the findings with a verdict that the plain reading has not.
func news(r *doctor.Report, verdict doctor.Verdict, usual map[doctor.Verdict]map[string]bool) []string {
	names := named(r, verdict)
	maps.DeleteFunc(names, func(name string, _ bool) bool { return usual[verdict][name] })
	return slices.Sorted(maps.Keys(names))
}

func TestAtMostThirtyReadsAreMadeAndNothingIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := tallyfysim.New(plain())
		r := examine(t, sim)
		if r.Requests > 30 || r.Requests != len(sim.Requests()) {
			t.Errorf("%d requests counted, %d made", r.Requests, len(sim.Requests()))
		}
		for _, asked := range sim.Requests() {
			if asked.Method != http.MethodGet {
				t.Errorf("%s %s", asked.Method, asked.Path)
			}
		}
		if !r.IsUsable() {
			t.Error("not usable")
		}
	})
}

func TestARefusedTokenIsAskedOnceAndMakesTheMirrorUnusable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := tallyfysim.New(plain())
		sim.Fault(tallyfysim.Fault{Times: 99, Status: 401, Body: []byte(`{"message":"Unauthenticated."}`)})
		r := examine(t, sim)
		if r.Requests != 1 || r.IsUsable() || !named(r, doctor.Contradicted)["token-works"] {
			t.Errorf("%d requests, usable %t, contradicted %v", r.Requests, r.IsUsable(), named(r, doctor.Contradicted))
		}
	})
}

func TestASilentTallyfyContradictsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := tallyfysim.New(plain())
		sim.Fault(tallyfysim.Fault{Times: 99, DropRequest: true})
		r := examine(t, sim)
		if wrong := named(r, doctor.Contradicted); len(wrong) > 0 || r.IsUsable() {
			t.Errorf("contradicted %v, usable %t", wrong, r.IsUsable())
		}
	})
}

func TestAThrottleIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		options := plain()
		options.PerFiveSeconds = 3
		if r := examine(t, tallyfysim.New(options)); !named(r, doctor.Contradicted)["not-throttled"] {
			t.Error("three requests in five seconds were not enough, and nothing says so")
		}
	})
}

func TestTheTokensOwnWordsAreJudged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, at := range []struct {
			token directory.TokenInfo
			name  string
			want  doctor.Verdict
		}{
			{directory.TokenInfo{Kind: directory.TokenPersonal, ExpiresAt: time.Now().Add(90 * 24 * time.Hour)}, "token-expiry", doctor.Confirmed},
			{directory.TokenInfo{Kind: directory.TokenPersonal, ExpiresAt: time.Now().Add(24 * time.Hour)}, "token-expiry", doctor.Contradicted},
			{directory.TokenInfo{Kind: directory.TokenPersonal, ExpiresAt: time.Now().Add(time.Hour)}, "token-lifetime", doctor.Contradicted},
			{directory.TokenInfo{Kind: directory.TokenApplication}, "token-of-application", doctor.Confirmed},
			{directory.TokenInfo{Kind: directory.TokenApplication}, "token-url", doctor.Confirmed},
			{directory.TokenInfo{}, "token-url", doctor.NotVisible},
		} {
			r := examineWith(t, tallyfysim.New(plain()), &at.token)
			if !named(r, at.want)[at.name] {
				t.Errorf("%+v: %s is not %s", at.token, at.name, at.want)
			}
		}
	})
}

// TestAReportNamesNobody looks for what persons and groups are called in the
// report: it is made to be shown around.
func TestAReportNamesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := tallyfysim.New(plain())
		text, err := json.Marshal(examine(t, sim))
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range sim.Users() {
			if strings.Contains(string(text), u.Email) {
				t.Errorf("%s is in the report", u.Email)
			}
		}
		for _, g := range sim.Groups() {
			if strings.Contains(string(text), g.ID) || strings.Contains(string(text), sim.Token()) {
				t.Errorf("%s, or the token, is in the report", g.ID)
			}
		}
	})
}

func TestEachAssumptionIsWordedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := map[string]bool{}
		for _, f := range examine(t, tallyfysim.New(plain())).Findings {
			if seen[f.Name] || f.Assumed == "" || f.Otherwise == "" || f.Seen == "" || f.Verdict == "" {
				t.Errorf("%+v", f)
			}
			seen[f.Name] = true
		}
	})
}

func TestExaminingEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := tallyfysim.New(plain())
		client, err := tallyfy.New(tallyfy.Options{
			BaseURL: base, Organization: sim.Organization(), Token: tallyfy.StaticToken(sim.Token()), Transport: sim.Transport(), Rate: 90, Hourly: 900,
		})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		if _, err := doctor.Examine(ctx, client, doctor.Options{Organization: sim.Organization(), BaseURL: base}); err == nil {
			t.Error("it did not notice")
		}
	})
}
