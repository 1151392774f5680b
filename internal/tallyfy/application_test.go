package tallyfy_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/internal/directory"
	"rollcall/internal/tallyfy"
	"rollcall/internal/tallyfysim"
)

const tokenPath = "/oauth/token"

// applicant is a client with the credentials of sim's application.
func applicant(t *testing.T, sim *tallyfysim.Sim, change ...func(*tallyfy.Options)) *tallyfy.Client {
	t.Helper()
	o := tallyfy.Options{
		BaseURL: "https://go.tallyfy.com/api", Organization: sim.Organization(), Transport: sim.Transport(),
		Application: &tallyfy.Application{
			ClientID: tallyfysim.DefaultClientID, Secret: tallyfy.StaticSecret(tallyfysim.DefaultClientSecret),
		},
	}
	for _, f := range change {
		f(&o)
	}
	c, err := tallyfy.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func actingAs(email string) func(*tallyfy.Options) {
	return func(o *tallyfy.Options) { o.Application.ActAs = email }
}

// works is an organisation with an administrator, id 1001, and a user.
func works(o tallyfysim.Options) *tallyfysim.Sim {
	sim := tallyfysim.New(o)
	sim.CreateUser(tallyfysim.User{ID: 1001, Email: "wrenna+x@works.test", Role: tallyfysim.RoleAdmin})
	sim.CreateUser(tallyfysim.User{ID: 1002, Email: "osric@works.test"})
	sim.CreateGroup(tallyfysim.Group{ID: "g", Name: "Night shift", Members: []int64{1001}})
	return sim
}

// asked counts the requests whose path ends so, by status.
func asked(sim *tallyfysim.Sim, pathEnd string) map[int]int {
	n := map[int]int{}
	for _, r := range sim.Requests() {
		if strings.HasSuffix(r.Path, pathEnd) {
			n[r.Status]++
		}
	}
	return n
}

func wantAsked(t *testing.T, sim *tallyfysim.Sim, pathEnd string, want map[int]int) {
	t.Helper()
	if got := asked(sim, pathEnd); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("requests for …%s by status: %v, want %v", pathEnd, got, want)
	}
}

func mustRead(t *testing.T, c *tallyfy.Client) {
	t.Helper()
	if _, err := c.GroupPage(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
}

// fails wants a read that fails for a reason and says so.
func fails(t *testing.T, c *tallyfy.Client, reason directory.Reason, says string) {
	t.Helper()
	_, err := c.GroupPage(t.Context(), 1)
	up, ok := errors.AsType[*directory.UpstreamError](err)
	if !ok || up.Reason != reason || up.Op != "list groups, page 1" || !strings.Contains(err.Error(), says) {
		t.Errorf("error %v, want reason %s and %q", err, reason, says)
	}
}

func TestTheCredentialsAreSentAsAForm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := works(tallyfysim.Options{})
		mustRead(t, applicant(t, sim))
		r := sim.Requests()[0]
		form, err := url.ParseQuery(string(r.Body))
		want := url.Values{
			"grant_type": {"client_credentials"}, "scope": {"*"},
			"client_id": {tallyfysim.DefaultClientID}, "client_secret": {tallyfysim.DefaultClientSecret},
		}
		if err != nil || form.Encode() != want.Encode() || r.Authorization || len(r.Query) > 0 {
			t.Errorf("sent %s %v %v", r.Body, r.Header, err)
		}
		if r.Path != tokenPath || r.Header.Get("Accept") != "application/json" || r.Header.Get("X-Tallyfy-Client") == "" {
			t.Errorf("sent to %s with %v", r.Path, r.Header)
		}
	})
}

func TestATokenIsRenewedBeforeItExpires(t *testing.T) {
	for name, o := range map[string]tallyfysim.Options{
		"as told": {}, "told as text": {TextExpiresIn: true}, "told by the token alone": {NoExpiresIn: true},
		"told by the grant alone": {OpaqueTokens: true},
	} {
		synctest.Test(t, func(t *testing.T) {
			o.ApplicationLife = time.Hour
			sim := works(o)
			c := applicant(t, sim)
			for range 10 * 60 {
				mustRead(t, c)
				time.Sleep(time.Minute)
			}
			if got := asked(sim, tokenPath)[200]; got != 12 { // every 54 minutes
				t.Errorf("%s: %d tokens in ten hours", name, got)
			}
			wantAsked(t, sim, "/groups", map[int]int{200: 600})
		})
	}
}

func TestATokenIsRenewedWhileTheOldOneIsUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := works(tallyfysim.Options{ApplicationLife: time.Hour})
		c := applicant(t, sim)
		mustRead(t, c)
		sim.Fault(tallyfysim.Fault{Match: tallyfysim.On(http.MethodPost, tokenPath), Delay: 30 * time.Second})
		time.Sleep(55 * time.Minute)
		began := time.Now()
		mustRead(t, c)
		if waited := time.Since(began); waited > 0 {
			t.Errorf("waited %s with a valid token", waited)
		}
		time.Sleep(time.Minute)
		if left := time.Until(c.TokenInfo(t.Context()).ExpiresAt); left < 59*time.Minute {
			t.Errorf("not renewed: %s left", left)
		}
	})
}

// The endpoint is down while the token could be renewed, and back before it
// expires: no read fails, and one line tells.
func TestATokenEndpointThatIsDownForAWhileCostsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		sim := works(tallyfysim.Options{ApplicationLife: time.Hour})
		c := applicant(t, sim, func(o *tallyfy.Options) { o.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
		mustRead(t, c)
		up := sim.Fault(tallyfysim.Fault{Match: tallyfysim.On(http.MethodPost, tokenPath), Status: 503})
		for range 59 {
			time.Sleep(time.Minute)
			mustRead(t, c)
		}
		up()
		for range 120 {
			time.Sleep(time.Minute)
			mustRead(t, c)
		}
		if n := strings.Count(log.String(), "not renewed"); n != 1 {
			t.Errorf("told %d times\n%s", n, log.String())
		}
	})
}

func TestARevokedTokenIsRenewedAfterA401(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := works(tallyfysim.Options{})
		c := applicant(t, sim)
		mustRead(t, c)
		time.Sleep(time.Hour)
		sim.RevokeIssued()
		mustRead(t, c)
		mustRead(t, c)
		wantAsked(t, sim, tokenPath, map[int]int{200: 2})
		wantAsked(t, sim, "/groups", map[int]int{200: 3, 401: 1})
	})
}

func TestManyReadersShareOneRequestForAToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := works(tallyfysim.Options{})
		sim.Fault(tallyfysim.Fault{Match: tallyfysim.On(http.MethodPost, tokenPath), Delay: time.Second})
		c := applicant(t, sim)
		readers := func() {
			var all sync.WaitGroup
			for range 40 {
				all.Go(func() { mustRead(t, c) })
			}
			all.Wait()
		}
		readers()
		wantAsked(t, sim, tokenPath, map[int]int{200: 1})
		time.Sleep(time.Hour)
		sim.RevokeIssued()
		readers()
		wantAsked(t, sim, tokenPath, map[int]int{200: 2})
	})
}

func TestACallerWhoGoesAwayDoesNotEndTheRequestOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := works(tallyfysim.Options{})
		sim.Fault(tallyfysim.Fault{Match: tallyfysim.On(http.MethodPost, tokenPath), Delay: 10 * time.Second})
		c := applicant(t, sim)
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		go func() {
			time.Sleep(500 * time.Millisecond)
			mustRead(t, c)
		}()
		_, err := c.GroupPage(impatient, 1)
		if directory.ReasonOf(err) != directory.ReasonTimeout || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		synctest.Wait()
		time.Sleep(20 * time.Second)
		wantAsked(t, sim, tokenPath, map[int]int{200: 1})
		wantAsked(t, sim, "/groups", map[int]int{200: 1})
	})
}

func TestClosingEndsARequestForAToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := works(tallyfysim.Options{})
		sim.Fault(tallyfysim.Fault{Match: tallyfysim.On(http.MethodPost, tokenPath), Delay: time.Hour, Times: 1})
		c := applicant(t, sim, actingAs("osric@works.test"), func(o *tallyfy.Options) { o.Timeout = 2 * time.Hour })
		failed := make(chan error)
		go func() {
			_, err := c.GroupPage(t.Context(), 1)
			failed <- err
		}()
		synctest.Wait()
		began := time.Now()
		c.Close()
		if err := <-failed; !errors.Is(err, context.Canceled) || time.Since(began) > 0 {
			t.Errorf("ended after %s with %v", time.Since(began), err)
		}
		mustRead(t, c)
	})
}

// An endpoint that refuses or is down is asked again with growing pauses,
// however many read, and once it gives tokens again they do.
func TestADeadTokenEndpointIsNotStormed(t *testing.T) {
	for name, c := range map[string]struct {
		fault  tallyfysim.Fault
		reason directory.Reason
	}{
		"refuses":   {tallyfysim.Fault{Status: 401, Body: []byte(`{"error":"invalid_client"}`)}, directory.ReasonUnauthorized},
		"is down":   {tallyfysim.Fault{Status: 502, Body: []byte("<html>")}, directory.ReasonServer},
		"is silent": {tallyfysim.Fault{DropRequest: true}, directory.ReasonTransport},
	} {
		synctest.Test(t, func(t *testing.T) {
			sim := works(tallyfysim.Options{})
			c.fault.Match = tallyfysim.On(http.MethodPost, tokenPath)
			back := sim.Fault(c.fault)
			client := applicant(t, sim)
			for range 3600 {
				fails(t, client, c.reason, "token")
				time.Sleep(time.Second)
			}
			if n := len(sim.Requests()); n < 30 || n > 36 {
				t.Errorf("%s: %d requests in an hour", name, n)
			}
			for i, r := range sim.Requests()[1:5] {
				if pause := r.At.Sub(sim.Requests()[i].At); pause < 5*time.Second<<i {
					t.Errorf("%s: asked again after %s", name, pause)
				}
			}
			back()
			time.Sleep(2 * time.Minute)
			mustRead(t, client)
			time.Sleep(time.Hour)
			sim.RevokeIssued()
			mustRead(t, client) // what failed before is forgotten
		})
	}
}

func TestATokenEndpointIsLeftAloneForAsLongAsItAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := works(tallyfysim.Options{})
		sim.Fault(tallyfysim.Fault{Match: tallyfysim.On(http.MethodPost, tokenPath), Status: 503, RetryAfter: "300", Times: 1})
		c := applicant(t, sim)
		for range 300 {
			fails(t, c, directory.ReasonServer, "gave no token")
			time.Sleep(time.Second)
		}
		wantAsked(t, sim, tokenPath, map[int]int{503: 1})
		mustRead(t, c)
	})
}

// Trouble that is over does not make what comes later slow.
func TestPastTroubleIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := works(tallyfysim.Options{ApplicationLife: time.Hour})
		c := applicant(t, sim)
		down := tallyfysim.Fault{Match: tallyfysim.On(http.MethodPost, tokenPath), Status: 503}
		back := sim.Fault(down)
		for range 20 {
			fails(t, c, directory.ReasonServer, "gave no token")
			time.Sleep(time.Minute)
		}
		back()
		mustRead(t, c)
		sim.RevokeIssued() // soon
		mustRead(t, c)
		time.Sleep(55 * time.Minute)
		mustRead(t, c) // renews in time
		time.Sleep(time.Minute)
		sim.RevokeIssued() // soon again, but not in a row
		mustRead(t, c)
		time.Sleep(10 * time.Minute)
		sim.RevokeIssued()
		down.Times = 1
		sim.Fault(down)
		fails(t, c, directory.ReasonServer, "gave no token")
		time.Sleep(5 * time.Second)
		mustRead(t, c)
	})
}

func TestEachCallerGetsTheSharedErrorUnderTheNameOfItsOwnRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := works(tallyfysim.Options{})
		sim.Fault(tallyfysim.Fault{Match: tallyfysim.On(http.MethodPost, tokenPath), Delay: time.Second, Status: 503})
		c := applicant(t, sim)
		var all sync.WaitGroup
		var groups, member error
		all.Go(func() { _, groups = c.GroupPage(t.Context(), 1) })
		all.Go(func() { _, member = c.Member(t.Context(), 1001) })
		all.Wait()
		if !strings.HasPrefix(groups.Error(), "list groups, page 1: ") || !strings.HasPrefix(member.Error(), "read user 1001: ") {
			t.Errorf("%v; %v", groups, member)
		}
	})
}

func TestTheRefusalOfACallersOwnTokenRenewsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := works(tallyfysim.Options{})
		c := applicant(t, sim)
		mustRead(t, c)
		forward := func(authorize func(http.Header)) int {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, "http://localhost/organizations/"+sim.Organization()+"/groups/x", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			authorize(r.Header)
			resp, err := c.Forward(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			return resp.StatusCode
		}
		if got := forward(func(h http.Header) { h.Set("Authorization", "Bearer theirs") }); got != 401 {
			t.Errorf("a caller's token: %d", got)
		}
		mustRead(t, c)
		wantAsked(t, sim, tokenPath, map[int]int{200: 1})
		ours := func(h http.Header) {
			if err := c.Authorize(t.Context(), h); err != nil {
				t.Fatal(err)
			}
		}
		sim.RevokeIssued()
		if first, second := forward(ours), forward(ours); first != 401 || second != 404 {
			t.Errorf("our token: %d, then %d", first, second)
		}
	})
}

// Tallyfy may give out tokens and refuse each of them.
func TestTokensThatAreRefusedAtOnceMakeNoStorm(t *testing.T) {
	for _, life := range []time.Duration{time.Hour, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			sim := works(tallyfysim.Options{ApplicationRefused: true, ApplicationLife: life})
			c := applicant(t, sim)
			for range 600 {
				fails(t, c, directory.ReasonUnauthorized, "TALLYFY_ACT_AS")
				time.Sleep(6 * time.Second)
			}
			if n := asked(sim, tokenPath)[200]; n > 40 {
				t.Errorf("%d tokens in an hour", n)
			}
			for _, r := range sim.Requests() {
				if r.Path != tokenPath && len(r.Header.Get("Authorization")) < 20 {
					t.Fatalf("sent with %q", r.Header.Get("Authorization"))
				}
			}
		})
	}
}

// A 401 may be about what was asked for. The token is then renewed in vain,
// and what it is good for goes on.
func TestARefusalOfOneRowStopsNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := works(tallyfysim.Options{})
		sim.Fault(tallyfysim.Fault{Match: tallyfysim.On(http.MethodGet, "/users/1002"), Status: 401, Body: []byte(`{"message":"Unauthorized action."}`)})
		c := applicant(t, sim)
		for range 600 {
			if _, err := c.Member(t.Context(), 1002); directory.ReasonOf(err) != directory.ReasonUnauthorized {
				t.Fatal(err)
			}
			mustRead(t, c)
			time.Sleep(time.Second)
		}
		if n := asked(sim, tokenPath)[200]; n > 10 {
			t.Errorf("%d tokens in ten minutes", n)
		}
	})
}

func TestASecretFileIsReadAgainWhenItIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	write := func(secret string) {
		if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("old")
	synctest.Test(t, func(t *testing.T) {
		sim := works(tallyfysim.Options{ClientSecret: "old", ApplicationLife: time.Hour})
		c := applicant(t, sim, func(o *tallyfy.Options) { o.Application.Secret = tallyfy.FileSecret(file) })
		mustRead(t, c)
		sim.SetClient(tallyfysim.DefaultClientID, "new")
		time.Sleep(2 * time.Hour)
		for range 5 {
			fails(t, c, directory.ReasonUnauthorized, "refuses the application (invalid_client)")
		}
		wantAsked(t, sim, tokenPath, map[int]int{200: 1, 401: 1})
		write("new")
		mustRead(t, c) // without waiting for the pause to end
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		sim.SetClient(tallyfysim.DefaultClientID, "newest")
		time.Sleep(2 * time.Hour)
		fails(t, c, directory.ReasonUnauthorized, "invalid_client")
		time.Sleep(2 * time.Minute)
		fails(t, c, directory.ReasonUnauthorized, "read client secret")
		write("newest")
		mustRead(t, c)
	})
}

func TestAnAnswerWithoutATokenSaysWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		fault  tallyfysim.Fault
		reason directory.Reason
		says   string
	}{
		"wrong secret":       {tallyfysim.Fault{Status: 401, Body: []byte(`{"error":"invalid_client","error_description":"hidden"}`)}, directory.ReasonUnauthorized, "(invalid_client); check TALLYFY_CLIENT_ID"},
		"not an application": {tallyfysim.Fault{Status: 400, Body: []byte(`{"error":"unsupported_grant_type"}`)}, directory.ReasonUnauthorized, "unsupported_grant_type"},
		"plain 401":          {tallyfysim.Fault{Status: 401, Body: []byte("hidden")}, directory.ReasonUnauthorized, "check TALLYFY_CLIENT_ID"},
		"error in a 200":     {tallyfysim.Fault{Status: 200, Body: []byte(`{"error":"invalid_client"}`)}, directory.ReasonUnauthorized, "invalid_client"},
		"unknown error":      {tallyfysim.Fault{Status: 403, Body: []byte(`{"error":"hidden"}`)}, directory.ReasonForbidden, "gave no token"},
		"wrong path":         {tallyfysim.Fault{Status: 404, Body: []byte("hidden")}, directory.ReasonNotFound, "check TALLYFY_TOKEN_URL"},
		"redirect":           {tallyfysim.Fault{Status: 307, Header: http.Header{"Location": {"https://elsewhere.test/oauth/token"}}}, directory.ReasonShape, "check TALLYFY_TOKEN_URL"},
		"throttled":          {tallyfysim.Fault{Status: 429, RetryAfter: "9", Body: []byte(`{"error":"invalid_request"}`)}, directory.ReasonThrottled, "gave no token"},
		"down":               {tallyfysim.Fault{Status: 503, Body: []byte("<html>hidden")}, directory.ReasonServer, "gave no token"},
		"dropped":            {tallyfysim.Fault{DropRequest: true}, directory.ReasonTransport, "gave no token"},
		"cut":                {tallyfysim.Fault{TruncateAfter: 20}, directory.ReasonTransport, "breaks off"},
		"too slow":           {tallyfysim.Fault{Delay: time.Hour}, directory.ReasonTimeout, "timeout"},
		"a page":             {tallyfysim.Fault{Status: 200, Body: []byte("<html>hidden")}, directory.ReasonShape, "no access token"},
		"empty":              {tallyfysim.Fault{Status: 200}, directory.ReasonShape, "no access token"},
		"no token":           {tallyfysim.Fault{Status: 200, Body: []byte(`{"token":"hidden"}`)}, directory.ReasonShape, "no access token"},
		"no header":          {tallyfysim.Fault{Status: 200, Body: []byte(`{"access_token":"hid\nden"}`)}, directory.ReasonShape, "control character"},
		"too large":          {tallyfysim.Fault{Status: 200, Body: bytes.Repeat([]byte(" "), 2<<20)}, directory.ReasonTooLarge, "size limit"},
	} {
		synctest.Test(t, func(t *testing.T) {
			sim := works(tallyfysim.Options{})
			c.fault.Match, c.fault.Times = tallyfysim.On(http.MethodPost, tokenPath), 1
			sim.Fault(c.fault)
			client := applicant(t, sim)
			_, err := client.GroupPage(t.Context(), 1)
			up, ok := errors.AsType[*directory.UpstreamError](err)
			if !ok || up.Reason != c.reason || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "hid") {
				t.Errorf("%s: error %v, want reason %s and %q", name, err, c.reason, c.says)
			}
			if n := len(sim.Requests()); n != 1 {
				t.Errorf("%s: %d requests", name, n)
			}
			time.Sleep(10 * time.Second)
			mustRead(t, client)
		})
	}
}

func TestActingAsAUserMintsATokenAndRenewsIt(t *testing.T) {
	for name, o := range map[string]tallyfysim.Options{
		"bare": {}, "wrapped": {MintedWrapped: true}, "told as text": {TextExpiresIn: true}, "told by the token alone": {NoExpiresIn: true},
		"applications may do nothing else": {ApplicationRefused: true},
	} {
		synctest.Test(t, func(t *testing.T) {
			o.ApplicationLife, o.MintedLife = 3*time.Hour, time.Hour
			sim := works(o)
			c := applicant(t, sim, actingAs("wrenna+x@works.test"))
			for range 10 * 60 {
				mustRead(t, c)
				time.Sleep(time.Minute)
			}
			if err := c.Me(t.Context()); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			mint := "/applications/" + sim.Organization() + "/users/wrenna+x@works.test/token"
			if n := asked(sim, mint)[200]; n != 12 {
				t.Errorf("%s: %d tokens minted in ten hours", name, n)
			}
			if n := asked(sim, tokenPath)[200]; n != 4 {
				t.Errorf("%s: %d application tokens in ten hours", name, n)
			}
			wantAsked(t, sim, "/groups", map[int]int{200: 600})
			sim.RevokeIssued()
			mustRead(t, c)
			wantAsked(t, sim, mint, map[int]int{200: 13, 401: 1})
			if info := c.TokenInfo(t.Context()); info.Kind != directory.TokenActAs || info.ExpiresAt.IsZero() {
				t.Errorf("%s: %+v", name, info)
			}
		})
	}
}

func TestActingAsNobodySaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := works(tallyfysim.Options{})
		nobody := applicant(t, sim, actingAs("nobody@works.test"))
		fails(t, nobody, directory.ReasonNotFound, "TALLYFY_ACT_AS names no user")
		sim.CreateUser(tallyfysim.User{Email: "nobody@works.test"})
		time.Sleep(5 * time.Second)
		mustRead(t, nobody)
		sim.Disable(1002)
		fails(t, applicant(t, sim, actingAs("osric@works.test")), directory.ReasonForbidden, "may not act as TALLYFY_ACT_AS")
		sim.Fault(tallyfysim.Fault{Match: tallyfysim.On(http.MethodPost, "works.test/token"), Status: 200, Body: []byte(`{"access_token":"x"}`)})
		fails(t, applicant(t, sim, actingAs("wrenna+x@works.test")), directory.ReasonUnauthorized, "minted for TALLYFY_ACT_AS is refused")
	})
}

func TestARequestForATokenCountsAgainstTheLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := works(tallyfysim.Options{PerFiveSeconds: 12, PerMinute: 90, PerHour: 60})
		c := applicant(t, sim, actingAs("osric@works.test"), func(o *tallyfy.Options) { o.Rate, o.Hourly = 90, 60 })
		mustRead(t, c)
		if b := c.Budget(); b.MinuteRemaining != 87 || b.HourRemaining != 57 {
			t.Errorf("after two tokens and a list: %+v", b)
		}
		for range 40 {
			sim.RevokeIssued()
			time.Sleep(youngTokens)
			_, _ = c.GroupPage(t.Context(), 1)
		}
		for _, r := range sim.Requests() {
			if r.Status == http.StatusTooManyRequests {
				t.Fatalf("throttled at %v", r.At)
			}
		}
	})
}

const youngTokens = 2 * time.Minute

// Without room for a request nothing is sent, and nothing is held against the
// endpoint.
func TestATokenWaitsForTheLimitsNoLongerThanAWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := works(tallyfysim.Options{})
		c := applicant(t, sim, func(o *tallyfy.Options) { o.Hourly = 2 }) // one in 30 minutes
		read := func(want directory.Reason) {
			t.Helper()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			_, err := c.Group(ctx, "g")
			if want == "" && err == nil {
				return
			}
			if directory.ReasonOf(err) != want {
				t.Errorf("error %v, want reason %q", err, want)
			}
		}
		read(directory.ReasonTimeout) // the token left no room for the row
		sim.RevokeIssued()
		time.Sleep(30 * time.Minute)
		began := time.Now()
		read(directory.ReasonBudget) // the refused row left none for a token
		if waited := time.Since(began); waited > 0 {
			t.Errorf("waited %s", waited)
		}
		time.Sleep(30 * time.Minute)
		read(directory.ReasonTimeout)
		time.Sleep(30 * time.Minute)
		read("")
		wantAsked(t, sim, tokenPath, map[int]int{200: 2})
	})
}

func TestTheSecretIsNeverPrinted(t *testing.T) {
	var logged bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	file := filepath.Join(t.TempDir(), "secret")
	const secret = "very.secret-secret"
	if err := os.WriteFile(file, []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	var told []string
	synctest.Test(t, func(t *testing.T) {
		for _, source := range []tallyfy.TokenSource{tallyfy.StaticSecret(secret), tallyfy.FileSecret(file)} {
			for _, echo := range []tallyfysim.Fault{
				{},
				{Status: 200, Body: []byte(secret)},
				{Status: 200, Body: []byte(`{"error":"` + secret + `"}`)},
				{Status: 401, Body: []byte(secret)},
				{Status: 400, Body: []byte(`{"error":"invalid_request","error_description":"` + secret + `"}`)},
				{Status: 500, Body: []byte(secret)},
				{Status: 302, Header: http.Header{"Location": {"https://x.test/?" + secret}}},
				{DropRequest: true},
			} {
				for _, email := range []string{"", "osric@works.test"} {
					sim := works(tallyfysim.Options{ClientSecret: secret})
					if echo.Status != 0 || echo.DropRequest {
						echo.Match = tallyfysim.On(http.MethodPost, tokenPath)
						sim.Fault(echo)
					}
					var options tallyfy.Options
					c := applicant(t, sim, actingAs(email), func(o *tallyfy.Options) {
						o.Application.Secret, o.Logger = source, logger
						options = *o
					})
					_, err := c.GroupPage(t.Context(), 1)
					options.Transport = nil // of the simulator, which knows every secret
					encoded, _ := json.Marshal([]any{options.Application, err})
					logger.Info("all", "options", options, "application", options.Application, "value", *options.Application, "source", source, "client", c, "error", err, "encoded", string(encoded))
					fmt.Fprintf(&logged, "%v %+v %#v %v %+v %#v %v %+v %v %+v %#v", source, source, source,
						options.Application, *options.Application, *options.Application, options, options, c, c, err)
					for _, r := range sim.Requests() {
						if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
							told = append(told, token)
						}
					}
				}
			}
		}
	})
	if len(told) < 4 || !strings.Contains(logged.String(), "***") {
		t.Errorf("%d tokens used, log %s", len(told), logged.String())
	}
	for _, secret := range append(told, secret) {
		if strings.Contains(logged.String(), secret) {
			t.Errorf("%s is in %s", secret, logged.String())
		}
	}
}

func TestWrongApplicationsAreRefused(t *testing.T) {
	for _, c := range []struct {
		change func(*tallyfy.Options)
		says   string
	}{
		{func(o *tallyfy.Options) { o.Token = tallyfy.StaticToken("x") }, "no access token, or two"},
		{func(o *tallyfy.Options) { o.Application = nil }, "no access token, or two"},
		{func(o *tallyfy.Options) { o.Application.ClientID = " " }, "TALLYFY_CLIENT_ID"},
		{func(o *tallyfy.Options) { o.Application.Secret = nil }, "TALLYFY_CLIENT_SECRET"},
		{func(o *tallyfy.Options) { o.Application.ActAs = "Osric <osric@works.test>" }, "TALLYFY_ACT_AS"},
		{func(o *tallyfy.Options) { o.Application.ActAs = "osric" }, "TALLYFY_ACT_AS"},
		{func(o *tallyfy.Options) { o.BaseURL = "https://tallyfy.works.test" }, "TALLYFY_TOKEN_URL: tallyfy.works.test is no host of Tallyfy's own"},
		{func(o *tallyfy.Options) { o.Application.TokenURL = "account.tallyfy.com/oauth/token" }, "TALLYFY_TOKEN_URL: must be a URL like https://"},
		{func(o *tallyfy.Options) { o.Application.TokenURL = "http://account.tallyfy.com/oauth/token" }, "TALLYFY_TOKEN_URL: http:// would show the secret"},
		{func(o *tallyfy.Options) { o.Application.TokenURL = "https://u:p@account.tallyfy.com/oauth/token" }, "TALLYFY_TOKEN_URL: must have no user"},
		{func(o *tallyfy.Options) { o.Application.TokenURL = "https://account.tallyfy.com/oauth/token?x=1" }, "TALLYFY_TOKEN_URL: must have no user"},
		{func(o *tallyfy.Options) { o.Application.TokenURL = "ftp://account.tallyfy.com/oauth/token" }, "TALLYFY_TOKEN_URL: must be a URL"},
	} {
		o := tallyfy.Options{
			BaseURL: "https://go.tallyfy.com/api", Organization: "o",
			Application: &tallyfy.Application{ClientID: "1", Secret: tallyfy.StaticSecret("s")},
		}
		c.change(&o)
		if _, err := tallyfy.New(o); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("error %v, want %q", err, c.says)
		}
	}
}

func TestTokensAreAskedForWhereTallyfyGivesThem(t *testing.T) {
	for base, want := range map[string]string{
		"https://go.tallyfy.com/api":          "https://account.tallyfy.com/oauth/token",
		"https://API.tallyfy.com":             "https://account.tallyfy.com/oauth/token",
		"https://staging.go.tallyfy.com/api/": "https://staging.account.tallyfy.com/oauth/token",
		"https://staging-api.tallyfy.com":     "https://staging.account.tallyfy.com/oauth/token",
		"http://127.0.0.1:9":                  "",
		"nonsense":                            "",
	} {
		if got := tallyfy.DefaultTokenURL(base); got != want {
			t.Errorf("%s: %q", base, got)
		}
	}
}
