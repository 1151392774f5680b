package access

import (
	"context"
	"sync"
	"testing"
	"time"

	"rollcall/internal/directory"
)

// A person is what the fake Tallyfy shows to a token.
type person struct {
	id            int64
	groups, users int   // totals
	noUser        error // the answer to the single read, nil for 200
	role          string
}

var (
	admin    = person{id: 7, groups: 3, users: 50, role: "admin"}
	standard = person{id: 8, groups: 3, users: 50, noUser: answered(403)}
)

// A fakeTallyfy answers probes, with silences and errors that no simulator of
// an organisation could time so well. The sweep token sees 3 groups and 50
// users.
type fakeTallyfy struct {
	mu     sync.Mutex
	people map[string]person
	calls  map[string][]time.Time
	fails  map[string]error // by the name of the call
	hold   time.Duration    // before each answer
	silent bool             // no answer before the deadline
	before func(call string)
}

func newTallyfy() *fakeTallyfy {
	return &fakeTallyfy{people: map[string]person{}, calls: map[string][]time.Time{}, fails: map[string]error{}}
}

func newGrants(t *testing.T, p Prober) *Grants {
	t.Helper()
	g, err := NewGrants(GrantsOptions{Prober: p})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func answered(status int) error {
	reason := map[int]directory.Reason{
		401: directory.ReasonUnauthorized,
		403: directory.ReasonForbidden,
		404: directory.ReasonNotFound,
		422: directory.ReasonRefused,
		429: directory.ReasonThrottled,
		500: directory.ReasonServer,
	}[status]
	return &directory.UpstreamError{Op: "probe", Status: status, Reason: reason}
}

func (f *fakeTallyfy) admit(token string, p person) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.people[token] = p
}

func (f *fakeTallyfy) fail(call string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fails[call] = err
}

func (f *fakeTallyfy) setSilent(silent bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.silent = silent
}

func (f *fakeTallyfy) count(call string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.calls[call])
}

func (f *fakeTallyfy) answer(ctx context.Context, call, token string) (person, error) {
	f.mu.Lock()
	f.calls[call] = append(f.calls[call], time.Now())
	hold, silent, before := f.hold, f.silent, f.before
	f.mu.Unlock()
	if before != nil {
		before(call)
	}
	if silent {
		hold = 24 * time.Hour
	}
	select {
	case <-time.After(hold):
	case <-ctx.Done():
		return person{}, &directory.UpstreamError{Op: "probe", Reason: directory.ReasonTimeout, Err: ctx.Err()}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.fails[call]; err != nil {
		return person{}, err
	}
	if token == "" {
		return person{groups: 3, users: 50}, nil
	}
	p, known := f.people[token]
	if !known {
		return person{}, answered(401)
	}
	return p, nil
}

func (f *fakeTallyfy) Me(ctx context.Context, token string) (int64, error) {
	p, err := f.answer(ctx, "me", token)
	return p.id, err
}

func (f *fakeTallyfy) GroupTotal(ctx context.Context, token string) (int, error) {
	p, err := f.answer(ctx, "groups", token)
	return p.groups, err
}

func (f *fakeTallyfy) UserTotal(ctx context.Context, token string) (int, error) {
	p, err := f.answer(ctx, "users", token)
	return p.users, err
}

func (f *fakeTallyfy) Role(ctx context.Context, token string, user int64) (string, error) {
	p, err := f.answer(ctx, "user", token)
	if err == nil && user != p.id {
		return "", answered(404)
	}
	if err == nil {
		err = p.noUser
	}
	return p.role, err
}

func (f *fakeTallyfy) SweepGroupTotal(ctx context.Context) (int, error) {
	p, err := f.answer(ctx, "all groups", "")
	return p.groups, err
}

func (f *fakeTallyfy) SweepUserTotal(ctx context.Context) (int, error) {
	p, err := f.answer(ctx, "all users", "")
	return p.users, err
}
