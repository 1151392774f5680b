package main

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"

	"rollcall/internal/tallyfysim"
)

// An upstream is a simulated Tallyfy that listens on loopback.
type upstream struct {
	*tallyfysim.Sim
	url    string
	server *http.Server
	mute   atomic.Bool               // answers nothing
	plays  atomic.Pointer[recording] // answers from it, nil from the simulation

	asked atomic.Int64 // requests
	sent  atomic.Int64 // bytes of bodies
}

func startUpstream(ctx context.Context, of size) (*upstream, error) {
	u := &upstream{Sim: of.simulated()}
	server, url, err := serveOn(ctx, u)
	u.server, u.url = server, url
	return u, err
}

// ServeHTTP answers as Tallyfy, unless it is to be mute.
func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if u.mute.Load() {
		<-r.Context().Done()
		return
	}
	u.asked.Add(1)
	if known := u.plays.Load(); known != nil {
		known.serve(w, r, u.Sim)
	} else {
		u.Sim.ServeHTTP(tally{w, &u.sent}, r)
	}
	u.ResetRequests()
}

// A recording gives the answers of a simulation again, each from the second
// time on at no more than the cost of its bytes.
type recording struct {
	mu      sync.Mutex
	answers map[string]*httptest.ResponseRecorder // by URL
}

func newRecording() *recording {
	return &recording{answers: map[string]*httptest.ResponseRecorder{}}
}

func (known *recording) serve(w http.ResponseWriter, r *http.Request, simulation http.Handler) {
	known.mu.Lock()
	defer known.mu.Unlock()
	answer := known.answers[r.URL.String()]
	if answer == nil {
		answer = httptest.NewRecorder()
		simulation.ServeHTTP(answer, r)
		known.answers[r.URL.String()] = answer
	}
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()) // who hangs up is told by the sweep
}

// A tally counts the bytes of a body.
type tally struct {
	http.ResponseWriter
	sent *atomic.Int64
}

func (t tally) Write(b []byte) (int, error) {
	n, err := t.ResponseWriter.Write(b)
	t.sent.Add(int64(n))
	return n, err
}

// stirEverything changes every group, one of its edges where it has room, and
// every user.
func (u *upstream) stirEverything() {
	users := u.Users()
	for i, g := range u.Groups() {
		u.UpdateGroup(g.ID, func(g *tallyfysim.Group) {
			g.Description = grown(g.Description)
			g.Members = withOneMore(g.Members, users[i%len(users)].ID)
		})
	}
	for _, user := range users {
		u.UpdateUser(user.ID, func(user *tallyfysim.User) { user.JobTitle = grown(user.JobTitle) })
	}
}

// grown is another text that does not grow for ever.
func grown(text string) string {
	if len(text) > 100 {
		return text[:50]
	}
	return text + "."
}

func withOneMore(ids []int64, id int64) []int64 {
	for _, present := range ids {
		if present == id {
			return ids
		}
	}
	return append(ids[:len(ids):len(ids)], id)
}
