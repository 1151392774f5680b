package export

import (
	"errors"
	"fmt"
	"io"

	"rollcall/internal/directory"
)

// A diskError is one of the place where files are made.
type diskError struct{ error }

func (e diskError) Unwrap() error { return e.error }

// onDisk marks an error of the place where files are made.
func onDisk(err error) error {
	if err == nil {
		return nil
	}
	return diskError{err}
}

// A disk is a file whose errors tell that they are its own.
type disk struct{ io.Writer }

func (d disk) Write(b []byte) (int, error) {
	n, err := d.Writer.Write(b)
	return n, onDisk(err)
}

// explain makes directory.ErrNotKept of an error of the disk.
func explain(err error) error {
	if _, isDisk := errors.AsType[diskError](err); !isDisk {
		return err
	}
	return fmt.Errorf("%w: %w", directory.ErrNotKept, err)
}
