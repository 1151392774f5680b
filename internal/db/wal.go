package db

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
)

// After a kill or a power failure SQLite plays the log up to the first frame
// that is not as it should be, and takes what follows for the traces of a
// write that was under way. Where the log was spoilt later, it so drops
// revisions that had been on the disk and shown, or all of them. But of what
// https://sqlite.org/fileformat2.html#the_write_ahead_log describes, this is
// certain after any end of its writer:
//
//   - The head is written in one piece, into a new log and, once all of the old
//     is in the file, over the old one's, and is forced to the disk before a
//     frame follows. So a log that is longer than a head has a good one. One
//     that is not holds nothing, whatever is in it: its writer ended as it made
//     the log.
//   - A transaction is forced to the disk before the next begins, and every
//     frame sums up those before it. So what comes before a frame that goes on
//     from the end of a transaction is good. What the last transaction has left
//     may be anything.
//
// A log of which one of these does not hold is damaged.

const (
	logHeadSize   = 32
	frameHeadSize = 24
)

// A logScan reads a log frame by frame.
type logScan struct {
	in    *bufio.Reader
	order binary.ByteOrder // of the words that are summed
	salts [8]byte          // of its frames; others are left from before
	frame []byte           // the last read, with its head
	sum   logSum           // up to that frame, by its own account
}

// noPage is beyond every page.
const noPage = math.MaxInt64

// scanLog returns the pages beyond a number that the whole transactions of a
// log hold. Its error is a damage if the log is damaged: more than once at the
// same place, as a process that writes may be at it.
func scanLog(path string, beyond int64) (pages map[uint32]struct{}, err error) {
	for again := error(nil); ; again = err {
		pages, err = scanLogOnce(path, beyond)
		if _, isDamage := errors.AsType[damage](err); !isDamage || errors.Is(err, again) {
			return pages, err
		}
	}
}

func scanLogOnce(path string, beyond int64) (map[uint32]struct{}, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	scan := &logScan{in: bufio.NewReaderSize(file, 1<<16)}
	if err := scan.readHead(); err != nil {
		return nil, atEnd(err)
	}
	return scan.pages(beyond)
}

// atEnd takes the end of a log, in the middle of something or not, for no
// error.
func atEnd(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

func (s *logScan) readHead() error {
	var head [logHeadSize]byte
	if _, err := io.ReadFull(s.in, head[:]); err != nil {
		return err
	}
	switch binary.BigEndian.Uint32(head[:]) {
	case 0x377f0682:
		s.order = binary.LittleEndian
	case 0x377f0683:
		s.order = binary.BigEndian
	default:
		return damage("the head of its log is lost")
	}
	size := binary.BigEndian.Uint32(head[8:])
	s.sum, s.salts = sumAt(head[24:]), [8]byte(head[16:])
	if s.sum != (logSum{}).add(s.order, head[:24]) || size > 1<<16 {
		return damage("the head of its log is damaged")
	}
	s.frame = make([]byte, frameHeadSize+size)
	return nil
}

// next reads a frame. It reports whether the frame is of this log and goes on
// from the one before.
func (s *logScan) next() (follows bool, err error) {
	if _, err := io.ReadFull(s.in, s.frame); err != nil {
		return false, err
	}
	sum := s.sum.add(s.order, s.frame[:8]).add(s.order, s.frame[frameHeadSize:])
	s.sum = sumAt(s.frame[16:])
	return sum == s.sum && [8]byte(s.frame[8:]) == s.salts, nil
}

// isEnd reports whether the frame is the last of a transaction.
func (s *logScan) isEnd() bool { return binary.BigEndian.Uint32(s.frame[4:]) != 0 }

func (s *logScan) pages(beyond int64) (map[uint32]struct{}, error) {
	whole := map[uint32]struct{}{}
	var begun []uint32
	isCut, wasEnd := false, false
	for at := int64(logHeadSize); ; at += int64(len(s.frame)) {
		follows, err := s.next()
		switch {
		case err != nil:
			return whole, atEnd(err)
		case isCut && follows && wasEnd:
			return nil, damage(fmt.Sprintf("its log is damaged before byte %d", at))
		case !follows:
			isCut = true
		}
		wasEnd = s.isEnd()
		if isCut {
			continue
		}
		if page := binary.BigEndian.Uint32(s.frame); int64(page) > beyond {
			begun = append(begun, page)
		}
		if wasEnd {
			for _, page := range begun {
				whole[page] = struct{}{}
			}
			begun = begun[:0]
		}
	}
}

// A logSum is the running checksum of a log.
type logSum [2]uint32

func (s logSum) add(order binary.ByteOrder, words []byte) logSum {
	for ; len(words) >= 8; words = words[8:] {
		s[0] += order.Uint32(words) + s[1]
		s[1] += order.Uint32(words[4:]) + s[0]
	}
	return s
}

func sumAt(b []byte) logSum {
	return logSum{binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])}
}
