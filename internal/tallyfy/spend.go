package tallyfy

import (
	"context"
	"slices"
	"sync"
	"time"

	"rollcall/internal/directory"
)

// A SpendLog remembers spent requests over restarts.
type SpendLog interface {
	// Spent returns the notes since an instant, in any order.
	Spent(ctx context.Context, since time.Time) ([]directory.Spend, error)
	// RecordSpend keeps a note durably before it returns.
	RecordSpend(ctx context.Context, s directory.Spend) error
}

const (
	blockSize     = 10              // requests noted at once when nothing is reserved
	blockValidity = 5 * time.Minute // a note covers requests that leave within this time
)

// A meter notes requests before they leave, several at a time, so that a
// process that dies has never sent more than is noted.
type meter struct {
	log     SpendLog // nil to forget
	bySweep bool

	mu       sync.Mutex
	restored bool
	left     int       // noted and not sent
	until    time.Time // when what is left may no longer be sent
}

// restore replays the notes of earlier processes into g, once. A note stands
// for requests that left up to blockValidity after it; they count as late as
// they can have left.
func (m *meter) restore(ctx context.Context, g *gate) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.log == nil || m.restored {
		return nil
	}
	now := time.Now()
	spent, err := m.log.Spent(ctx, now.Add(-time.Hour-blockValidity))
	if err != nil {
		return storageError(err)
	}
	spent = slices.Clone(spent)
	for i := range spent {
		if late := spent[i].At.Add(blockValidity); late.Before(now) {
			spent[i].At = late
		} else {
			spent[i].At = now
		}
	}
	slices.SortStableFunc(spent, func(a, b directory.Spend) int { return a.At.Compare(b.At) })
	g.restore(now, spent)
	m.restored = true
	return nil
}

// take takes one request from what is noted, noting more if need be, and
// tells until when it may leave.
func (m *meter) take(ctx context.Context) (until time.Time, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.log == nil {
		return time.Now().Add(blockValidity), nil
	}
	if m.expire(time.Now()); m.left == 0 {
		if err := m.note(ctx, blockSize); err != nil {
			return time.Time{}, err
		}
	}
	m.left--
	return m.until, nil
}

// giveBack returns a request that did not leave.
func (m *meter) giveBack(until time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.until.Equal(until) {
		m.left++
	}
}

// reserve notes as many requests as are missing from n.
func (m *meter) reserve(ctx context.Context, n int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.log == nil {
		return nil
	}
	if m.expire(time.Now()); m.left >= n {
		return nil
	}
	return m.note(ctx, n-m.left)
}

func (m *meter) expire(now time.Time) {
	if !now.Before(m.until) {
		m.left = 0
	}
}

func (m *meter) note(ctx context.Context, n int) error {
	at := time.Now().UTC().Truncate(time.Millisecond)
	if err := m.log.RecordSpend(ctx, directory.Spend{At: at, Requests: n, BySweep: m.bySweep}); err != nil {
		return storageError(err)
	}
	if m.left == 0 {
		m.until = at.Add(blockValidity)
	}
	m.left += n
	return nil
}

func storageError(err error) error {
	return &directory.UpstreamError{Reason: directory.ReasonStorage, Err: err}
}
