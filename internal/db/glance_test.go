package db_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"rollcall/internal/db"
	"rollcall/internal/db/dbtest"
	"rollcall/internal/directory"
)

func TestAReadDuringWhichSomethingIsPublishedIsReadAgain(t *testing.T) {
	mirror := dbtest.New(t)
	seed(t, mirror)
	var seen []int64
	failed := errors.New("two states were seen")
	err := db.Glance(t.Context(), mirror, func(revision int64) error {
		seen = append(seen, revision)
		if len(seen) > 1 {
			return nil
		}
		publish(t, mirror, directory.Publication{GoneMembers: []directory.Gone[int64]{{ID: 3, Origin: observed(0, 1)}}})
		return failed
	})
	if err != nil || !slices.Equal(seen, []int64{1, 2}) {
		t.Errorf("read revisions %d, %v; want the first, in vain, and the second", seen, err)
	}
}

func TestAnErrorOfAReadDuringWhichNothingIsPublishedStands(t *testing.T) {
	mirror := dbtest.New(t)
	seed(t, mirror)
	failed, runs := errors.New("no"), 0
	if err := db.Glance(t.Context(), mirror, func(int64) error { runs++; return failed }); !errors.Is(err, failed) || runs != 1 {
		t.Errorf("read %d times, %v", runs, err)
	}
}

func TestNobodyWhoIsGoneIsReadFor(t *testing.T) {
	mirror := dbtest.New(t)
	seed(t, mirror)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := mirror.Member(gone, directory.PersonRef{ID: 1}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// What an instant led to is remembered, but not beyond the next publication.
func TestTheConfirmationAfterAnInstantIsToldOnceThereIsOne(t *testing.T) {
	mirror := dbtest.New(t)
	seed(t, mirror)
	instant := &directory.AsOf{Instant: time.Now().Add(time.Hour)}
	then := func() *directory.Then {
		found, err := mirror.Member(t.Context(), directory.PersonRef{ID: 1}, instant)
		if err != nil {
			t.Fatal(err)
		}
		return found.Then
	}
	before := then()
	again := then()
	after := instant.Instant.Add(time.Hour)
	publish(t, mirror, directory.Publication{Sweep: &directory.Sweep{BeganAt: after, Result: directory.SweepUnchanged}})
	if got := then(); !before.ConfirmedAfter.IsZero() || *again != *before || !got.ConfirmedAfter.Equal(after.Truncate(time.Millisecond)) {
		t.Errorf("first %+v, again %+v, after a sweep %+v", before, again, got)
	}
}

func TestWhatIsKeptNoLongerIsRefusedThoughItWasJustAskedAbout(t *testing.T) {
	now := at(0)
	mirror := openAt(t, &now)
	seed(t, mirror)
	now = at(120)
	publish(t, mirror, directory.Publication{GoneMembers: []directory.Gone[int64]{{ID: 3, Origin: observed(0, 1)}}, Sweep: sweepAt(120)})
	if _, isKnown := mirror.Present(); !isKnown {
		t.Fatal("the present is not known, so that nothing is remembered")
	}
	first := func() error {
		return second(mirror.Member(t.Context(), directory.PersonRef{ID: 1}, &directory.AsOf{Revision: 1}))
	}
	if err := first(); err != nil {
		t.Fatal(err)
	}
	if err := mirror.Keep(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := first(); err != nil {
		t.Errorf("before an hour is over: %v", err)
	}
	now = at(240)
	if err := mirror.Keep(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := first(); !errors.Is(err, directory.ErrPruned) {
		t.Errorf("after it: %v", err)
	}
}
