package tallyfysim

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A Sim is a simulated Tallyfy with one organisation.
type Sim struct {
	opts Options

	mu        sync.RWMutex // guards what is below, up to the faults
	rng       *rand.Rand
	groups    table[string, Group]
	users     table[int64, User]
	guests    map[string]*Guest  // by folded e-mail
	lost      map[int64][]string // groups a disabled user was dropped from
	tokens    map[string]pass    // that are valid, or were until they expired
	token     string
	nextUser  int64
	nextGuest int64
	invited   []time.Time // when guests were made, for the hourly cap

	clientID, clientSecret string // of the application

	faults   faultList
	requests requestLog
	throttle *throttle
}

// New returns a simulator of the organisation that o describes.
func New(o Options) *Sim {
	o = o.withDefaults()
	s := &Sim{
		opts:      o,
		rng:       rand.New(rand.NewPCG(o.Seed, 0x7a11f5)),
		groups:    newTable(func(g *Group) (time.Time, string) { return g.CreatedAt, g.ID }),
		users:     newTable(func(u *User) (time.Time, int64) { return u.CreatedAt, u.ID }),
		guests:    map[string]*Guest{},
		lost:      map[int64][]string{},
		tokens:    map[string]pass{o.Token: {}},
		token:     o.Token,
		nextUser:  1001,
		nextGuest: 70_001,
		throttle:  newThrottle(o),

		clientID: o.ClientID, clientSecret: o.ClientSecret,
	}
	if o.Groups > 0 || o.Members > 0 {
		Populate(s, Size{Groups: o.Groups, Members: o.Members, Edges: o.Edges, Guests: o.Guests})
	}
	return s
}

// Organization returns the id of the organisation.
func (s *Sim) Organization() string { return s.opts.Organization }

// Token returns the token that [New] or [Sim.SetToken] made valid.
func (s *Sim) Token() string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.token
}

// ServeHTTP answers under /organizations/…, /applications/…, /me and
// /oauth/token, and likewise under /api/….
// A dropped or cut answer breaks the connection.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a, err := s.exchange(r)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	for key, values := range a.header {
		w.Header()[key] = values
	}
	if a.status != http.StatusNoContent {
		w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	if _, err := w.Write(a.sent()); err != nil {
		return
	}
	if a.isCut() {
		_ = http.NewResponseController(w).Flush() // what was sent must arrive before the break
		panic(http.ErrAbortHandler)
	}
}

// exchange is one request and its answer, with whatever fault is due. It
// fails when the connection is to break without an answer or when the
// caller's context ends.
func (s *Sim) exchange(r *http.Request) (answer, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return answer{}, err
	}
	done := s.requests.begin(r, body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	fault := s.faults.take(r)
	a, err := fault.apply(r.Context(), func() answer { return s.handle(r, body) })
	done(a.status)
	return a, err
}

// A call is one admitted request: who asks for what with which body.
type call struct {
	*http.Request
	query  queryValues
	params []string // values of the route's placeholders
	body   []byte
	caller caller
}

// handle answers under the organisation's lock.
func (s *Sim) handle(r *http.Request, body []byte) answer {
	if wait, ok := s.throttle.admit(time.Now()); !ok {
		return throttled(wait)
	}
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		s.mu.RLock()
		defer s.mu.RUnlock()
	} else {
		s.mu.Lock()
		defer s.mu.Unlock()
	}
	c := &call{Request: r, query: queryValues(r.URL.Query()), body: body}
	a := s.dispatch(c)
	s.throttle.stamp(a.header, time.Now())
	return a
}

// dispatch holds a request against what upstream demands of every request,
// in upstream's order, before its route sees it.
func (s *Sim) dispatch(c *call) answer {
	if isTokenEndpoint(c.Method, c.URL.EscapedPath()) {
		return s.grantToken(c)
	}
	if c.Header.Get("X-Tallyfy-Client") == "" {
		if s.opts.MissingClient == http.StatusUnauthorized {
			return unauthenticated()
		}
		return endpointNotFound()
	}
	if !strings.Contains(c.Header.Get("Accept"), "json") {
		return loginPage()
	}
	who, ok := s.authenticate(c.Header.Get("Authorization"))
	if !ok {
		return unauthenticated()
	}
	c.caller = who
	route, params, ok := match(c.Method, c.URL.EscapedPath())
	if !ok {
		return endpointNotFound()
	}
	if route.scoped() && params[0] != s.opts.Organization {
		return notFound()
	}
	if who.application && !route.application() && (s.opts.ApplicationRefused || route.personal()) {
		return unauthenticated()
	}
	c.params = params
	return route.handle(s, c)
}

// wait sleeps for d or until ctx ends.
func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
