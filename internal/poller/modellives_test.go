package poller

import (
	"context"
	"errors"
	"sync"
	"time"

	"pgregory.net/rapid"

	"rollcall/internal/directory"
	"rollcall/internal/write"
)

// A life is one run of the process in a model.
type life struct {
	*Poller
	writer *write.Writer
	store  *mortal
	ctx    context.Context // until the end
	cancel context.CancelFunc
}

// begin starts the process on what the file holds.
func (m *model) begin() {
	l := &life{store: &mortal{Store: m.db}}
	o := m.guard
	o.Store = l.store
	m.start(o)
	l.Poller = m.world.Poller
	l.writer = write.New(write.Options{Upstream: m.client, Mirror: l.Poller})
	l.ctx, l.cancel = context.WithCancel(context.Background())
	m.life = l
}

// end ends the process wherever it is. Requests on their way are handled
// upstream, but nothing more comes to the file.
func (l *life) end() {
	l.store.mu.Lock()
	l.store.dead = true
	l.store.mu.Unlock()
	l.cancel()
}

func (m *model) kill() {
	m.life.end()
	m.close()
	m.open()
	m.begin()
}

// accept has the next sweep accept what is held. It is not held by a lie.
func (m *model) accept() {
	if held := m.life.Status().Held; held != nil && !m.lied {
		m.accepted = true
		m.aside(func(l *life) { _, _ = m.sweepAccepting(l, held.ID) })
	}
}

func (m *model) sweepAccepting(l *life, id string) (directory.Sweep, error) {
	var asking sync.WaitGroup
	defer asking.Wait()
	asking.Go(func() { _, _ = l.AcceptRemovals(l.ctx, id, time.Minute) })
	time.Sleep(time.Millisecond)
	return l.Sweep(l.ctx)
}

// failDisk fails the next publication, before or after it is stored.
func (m *model) failDisk() { m.life.store.breakDown(rapid.Bool().Draw(m.r, "after")) }

var errKilled = errors.New("the process was killed")

// A mortal is the file as one life sees it.
type mortal struct {
	Store
	mu       sync.RWMutex // held for writing by death alone
	dead     bool
	failing  sync.Mutex // guards what follows
	isBroken bool
	isLate   bool
}

// use runs do unless the process is dead, and keeps death waiting.
func (s *mortal) use(do func()) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.dead {
		return errKilled
	}
	do()
	return nil
}

func used[T any](s *mortal, do func() (T, error)) (v T, err error) {
	if dead := s.use(func() { v, err = do() }); dead != nil {
		return v, dead
	}
	return v, err
}

func (s *mortal) breakDown(late bool) {
	s.failing.Lock()
	defer s.failing.Unlock()
	s.isBroken, s.isLate = true, late
}

func (s *mortal) mend() {
	s.failing.Lock()
	defer s.failing.Unlock()
	s.isBroken = false
}

// fails says whether a publication fails, and whether it is stored all the
// same.
func (s *mortal) fails() (broken, late bool) {
	s.failing.Lock()
	defer s.failing.Unlock()
	broken, s.isBroken = s.isBroken, false
	return broken, s.isLate
}

func (s *mortal) Publish(ctx context.Context, p directory.Publication) (directory.Freshness, error) {
	broken, late := s.fails()
	if broken && !late {
		return directory.Freshness{}, errDisk
	}
	present, err := used(s, func() (directory.Freshness, error) { return s.Store.Publish(ctx, p) })
	if broken {
		return directory.Freshness{}, errDisk
	}
	return present, err
}

func (s *mortal) Index(ctx context.Context) (directory.Index, error) {
	return used(s, func() (directory.Index, error) { return s.Store.Index(ctx) })
}

func (s *mortal) GroupPayload(ctx context.Context, id string) (directory.Found[[]byte], error) {
	return used(s, func() (directory.Found[[]byte], error) { return s.Store.GroupPayload(ctx, id) })
}

func (s *mortal) MemberPayload(ctx context.Context, id int64) (directory.Found[[]byte], error) {
	return used(s, func() (directory.Found[[]byte], error) { return s.Store.MemberPayload(ctx, id) })
}

func (s *mortal) RecordSweep(ctx context.Context, sweep directory.Sweep) error {
	_, err := used(s, func() (none struct{}, err error) { return none, s.Store.RecordSweep(ctx, sweep) })
	return err
}
