package tallyfy_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"rollcall/internal/directory"
	"rollcall/internal/tallyfy"
	"rollcall/internal/tallyfysim"
)

const day = 24 * time.Hour

// given is a client with a token of its own and what it logs.
func given(t *testing.T, sim *tallyfysim.Sim, token tallyfy.TokenSource) (*tallyfy.Client, *bytes.Buffer) {
	t.Helper()
	log := &bytes.Buffer{}
	return applicant(t, sim, func(o *tallyfy.Options) {
		o.Application, o.Token, o.Logger = nil, token, slog.New(slog.NewTextHandler(log, nil))
	}), log
}

func wantExpiry(t *testing.T, c *tallyfy.Client, kind directory.TokenKind, at time.Time) {
	t.Helper()
	info := c.TokenInfo(t.Context())
	if info.Kind != kind || !info.ExpiresAt.Round(time.Second).Equal(at.Round(time.Second)) {
		t.Errorf("%+v, want %s until %s", info, kind, at)
	}
}

func TestTheEndOfAGivenTokenIsReadFromItAndAnnouncedOnce(t *testing.T) {
	for _, c := range []struct{ life, announced time.Duration }{
		{180 * day, 177 * day}, {40 * day, 37 * day}, {10 * day, 9 * day}, {10 * time.Hour, 9 * time.Hour},
	} {
		synctest.Test(t, func(t *testing.T) {
			sim := works(tallyfysim.Options{})
			client, log := given(t, sim, tallyfy.StaticToken(sim.PersonalToken(1001, c.life)))
			wantExpiry(t, client, directory.TokenPersonal, time.Now().Add(c.life))
			time.Sleep(c.announced - time.Second)
			mustRead(t, client)
			if log.Len() > 0 {
				t.Errorf("%s: too early: %s", c.life, log)
			}
			time.Sleep(2 * time.Second)
			for range 10 {
				mustRead(t, client)
				time.Sleep(time.Minute)
			}
			if n := strings.Count(log.String(), "expires soon"); n != 1 || strings.Count(log.String(), "\n") != 1 {
				t.Errorf("%s: announced %d times: %s", c.life, n, log)
			}
		})
	}
}

func TestATokenThatTellsNothingHasNoKnownEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := works(tallyfysim.Options{OpaqueTokens: true, NoExpiresIn: true})
		for _, token := range []string{sim.PersonalToken(1001, day), "a.b.c", "a.e30.c", "..", "a.eyJleHAiOi0xfQ.c", "a.eyJleHAiOjFlMzB9.c", "a.eyJleHAiOiJ4In0.c"} {
			client, log := given(t, sim, tallyfy.StaticToken(token))
			_, _ = client.GroupPage(t.Context(), 1)
			wantExpiry(t, client, directory.TokenPersonal, time.Time{})
			if log.Len() > 0 {
				t.Errorf("%q: %s", token, log)
			}
		}
		application := applicant(t, sim)
		mustRead(t, application)
		wantExpiry(t, application, directory.TokenApplication, time.Time{})
		time.Sleep(365 * day / 2)
		if _, err := application.GroupPage(t.Context(), 1); err != nil { // found out by a 401
			t.Error(err)
		}
	})
}

func TestTheEndOfATokenInAFileFollowsTheFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	synctest.Test(t, func(t *testing.T) {
		sim := works(tallyfysim.Options{})
		write := func(life time.Duration) time.Time {
			if err := os.WriteFile(file, []byte(sim.PersonalToken(1001, life)), 0o600); err != nil {
				t.Fatal(err)
			}
			return time.Now().Add(life)
		}
		client, log := given(t, sim, tallyfy.FileToken(file))
		wantExpiry(t, client, directory.TokenPersonal, time.Time{})
		first := write(day)
		mustRead(t, client)
		wantExpiry(t, client, directory.TokenPersonal, first)
		time.Sleep(23 * time.Hour)
		mustRead(t, client)
		second := write(10 * day)
		time.Sleep(2 * time.Hour)
		mustRead(t, client)
		wantExpiry(t, client, directory.TokenPersonal, second)
		time.Sleep(9 * day)
		mustRead(t, client)
		if n := strings.Count(log.String(), "expires soon"); n != 2 {
			t.Errorf("announced %d times: %s", n, log)
		}
	})
}

// A clock that is wrong makes neither the grant nor the token expire early.
func TestTheLifeOfAnIssuedTokenCountsFromItsIssue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := works(tallyfysim.Options{NoExpiresIn: true, ApplicationLife: time.Hour})
		issuedLongAgo := []byte(`{"access_token":"a.eyJpYXQiOjEwMDAwMDAwMDAuNSwiZXhwIjoxMDAwMDA3MjAwLjV9.c"}`) // iat 1000000000.5, exp two hours later
		sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("POST", tokenPath), Status: 200, Body: issuedLongAgo, Times: 1})
		c := applicant(t, sim)
		_, _ = c.GroupPage(t.Context(), 1) // the simulator refuses that token
		mustRead(t, c)
		wantExpiry(t, c, directory.TokenApplication, time.Now().Add(time.Hour))
		sim.AddToken("a.eyJpYXQiOjEwMDAwMDAwMDAuNSwiZXhwIjoxMDAwMDA3MjAwLjV9.c", 1001)
		sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("POST", tokenPath), Status: 200, Body: issuedLongAgo})
		other := applicant(t, sim)
		mustRead(t, other)
		wantExpiry(t, other, directory.TokenApplication, time.Now().Add(2*time.Hour))
	})
}

// An endpoint that gives out tokens without a life is not asked for each
// request.
func TestAStillbornTokenIsUsedAllTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := works(tallyfysim.Options{})
		sim.AddToken("short", 1001)
		for _, seconds := range []string{"1", "-5", `"2"`} {
			sim.Clear()
			sim.Fault(tallyfysim.Fault{Match: tallyfysim.On("POST", tokenPath), Status: 200, Body: fmt.Appendf(nil, `{"access_token":"short","expires_in":%s}`, seconds)})
			sim.ResetRequests()
			c := applicant(t, sim)
			for range 120 {
				mustRead(t, c)
				time.Sleep(5 * time.Second)
			}
			if n := asked(sim, tokenPath)[200]; n > 11 {
				t.Errorf("expires_in %s: %d tokens in ten minutes", seconds, n)
			}
		}
	})
}

func TestTheExpiryIsAMetricWhenItIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const name = "rollcall_token_expiry_timestamp_seconds"
		sim := works(tallyfysim.Options{})
		c := applicant(t, sim)
		registry := prometheus.NewPedanticRegistry()
		registry.MustRegister(c.Collectors()...)
		if n, err := testutil.GatherAndCount(registry, name); err != nil || n != 0 {
			t.Errorf("%d before there is a token: %v", n, err)
		}
		mustRead(t, c)
		want := fmt.Sprintf("# HELP %s When the access token expires; absent when nothing tells.\n# TYPE %s gauge\n%s %d\n", name, name, name, time.Now().Add(7*day).Unix())
		if err := testutil.GatherAndCompare(registry, strings.NewReader(want), name); err != nil {
			t.Error(err)
		}
	})
}
