package poller

import (
	"context"
	"errors"
	"testing"

	"rollcall/internal/directory"
	"rollcall/internal/tallyfysim"
)

var errDisk = errors.New("the disk is full")

// A failingStore fails some publications, before or after they are stored.
type failingStore struct {
	Store
	before, after int
}

func (s *failingStore) Publish(ctx context.Context, p directory.Publication) (directory.Freshness, error) {
	if s.before > 0 {
		s.before--
		return directory.Freshness{}, errDisk
	}
	present, err := s.Store.Publish(ctx, p)
	if s.after > 0 {
		s.after--
		return directory.Freshness{}, errDisk
	}
	return present, err
}

// store puts a failing store before the file.
func (w *world) breakable() *failingStore {
	s := &failingStore{Store: w.db}
	w.store = s
	return s
}

func TestFailedPublicationIsAFailedSweep(t *testing.T) {
	inWorld(t, populated(5), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		before := w.mirror()
		w.sim.DeleteGroup(w.sim.Groups()[0].ID)
		w.breakable().before = 1
		if note := w.sweep(directory.SweepFailed); note.Reason != directory.ReasonStorage {
			t.Errorf("reason %s, want %s", note.Reason, directory.ReasonStorage)
		}
		w.wantPicture(before)
		w.sweep(directory.SweepPublished)
		w.wantEqual()
	})
}

// Whoever commits and cannot say so has still committed.
func TestPublicationThatOnlySeemedToFailIsNotPublishedTwice(t *testing.T) {
	inWorld(t, populated(5), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		w.sim.UpdateGroup(w.sim.Groups()[0].ID, func(g *tallyfysim.Group) { g.Name = "Renamed" })
		w.breakable().after = 1
		w.sweep(directory.SweepFailed)
		w.wantRevision(2)
		w.sweep(directory.SweepUnchanged)
		w.wantRevision(2)
		w.wantEqual()
	})
}

// After a failed publication the ledgers are read anew and know no numbers
// any more, so nothing that began before may be applied.
func TestSweepThatBeganBeforeTheLedgersWereReadAnewIsDropped(t *testing.T) {
	inWorld(t, populated(150), func(t *testing.T, w *world) {
		w.sweep(directory.SweepPublished)
		id := w.sim.Groups()[0].ID
		store := w.breakable()
		duringSweep(w, true, func() {
			obs := w.Begin()
			w.sim.UpdateGroup(id, func(g *tallyfysim.Group) { g.Name = "Renamed" })
			store.after = 1
			if _, err := w.ApplyGroup(context.Background(), obs, w.group(id), wrote); !errors.Is(err, errDisk) {
				t.Errorf("error %v, want %v", err, errDisk)
			}
		})
		w.sweep(directory.SweepDropped)
		w.wantEqual()
		w.sweep(directory.SweepUnchanged)
	})
}
