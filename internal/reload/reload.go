// Package reload holds what was read from files and reads it again when they
// change. A change that cannot be used is told once, and what was read before
// stays.
package reload

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// lookEvery is how often, at most, the files are looked at.
	lookEvery = time.Second
	// settledAfter is the age at which a file's time can be told from that of
	// a later change, on file systems with coarse clocks.
	settledAfter = 2 * time.Second
)

// A Value is what a parser made of one or more files. It is safe for
// concurrent use.
type Value[T any] struct {
	what  string
	paths []string
	parse func(contents [][]byte) (T, error)
	log   *slog.Logger

	current  atomic.Pointer[T]
	made     time.Time
	nextLook atomic.Int64 // nanoseconds since made

	mu        sync.Mutex
	seen      []fs.FileInfo // nil when the files are to be read whatever they look like
	digest    [sha256.Size]byte
	complaint string // the last that was told, empty when all is well
}

// New reads the files and parses their contents, given in the order of paths.
// An error of parse must hold no secret, as it is logged. What names the files
// in errors and logs: "keys file".
func New[T any](what string, paths []string, parse func(contents [][]byte) (T, error), log *slog.Logger) (*Value[T], error) {
	v := &Value[T]{what: what, paths: paths, parse: parse, log: log, made: time.Now()}
	v.nextLook.Store(int64(lookEvery))
	if _, err := v.look(); err != nil {
		return nil, err
	}
	return v, nil
}

// Get returns the last content that could be used. Once a second, at most, it
// looks at the files first; meanwhile other callers get what there is.
func (v *Value[T]) Get() T {
	v.lookIfDue()
	return *v.current.Load()
}

// Reload reads the files now. With an error, the old content stays.
func (v *Value[T]) Reload() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.seen = nil
	_, err := v.look()
	v.complaint = ""
	if err != nil {
		v.complaint = err.Error()
	}
	return err
}

func (v *Value[T]) lookIfDue() {
	due, now := v.nextLook.Load(), int64(time.Since(v.made))
	if now < due || !v.nextLook.CompareAndSwap(due, now+int64(lookEvery)) {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	changed, err := v.look()
	v.tell(changed, err)
}

func (v *Value[T]) tell(changed bool, err error) {
	switch {
	case err != nil && err.Error() != v.complaint:
		v.complaint = err.Error()
		v.log.Error(v.what+" cannot be used: what was read before stays", "err", err)
	case err == nil && changed:
		v.complaint = ""
		v.log.Info(v.what + " was read again")
	case err == nil && v.complaint != "":
		v.complaint = ""
		v.log.Info(v.what + " is as it was before")
	}
}

// look reads the files if they changed, and reports whether their content did.
func (v *Value[T]) look() (changed bool, err error) {
	infos, err := v.stat()
	if err == nil && v.sameAsSeen(infos) {
		return false, nil
	}
	v.seen = nil
	if err != nil {
		return false, err
	}
	contents, err := v.read()
	if err != nil {
		return false, err
	}
	digest := digestOf(contents)
	if v.current.Load() == nil || digest != v.digest {
		parsed, err := v.parse(contents)
		if err != nil {
			return false, v.failed(strings.Join(v.paths, ", "), err)
		}
		v.current.Store(&parsed)
		v.digest, changed = digest, true
	}
	if settled(infos) {
		v.seen = infos
	}
	return changed, nil
}

func (v *Value[T]) failed(path string, err error) error {
	if inPath, ok := errors.AsType[*fs.PathError](err); ok {
		err = inPath.Err
	}
	return fmt.Errorf("%s %s: %w", v.what, path, err)
}

func digestOf(contents [][]byte) (sum [sha256.Size]byte) {
	h := sha256.New()
	for _, content := range contents {
		one := sha256.Sum256(content)
		h.Write(one[:])
	}
	h.Sum(sum[:0])
	return sum
}
