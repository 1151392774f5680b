package api

import (
	"math"
	"testing"
	"time"

	"rollcall/internal/directory"
)

func TestACursorBringsBackTheWholePin(t *testing.T) {
	shown := directory.Freshness{
		Epoch: "e", Revision: 7, PublishedAt: time.UnixMilli(1700000000123).UTC(), Nonce: math.MinInt64 + 1,
		ConfirmedAt: time.UnixMilli(1700000009999),
	}
	for _, token := range []string{place(shown, directory.Position{Key: "k", ID: "1"}, "q"), feedPlace(shown)} {
		c, err := parseCursor(token)
		if err != nil {
			t.Fatal(err)
		}
		if got := *c.pin(); got != shown.Pin() {
			t.Errorf("%+v, want %+v", got, shown.Pin())
		}
	}
}
