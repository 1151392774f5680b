package poller

import (
	"context"
	"os"
	"slices"
	"testing"
	"time"

	"rollcall/internal/db/dbtest"
	"rollcall/internal/directory"
	"rollcall/internal/tallyfy"
	"rollcall/internal/tallyfysim"
)

// reach replaces client and poller by others with the given options.
func (w *world) reach(client tallyfy.Options, o Options) {
	w.t.Helper()
	client.BaseURL, client.Organization = "https://go.tallyfy.com/api", dbtest.Organization
	client.Transport, client.Spend = w.sim.Transport(), w.db
	if client.Token == nil && client.Application == nil {
		client.Token = tallyfy.StaticToken(w.sim.Token())
	}
	var err error
	if w.client, err = tallyfy.New(client); err != nil {
		w.t.Fatal(err)
	}
	w.start(o)
}

// wantServed wants reads to answer from disk, with the age of what they say.
func (w *world) wantServed(want picture, confirmed time.Time) {
	w.t.Helper()
	w.wantPicture(want)
	f, err := w.db.Freshness(context.Background())
	if err != nil || !f.ConfirmedAt.Equal(confirmed.Truncate(time.Millisecond)) {
		w.t.Fatalf("confirmed at %v (%v), want %v", f.ConfirmedAt, err, confirmed)
	}
}

// wantState wants a state, with the reason of the last error, empty for none.
func (w *world) wantState(state directory.State, reason directory.Reason) {
	w.t.Helper()
	s := w.Status()
	if s.State != state {
		w.t.Fatalf("state %s since %v, want %s", s.State, s.StateSince, state)
	}
	if s.LastError == nil != (reason == "") || s.LastError != nil && s.LastError.Reason != reason {
		w.t.Fatalf("last error %+v, want %q", s.LastError, reason)
	}
}

// wantAtMost wants no sliding interval to hold more of the requests than that.
func wantAtMost(t *testing.T, most int, length time.Duration, requests []tallyfysim.Request) {
	t.Helper()
	at := make([]time.Time, len(requests))
	for i, r := range requests {
		at[i] = r.At
	}
	slices.SortFunc(at, time.Time.Compare)
	for i := range at {
		if last := i + most; last < len(at) && at[last].Sub(at[i]) <= length {
			t.Errorf("more than %d requests within %s, from %s on", most, at[last].Sub(at[i]), at[i])
			return
		}
	}
}

// tokenFile is a file that holds a token.
func tokenFile(t *testing.T, token string) (path string, write func(token string)) {
	t.Helper()
	path = t.TempDir() + "/token"
	write = func(token string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(token+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(token)
	return path, write
}
