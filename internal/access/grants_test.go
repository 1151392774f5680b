package access

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/internal/directory"
)

const allRights = IsMember | everything | IsAdmin

// wantGrant checks a token that Tallyfy lets in.
func wantGrant(t *testing.T, g *Grants, token string, want Rights) {
	t.Helper()
	if got, err := g.Of(t.Context(), token); err != nil || got.Rights != want {
		t.Errorf("Of(%s) = %b, %v; want %b", token, got.Rights, err, want)
	}
}

func wantRefused(t *testing.T, g *Grants, token string) {
	t.Helper()
	if got, err := g.Of(t.Context(), token); !errors.Is(err, ErrUnauthenticated) || got != (Grant{}) {
		t.Errorf("Of(%s) = %v, %v; want it refused", token, got, err)
	}
}

// wantLater checks that it cannot be known now, and returns for how long.
func wantLater(t *testing.T, g *Grants, token string) time.Duration {
	t.Helper()
	got, err := g.Of(t.Context(), token)
	later, ok := errors.AsType[*RetryLaterError](err)
	if !ok || got != (Grant{}) {
		t.Fatalf("Of(%s) = %v, %v; want it to come later", token, got, err)
	}
	if later.After < time.Second || later.After > maxPause || later.After%time.Second != 0 {
		t.Errorf("it is to come after %s", later.After)
	}
	return later.After
}

func wantProbes(t *testing.T, f *fakeTallyfy, want int) {
	t.Helper()
	if got := f.count("me"); got != want {
		t.Errorf("there were %d probes, want %d", got, want)
	}
}

// scene runs a story in which the token "t" is an admin's.
func scene(t *testing.T, story func(t *testing.T, f *fakeTallyfy, g *Grants)) {
	synctest.Test(t, func(t *testing.T) {
		f := newTallyfy()
		f.admit("t", admin)
		g := newGrants(t, f)
		defer g.Close()
		story(t, f, g)
	})
}

func TestAGrantIsRememberedForFiveMinutes(t *testing.T) {
	scene(t, func(t *testing.T, f *fakeTallyfy, g *Grants) {
		wantGrant(t, g, "t", allRights)
		time.Sleep(5*time.Minute - 1)
		wantGrant(t, g, "t", allRights)
		wantProbes(t, f, 1)
		f.admit("t", standard)
		time.Sleep(time.Nanosecond)
		wantGrant(t, g, "t", IsMember|SeesGroups|SeesUsers)
		wantProbes(t, f, 2)
	})
}

func TestARefusedTokenIsNotProbedAgainForFiveMinutes(t *testing.T) {
	scene(t, func(t *testing.T, f *fakeTallyfy, g *Grants) {
		for range 1000 {
			wantRefused(t, g, "made up")
		}
		wantProbes(t, f, 1)
		time.Sleep(5 * time.Minute)
		f.admit("made up", admin)
		wantGrant(t, g, "made up", allRights)
	})
}

func TestNoTokenIsNeverTheSweepToken(t *testing.T) {
	scene(t, func(t *testing.T, f *fakeTallyfy, g *Grants) {
		wantRefused(t, g, "")
		wantProbes(t, f, 0)
	})
}

func TestRequestsWithOneTokenShareAProbe(t *testing.T) {
	scene(t, func(t *testing.T, f *fakeTallyfy, g *Grants) {
		f.hold = time.Second
		ctx, leave := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() { // the one that begins the probe goes away
			if _, err := g.Of(ctx, "t"); !errors.Is(err, context.Canceled) {
				t.Errorf("who left got %v", err)
			}
		})
		synctest.Wait()
		for range 100 {
			all.Go(func() { wantGrant(t, g, "t", allRights) })
		}
		synctest.Wait()
		leave()
		all.Wait()
		wantProbes(t, f, 1)
	})
}

func TestAFloodOfMadeUpTokensCostsSixProbesInAnyMinute(t *testing.T) {
	scene(t, func(t *testing.T, f *fakeTallyfy, g *Grants) {
		for n := range 10 * 60 * 10 {
			if _, err := g.Of(t.Context(), fmt.Sprint("made up ", n)); err == nil {
				t.Fatal("a made up token is let in")
			}
			time.Sleep(100 * time.Millisecond)
		}
		probes := f.calls["me"]
		if len(probes) != 10*probesPerWindow {
			t.Errorf("there were %d probes in ten minutes", len(probes))
		}
		for i := range len(probes) - probesPerWindow {
			if within := probes[i+probesPerWindow].Sub(probes[i]); within < time.Minute {
				t.Errorf("probe %d came %s after the sixth before it", i, within)
			}
		}
	})
}

func TestAFloodDoesNotShutOutWhoIsKnown(t *testing.T) {
	scene(t, func(t *testing.T, f *fakeTallyfy, g *Grants) {
		wantGrant(t, g, "t", allRights)
		for n := range 3600 {
			_, _ = g.Of(t.Context(), fmt.Sprint("made up ", n))
			wantGrant(t, g, "t", allRights)
			time.Sleep(time.Second)
		}
	})
}

func TestWhoCameTooEarlyIsLetInWhenTold(t *testing.T) {
	scene(t, func(t *testing.T, f *fakeTallyfy, g *Grants) {
		for n := range probesPerWindow {
			wantRefused(t, g, fmt.Sprint("made up ", n))
			time.Sleep(1500 * time.Millisecond)
		}
		after := wantLater(t, g, "t")
		wantProbes(t, f, probesPerWindow)
		time.Sleep(after)
		wantGrant(t, g, "t", allRights)
	})
}

func TestRecordsStayFewUnderAFlood(t *testing.T) {
	scene(t, func(t *testing.T, f *fakeTallyfy, g *Grants) {
		for n := range 24 * 3600 {
			_, _ = g.Of(t.Context(), fmt.Sprint("made up ", n))
			time.Sleep(time.Second)
		}
		if len(g.records) > 61*probesPerWindow {
			t.Errorf("%d records are kept", len(g.records))
		}
	})
}

func TestRecordsStayFewWhateverTheSettings(t *testing.T) {
	g := newGrants(t, newTallyfy())
	g.o.Memory = 1000 * time.Hour
	now := time.Now()
	for n := range maxRecords + 100 {
		if n >= maxRecords {
			g.makeRoom(now)
		}
		g.records[tokenHash{byte(n), byte(n >> 8)}] = &record{began: now.Add(time.Duration(n))}
	}
	if len(g.records) != maxRecords {
		t.Errorf("%d records are kept", len(g.records))
	}
	for hash, r := range g.records {
		if r.began.Before(now.Add(100)) {
			t.Fatalf("%x is kept, and newer ones are not", hash[:2])
		}
	}
}

// silences are the ways in which Tallyfy says nothing of a token.
var silences = map[string]func(f *fakeTallyfy){
	"a timeout":        func(f *fakeTallyfy) { f.setSilent(true) },
	"a 429":            func(f *fakeTallyfy) { f.fail("me", answered(429)) },
	"a 5xx":            func(f *fakeTallyfy) { f.fail("groups", answered(500)) },
	"a 5xx at the end": func(f *fakeTallyfy) { f.fail("user", answered(500)) },
	"the sweep token's 401": func(f *fakeTallyfy) {
		f.fail("all groups", answered(401))
	},
	"no budget": func(f *fakeTallyfy) {
		f.fail("users", &directory.UpstreamError{Reason: directory.ReasonBudget, RetryAfter: 20 * time.Second})
	},
}

func TestSilenceKeepsAKnownTokenForAnHourAndNoLonger(t *testing.T) {
	for name, begin := range silences {
		t.Run(name, func(t *testing.T) {
			scene(t, func(t *testing.T, f *fakeTallyfy, g *Grants) {
				wantGrant(t, g, "t", allRights)
				since := time.Now()
				begin(f)
				time.Sleep(5 * time.Minute)
				wantGrant(t, g, "t", allRights) // waits for its probe in vain
				for time.Since(since) < time.Hour {
					asked := time.Now()
					wantGrant(t, g, "t", allRights)
					if time.Since(asked) != 0 {
						t.Fatal("a known token waited again for Tallyfy")
					}
					time.Sleep(7 * time.Second)
				}
				wantLater(t, g, "t")
				if probes := f.count("me"); probes > 6*60 || probes < 100 {
					t.Errorf("Tallyfy was asked %d times in an hour", probes)
				}
			})
		})
	}
}

func TestSilenceAdmitsNobodyNew(t *testing.T) {
	for name, begin := range silences {
		t.Run(name, func(t *testing.T) {
			scene(t, func(t *testing.T, f *fakeTallyfy, g *Grants) {
				begin(f)
				after := wantLater(t, g, "t")
				probes := f.count("me")
				wantLater(t, g, "t")
				if f.count("me") != probes {
					t.Error("the same token was probed again at once")
				}
				f.setSilent(false)
				f.fails = map[string]error{}
				time.Sleep(after)
				wantGrant(t, g, "t", allRights)
			})
		})
	}
}

func TestAGrantComesBackToLifeWhenTallyfyDoes(t *testing.T) {
	scene(t, func(t *testing.T, f *fakeTallyfy, g *Grants) {
		wantGrant(t, g, "t", allRights)
		f.setSilent(true)
		time.Sleep(50 * time.Minute)
		wantGrant(t, g, "t", allRights)
		f.setSilent(false)
		time.Sleep(pauseAfterFailure)
		wantGrant(t, g, "t", allRights) // begins a probe behind this answer
		synctest.Wait()
		time.Sleep(5*time.Minute - 1)
		probes := f.count("me")
		wantGrant(t, g, "t", allRights)
		wantProbes(t, f, probes)
	})
}

func TestUpstreamsRetryAfterIsHandedOn(t *testing.T) {
	for given, want := range map[time.Duration]time.Duration{
		90 * time.Second:        90 * time.Second,
		1500 * time.Millisecond: 2 * time.Second,
		24 * time.Hour:          maxPause,
		0:                       pauseAfterFailure,
	} {
		scene(t, func(t *testing.T, f *fakeTallyfy, g *Grants) {
			f.fail("me", &directory.UpstreamError{Reason: directory.ReasonThrottled, Status: 429, RetryAfter: given})
			if got := wantLater(t, g, "t"); got != want {
				t.Errorf("told to come after %s, want %s", got, want)
			}
		})
	}
}

func TestARefusalEndsAKnownTokenAtOnce(t *testing.T) {
	for _, status := range []int{401, 403} {
		scene(t, func(t *testing.T, f *fakeTallyfy, g *Grants) {
			wantGrant(t, g, "t", allRights)
			f.setSilent(true)
			time.Sleep(5 * time.Minute)
			wantGrant(t, g, "t", allRights) // by grace
			f.setSilent(false)
			f.fail("me", answered(status))
			time.Sleep(pauseAfterFailure)
			_, _ = g.Of(t.Context(), "t")
			synctest.Wait()
			wantRefused(t, g, "t")
			f.setSilent(true)
			time.Sleep(5 * time.Minute)
			wantLater(t, g, "t") // there is no grace left
		})
	}
}

func TestATokenThatWasRefusedIsAStrangerAgain(t *testing.T) {
	scene(t, func(t *testing.T, f *fakeTallyfy, g *Grants) {
		wantGrant(t, g, "t", allRights)
		time.Sleep(5 * time.Minute)
		f.fail("me", answered(401))
		wantRefused(t, g, "t")
		time.Sleep(5 * time.Minute)
		for n := range probesPerWindow {
			wantRefused(t, g, fmt.Sprint("made up ", n))
		}
		wantLater(t, g, "t")
	})
}

func TestAnUnfinishedProbeTakesWhatItDenied(t *testing.T) {
	scene(t, func(t *testing.T, f *fakeTallyfy, g *Grants) {
		wantGrant(t, g, "t", allRights)
		f.fail("groups", answered(403))
		f.fail("users", answered(500))
		time.Sleep(5 * time.Minute)
		wantGrant(t, g, "t", allRights&^SeesGroups)
	})
}

func TestAnEndedGrantIsProbedAgainAndHasNoGrace(t *testing.T) {
	scene(t, func(t *testing.T, f *fakeTallyfy, g *Grants) {
		wantGrant(t, g, "t", allRights)
		g.End("t")
		wantGrant(t, g, "t", allRights)
		wantProbes(t, f, 2)
		g.End("t")
		f.setSilent(true)
		wantLater(t, g, "t")
	})
}

func TestAProbeThatBeganBeforeTheEndCountsForNothing(t *testing.T) {
	scene(t, func(t *testing.T, f *fakeTallyfy, g *Grants) {
		wantGrant(t, g, "t", allRights)
		time.Sleep(5 * time.Minute)
		f.hold = time.Second
		var waiting sync.WaitGroup
		waiting.Go(func() { wantGrant(t, g, "t", IsMember|SeesGroups|SeesUsers) })
		time.Sleep(2500 * time.Millisecond) // me and groups have answered
		f.admit("t", standard)
		g.End("t")
		waiting.Wait()
		wantProbes(t, f, 3)
	})
}

func TestAnEndThatMeansNothingChangesNothing(t *testing.T) {
	scene(t, func(t *testing.T, f *fakeTallyfy, g *Grants) {
		g.End("never seen")
		wantRefused(t, g, "made up")
		g.End("made up")
		wantRefused(t, g, "made up")
		wantProbes(t, f, 1)
	})
}

func TestOneTokensManyEndsDoNotShutOutOthers(t *testing.T) {
	scene(t, func(t *testing.T, f *fakeTallyfy, g *Grants) {
		f.admit("other", standard)
		wantGrant(t, g, "t", allRights)
		for range probesPerWindow {
			g.End("t")
			wantGrant(t, g, "t", allRights)
		}
		g.End("t")
		wantLater(t, g, "t")
		wantGrant(t, g, "other", IsMember|SeesGroups|SeesUsers)
	})
}

func TestCloseStopsProbesAndMakesNoMore(t *testing.T) {
	scene(t, func(t *testing.T, f *fakeTallyfy, g *Grants) {
		wantGrant(t, g, "t", allRights)
		f.setSilent(true)
		var waiting sync.WaitGroup
		waiting.Go(func() { wantLater(t, g, "slow") })
		synctest.Wait()
		began := time.Now()
		g.Close()
		if time.Since(began) != 0 {
			t.Errorf("Close waited %s", time.Since(began))
		}
		waiting.Wait()
		wantLater(t, g, "new")
		wantGrant(t, g, "t", allRights)
		wantProbes(t, f, 2)
	})
}

func TestGrantsRefuseSettingsThatCannotBe(t *testing.T) {
	for _, o := range []GrantsOptions{{}, {Prober: newTallyfy(), Memory: -1}, {Prober: newTallyfy(), Grace: -1}} {
		if _, err := NewGrants(o); err == nil {
			t.Errorf("NewGrants(%+v) made some", o)
		}
	}
}

func TestNoErrorHoldsTheToken(t *testing.T) {
	scene(t, func(t *testing.T, f *fakeTallyfy, g *Grants) {
		f.setSilent(true)
		if _, err := g.Of(t.Context(), "S3CRET"); err == nil || strings.Contains(err.Error(), "S3CRET") {
			t.Errorf("error %v", err)
		}
	})
}
