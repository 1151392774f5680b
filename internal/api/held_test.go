package api

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/directory"
)

// heldSince is when what the tests hold was held first.
var heldSince = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

func TestStatusTellsWhatIsHeldAndHowToReleaseIt(t *testing.T) {
	w := newWorld(t)
	w.publish(people())
	w.poller.status = directory.PollStatus{State: directory.StateHeld, StateSince: heldSince, Held: &directory.Held{
		ID: "5f0c2a9d41e7b836", Since: heldSince, ReleaseAt: heldSince.Add(24 * time.Hour),
		Groups: 21, Members: 1, Memberships: 7,
		GoneGroups:    []directory.HeldGroup{{ID: "a1", Name: "Sales", Memberships: 4}},
		GoneMembers:   []directory.HeldMember{{ID: 11, Email: "ann@x.test"}},
		ThinnedGroups: []directory.HeldGroup{{ID: "b2", Name: "Everybody", Memberships: 3}},
		Truncated:     true,
	}}
	got := w.get("/v1/status").wants(200)
	held, _ := got.at("data", "held").(map[string]any)
	release, _ := held["release"].(string)
	for _, part := range []string{"rollcall sync --accept-removals 5f0c2a9d41e7b836", "POST /v1/sync?accept_removals=5f0c2a9d41e7b836", "2026-03-02T09:00:00Z"} {
		if !strings.Contains(release, part) {
			t.Errorf("%q does not say %q", release, part)
		}
	}
	delete(held, "release")
	want := map[string]any{
		"id": "5f0c2a9d41e7b836", "since": "2026-03-01T09:00:00Z", "release_at": "2026-03-02T09:00:00Z",
		"groups": 21.0, "members": 1.0, "memberships": 7.0, "truncated": true,
		"gone_groups":    []any{map[string]any{"id": "a1", "name": "Sales", "memberships": 4.0}},
		"gone_members":   []any{map[string]any{"id": 11.0, "email": "ann@x.test"}},
		"thinned_groups": []any{map[string]any{"id": "b2", "name": "Everybody", "memberships": 3.0}},
	}
	if diff := cmp.Diff(want, held); diff != "" {
		t.Error(diff)
	}
	if got.at("data", "state") != "held" {
		t.Error(got.body)
	}
}

func TestSyncPassesOnWhatIsAcceptedAndTellsWhatIsHeldInstead(t *testing.T) {
	w := newWorld(t)
	w.publish(people())
	w.poller.sweep = directory.Sweep{Result: directory.SweepPublished, BeganAt: heldSince, EndedAt: heldSince}
	w.do("POST", "/v1/sync?wait=1s&accept_removals=5f0c2a9d41e7b836", "").wants(200)
	if diff := cmp.Diff([]string{"5f0c2a9d41e7b836"}, w.poller.accepted); diff != "" {
		t.Error(diff)
	}
	w.poller.sweep.Result, w.poller.err = directory.SweepHeld, &directory.HeldChangedError{ID: "0123456789abcdef"}
	got := w.do("POST", "/v1/sync?wait=1s&accept_removals=5f0c2a9d41e7b836", "")
	got.wantsProblem(409, heldChanged)
	if got.at("held_id") != "0123456789abcdef" || !strings.Contains(got.body, "accept_removals=0123456789abcdef") {
		t.Error(got.body)
	}
	w.poller.err = nil
	if got := w.do("POST", "/v1/sync?wait=1s", "").wants(200); got.at("data", "result") != "held" || len(w.poller.accepted) != 2 {
		t.Error(got.body, w.poller.accepted)
	}
}
