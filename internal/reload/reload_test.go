package reload

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// longAgo is before the beginning of time in a synctest bubble, so that a
// file of that time is settled.
var longAgo = time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)

func put(t *testing.T, path, content string, modified time.Time) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, modified, modified); err != nil {
		t.Fatal(err)
	}
}

// parseText takes anything but what begins with "broken".
func parseText(contents [][]byte) (string, error) {
	text := string(bytes.Join(contents, []byte("+")))
	if strings.HasPrefix(text, "broken") {
		return "", errors.New("it is " + text)
	}
	return text, nil
}

type journal struct{ bytes.Buffer }

func (j *journal) lines() int { return strings.Count(j.String(), "\n") }

func open(t *testing.T, paths ...string) (*Value[string], *journal) {
	t.Helper()
	j := &journal{}
	v, err := New("test file", paths, parseText, slog.New(slog.NewTextHandler(j, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return v, j
}

func want(t *testing.T, v *Value[string], content string) {
	t.Helper()
	if got := v.Get(); got != content {
		t.Errorf("Get() = %q, want %q", got, content)
	}
}

func TestAChangeIsSeenAfterASecondAndNotBefore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	synctest.Test(t, func(t *testing.T) {
		put(t, path, "one", longAgo)
		v, j := open(t, path)
		put(t, path, "second", longAgo)
		time.Sleep(lookEvery - 1)
		want(t, v, "one")
		time.Sleep(time.Nanosecond)
		want(t, v, "second")
		if j.lines() != 1 {
			t.Errorf("logged %d lines, want the one of the change:\n%s", j.lines(), j)
		}
	})
}

func TestAnUnchangedFileIsNotReadAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	synctest.Test(t, func(t *testing.T) {
		put(t, path, "one", longAgo)
		v, _ := open(t, path)
		put(t, path, "two", longAgo) // same file, size and time: stat cannot tell
		time.Sleep(time.Hour)
		want(t, v, "one")
		if err := v.Reload(); err != nil {
			t.Error(err)
		}
		want(t, v, "two")
	})
}

func TestAChangeOfEqualSizeIsSeenByItsTime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	synctest.Test(t, func(t *testing.T) {
		put(t, path, "one", longAgo)
		v, _ := open(t, path)
		put(t, path, "two", longAgo.Add(time.Nanosecond))
		time.Sleep(lookEvery)
		want(t, v, "two")
	})
}

func TestAFileThatOnlyLooksChangedIsNotTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	synctest.Test(t, func(t *testing.T) {
		put(t, path, "one", longAgo)
		v, j := open(t, path)
		for n := range 10 {
			put(t, path, "one", longAgo.Add(time.Duration(n)*time.Hour))
			time.Sleep(lookEvery)
			want(t, v, "one")
		}
		if j.lines() != 0 {
			t.Errorf("told what did not happen:\n%s", j)
		}
	})
}

func TestAChangeWithinOneTickOfTheClockIsSeen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		put(t, path, "one", now)
		v, _ := open(t, path)
		put(t, path, "two", now)
		time.Sleep(lookEvery)
		want(t, v, "two")
	})
}

func TestAFileReplacedByOneOfEqualSizeAndTimeIsSeen(t *testing.T) {
	dir := t.TempDir()
	path, next := filepath.Join(dir, "f"), filepath.Join(dir, "next")
	synctest.Test(t, func(t *testing.T) {
		put(t, path, "one", longAgo)
		v, _ := open(t, path)
		put(t, next, "two", longAgo)
		if err := os.Rename(next, path); err != nil {
			t.Fatal(err)
		}
		time.Sleep(lookEvery)
		want(t, v, "two")
	})
}

func TestABrokenFileKeepsTheOldContentAndIsToldOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	for name, spoil := range map[string]func(t *testing.T){
		"not parsed": func(t *testing.T) { put(t, path, "broken", longAgo) },
		"missing": func(t *testing.T) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		},
		"too large": func(t *testing.T) { put(t, path, strings.Repeat("x", maxBytes+1), longAgo) },
		"directory": func(t *testing.T) {
			if err := errors.Join(os.Remove(path), os.Mkdir(path, 0o700)); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				put(t, path, "one", longAgo)
				v, j := open(t, path)
				spoil(t)
				for range 10 {
					time.Sleep(lookEvery)
					want(t, v, "one")
				}
				if j.lines() != 1 || !strings.Contains(j.String(), "level=ERROR") || !strings.Contains(j.String(), path) {
					t.Errorf("want one line of an error that names the file, got:\n%s", j)
				}
				_ = os.Remove(path)
				put(t, path, "mended", longAgo)
				time.Sleep(lookEvery)
				want(t, v, "mended")
				if j.lines() != 2 {
					t.Errorf("the mend is not told:\n%s", j)
				}
			})
		})
	}
}

func TestAFileThatComesBackAsItWasIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	synctest.Test(t, func(t *testing.T) {
		put(t, path, "one", longAgo)
		v, j := open(t, path)
		for range 2 { // a second break is told again
			put(t, path, "broken", longAgo)
			time.Sleep(lookEvery)
			want(t, v, "one")
			put(t, path, "one", longAgo)
			time.Sleep(lookEvery)
			want(t, v, "one")
		}
		if j.lines() != 4 {
			t.Errorf("want two breaks and two mends, got:\n%s", j)
		}
	})
}

func TestReloadReturnsItsErrorAndLogsNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	synctest.Test(t, func(t *testing.T) {
		put(t, path, "one", longAgo)
		v, j := open(t, path)
		put(t, path, "broken", longAgo)
		if err := v.Reload(); err == nil {
			t.Error("Reload took a broken file")
		}
		time.Sleep(lookEvery)
		want(t, v, "one")
		put(t, path, "two", longAgo)
		if err := v.Reload(); err != nil {
			t.Error(err)
		}
		want(t, v, "two")
		time.Sleep(lookEvery)
		want(t, v, "two")
		if j.lines() != 0 {
			t.Errorf("what Reload returned is logged, too:\n%s", j)
		}
	})
}

func TestSeveralFilesMakeOneValue(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	synctest.Test(t, func(t *testing.T) {
		put(t, a, "1", longAgo)
		put(t, b, "2", longAgo)
		v, _ := open(t, a, b)
		want(t, v, "1+2")
		put(t, b, "22", longAgo)
		time.Sleep(lookEvery)
		want(t, v, "1+22")
	})
}

func TestNewRefusesWhatItCannotUse(t *testing.T) {
	dir := t.TempDir()
	broken := filepath.Join(dir, "broken")
	put(t, broken, "broken", longAgo)
	for _, path := range []string{broken, dir, os.DevNull, filepath.Join(dir, "missing")} {
		if _, err := New("test file", []string{path}, parseText, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("New(%s): error %v, want one that names it", path, err)
		}
	}
}

func TestReadersAndChangesAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	synctest.Test(t, func(t *testing.T) {
		put(t, path, "one", longAgo)
		v, _ := open(t, path)
		var readers sync.WaitGroup
		for range 8 {
			readers.Go(func() {
				for range 50 {
					if got := v.Get(); got != "one" && got != "two" {
						t.Errorf("Get() = %q", got)
					}
					time.Sleep(lookEvery / 3)
				}
			})
		}
		for i := range 10 {
			put(t, path, []string{"two", "one"}[i%2], longAgo)
			_ = v.Reload()
			time.Sleep(lookEvery)
		}
		readers.Wait()
	})
}
