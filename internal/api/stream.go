package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"rollcall/internal/access"
	"rollcall/internal/directory"
)

// What streams cost at most, and how they are kept alive.
const (
	mostStreams    = 1000
	streamPage     = 500              // changes read at once
	heartbeat      = 15 * time.Second // after which a silent stream says that it lives
	accessChecked  = 30 * time.Second // after which access is decided anew
	accessPatience = 20 * time.Second // for deciding
	writePatience  = 30 * time.Second // for a reader to take what is sent
	retryAfter     = 3 * time.Second  // before a reader comes back
)

func streamOperation(v1 huma.API) *huma.Operation {
	return &huma.Operation{
		Method: http.MethodGet, Path: "/v1/changes/stream", OperationID: "stream-changes", Summary: "What changes, as it happens", Tags: []string{"changes"},
		Description: "The feed as server-sent events: id is the cursor of a change, event its type, data the change as /v1/changes has it, on one line. " +
			"A comment comes every 15 seconds of silence, with an id alone, so that a place never grows old. " +
			"Who comes back with Last-Event-ID misses and repeats nothing. A stream ends within a minute of its caller losing access, and when the server stops. " +
			"An event truncated stands first where the beginning was asked for and older changes are no longer kept.",
		Parameters: []*huma.Param{
			{Name: "after", In: "query", Description: "The place to begin at, as for /v1/changes. Last-Event-ID goes before it.", Schema: &huma.Schema{Type: huma.TypeString}},
			{Name: "Last-Event-ID", In: "header", Description: "The id of the last event that the caller has.", Schema: &huma.Schema{Type: huma.TypeString}},
		},
		Responses: map[string]*huma.Response{
			"200": {Description: "OK", Content: map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString}}}},
			"4XX": problemResponse(v1), "5XX": problemResponse(v1),
		},
	}
}

// streamChanges sends the feed as it grows. Each stream reads its own pages,
// so that a slow one holds nobody up.
func (s *server) streamChanges(w http.ResponseWriter, r *http.Request) error {
	if s.streams.Add(1) > mostStreams {
		s.streams.Add(-1)
		p := newProblem(http.StatusTooManyRequests, tooManyRequests, "%d streams are open, which is the most there may be: try again later, or ask /v1/changes with wait=30s.", mostStreams)
		p.header.Set("Retry-After", seconds(heartbeat))
		return p
	}
	defer s.streams.Add(-1)
	after, err := s.streamStart(r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	page, err := s.Mirror.Changes(ctx, directory.FeedQuery{After: after, Limit: streamPage})
	if err != nil {
		return err
	}
	h := w.Header()
	freshnessFor(r, page.Freshness).set(h)
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", vary)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return nil
	}
	out := &eventStream{to: w, control: http.NewResponseController(w)}
	_ = out.control.SetReadDeadline(time.Time{}) // the server's would end the stream
	if err := s.stream(ctx, out, page); err != nil && ctx.Err() == nil && !errors.Is(err, errStreamEnded) {
		s.Logger.InfoContext(ctx, "stream ended", "why", err.Error(), "actor", Actor(ctx), "request_id", RequestID(ctx))
	}
	return nil
}

// streamStart reads the one parameter and the one header that there are.
func (s *server) streamStart(r *http.Request) (*directory.FeedPlace, error) {
	query := r.URL.Query()
	for name, values := range query {
		switch {
		case name != "after":
			return nil, invalid(name, "is not known here: after is")
		case len(values) > 1:
			return nil, invalid(name, "is given more than once")
		case values[0] == "":
			return nil, invalid(name, "is empty: leave it out or give it a value")
		}
	}
	after := query.Get("after")
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		after = last
	}
	return s.feedStart(r.Context(), after)
}

var errStreamEnded = errors.New("the server is about to stop")

// stream sends a page and all that follow it, until the reader leaves, hangs
// or loses access, or the server stops.
func (s *server) stream(ctx context.Context, out *eventStream, page directory.FeedPage) error {
	alive, admitted := time.NewTicker(heartbeat), time.NewTicker(accessChecked)
	defer alive.Stop()
	defer admitted.Stop()
	out.printf("retry: %d\n\n", retryAfter.Milliseconds())
	if page.Pruned {
		out.printf("event: truncated\ndata: {\"detail\":\"Older changes are no longer kept.\"}\n\n")
	}
	for {
		if err := out.changes(page); err != nil {
			return err
		}
		moved := s.Mirror.Changed()
		next, err := s.Mirror.Changes(ctx, directory.FeedQuery{After: &page.Next, Limit: streamPage})
		if err != nil {
			return err
		}
		page = next
		quiet := moved
		if !isAtEnd(page) {
			quiet = nothingToWaitFor
		}
		for waiting := true; waiting; {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-s.stopping:
				return errStreamEnded
			case <-admitted.C:
				if err := s.stillMay(ctx, access.ReadFull); err != nil {
					return fmt.Errorf("access was lost: %w", err)
				}
			case <-alive.C:
				if isAtEnd(page) {
					if err := out.beat(page.Next); err != nil {
						return err
					}
				}
			case <-quiet:
				waiting = false
			}
		}
	}
}

var nothingToWaitFor = func() <-chan struct{} {
	closed := make(chan struct{})
	close(closed)
	return closed
}()

// stillMay decides anew whether the caller of a long request may do what it
// does.
func (s *server) stillMay(ctx context.Context, a access.Action) error {
	deciding, cancel := context.WithTimeout(ctx, accessPatience)
	defer cancel()
	caller, err := s.Access.Identify(deciding, http.Header{"Authorization": infoOf(ctx).authorization})
	if err == nil {
		_, err = s.Access.Decide(caller, a)
	}
	return err
}

// An eventStream writes server-sent events.
type eventStream struct {
	to      http.ResponseWriter
	control *http.ResponseController
	text    bytes.Buffer // not sent yet
}

func (e *eventStream) printf(format string, args ...any) { fmt.Fprintf(&e.text, format, args...) }

// send gives the reader a while to take what was printed. A wrapper without
// deadlines or flushing, as tests and files have, does without.
func (e *eventStream) send() error {
	if err := e.control.SetWriteDeadline(time.Now().Add(writePatience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := e.to.Write(e.text.Bytes()); err != nil {
		return err
	}
	e.text.Reset()
	if err := e.control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}

// changes sends the changes of a page.
func (e *eventStream) changes(page directory.FeedPage) error {
	for _, c := range page.Changes {
		change := newChange(c)
		body, err := encode(change)
		if err != nil {
			return err
		}
		e.printf("id: %s\nevent: %s\ndata: %s\n\n", change.Cursor, change.Type, bytes.TrimSpace(body))
	}
	if e.text.Len() == 0 {
		return nil
	}
	return e.send()
}

// beat says that the stream lives, and where it is.
func (e *eventStream) beat(at directory.FeedPlace) error {
	e.printf(": alive\nid: %s\n\n", feedCursor(at))
	return e.send()
}
