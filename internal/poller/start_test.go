package poller

import (
	"context"
	"testing"

	"rollcall/internal/directory"
	"rollcall/internal/tallyfysim"
)

// A countingStore counts how often the rows are read, and fails to for a while.
type countingStore struct {
	Store
	reads, failures int
}

func (s *countingStore) Index(ctx context.Context) (directory.Index, error) {
	s.reads++
	if s.reads <= s.failures {
		return directory.Index{}, errDisk
	}
	return s.Store.Index(ctx)
}

// entryOf is what the ledger says of a group.
func (w *world) entryOf(id string) entry {
	w.t.Helper()
	w.applying.Lock()
	defer w.applying.Unlock()
	if err := w.trust(context.Background()); err != nil {
		w.t.Fatal(err)
	}
	return w.groups.rows[id]
}

func TestAStartReadsTheRowsOnceTheyAreNeeded(t *testing.T) {
	inWorld(t, populated(5), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		store := &countingStore{Store: w.db, failures: 1}
		w.start(Options{Store: store})
		if store.reads != 0 {
			t.Error("a start waits for the rows")
		}
		if note := w.sweep(directory.SweepFailed); note.Reason != directory.ReasonStorage {
			t.Errorf("reason %s of a sweep that could not read the rows, want %s", note.Reason, directory.ReasonStorage)
		}
		w.sweep(directory.SweepUnchanged)
		w.sweep(directory.SweepUnchanged)
		if store.reads != 2 {
			t.Errorf("the rows were read %d times, want 2", store.reads)
		}
	})
}

// What begins before the rows are read knows more than they do.
func TestTheFirstObservationsOfALifeAreAppliedAtOnce(t *testing.T) {
	inWorld(t, populated(5), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		renamed, gone := w.sim.Groups()[0].ID, w.sim.Groups()[1].ID
		w.restart()
		obs := w.Begin()
		w.sim.UpdateGroup(renamed, func(g *tallyfysim.Group) { g.Name = "Renamed" })
		w.mustApply(obs, renamed)
		w.restart()
		w.sim.DeleteGroup(gone)
		w.mustRefresh(gone)
		w.wantEqual()
	})
}
