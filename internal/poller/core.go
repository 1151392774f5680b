package poller

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"rollcall/internal/directory"
)

// A core is what sweeps and single observations share: the ledgers and the
// way to the mirror.
type core struct {
	store        Store
	observations observations

	// applying is held from the look at the ledgers to the end of the
	// publication that follows from it. No request is made under it. It
	// guards the ledgers and what follows.
	applying sync.Mutex
	groups   *shelf[string, directory.GroupRow]
	members  *shelf[int64, directory.MemberRow]
	present  directory.Freshness
	suspect  bool // the ledgers may not show what is stored: they were not filled yet, or a publication failed
}

// load fills the ledgers from the mirror. What they held is forgotten, so
// every observation that began before is void; the first time they held
// nothing.
func (c *core) load(ctx context.Context) error {
	index, err := c.store.Index(ctx)
	if err != nil {
		return &storageError{fmt.Errorf("read the index of the mirror: %w", err)}
	}
	if c.groups.rows != nil {
		c.observations.voidAll()
	}
	c.groups.fill(index.Groups)
	c.members.fill(index.Members)
	c.present = index.Freshness
	c.suspect = false
	return nil
}

// trust makes the ledgers show what is stored. The caller holds applying.
func (c *core) trust(ctx context.Context) error {
	if !c.suspect {
		return nil
	}
	return c.load(ctx)
}

// publish writes one publication. When it fails, nobody knows what was
// stored, so the ledgers are read anew before their next use. The caller
// holds applying.
func (c *core) publish(ctx context.Context, pub directory.Publication) error {
	present, err := c.store.Publish(ctx, pub)
	if err != nil {
		c.suspect = true
		return &storageError{err}
	}
	c.present = present
	return nil
}

// A storageError says that the mirror could not be read or written.
type storageError struct{ error }

func (e *storageError) Unwrap() error { return e.error }

// reasonOf classes any error of an observation.
func reasonOf(err error) directory.Reason {
	if _, ok := errors.AsType[*storageError](err); ok {
		return directory.ReasonStorage
	}
	return directory.ReasonOf(err)
}
