package tallyfy

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"rollcall/internal/directory"
)

// A load is a random demand for requests, with restarts between.
type load struct {
	Rate, Hourly int
	Clients      int           // who ask at once
	Burst        int           // requests that each makes without a pause
	Pause        time.Duration // the most between bursts
	Restart      time.Duration // between restarts; 0 for none
	Reserve      int           // at each start

	Length time.Duration
	Seed   uint64
}

func TestNoSlidingWindowHoldsMoreThanItsLimit(t *testing.T) {
	for _, perMinute := range []int{0, 1, 2, 5, 12, 90, 900} {
		for _, hourly := range []int{0, 1, 5, 90, 900} {
			if perMinute+hourly == 0 {
				continue
			}
			length := 2 * time.Hour
			if perMinute >= 90 && hourly == 0 {
				length = 3 * time.Minute // nothing happens after that which did not before
			}
			checkLoad(t, load{Rate: perMinute, Hourly: hourly, Clients: 3, Burst: 40, Pause: time.Minute, Length: length})
		}
	}
}

func TestNoSlidingWindowHoldsMoreThanItsLimitUnderAnyLoad(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		l := load{
			Rate:    rapid.SampledFrom([]int{1, 2, 3, 5, 11, 12, 13, 60, 90}).Draw(rt, "rate"),
			Hourly:  rapid.SampledFrom([]int{1, 2, 9, 60, 900}).Draw(rt, "hourly"),
			Clients: rapid.IntRange(1, 3).Draw(rt, "clients"),
			Burst:   rapid.IntRange(1, 120).Draw(rt, "burst"),
			Pause:   time.Duration(rapid.Int64Range(int64(10*time.Second), int64(10*time.Minute)).Draw(rt, "pause")),
			Length:  65 * time.Minute,
			Seed:    rapid.Uint64().Draw(rt, "seed"),
		}
		if rapid.Bool().Draw(rt, "restarts") {
			l.Restart = time.Duration(rapid.Int64Range(int64(time.Second), int64(20*time.Minute)).Draw(rt, "restart"))
			l.Reserve = rapid.IntRange(0, 120).Draw(rt, "reserve")
			l.Length = min(l.Length, 50*l.Restart)
		}
		if fault := runLoad(t, l); fault != "" {
			rt.Fatal(fault)
		}
	})
}

// A crash loop with a sweep reserved at every start must neither break a
// limit nor stand still.
func TestACrashLoopKeepsTheLimits(t *testing.T) {
	for _, restart := range []time.Duration{time.Second, 7 * time.Second, time.Minute, 4 * time.Minute} {
		length := min(2*time.Hour, 80*restart)
		checkLoad(t, load{Rate: 90, Hourly: 900, Clients: 2, Burst: 111, Pause: time.Second, Restart: restart, Reserve: 111, Length: length})
		checkLoad(t, load{Rate: 90, Hourly: 900, Clients: 2, Burst: 3, Pause: time.Second, Restart: restart, Length: length})
	}
}

func checkLoad(t *testing.T, l load) {
	t.Helper()
	if fault := runLoad(t, l); fault != "" {
		t.Errorf("%+v: %s", l, fault)
	}
}

// runLoad runs l in virtual time and names the first limit that broke.
func runLoad(t *testing.T, l load) (fault string) {
	synctest.Test(t, func(t *testing.T) {
		up, log := always(200, emptyList), &notebook{}
		end := time.Now().Add(l.Length)
		random := rand.New(rand.NewPCG(l.Seed, 1))
		for time.Now().Before(end) && fault == "" {
			life := end
			if l.Restart > 0 {
				life = time.Now().Add(time.Duration(random.Int64N(int64(2 * l.Restart))))
			}
			ctx, cancel := context.WithDeadline(t.Context(), minTime(life, end))
			l.live(ctx, t, up, log)
			cancel()
			if up.count() > log.total() {
				fault = fmt.Sprintf("%d requests left, %d were noted", up.count(), log.total())
			}
		}
		if fault == "" {
			fault = l.broken(up.at)
		}
	})
	return fault
}

// live is one process until its context ends.
func (l load) live(ctx context.Context, t *testing.T, up http.RoundTripper, log SpendLog) {
	c := newClient(t, up, func(o *Options) { o.Rate, o.Hourly, o.Spend = l.Rate, l.Hourly, log })
	if l.Reserve > 0 {
		_ = c.Reserve(ctx, l.Reserve)
	}
	var wg sync.WaitGroup
	for n := range l.Clients {
		random := rand.New(rand.NewPCG(l.Seed, uint64(n)))
		wg.Go(func() {
			for ctx.Err() == nil {
				for range 1 + random.IntN(l.Burst) {
					l.ask(ctx, c, random)
				}
				sleep(ctx, l.Pause/2+time.Duration(random.Int64N(int64(l.Pause))), nil)
			}
		})
	}
	wg.Wait()
	<-ctx.Done()
}

func (l load) ask(ctx context.Context, c *Client, random *rand.Rand) {
	if random.IntN(4) > 0 {
		_, _ = c.GroupPage(ctx, 1)
		return
	}
	r, _ := http.NewRequestWithContext(ctx, http.MethodPost, "/organizations/x/groups", strings.NewReader(`{}`))
	if resp, err := c.Forward(ctx, r); err == nil {
		_ = resp.Body.Close()
	}
}

func (l load) broken(at []time.Time) string {
	slices.SortFunc(at, time.Time.Compare)
	for _, limit := range []struct {
		most   int
		length time.Duration
	}{{12 * min(l.Rate, 1), 5 * time.Second}, {l.Rate, time.Minute}, {l.Hourly, time.Hour}} {
		if worst := worstWindow(at, limit.length); limit.most > 0 && worst > limit.most {
			return fmt.Sprintf("%d requests within %v, limit %d", worst, limit.length, limit.most)
		}
	}
	if len(at) == 0 && l.Restart > 10*time.Second {
		return "nothing was sent"
	}
	return ""
}

// worstWindow counts the most instants in any interval of a length, both ends
// included.
func worstWindow(at []time.Time, length time.Duration) int {
	worst, first := 0, 0
	for i := range at {
		for at[i].Sub(at[first]) > length {
			first++
		}
		worst = max(worst, i-first+1)
	}
	return worst
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func TestZeroLiftsTheLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := always(200, emptyList)
		c, began := newClient(t, up), time.Now()
		for range 5000 {
			if _, err := c.GroupPage(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("5000 requests without limits took %v", took)
		}
	})
}

// The limits must not cost more than they need to: a first sweep of a large
// organisation is 111 requests.
func TestALargeSweepTakesUnderTwoMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, began := newClient(t, always(200, emptyList), func(o *Options) { o.Rate, o.Hourly = 90, 900 }), time.Now()
		for range 111 {
			if _, err := c.GroupPage(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took > 2*time.Minute {
			t.Errorf("111 requests took %v", took)
		}
	})
}

func TestHigherLanesGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := always(200, `{"data":{"id":"a","name":"n","members":[]}}`)
		c := newClient(t, up, func(o *Options) { o.Rate = 9 })
		spendAll(t, c)
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { _, _ = c.GroupPage(t.Context(), 1) })
		}
		synctest.Wait()
		for range 2 {
			wg.Go(func() { _, _ = c.Group(t.Context(), "a") })
		}
		synctest.Wait()
		for range 1 {
			wg.Go(func() { forward(t, c, http.MethodPost) })
		}
		up.reset()
		wg.Wait()
		var order []string
		for _, r := range up.seen {
			order = append(order, r.Method+" "+r.URL.Path[len("/api/organizations/"):])
		}
		want := []string{
			"POST x/groups", "GET " + testOrg + "/groups/a", "GET " + testOrg + "/groups/a",
			"GET " + testOrg + "/groups", "GET " + testOrg + "/groups",
		}
		if !slices.Equal(order, want) {
			t.Errorf("went in the order %q", order)
		}
	})
}

func TestAForwardedRequestWaitsTenSecondsAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, always(200, emptyList), func(o *Options) { o.Rate = 2 })
		spendAll(t, c)
		began := time.Now()
		_, err := c.Forward(t.Context(), post(t))
		up := wantReason(t, err, directory.ReasonBudget)
		if took := time.Since(began); took > 0 {
			t.Errorf("gave up after %v, though there was no hope", took)
		}
		if up.RetryAfter <= 10*time.Second || up.RetryAfter > time.Minute {
			t.Errorf("says retry after %v", up.RetryAfter)
		}
		time.Sleep(up.RetryAfter)
		forward(t, c, http.MethodPost)
	})
}

func TestForwardedRequestsInLineGiveUpToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := always(200, emptyList)
		c := newClient(t, up, func(o *Options) { o.Rate = 9 }) // one in seven seconds
		spendAll(t, c)
		up.reset()
		began := time.Now()
		var wg sync.WaitGroup
		var mu sync.Mutex
		refused := 0
		for range 5 {
			wg.Go(func() {
				resp, err := c.Forward(t.Context(), post(t))
				if err == nil {
					_ = resp.Body.Close()
					return
				}
				mu.Lock()
				defer mu.Unlock()
				refused++
				if e := wantReason(t, err, directory.ReasonBudget); e.RetryAfter <= 0 {
					t.Errorf("no Retry-After in %v", err)
				}
			})
		}
		wg.Wait()
		if time.Since(began) > 10*time.Second || up.count() != 1 || refused != 4 {
			t.Errorf("after %v %d were sent and %d refused", time.Since(began), up.count(), refused)
		}
	})
}

func TestAForwardedRequestThatIsPausedWhileItWaitsGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, always(200, emptyList), func(o *Options) { o.Rate = 9 })
		spendAll(t, c)
		go func() {
			time.Sleep(time.Second)
			c.gate.pause(time.Hour)
		}()
		began := time.Now()
		_, err := c.Forward(t.Context(), post(t))
		wantReason(t, err, directory.ReasonBudget)
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("gave up after %v", took)
		}
	})
}

func TestAWaitingRequestEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, always(200, emptyList), func(o *Options) { o.Rate = 1 })
		spendAll(t, c)
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			time.Sleep(time.Second)
			cancel()
		}()
		began := time.Now()
		_, err := c.GroupPage(ctx, 1)
		if wantReason(t, err, directory.ReasonTransport); time.Since(began) != time.Second {
			t.Errorf("ended after %v", time.Since(began))
		}
	})
}

func TestBudgetTellsWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, always(200, emptyList), func(o *Options) { o.Rate, o.Hourly = 90, 900 })
		for range 5 {
			_, _ = c.GroupPage(t.Context(), 1)
		}
		want := directory.Budget{MinuteLimit: 90, MinuteRemaining: 85, HourLimit: 900, HourRemaining: 895}
		if got := c.Budget(); got != want {
			t.Errorf("budget %+v", got)
		}
		time.Sleep(time.Minute)
		if got := c.Budget(); got.MinuteRemaining != 90 || got.HourRemaining != 895 {
			t.Errorf("after a minute %+v", got)
		}
		time.Sleep(time.Hour)
		if got := c.Budget(); got.HourRemaining != 900 {
			t.Errorf("after an hour %+v", got)
		}
	})
}

// spendAll makes requests until the next would have to wait.
func spendAll(t *testing.T, c *Client) {
	t.Helper()
	for c.gate.delay(time.Now()) == 0 {
		if err := c.admit(withLane(t.Context(), listLane)); err != nil {
			t.Fatal(err)
		}
	}
}

func (u *upstream) reset() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.seen, u.at = nil, nil
}

func post(t *testing.T) *http.Request {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, "/organizations/x/groups", strings.NewReader(`{"name":"n"}`))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func forward(t *testing.T, c *Client, method string) {
	t.Helper()
	r := post(t)
	r.Method = method
	resp, err := c.Forward(t.Context(), r)
	if err != nil {
		t.Error(err)
		return
	}
	_ = resp.Body.Close()
}
