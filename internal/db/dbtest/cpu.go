package dbtest

import (
	"testing"
	"time"
)

// A CPUMeter makes a benchmark report cpu-ns/op: the CPU time of the process
// between Start and Stop, which a busy machine hardly moves.
type CPUMeter struct {
	began, total time.Duration
}

// NewCPUMeter returns one that reports when b ends.
func NewCPUMeter(b *testing.B) *CPUMeter {
	m := &CPUMeter{}
	b.Cleanup(func() {
		if m.total > 0 {
			b.ReportMetric(float64(m.total)/float64(b.N), "cpu-ns/op")
		}
	})
	return m
}

// Start begins, or goes on, to measure.
func (m *CPUMeter) Start() { m.began = cpuTime() }

// Stop ends what Start began.
func (m *CPUMeter) Stop() { m.total += cpuTime() - m.began }
