package promises_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// marks are the words that writes leave, each its own, and when each write
// was sent and answered.
type marks struct {
	mu   sync.Mutex
	now  int // counts beginnings and ends
	all  []*mark
	lost int
}

// A mark is over when it was answered and read, never if the answer was lost.
type mark struct {
	row, text         string
	began, over, lost int
}

const markPrefix = "write "

func (m *marks) begin(row string) *mark {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now++
	made := &mark{row: row, text: markPrefix + strconv.Itoa(len(m.all)+1), began: m.now}
	m.all = append(m.all, made)
	return made
}

func (m *marks) end(over *mark) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now++
	over.over = m.now
}

// lose notes that the answer to a write was lost.
func (m *marks) lose(lost *mark) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now++
	m.lost++
	lost.lost = m.now
}

// serialOf is the number of a write by its words, 0 for other words.
func (m *marks) serialOf(text string) int {
	n, _ := strconv.Atoi(strings.TrimPrefix(text, markPrefix))
	if text != fmt.Sprint(markPrefix, n) {
		return 0
	}
	return n
}

// mayShow reports whether the row of a write may show other words once that
// was answered: those of a write that was not over when it began.
func (m *marks) mayShow(written *mark, text string) bool {
	return m.find(written, func(other *mark) bool {
		return other.text == text && (other.over == 0 || other.over > written.began)
	})
}

// isInDoubtAgain reports whether another write of the same row may have been
// lost since: a sweep that was under way then does not settle the row.
func (m *marks) isInDoubtAgain(lost *mark) bool {
	return m.find(lost, func(other *mark) bool {
		return other.over == 0 && (other.lost == 0 || other.lost > lost.lost)
	})
}

// find reports whether another write of the same row fits.
func (m *marks) find(than *mark, fits func(*mark) bool) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.ContainsFunc(m.all, func(other *mark) bool { return other != than && other.row == than.row && fits(other) })
}
