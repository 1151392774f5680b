package export

import (
	"io"
	"time"
)

// lineSize is how much text is written at once.
const lineSize = 64 << 10

// A lines buffers text, with the instants that were written last in each
// column: most rows repeat them.
type lines struct {
	w        io.Writer
	buf      []byte
	columns  []Column
	instants []struct {
		ms   int64
		text []byte
	}
}

func newLines(w io.Writer, columns []Column) lines {
	l := lines{w: w, columns: columns, buf: make([]byte, 0, lineSize+lineSize/8)}
	l.instants = make([]struct {
		ms   int64
		text []byte
	}, len(columns))
	return l
}

// spill writes what is buffered once it is worth it.
func (l *lines) spill() error {
	if len(l.buf) < lineSize {
		return nil
	}
	return l.close()
}

func (l *lines) close() error {
	if len(l.buf) == 0 {
		return nil
	}
	_, err := l.w.Write(l.buf)
	l.buf = l.buf[:0]
	return err
}

// instant is a time as /v1 writes it, of column i.
func (l *lines) instant(i int, ms int64) []byte {
	last := &l.instants[i]
	if last.ms != ms || last.text == nil {
		last.ms, last.text = ms, time.UnixMilli(ms).UTC().AppendFormat(last.text[:0], time.RFC3339Nano)
	}
	return last.text
}
