package write

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"rollcall/internal/directory"
)

const (
	mostWaiting = 100              // writes on one row at once
	longestTurn = 90 * time.Second // that one of them waits
)

var (
	errLineFull = errLine("too many writes on this row wait already")
	errLineSlow = errLine("the writes on this row that came before take too long")
)

func errLine(why string) error {
	return &directory.UpstreamError{
		Op: "write", Reason: directory.ReasonBudget, RetryAfter: 5 * time.Second, Err: errors.New(why),
	}
}

// lines let writes on one row of a kind through one at a time, in the order
// they came. Different rows do not wait for each other.
type lines struct {
	mu   sync.Mutex
	rows map[string]*line
}

// A line exists while a write is under way; turns are those that wait.
type line struct{ turns []chan struct{} }

// enter waits for the turn of a write on a row, neither longer than
// longestTurn nor than ctx lasts. The caller leaves when the write and its
// refresh are over. A write without an id, a creation, waits for nobody.
func (l *lines) enter(ctx context.Context, id string) (leave func(), err error) {
	if id == "" {
		return func() {}, nil
	}
	turn, err := l.join(id)
	if err != nil {
		return nil, err
	}
	tooLong := time.NewTimer(longestTurn)
	defer tooLong.Stop()
	select {
	case <-turn:
		return func() { l.leave(id) }, nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-tooLong.C:
		err = errLineSlow
	}
	l.giveUp(id, turn)
	return nil, err
}

// join returns a channel that is closed when the turn has come.
func (l *lines) join(id string) (chan struct{}, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	turn := make(chan struct{})
	if l.rows == nil {
		l.rows = map[string]*line{}
	}
	switch at := l.rows[id]; {
	case at == nil:
		l.rows[id] = &line{}
		close(turn)
	case len(at.turns) >= mostWaiting:
		return nil, errLineFull
	default:
		at.turns = append(at.turns, turn)
	}
	return turn, nil
}

// leave passes the turn on.
func (l *lines) leave(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.rows[id]
	if len(at.turns) == 0 {
		delete(l.rows, id)
		return
	}
	close(at.turns[0])
	at.turns = at.turns[1:]
}

// giveUp leaves the line early, or passes a turn on that came at this moment.
func (l *lines) giveUp(id string, turn chan struct{}) {
	l.mu.Lock()
	at := l.rows[id]
	i := slices.Index(at.turns, turn)
	if i >= 0 {
		at.turns = slices.Delete(at.turns, i, i+1)
	}
	l.mu.Unlock()
	if i < 0 {
		l.leave(id)
	}
}
