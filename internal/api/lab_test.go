package api

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"rollcall/internal/db"
	"rollcall/internal/db/dbtest"
	"rollcall/internal/poller"
	"rollcall/internal/tallyfy"
	"rollcall/internal/tallyfysim"
	"rollcall/internal/write"
)

// A lab is the whole of it in virtual time: a simulated Tallyfy, the real
// client, poller and mirror, and the API, asked in process. It sweeps every
// minute.
type lab struct {
	t      *testing.T
	sim    *tallyfysim.Sim
	client *tallyfy.Client
	db     *db.DB
	poller *poller.Poller
	api    *API
	log    *logbook
	stop   func() // ends the sweeps
}

// A labOption changes what a lab is made of.
type labOption func(*tallyfy.Options, *Options)

// limited gives the client an hourly limit, of which sweeps may take 70 %.
func limited(hourly int) labOption {
	return func(c *tallyfy.Options, _ *Options) { c.Rate, c.Hourly, c.Sweeps = 90, hourly, hourly*7/10 }
}

// inLab runs a test in virtual time, ten seconds after the first sweep.
func inLab(t *testing.T, test func(t *testing.T, l *lab), change ...labOption) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := openLab(t, newLabSim(), t.TempDir()+"/rollcall.db", change...)
		defer l.close()
		test(t, l)
	})
}

func newLabSim() *tallyfysim.Sim {
	return tallyfysim.New(tallyfysim.Options{Organization: org, Groups: 12, Members: 30, Edges: 80, Guests: 10})
}

func openLab(t *testing.T, sim *tallyfysim.Sim, path string, change ...labOption) *lab {
	t.Helper()
	l := &lab{t: t, sim: sim, log: &logbook{}}
	client := tallyfy.Options{
		BaseURL: "http://localhost/api", Organization: org, Transport: sim.Transport(), Token: tallyfy.StaticToken(tallyfysim.DefaultToken),
	}
	logger := slog.New(slog.NewJSONHandler(l.log, nil))
	o := Options{Organization: org, Logger: logger, Registry: prometheus.NewPedanticRegistry(), Version: "test"}
	for _, f := range change {
		f(&client, &o)
	}
	err := dbtest.Place(path)
	if err == nil {
		l.db, err = db.Open(context.Background(), db.Options{Path: path, Organization: org})
	}
	if err == nil {
		l.client, err = tallyfy.New(client)
	}
	if err == nil {
		l.poller, err = poller.New(context.Background(), poller.Options{
			Upstream: l.client, Store: l.db, Logger: logger, HoldRemovals: true, SweepHourly: client.Sweeps,
			Jitter: func() float64 { return 0.5 },
		})
	}
	if counting, ok := o.Mirror.(*countingMirror); ok {
		counting.DB = l.db
	} else {
		o.Mirror = l.db
	}
	o.Access, o.Poller, o.Upstream = anybody(t), l.poller, l.client
	o.Writer = write.New(write.Options{Upstream: l.client, Mirror: l.poller, Logger: logger, RequestID: RequestID})
	if err == nil {
		l.api, err = New(o)
	}
	if err != nil {
		t.Fatal(err)
	}
	l.run()
	synctest.Wait()
	time.Sleep(10 * time.Second)
	sim.ResetRequests()
	return l
}

func (l *lab) run() {
	ctx, cancel := context.WithCancel(context.Background())
	var sweeps sync.WaitGroup
	sweeps.Go(func() {
		if err := l.poller.Run(ctx); err != nil {
			l.t.Error(err)
		}
	})
	l.stop = func() {
		cancel()
		sweeps.Wait()
	}
}

func (l *lab) close() {
	l.stop()
	l.client.Close()
	if err := l.db.Close(); err != nil {
		l.t.Error(err)
	}
}

// get asks as a client that ctx ends.
func (l *lab) get(target string, header ...string) answer {
	return l.getFor(l.t.Context(), target, header...)
}

func (l *lab) getFor(ctx context.Context, target string, header ...string) answer {
	req := httptest.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	req.Host = "localhost"
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	l.api.ServeHTTP(rec, req)
	return answer{l.t, rec.Code, rec.Header(), rec.Body.String()}
}

// asked lists what went upstream since the last call, as "GET /groups" below
// the organisation.
func (l *lab) asked() (asked []string) {
	for _, r := range l.sim.Requests() {
		_, path, _ := strings.Cut(r.Path, org)
		asked = append(asked, r.Method+" "+path)
	}
	l.sim.ResetRequests()
	return asked
}

// wantsCache fails unless Cache-Status and Age are the wanted ones.
func (a answer) wantsCache(status, age string) answer {
	a.t.Helper()
	if got := strings.Join(a.header.Values("Cache-Status"), " | "); got != status || a.header.Get("Age") != age {
		a.t.Errorf("Cache-Status %q at age %q, want %q at %q", got, a.header.Get("Age"), status, age)
	}
	return a
}

// A benchWorld is an API over a mirror of a thousand groups that a sweep has
// confirmed.
type benchWorld struct {
	api    *API
	group  string
	people []int64 // a hundred members
}

func newBenchWorld(b *testing.B) *benchWorld {
	b.Helper()
	sim := tallyfysim.New(tallyfysim.Options{Organization: org, Groups: 1000, Members: 2000, Edges: 20_000, Guests: 100})
	mirror := dbtest.New(b)
	client, err := tallyfy.New(tallyfy.Options{
		BaseURL: "http://localhost/api", Organization: org, Transport: sim.Transport(), Token: tallyfy.StaticToken(tallyfysim.DefaultToken),
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(client.Close)
	keeper, err := poller.New(b.Context(), poller.Options{Upstream: client, Store: mirror})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := keeper.Sweep(b.Context()); err != nil {
		b.Fatal(err)
	}
	api, err := New(Options{
		Organization: org, Mirror: mirror, Poller: keeper, Upstream: client, Access: anybody(b), Registry: prometheus.NewRegistry(), Version: "test",
		Logger: slog.New(slog.DiscardHandler),
		Writer: write.New(write.Options{Upstream: client, Mirror: keeper, Logger: slog.New(slog.DiscardHandler), RequestID: RequestID}),
	})
	if err != nil {
		b.Fatal(err)
	}
	people := make([]int64, 100)
	for i := range people {
		people[i] = sim.Users()[i].ID
	}
	return &benchWorld{api, sim.Groups()[0].ID, people}
}
