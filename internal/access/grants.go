package access

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"
)

// GrantsOptions say how long what Tallyfy showed to a token is believed. Zero
// durations are the defaults.
type GrantsOptions struct {
	Prober Prober
	Memory time.Duration // until the token is probed again; 5 minutes
	Grace  time.Duration // for how long a grant outlives its probe when Tallyfy cannot be asked; an hour
	Limit  time.Duration // for one probe; 10 seconds
}

// Grants remembers, by the SHA-256 of a token, what Tallyfy shows to it. It is
// safe for concurrent use; requests that come with the same token share one
// probe.
//
// In any sliding minute, at most six probes are made for tokens that are not
// known, and six for each that is, whatever requests one probe takes. As only
// a probe makes a record and old records are dropped, they stay few.
type Grants struct {
	o      GrantsOptions
	probes sync.WaitGroup

	mu      sync.Mutex
	records map[tokenHash]*record
	strange window // of tokens that are not known
	closed  bool
}

type tokenHash [sha256.Size]byte

// maxRecords bounds the records where settings make them live long.
const maxRecords = 4096

// NewGrants remembers nothing yet. Close it at the end.
func NewGrants(o GrantsOptions) (*Grants, error) {
	o.Memory = cmp.Or(o.Memory, 5*time.Minute)
	o.Grace = cmp.Or(o.Grace, time.Hour)
	o.Limit = cmp.Or(o.Limit, 10*time.Second)
	switch {
	case o.Prober == nil:
		return nil, errors.New("grants need a prober")
	case o.Memory < 0:
		return nil, fmt.Errorf("--auth-memory %s is negative: give a duration such as 5m", o.Memory)
	case o.Grace < 0:
		return nil, fmt.Errorf("--auth-grace %s is negative: give a duration such as 1h", o.Grace)
	}
	return &Grants{o: o, records: map[tokenHash]*record{}}, nil
}

// Of returns what Tallyfy shows to a token. It fails with ErrUnauthenticated
// when Tallyfy refused the token, with a *RetryLaterError when Tallyfy cannot
// be asked now, and with the cause of ctx's end; a probe goes on without those
// who wait for it.
func (g *Grants) Of(ctx context.Context, token string) (Grant, error) {
	if token == "" {
		return Grant{}, unauthenticated("there is no token")
	}
	for {
		grant, running, err := g.consult(ctx, token)
		if running == nil {
			return grant, err
		}
		select {
		case <-running.done:
		case <-ctx.Done():
			return Grant{}, context.Cause(ctx)
		}
		if !running.overtaken {
			return running.grant, running.err
		}
	}
}

// End forgets what was granted to a token, as Tallyfy refused a request of it.
// A probe that is under way began before that, and counts for nothing.
func (g *Grants) End(token string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if r := g.records[sha256.Sum256([]byte(token))]; r != nil && r.state == granted {
		r.state, r.grant, r.failure = unknown, Grant{}, nil
		if r.running != nil {
			r.running.cancel()
			r.running = nil
		}
	}
}

// Close cancels the probes and waits for them. What is remembered can still be
// asked for.
func (g *Grants) Close() {
	g.mu.Lock()
	g.closed = true
	for _, r := range g.records {
		if r.running != nil {
			r.running.cancel()
		}
	}
	g.mu.Unlock()
	g.probes.Wait()
}

// consult answers from memory, or returns the probe to wait for.
func (g *Grants) consult(ctx context.Context, token string) (Grant, *probe, error) {
	hash := tokenHash(sha256.Sum256([]byte(token)))
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	r := g.records[hash]
	if r != nil {
		if grant, known, err := r.answer(now, g.o); known {
			if err == nil && r.mayProbeAgain(now) {
				_, _ = g.start(ctx, now, hash, token) // behind this answer
			}
			return grant, nil, err
		}
		if r.running != nil {
			return Grant{}, r.running, nil
		}
	}
	p, err := g.start(ctx, now, hash, token)
	return Grant{}, p, err
}
