package tallyfy_test

import (
	"testing"
	"testing/synctest"
	"time"

	"rollcall/internal/directory"
	"rollcall/internal/tallyfysim"
)

func TestAnAwaitedReadGivesUpWhenItsTurnIsFar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := tallyfysim.New(tallyfysim.Options{Groups: 3, Members: 3})
		id := sim.Groups()[0].ID
		near, far := clientOf(t, sim, 90, 0), clientOf(t, sim, 0, 1)
		for range 12 { // as many as five seconds hold
			if _, err := near.Group(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := near.Group(near.Awaited(t.Context()), id); err != nil {
			t.Errorf("a turn that is near: %v", err)
		}
		if _, err := far.Group(far.Awaited(t.Context()), id); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_, err := far.Group(far.Awaited(t.Context()), id)
		if directory.ReasonOf(err) != directory.ReasonBudget || time.Since(began) > 10*time.Second {
			t.Errorf("a turn that is far: %v after %v", err, time.Since(began))
		}
		if _, err := far.Group(t.Context(), id); err != nil || time.Since(began) < time.Minute {
			t.Errorf("any other read waits: %v after %v", err, time.Since(began))
		}
	})
}
