package write

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"rollcall/internal/directory"
	"rollcall/internal/payload"
)

// Groups are those that the mirror shows.
type Groups interface {
	Group(context.Context, directory.GroupRef, *directory.AsOf) (directory.Found[directory.Group], error)
}

// An edit is a safe edit of one group in the making.
type edit struct {
	*Writer
	*directory.GroupEdit
	actor string

	readAt time.Time          // no later than the read of fresh began
	fresh  directory.GroupRow // as upstream showed it before
	plan   plan
	sent   sent // the plan, as a row

	obs   directory.Observation // of the answer
	shown directory.GroupRow    // as upstream showed it after; no id when it is gone
}

// Edit makes a small change of one group, which upstream can only replace as
// a whole. In the group's turn it reads the group fresh, changes what e asks,
// sends all of it and compares what comes back. No other write through
// Rollcall comes between; what somebody changes upstream between the read and
// the write cannot be seen and is overwritten.
//
// put is the request to send, but for its body. Nothing was sent if the error
// is another than *directory.RefusedError, *directory.EditConflictError or
// *directory.UnknownOutcomeError. Until it is sent the edit ends with ctx.
func (w *Writer) Edit(ctx context.Context, put *http.Request, asked directory.GroupEdit) (*directory.EditedGroup, error) {
	leave, err := w.lines.enter(ctx, asked.ID)
	if err != nil {
		return nil, err
	}
	defer leave()
	began := time.Now()
	e := &edit{Writer: w, GroupEdit: &asked, actor: w.actor(ctx)}
	edited, err := e.run(ctx, put)
	e.log(ctx, edited, err, time.Since(began))
	return edited, err
}

func (e *edit) run(ctx context.Context, put *http.Request) (*directory.EditedGroup, error) {
	if err := e.prepare(ctx); err != nil {
		return nil, err
	}
	switch {
	case e.plan.isEmpty():
		return e.unchanged(ctx)
	case e.DryRun:
		return e.preview(ctx)
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	ctx = context.WithoutCancel(ctx)
	if err := e.send(ctx, put); err != nil {
		return nil, err
	}
	return e.verdict(ctx)
}

// prepare reads the group and plans its change.
func (e *edit) prepare(ctx context.Context) error {
	err := e.read(ctx)
	if err != nil {
		return err
	}
	version := directory.VersionOf(e.fresh.Name, e.fresh.Description, e.fresh.Members, e.fresh.Guests)
	if !e.allows(version) {
		return &directory.VersionError{Version: version}
	}
	if e.plan, err = newPlan(&e.fresh, e.GroupEdit); err != nil {
		return err
	}
	row, err := e.plan.row(e.ID)
	e.sent = sent{
		fields:   directory.Sent{Name: true, Description: e.plan.Description != nil, Members: true, Guests: true},
		readable: true, row: row,
	}
	return err
}

var (
	errMoving  = errors.New("it is written or looked at all the time")
	errPartial = errors.New("it comes without its members or guests")
)

// read reads the group from upstream and publishes what that shows. A read
// that is not published is an error, because it is not believed.
func (e *edit) read(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(e.upstream.Awaited(ctx), patience)
	defer cancel()
	e.readAt = time.Now()
	_, err := e.mirror.SettleGroup(ctx, e.ID, func(shown *directory.GroupRow) directory.Applied {
		e.fresh = rowOf(shown)
		return refreshed
	})
	switch {
	case errors.Is(err, directory.ErrSuperseded):
		return e.unusable(directory.ReasonUnsteady, errMoving)
	case err != nil:
		return err
	case e.fresh.ID == "":
		return directory.ErrUnknownGroup
	case isPartial(&e.fresh):
		return e.unusable(directory.ReasonShape, errPartial)
	}
	return nil
}

// rowOf is a group that upstream showed, without an id when it is gone.
func rowOf(shown *directory.GroupRow) directory.GroupRow {
	if shown == nil || shown.Deleted {
		return directory.GroupRow{}
	}
	return *shown
}

func isPartial(row *directory.GroupRow) bool { return row.MembersAbsent || row.GuestsAbsent }

func (e *edit) unusable(reason directory.Reason, why error) error {
	return &directory.UpstreamError{Op: "read group " + e.ID, Reason: reason, Err: why}
}

// allows reports whether the group may be edited in this version.
func (e *edit) allows(version string) bool {
	return e.Versions == nil || slices.Contains(e.Versions, version)
}

func (e *edit) unchanged(ctx context.Context) (*directory.EditedGroup, error) {
	found, err := e.groups.Group(ctx, directory.GroupRef{ID: e.ID}, nil)
	return &directory.EditedGroup{Found: found}, err
}

// preview is what an edit would make of the group.
func (e *edit) preview(ctx context.Context) (*directory.EditedGroup, error) {
	found, err := e.groups.Group(ctx, directory.GroupRef{ID: e.ID}, nil)
	if err != nil {
		return nil, err
	}
	g, would := &found.Row, &e.sent.row
	g.Name, g.Description, g.Members, g.Guests = would.Name, would.Description, would.Members, would.Guests
	g.MemberCount, g.GuestCount = would.MemberCount, would.GuestCount
	g.Version = directory.VersionOf(g.Name, g.Description, g.Members, g.Guests)
	return &directory.EditedGroup{Found: found, Changed: true, Body: e.plan.body()}, nil
}

// verdict compares what came back with what was sent.
func (e *edit) verdict(ctx context.Context) (*directory.EditedGroup, error) {
	if e.shown.ID == "" {
		return nil, directory.ErrUnknownGroup
	}
	came, err := payload.PartsOf(e.shown.Payload)
	if err != nil {
		return nil, err
	}
	found, err := e.groups.Group(ctx, directory.GroupRef{ID: e.ID}, nil)
	if err != nil {
		return nil, err
	}
	differences := e.plan.differences(&e.sent.row, &e.shown, came)
	if !isHeldBy(e.GroupEdit, &e.shown, came) {
		return nil, &directory.EditConflictError{Differences: differences, Freshness: found.Freshness}
	}
	return &directory.EditedGroup{Found: found, Changed: true, Differences: differences}, nil
}

// log writes the one line of an edit.
func (e *edit) log(ctx context.Context, edited *directory.EditedGroup, err error, took time.Duration) {
	attrs := []slog.Attr{
		slog.String("method", "edit"), slog.String("group", e.ID),
		slog.String("actor", e.actor), slog.String("request_id", e.requestID(ctx)), slog.Duration("took", took),
		slog.String("outcome", e.outcome(edited, err)),
	}
	level := slog.LevelInfo
	if err != nil {
		level = slog.LevelWarn
		attrs = append(attrs, slog.Any("error", err))
	} else {
		attrs = append(attrs, slog.Int64("revision", edited.Revision))
	}
	e.logger.LogAttrs(ctx, level, "write", attrs...)
}

func (e *edit) outcome(edited *directory.EditedGroup, err error) string {
	_, refused := errors.AsType[*directory.RefusedError](err)
	_, conflict := errors.AsType[*directory.EditConflictError](err)
	_, unknown := errors.AsType[*directory.UnknownOutcomeError](err)
	switch {
	case refused:
		return "refused"
	case conflict:
		return "conflict"
	case unknown:
		return "unknown"
	case err != nil:
		return "not sent"
	case !edited.Changed:
		return "nothing to do"
	case e.DryRun:
		return "dry run"
	}
	return string(directory.RefreshApplied)
}
