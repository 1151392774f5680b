package tallyfy

import (
	"errors"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/internal/directory"
)

// Readers who take all that they may leave enough for a burst of writes.
func TestWhatIsToSpareLeavesAQuarterOfTheBurst(t *testing.T) {
	for _, c := range []struct{ hourly, burst int }{{900, 90}, {300, 30}, {40, 4}, {9, 1}} {
		synctest.Test(t, func(t *testing.T) {
			up := always(200, `{"data":{"id":"0f","name":"Sales","members":[]}}`)
			client := newClient(t, up, func(o *Options) { o.Rate, o.Hourly = 0, c.hourly })
			read := func() {
				if _, err := client.Group(t.Context(), "0f"); err != nil {
					t.Fatal(err)
				}
			}
			spared := 0
			for ; client.Spare() == nil; spared++ {
				read()
			}
			if least := c.burst / 4; c.burst-spared < least || c.burst-spared > least+1 {
				t.Errorf("%d of %d were to spare", spared, c.burst)
			}
			refusal, ok := errors.AsType[*directory.UpstreamError](client.Spare())
			if !ok || refusal.Reason != directory.ReasonBudget || refusal.RetryAfter <= 0 {
				t.Fatalf("refused with %v", refusal)
			}
			began := time.Now()
			for range c.burst / 4 {
				resp, err := client.Forward(t.Context(), httptest.NewRequest("GET", "/me", nil))
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
			}
			if waited := time.Since(began); waited != 0 {
				t.Errorf("writes waited %s", waited)
			}
			time.Sleep(time.Hour)
			read()
			for client.Spare() == nil {
				read()
			}
			refusal, _ = errors.AsType[*directory.UpstreamError](client.Spare())
			time.Sleep(refusal.RetryAfter)
			if err := client.Spare(); err != nil {
				t.Errorf("when it was said to come back: %v", err)
			}
		})
	}
}

func TestWithoutAnHourlyLimitThereIsAlwaysSomethingToSpare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := newClient(t, always(200, emptyList), func(o *Options) { o.Hourly = 0 })
		for range 20 {
			if _, err := client.GroupPage(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			if err := client.Spare(); err != nil {
				t.Fatal(err)
			}
		}
	})
}
