package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// cpuTime is how long the threads of a process and of its descendants have
// been on a CPU. Threads that ended are not counted: servers keep theirs.
func cpuTime(pid int) (time.Duration, error) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
	if err != nil || len(tasks) == 0 {
		return 0, fmt.Errorf("process %d has no threads in /proc: it has ended, or this is not Linux", pid)
	}
	var total time.Duration
	for _, task := range tasks {
		spent, err := taskTime(task)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return 0, err
		}
		total += spent
	}
	return total, nil
}

func taskTime(task string) (time.Duration, error) {
	text, err := os.ReadFile(filepath.Join(task, "schedstat"))
	if err != nil {
		return 0, err
	}
	total, err := parseSchedstat(string(text))
	if err != nil {
		return 0, err
	}
	children, _ := os.ReadFile(filepath.Join(task, "children")) // kernels may lack it
	for child := range strings.FieldsSeq(string(children)) {
		pid, err := strconv.Atoi(child)
		if err != nil {
			return 0, fmt.Errorf("%s: child %q is no process id", task, child)
		}
		if spent, err := cpuTime(pid); err == nil { // else it has ended
			total += spent
		}
	}
	return total, nil
}

// parseSchedstat reads the first number of a thread's schedstat, nanoseconds
// on a CPU.
func parseSchedstat(text string) (time.Duration, error) {
	first, _, _ := strings.Cut(text, " ")
	ns, err := strconv.ParseInt(first, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("schedstat %q does not begin with nanoseconds", text)
	}
	return time.Duration(ns), nil
}

// anonymous is the resident anonymous memory of a process, in bytes.
func anonymous(pid int) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	kb, err := strconv.ParseInt(strings.TrimSuffix(statusField(string(status), "RssAnon"), " kB"), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("/proc/%d/status has no RssAnon", pid)
	}
	return kb << 10, nil
}

// statusField is a field of a /proc/PID/status, empty if it is not there.
func statusField(status, name string) string {
	for line := range strings.Lines(status) {
		if value, found := strings.CutPrefix(line, name+":"); found {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// pins are the CPUs of the server that is measured and of what loads it,
// empty where there is only one.
type pins struct{ server, load string }

// pinsFor takes the first and the last of the CPUs that we may run on, a list
// such as 0-3,8.
func pinsFor(allowed string) pins {
	ends := strings.FieldsFunc(allowed, func(r rune) bool { return r == ',' || r == '-' })
	if len(ends) < 2 || ends[0] == ends[len(ends)-1] {
		return pins{}
	}
	return pins{ends[0], ends[len(ends)-1]}
}

func allowedCPUs() string {
	status, _ := os.ReadFile("/proc/self/status") // without it nothing is pinned
	return statusField(string(status), "Cpus_allowed_list")
}

// machine says in a line what the figures were measured on.
func machine() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	model := "unknown CPU"
	for line := range strings.Lines(string(info)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			model = strings.TrimSpace(value)
			break
		}
	}
	return fmt.Sprintf("%s, CPUs %s", model, allowedCPUs())
}
