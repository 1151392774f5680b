package api

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/internal/directory"
)

// pipes are a listener whose connections live in virtual time.
type pipes struct {
	conns chan net.Conn
	close sync.Once
	done  chan struct{}
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.close.Do(func() { close(p.done) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

// A clientConn is the raw connection of a client that does as it likes.
type clientConn struct {
	net.Conn
	t       *testing.T
	opened  time.Time
	sending sync.WaitGroup
}

// inBubble runs a test in virtual time, with a client of h behind a server as
// the program has it.
func inBubble(t *testing.T, h http.Handler, test func(*testing.T, *clientConn)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		listener := newPipes()
		server := NewServer(h, slog.New(slog.DiscardHandler))
		var serving sync.WaitGroup
		serving.Go(func() { _ = server.Serve(listener) })
		ours, theirs := net.Pipe()
		listener.conns <- theirs
		client := &clientConn{Conn: ours, t: t, opened: time.Now()}
		test(t, client)
		ours.Close()
		client.sending.Wait()
		server.Close()
		serving.Wait()
		time.Sleep(time.Second) // for which a server lingers after a refusal
	})
}

// drip sends text, then more after each pause, until the server hangs up.
func (c *clientConn) drip(text, more string, pause time.Duration) {
	c.sending.Go(func() {
		_, err := io.WriteString(c, text)
		for err == nil {
			time.Sleep(pause)
			_, err = io.WriteString(c, more)
		}
	})
}

// answer reads one.
func (c *clientConn) answer() *http.Response {
	c.t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		c.t.Fatal(err)
	}
	return resp
}

// hangsUp wants the server to close the connection, and not before.
func (c *clientConn) hangsUp(after time.Duration) {
	c.t.Helper()
	if _, err := io.Copy(io.Discard, c); err != nil && !errors.Is(err, io.ErrClosedPipe) {
		c.t.Error(err)
	}
	if took := time.Since(c.opened); took < after || took > after+time.Minute {
		c.t.Errorf("the connection was closed after %s, want %s", took, after)
	}
}

func TestAHeaderThatComesByDropsIsCutOff(t *testing.T) {
	inBubble(t, newPeople(t).api, func(_ *testing.T, c *clientConn) {
		c.drip("GET /livez HTTP/1.1\r\nHost: localhost\r\nX: ", "x", time.Second)
		c.hangsUp(10 * time.Second)
	})
}

func TestABodyThatComesByDropsIsCutOff(t *testing.T) {
	w := newPeople(t)
	inBubble(t, w.api, func(t *testing.T, c *clientConn) {
		c.drip("POST "+groupsPath+" HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer own\r\nContent-Length: 100000\r\n\r\n", "x", time.Second)
		if resp := c.answer(); resp.StatusCode != http.StatusBadRequest {
			t.Error(resp.Status)
		}
		c.hangsUp(2 * time.Minute)
	})
	if w.writer.request != nil {
		t.Error("half a body was written")
	}
}

func TestAConnectionWithoutRequestsIsClosed(t *testing.T) {
	inBubble(t, newPeople(t).api, func(t *testing.T, c *clientConn) {
		if _, err := io.WriteString(c, "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if resp := c.answer(); resp.StatusCode != http.StatusOK {
			t.Error(resp.Status)
		}
		c.hangsUp(2 * time.Minute)
	})
}

func TestAClientThatDoesNotReadIsCutOff(t *testing.T) {
	inBubble(t, newPeople(t).api, func(t *testing.T, c *clientConn) {
		if _, err := io.WriteString(c, "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5*time.Minute + time.Second)
		synctest.Wait()
		if _, err := io.WriteString(c, "x"); err == nil {
			t.Error("the connection is still open")
		}
	})
}

func TestABodyThatNeverEndsIsRefusedOrLeftUnread(t *testing.T) {
	w := newPeople(t)
	w.poller.sweep.Result = directory.SweepRunning
	for _, c := range []struct {
		request string
		status  int
	}{
		{"POST " + groupsPath, http.StatusRequestEntityTooLarge},
		{"POST /organizations/" + org + "/tags", http.StatusRequestEntityTooLarge},
		{"POST /nothing", http.StatusNotFound},
		{"GET /livez", http.StatusOK},
	} {
		inBubble(t, w.api, func(t *testing.T, conn *clientConn) {
			head := fmt.Sprintf("%s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer own\r\nTransfer-Encoding: chunked\r\n\r\n", c.request)
			conn.drip(head, fmt.Sprintf("8000\r\n%s\r\n", strings.Repeat("x", 0x8000)), 0)
			if resp := conn.answer(); resp.StatusCode != c.status {
				t.Errorf("%s: %s, want %d", c.request, resp.Status, c.status)
			}
			conn.hangsUp(0)
		})
	}
	if w.writer.request != nil {
		t.Error("a body over the limit was written")
	}
}

func TestHeadersAreBoundedInNumberAndSize(t *testing.T) {
	for name, header := range map[string]string{
		"10,000 long": strings.Repeat("X-Header: value-of-the-header\r\n", 10_000),
		"10,000":      strings.Repeat("X: y\r\n", 10_000),
		"101":         strings.Repeat("X: y\r\n", 101),
		"over 64 KB":  "X: " + strings.Repeat("y", 70<<10) + "\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, newPeople(t).api, func(t *testing.T, c *clientConn) {
				c.drip("GET /v1/groups HTTP/1.1\r\nHost: localhost\r\n"+header+"\r\n", "\r\n", time.Second)
				if resp := c.answer(); resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
					t.Error(resp.Status)
				}
			})
		})
	}
	inBubble(t, newPeople(t).api, func(t *testing.T, c *clientConn) {
		c.drip("GET /livez HTTP/1.1\r\nHost: localhost\r\n"+strings.Repeat("X: y\r\n", 100)+"\r\n", "\r\n", time.Second)
		if resp := c.answer(); resp.StatusCode != http.StatusOK {
			t.Error("a hundred are refused:", resp.Status)
		}
	})
}
