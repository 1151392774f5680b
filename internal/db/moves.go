package db

import "sync"

// Changed returns a channel that is closed when another revision has been
// published by this process. Whoever wants to miss none takes the channel
// before reading. It costs as much for one who waits as for thousands.
func (db *DB) Changed() <-chan struct{} { return db.moves.next() }

// moves tell everybody who waits at once that the revision moved.
type moves struct {
	guard sync.Mutex
	moved chan struct{}
}

func (m *moves) next() <-chan struct{} {
	m.guard.Lock()
	defer m.guard.Unlock()
	if m.moved == nil {
		m.moved = make(chan struct{})
	}
	return m.moved
}

func (m *moves) tell() {
	m.guard.Lock()
	defer m.guard.Unlock()
	if m.moved != nil {
		close(m.moved)
		m.moved = nil
	}
}
