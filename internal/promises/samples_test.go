package promises_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A sample is what a program holds at one time.
type sample struct {
	at         time.Duration
	memory     int64 // bytes of its own, without what it maps of files
	goroutines int64
	file, log  int64 // bytes
	revision   int64
	state      string
}

const sampleHead = "    time   memory  goroutines      file       log  revision  state"

func (s sample) String() string {
	const mb = 1 << 20
	return fmt.Sprintf("%8s %5.1f MB %11d %6.1f MB %6.1f MB %9d  %s", s.at.Round(time.Second), float64(s.memory)/mb, s.goroutines,
		float64(s.file)/mb, float64(s.log)/mb, s.revision, s.state)
}

// samples is how many are taken.
const samples = 60

// measure takes samples until the time is over, and prints them as they come.
func (s *soak) measure(length time.Duration) {
	s.t.Log(sampleHead)
	began := time.Now()
	for n := range samples {
		time.Sleep(time.Until(began.Add(length * time.Duration(n+1) / samples)))
		one := s.sample()
		one.at = time.Since(began)
		s.series = append(s.series, one)
		s.t.Log(one)
		if isClosed(s.program.ended) {
			s.t.Fatalf("it has ended:\n%s", s.program.log)
		}
	}
}

func (s *soak) sample() (one sample) {
	got, err := s.do("GET", "/metrics", nil)
	if err != nil {
		s.t.Errorf("/metrics: %v", err)
	}
	for line := range strings.Lines(string(got.body)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch {
		case name == "go_goroutines":
			one.goroutines = number(value)
		case name == "rollcall_revision":
			revision, _ := strconv.ParseFloat(value, 64) // large ones come with an exponent
			one.revision = int64(revision)
		case strings.HasPrefix(name, "rollcall_state{") && value == "1":
			_, quoted, _ := strings.Cut(name, `="`)
			one.state = strings.TrimSuffix(quoted, `"}`)
		}
	}
	one.memory = s.anonymousMemory()
	one.file, one.log = s.size(""), s.size("-wal")
	return one
}

// anonymousMemory is what the program holds that is of no file; 0 where the
// system does not tell.
func (s *soak) anonymousMemory() int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.program.command.Process.Pid))
	if err != nil {
		return 0
	}
	_, after, _ := bytes.Cut(status, []byte("RssAnon:"))
	kilobytes, _, _ := bytes.Cut(bytes.TrimSpace(after), []byte(" "))
	return number(string(kilobytes)) << 10
}

func (s *soak) size(suffix string) int64 {
	info, err := os.Stat(s.path + suffix)
	if errors.Is(err, fs.ErrNotExist) {
		return 0
	}
	if err != nil {
		s.t.Error(err)
		return 0
	}
	return info.Size()
}

// wantFlat compares the last third of the time with the one before; the first
// is for warming up.
func (s *soak) wantFlat() {
	third := len(s.series) / 3
	middle, last := s.series[third:2*third], s.series[2*third:]
	for _, flat := range []struct {
		what  string
		of    func(sample) int64
		slack int64
	}{
		{"memory", func(s sample) int64 { return s.memory }, 8 << 20},
		{"goroutines", func(s sample) int64 { return s.goroutines }, 10},
		{"log", func(s sample) int64 { return s.log }, 8 << 20},
	} {
		before, after := median(middle, flat.of), median(last, flat.of)
		s.t.Logf("median of %s: %d, later %d", flat.what, before, after)
		if after > before+before/4+flat.slack {
			s.t.Errorf("%s grew from %d to %d", flat.what, before, after)
		}
	}
	for _, one := range s.series {
		if one.log > 72<<20 {
			s.t.Errorf("the log grew to %d bytes", one.log)
		}
	}
	s.wantGrowthByHistoryAlone(middle, last)
}

func median(series []sample, of func(sample) int64) int64 {
	values := make([]int64, 0, len(series))
	for _, one := range series {
		values = append(values, of(one))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// wantGrowthByHistoryAlone wants each revision to cost the file no more than
// it did before.
func (s *soak) wantGrowthByHistoryAlone(middle, last []sample) {
	perRevision := func(series []sample) int64 {
		first, final := series[0], series[len(series)-1]
		return (final.file - first.file) / max(1, final.revision-first.revision)
	}
	before, after := perRevision(middle), perRevision(last)
	s.t.Logf("a revision adds %d bytes to the file, later %d", before, after)
	if after > 2*before+4096 {
		s.t.Errorf("a revision added %d bytes to the file, later %d", before, after)
	}
}
