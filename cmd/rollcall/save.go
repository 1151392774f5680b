package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// save fetches a file and puts it under a name, - for standard output. Where
// it broke off, nothing was saved.
func (c *client) save(ctx context.Context, con *console, path string, query url.Values, name string) error {
	response, err := c.send(ctx, http.MethodGet, path, query)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusBadRequest {
		problem, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
		if err != nil {
			return fmt.Errorf("the answer of %s broke off: %w", c.name, err)
		}
		return refused(response, problem)
	}
	body := io.Reader(response.Body)
	if isTerminal(con.stderr) {
		bar := newBar(con.stderr, body, filepath.Base(name), response.ContentLength)
		defer bar.clear()
		body = bar
	}
	if name == "-" {
		_, err := io.Copy(con.stdout, body)
		return brokenOff(c.name, err)
	}
	size, err := writeWhole(name, func(file io.Writer) (int64, error) {
		n, err := io.Copy(file, body)
		return n, brokenOff(c.name, err)
	})
	if err != nil {
		return fmt.Errorf("%s was not saved: %w", name, err)
	}
	_, err = fmt.Fprintf(con.stdout, "saved %s, %d bytes, revision %s\n", name, size, response.Header.Get("Rollcall-Revision"))
	return err
}

func brokenOff(server string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("what %s sent broke off: %w", server, err)
}

// writeWhole makes a file that has its name when it is whole and on disk. Only
// its owner may read it.
func writeWhole(name string, fill func(io.Writer) (int64, error)) (size int64, err error) {
	folder := filepath.Dir(name)
	file, err := os.CreateTemp(folder, "."+filepath.Base(name)+".*.partial")
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	size, err = fill(file)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return 0, err
	}
	if err := os.Rename(file.Name(), name); err != nil {
		return 0, err
	}
	if opened, err := os.Open(folder); err == nil { // not every system can sync one
		_ = opened.Sync()
		_ = opened.Close()
	}
	return size, nil
}

// A bar shows on a terminal how much of a file has come.
type bar struct {
	line  progressLine
	from  io.Reader
	name  string
	total int64 // -1 if it is not known
	done  int64
	drawn time.Time
}

func newBar(terminal io.Writer, from io.Reader, name string, total int64) *bar {
	return &bar{line: progressLine{terminal: terminal}, from: from, name: name, total: total}
}

// Read passes on what has come and draws it, now and then.
func (b *bar) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	b.done += int64(n)
	if now := time.Now(); now.Sub(b.drawn) >= progressInterval {
		b.drawn = now
		b.line.draw(b.String())
	}
	return n, err
}

func (b *bar) clear() { b.line.draw("") }

// barWidth is how many characters the whole of a file is.
const barWidth = 30

// String is the line.
func (b *bar) String() string {
	const mega = 1e6
	if b.total <= 0 {
		return fmt.Sprintf("%s: %.1f MB", b.name, float64(b.done)/mega)
	}
	filled := int(min(barWidth, b.done*barWidth/b.total))
	return fmt.Sprintf("%s: [%s%s] %3d%%, %.1f of %.1f MB", b.name, strings.Repeat("#", filled), strings.Repeat(".", barWidth-filled),
		b.done*100/b.total, float64(b.done)/mega, float64(b.total)/mega)
}
