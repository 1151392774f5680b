package db_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/db"
	"rollcall/internal/db/dbtest"
	"rollcall/internal/directory"
)

// wantPresent wants what is remembered to be what is stored, and reports
// whether anything is remembered.
func wantPresent(t *testing.T, mirror *db.DB) (present directory.Present, isKnown bool) {
	t.Helper()
	present, isKnown = mirror.Present()
	if !isKnown {
		return present, false
	}
	stored, err := mirror.Freshness(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(stored, present.Freshness); d != "" {
		t.Errorf("remembered otherwise than stored (-stored +remembered):\n%s", d)
	}
	for what, confirmed := range confirmations(t, mirror, nil) {
		isOne := what == "group" || what == "member" || what == "check"
		if confirmed.Before(present.ConfirmedAt) || confirmed.After(present.ConfirmedAt) && (!isOne || present.Uniform) {
			t.Errorf("%s confirmed at %s, remembered %s, uniform %t", what, confirmed, present.ConfirmedAt, present.Uniform)
		}
	}
	return present, true
}

func TestThePresentIsRememberedWhileNoRowIsOlderThanTheLastSweep(t *testing.T) {
	path := t.TempDir() + "/rollcall.db"
	mirror := dbtest.Open(t, path)
	if _, isKnown := mirror.Present(); isKnown {
		t.Error("something is remembered before the first sweep")
	}
	seed(t, mirror)
	now := time.Now()
	sweep := func(after time.Duration) *directory.Sweep {
		return &directory.Sweep{BeganAt: now.Add(after), Result: directory.SweepUnchanged}
	}
	single := updateMember(memberRow(1, "new@x.test", "New"), 0, 60)
	single.ConfirmedAt = now.Add(6 * time.Hour)
	for _, step := range []struct {
		name             string
		p                directory.Publication
		isKnown, uniform bool
	}{
		{"an unchanged sweep", directory.Publication{Sweep: sweep(time.Hour)}, true, true},
		{"a single read", directory.Publication{ConfirmedGroups: []directory.Confirmation[string]{{ID: sales, At: now.Add(2 * time.Hour)}}}, true, false},
		{"a failed sweep", directory.Publication{Sweep: &directory.Sweep{BeganAt: now.Add(3 * time.Hour), Result: directory.SweepFailed}}, true, false},
		{"a sweep after it", directory.Publication{Sweep: sweep(3 * time.Hour)}, true, true},
		{"a doubted group", directory.Publication{DoubtedGroups: []directory.Confirmation[string]{{ID: sales, At: now}}}, false, false},
		{"another doubt", directory.Publication{DoubtedMembers: []directory.Confirmation[int64]{{ID: 1, At: now}}, Sweep: sweep(4 * time.Hour)}, false, false},
		{"a sweep that ends all doubts", directory.Publication{Sweep: sweep(5 * time.Hour)}, true, true},
		{"a member changed by a single read", directory.Publication{Members: []directory.MemberUpdate{single}}, true, false},
	} {
		publish(t, mirror, step.p)
		if got, isKnown := wantPresent(t, mirror); isKnown != step.isKnown || got.Uniform != step.uniform {
			t.Errorf("%s: known %t, uniform %t", step.name, isKnown, got.Uniform)
		}
	}
	if err := mirror.Close(); err != nil {
		t.Fatal(err)
	}
	reader, err := db.OpenReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if _, isKnown := reader.Present(); isKnown {
		t.Error("a reader beside the writer remembers what it cannot know")
	}
}

func TestThePresentIsRememberedAfterARestart(t *testing.T) {
	path := t.TempDir() + "/rollcall.db"
	mirror := dbtest.Open(t, path)
	seed(t, mirror)
	if err := mirror.Close(); err != nil {
		t.Fatal(err)
	}
	mirror = dbtest.Open(t, path)
	if got, isKnown := wantPresent(t, mirror); !isKnown || got.Uniform {
		t.Errorf("after a restart: known %t, uniform %t: want the latter to be left to a sweep", isKnown, got.Uniform)
	}
	publish(t, mirror, directory.Publication{Sweep: &directory.Sweep{BeganAt: time.Now(), Result: directory.SweepUnchanged}})
	if got, isKnown := wantPresent(t, mirror); !isKnown || !got.Uniform {
		t.Errorf("after a sweep: known %t, uniform %t", isKnown, got.Uniform)
	}
}

func TestAPublicationThatFailsLeavesNothingWrongInMemory(t *testing.T) {
	mirror := dbtest.New(t)
	seed(t, mirror)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := mirror.Publish(gone, directory.Publication{Members: []directory.MemberUpdate{updateMember(memberRow(1, "new@x.test", "New"), 0, 60)}}); err == nil {
		t.Fatal("published for somebody who is gone")
	}
	wantPresent(t, mirror)
	publish(t, mirror, directory.Publication{Sweep: sweepAt(90)})
	if _, isKnown := wantPresent(t, mirror); !isKnown {
		t.Error("nothing is remembered")
	}
}

// Whoever has read a revision is never told that an earlier one is present.
func TestWhatIsRememberedIsNeverOlderThanWhatWasRead(t *testing.T) {
	mirror := dbtest.New(t)
	seed(t, mirror)
	ctx, cancel := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for ctx.Err() == nil {
				read, err := mirror.GroupPayload(t.Context(), sales)
				if err != nil {
					t.Error(err)
					return
				}
				if present, isKnown := mirror.Present(); isKnown && present.Revision < read.Revision {
					t.Errorf("revision %d is remembered, %d was read before", present.Revision, read.Revision)
				}
			}
		})
	}
	for i := range 200 {
		row := memberRow(1, "new@x.test", "New")
		row.Fingerprint.Row = int64(1000 + i)
		row.FullName = new(time.Duration(i).String())
		publish(t, mirror, directory.Publication{Members: []directory.MemberUpdate{updateMember(row, 0, 60)}})
		present, isKnown := mirror.Present()
		if stored, err := mirror.Freshness(t.Context()); err != nil || !isKnown || present.Freshness != stored {
			t.Fatalf("%+v is remembered (%t) after %+v was published: %v", present, isKnown, stored, err)
		}
	}
	cancel()
	readers.Wait()
}
