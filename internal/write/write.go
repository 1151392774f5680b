// Package write passes writes on groups, users and guests through to Tallyfy
// and sees to the mirror's copy before the answer leaves. It also makes small
// changes of one group, which upstream can only replace as a whole: see
// Writer.Edit.
//
// A write is sent once, as it came; only one that upstream did not admit is
// sent again. Writes on one row go one at a time, in the order they came. What
// upstream answers is applied under the rule for observations if it shows all
// that was sent; otherwise the row is read. When nobody knows what became of a
// write, the row is in doubt until it was read again. A write that may reach
// rows which nobody can name makes everything be read again. Once a write is
// on its way it is seen through, whether or not its client waits.
package write

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"rollcall/internal/directory"
)

// An Upstream sends a request once, as it is. It fails with
// directory.ReasonBudget when it sent nothing.
type Upstream interface {
	Forward(context.Context, *http.Request) (*http.Response, error)
	// Awaited marks what is read under the returned context as what a caller
	// waits for, though not for long.
	Awaited(context.Context) context.Context
}

// A Mirror is brought up to date by what writes show. See package poller.
type Mirror interface {
	people
	Begin() directory.Observation
	ApplyGroup(context.Context, directory.Observation, directory.GroupRow, directory.Applied) (directory.Freshness, error)
	RemoveGroup(ctx context.Context, obs directory.Observation, id string, how directory.Applied) (directory.Freshness, error)
	SettleGroup(ctx context.Context, id string, how func(*directory.GroupRow) directory.Applied) (directory.Freshness, error)
	DoubtGroup(ctx context.Context, id string)
	MarkEverything()
	Sync(ctx context.Context, wait time.Duration) (directory.Sweep, error)
}

// patience is for the reads that a write's answer may call for.
const patience = time.Minute

// Options are what a Writer is made of. Upstream and Mirror are needed, and
// Groups for edits.
type Options struct {
	Upstream  Upstream
	Mirror    Mirror
	Groups    Groups
	Logger    *slog.Logger                 // nil discards
	Actor     func(context.Context) string // who writes; nil and "" are unknown
	RequestID func(context.Context) string // for the log; may be nil
}

// A Writer is safe for concurrent use.
type Writer struct {
	upstream  Upstream
	mirror    Mirror
	groups    Groups
	logger    *slog.Logger
	actor     func(context.Context) string
	requestID func(context.Context) string
	lines     lines // of groups
	persons   lines // of users and guests
}

// New makes a Writer.
func New(o Options) *Writer {
	w := &Writer{upstream: o.Upstream, mirror: o.Mirror, groups: o.Groups, logger: o.Logger, actor: o.Actor, requestID: o.RequestID}
	if w.logger == nil {
		w.logger = slog.New(slog.DiscardHandler)
	}
	if w.actor == nil {
		w.actor = nobody
	}
	if w.requestID == nil {
		w.requestID = nobody
	}
	return w
}

func nobody(context.Context) string { return "" }

// Group sends a write on groups: POST …/groups, PUT or DELETE …/groups/{id}.
// It returns upstream's answer, whatever its status, and what became of the
// mirror's copy.
//
// An error is an *directory.UpstreamError: with ReasonBudget or
// ReasonInternal nothing was sent, any other leaves the outcome unknown. While
// the write waits, in line or for upstream to admit it, it ends with ctx; once
// it is admitted it does not.
func (w *Writer) Group(ctx context.Context, r *http.Request, body []byte) (*directory.Outcome, error) {
	id := groupID(r.URL)
	return w.pass(ctx, r, body, passage{
		line: &w.lines, row: id, about: slog.String("group", id),
		lost: func(ctx context.Context) { w.doubt(ctx, id) },
		refresh: func(ctx context.Context, obs directory.Observation, out *directory.Outcome) (directory.Refresh, directory.Freshness) {
			o := &order{
				Writer: w, obs: obs, id: id, actor: w.actor(ctx),
				isDelete: r.Method == http.MethodDelete, sent: parseSent(body),
			}
			return o.refresh(ctx, out)
		},
	})
}

// A passage is a write on its way: the line in which it waits, how the log
// names its row, and what the mirror's copy needs when its outcome is lost or
// known.
type passage struct {
	line    *lines
	row     string // empty waits for nobody
	about   slog.Attr
	lost    func(context.Context)
	refresh func(context.Context, directory.Observation, *directory.Outcome) (directory.Refresh, directory.Freshness)
}

// pass sends a write in its turn and sees to the copy.
func (w *Writer) pass(ctx context.Context, r *http.Request, body []byte, p passage) (*directory.Outcome, error) {
	leave, err := p.line.enter(ctx, p.row)
	if err != nil {
		return nil, err
	}
	defer leave()
	began := time.Now()
	out, err := w.send(ctx, r, body, p)
	w.log(ctx, r.Method, p.about, out, err, time.Since(began))
	return out, err
}

func (w *Writer) send(ctx context.Context, r *http.Request, body []byte, p passage) (*directory.Outcome, error) {
	obs := w.mirror.Begin()
	out, err := w.forward(ctx, r, body)
	ctx = context.WithoutCancel(ctx)
	switch {
	case isUnsent(err):
		return nil, err
	case err != nil:
		p.lost(ctx)
		return nil, err
	}
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	out.Refresh, out.Freshness = p.refresh(bounded, obs, out)
	return out, nil
}

// isUnsent reports whether a forward failed before anything left.
func isUnsent(err error) bool {
	up, ok := errors.AsType[*directory.UpstreamError](err)
	return ok && (up.Reason == directory.ReasonBudget || up.Reason == directory.ReasonStorage || up.Reason == directory.ReasonInternal)
}

// doubt says that nobody knows what became of a write. A creation leaves no
// id to read, so that only a sweep can tell.
func (w *Writer) doubt(ctx context.Context, id string) {
	if id != "" {
		w.mirror.DoubtGroup(context.WithoutCancel(ctx), id)
		return
	}
	w.askForSweep(ctx)
}

func (w *Writer) askForSweep(ctx context.Context) {
	_, _ = w.mirror.Sync(ctx, 0) // without a wait it only asks
}

// log writes the one line of a write.
func (w *Writer) log(ctx context.Context, method string, about slog.Attr, out *directory.Outcome, err error, took time.Duration) {
	attrs := []slog.Attr{
		slog.String("method", method), about,
		slog.String("actor", w.actor(ctx)), slog.String("request_id", w.requestID(ctx)), slog.Duration("took", took),
	}
	if err != nil {
		outcome := "unknown"
		if isUnsent(err) {
			outcome = "not sent"
		}
		attrs = append(attrs, slog.String("outcome", outcome), slog.Any("error", err))
		w.logger.LogAttrs(ctx, slog.LevelWarn, "write", attrs...)
		return
	}
	attrs = append(attrs, slog.String("outcome", outcomeOf(out)), slog.Int("status", out.Status), slog.Int64("revision", out.Revision))
	w.logger.LogAttrs(ctx, slog.LevelInfo, "write", attrs...)
}

func outcomeOf(out *directory.Outcome) string {
	if out.Refresh == "" {
		return "refused"
	}
	return string(out.Refresh)
}
