package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"rollcall/internal/directory"
)

// keptBytes bounds what is kept; keptMost a single answer.
const (
	keptBytes = 16 << 20
	keptMost  = 1 << 20
)

// A shelf keeps answers as they were sent, compressed where they were, while
// the state that they show is the present one.
type shelf struct {
	answers *otter.Cache[shelfKey, *reply]
	state   atomic.Pointer[state] // of what is on it
}

// A state is the part of a Freshness that all rows share: two that are equal
// are one state of one mirror.
type state struct{ revision, nonce, erased int64 }

func stateOf(f directory.Freshness) state { return state{f.Revision, f.Nonce, f.Erased} }

// A shelfKey is what an answer depends on beside the rights of the caller,
// which are looked at before.
type shelfKey struct {
	state
	asked  string // as in its ETag
	origin string // of a list, whose header may link to the next page
	coding string // Accept-Encoding as sent
}

func newShelf() (*shelf, error) {
	answers, err := otter.New(&otter.Options[shelfKey, *reply]{
		MaximumWeight: keptBytes,
		Weigher: func(k shelfKey, a *reply) uint32 {
			return uint32(a.size() + len(k.asked) + len(k.origin) + len(k.coding))
		},
	})
	return &shelf{answers: answers}, err
}

// turnTo drops what is there of another state.
func (s *shelf) turnTo(now state) {
	if last := s.state.Load(); last == nil || *last != now {
		next := now
		if s.state.CompareAndSwap(last, &next) {
			s.answers.InvalidateAll()
		}
	}
}

// kept lets h answer a read of the mirror, compressed to those who accept it,
// and gives its answer again to whoever asks the same of the same state. Of
// many who ask at once, one has h answer. Where what is present is not all
// that an answer may depend on, h answers each.
func (s *server) kept(of scope, h handler) handler {
	h = s.compressed(h)
	return func(w http.ResponseWriter, r *http.Request) error {
		now := time.Now()
		present, suffices := s.presentFor(r, of, now)
		if !suffices || !isWellFormed(r.URL.RawQuery) {
			return h(w, r)
		}
		key := shelfKey{state: stateOf(present.Freshness), asked: s.asked(r, of), coding: strings.Join(r.Header["Accept-Encoding"], ",")}
		if of == scopeList {
			key.origin = s.origin(r)
		}
		s.shelf.turnTo(key.state)
		a, isKept := s.shelf.answers.GetIfPresent(key)
		if !isKept && s.isSpared(w, r, present, key.asked) {
			return nil
		}
		if !isKept {
			var own *draft
			if a, own = s.fill(r, key, h); a == nil {
				return own.otherwise(h)(w, r)
			}
			if now = time.Now(); !s.isYoungEnough(r, present, now) { // it waited
				return h(w, r)
			}
		}
		setMoving(w.Header(), present.Freshness, now)
		a.give(w, r)
		return nil
	}
}

var errNotKept = errors.New("this answer is not kept")

// fill has h answer and keeps that, or waits for somebody who does. If there
// is nothing to keep it returns what h answered to r, if it did.
func (s *server) fill(r *http.Request, key shelfKey, h handler) (a *reply, own *draft) {
	a, _ = s.shelf.answers.Get(r.Context(), key, otter.LoaderFunc[shelfKey, *reply](func(ctx context.Context, _ shelfKey) (*reply, error) {
		own = drafted(h, r.WithContext(ctx))
		if own.status != http.StatusOK || own.shows != key.state || own.body.Len() > keptMost {
			return nil, errNotKept
		}
		own.header.Set("Cache-Status", cacheHit)
		own.header.Del("Age") // is told anew each time, as is
		own.header.Del("Rollcall-Confirmed-At")
		return own.reply(), nil
	}))
	return a, own
}
