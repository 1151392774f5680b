package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"time"

	"rollcall/internal/tallyfy"
	"rollcall/internal/tallyfysim"
)

// A simulator is a simulated Tallyfy that listens on loopback.
type simulator struct {
	sim    *tallyfysim.Sim
	url    string
	server *http.Server
	ended  chan struct{}
}

func startSimulator(ctx context.Context, o tallyfysim.Options) (*simulator, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("the simulated Tallyfy cannot listen: %w", err)
	}
	s := &simulator{sim: tallyfysim.New(o), url: urlOf(listener), ended: make(chan struct{})}
	s.server = &http.Server{Handler: s.sim, ReadHeaderTimeout: time.Minute}
	go func() {
		defer close(s.ended)
		_ = s.server.Serve(listener)
	}()
	return s, nil
}

func (s *simulator) stop() {
	s.server.Close()
	<-s.ended
}

func (s *simulator) token() token {
	return token{given: tallyfy.StaticToken(s.sim.Token())}
}

const (
	stirInterval  = 4 * time.Second        // between two edits in the organisation
	readyInterval = 100 * time.Millisecond // between two looks whether there is data
)

// narrate waits until the server has data, says what to try, and from then on
// changes the organisation every few seconds and says how.
func (s *simulator) narrate(ctx context.Context, stdout io.Writer, server string) {
	asking, err := newClient(server)
	if err != nil {
		return
	}
	ready := time.NewTicker(readyInterval)
	defer ready.Stop()
	for {
		if _, err := asking.do(ctx, http.MethodGet, "/readyz", nil, probeTimeout); err == nil {
			break
		}
		if !waitFor(ctx, ready.C) {
			return
		}
	}
	fmt.Fprint(stdout, s.invitation(server))
	s.stir(ctx, stdout)
}

func (s *simulator) stir(ctx context.Context, stdout io.Writer) {
	rng := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	ticker := time.NewTicker(stirInterval)
	defer ticker.Stop()
	for waitFor(ctx, ticker.C) {
		fmt.Fprintf(stdout, "in Tallyfy: %s\n", s.sim.Stir(rng))
		s.sim.ResetRequests()
	}
}

func waitFor(ctx context.Context, tick <-chan time.Time) bool {
	select {
	case <-ctx.Done():
		return false
	case <-tick:
		return true
	}
}

// invitation says where everything is and three things to try. The first
// user is one that never goes away.
func (s *simulator) invitation(server string) string {
	user := s.sim.Users()[0]
	curl, base := "curl", server
	if socket, ok := strings.CutPrefix(server, "unix:"); ok {
		curl, base = "curl --unix-socket "+socket, "http://localhost"
	}
	var b strings.Builder
	fmt.Fprintf(&b, `
Rollcall mirrors a simulated organisation in which something changes every few seconds.

  Rollcall           %s
  simulated Tallyfy  %s
  organisation       %s
  token              %s

Ask which groups somebody is in, make a group with Tallyfy's own call, and see that they are in it at once:

`, server, s.url, s.sim.Organization(), s.sim.Token())
	fmt.Fprintf(&b, "  %s '%s/v1/members/%d/groups?limit=2'\n", curl, base, user.ID)
	fmt.Fprintf(&b, "  %s %s/organizations/%s/groups -H 'Authorization: Bearer %s' -H 'Accept: application/json' -H 'Content-Type: application/json' -d '%s'\n",
		curl, base, s.sim.Organization(), s.sim.Token(),
		fmt.Sprintf(`{"name":"Night shift","description":"Made through Rollcall","members":[%d],"guests":[]}`, user.ID))
	fmt.Fprintf(&b, "  %s '%s/v1/check?member=%d&group=Night%%20shift'\n\n", curl, base, user.ID)
	return b.String()
}
