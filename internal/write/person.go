package write

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"

	"rollcall/internal/directory"
	"rollcall/internal/payload"
)

// people is what a Mirror does for writes on users.
type people interface {
	ApplyMember(context.Context, directory.Observation, directory.MemberRow, directory.Applied) (directory.Freshness, error)
	SettleMember(ctx context.Context, id int64, how func(*directory.MemberRow) directory.Applied) (directory.Freshness, error)
	DoubtMember(ctx context.Context, id int64)
}

// Person sends a write on a user or a guest, under the terms of Group. Its
// path is one of those below /organizations/{org} that targetOf knows; of any
// other nobody knows what it reaches.
func (w *Writer) Person(ctx context.Context, r *http.Request, body []byte) (*directory.Outcome, error) {
	t := targetOf(r.Method, r.URL, body)
	o := &personOrder{Writer: w, target: t, actor: w.actor(ctx)}
	return w.pass(ctx, r, body, passage{
		line: &w.persons, row: t.row(),
		about: slog.Group("", slog.String("on", t.on), slog.Int64("user", t.user)),
		lost:  o.lost,
		refresh: func(ctx context.Context, obs directory.Observation, out *directory.Outcome) (directory.Refresh, directory.Freshness) {
			o.obs = obs
			return o.refresh(ctx, out)
		},
	})
}

// A personOrder is one write on a user or a guest that upstream has answered.
type personOrder struct {
	*Writer
	target
	obs   directory.Observation
	actor string
	open  []string // fields that were sent and that nothing has shown yet
}

// refresh makes the mirror show what the answer tells and says how far that
// went; an answer that refuses the write leaves nothing to show.
func (o *personOrder) refresh(ctx context.Context, out *directory.Outcome) (directory.Refresh, directory.Freshness) {
	switch {
	case out.Status == http.StatusNotFound && o.user != 0:
		return o.looked(ctx)
	case out.Status/100 == 4:
		return "", directory.Freshness{}
	case out.Status/100 != 2:
		o.lost(ctx)
		return directory.RefreshPending, directory.Freshness{}
	case o.alone:
		return o.stored(ctx, out.Body)
	}
	o.foreshadow(ctx, out.Body)
	o.mirror.MarkEverything()
	return directory.RefreshPending, directory.Freshness{}
}

// lost says that nobody knows what became of the write.
func (o *personOrder) lost(ctx context.Context) {
	if o.user != 0 {
		o.mirror.DoubtMember(ctx, o.user)
	}
	switch {
	case !o.alone:
		o.mirror.MarkEverything()
	case o.user == 0:
		o.askForSweep(ctx)
	}
}

// stored applies the user that came back if it shows nothing otherwise than
// sent, and reads the user unless it shows all that was sent.
func (o *personOrder) stored(ctx context.Context, body []byte) (directory.Refresh, directory.Freshness) {
	o.open = o.sentFields()
	row, isOurs := o.shownIn(body)
	switch {
	case isOurs && o.agrees(&row):
		return o.conclude(ctx, row.ID, func(ctx context.Context, id int64) (directory.Freshness, error) {
			return o.applied(ctx, row)
		})
	case isOurs:
		return o.conclude(ctx, row.ID, o.settled)
	case o.user != 0:
		return o.conclude(ctx, o.user, o.settled)
	}
	o.askForSweep(ctx)
	return directory.RefreshPending, directory.Freshness{}
}

// foreshadow applies what the answer shows of the user itself, while what
// else the write reached waits for a sweep. That it cannot is no matter: the
// sweep shows this, too.
func (o *personOrder) foreshadow(ctx context.Context, body []byte) {
	if row, isOurs := o.shownIn(body); isOurs && o.agrees(&row) {
		_, _ = o.mirror.ApplyMember(ctx, o.obs, row, o.judge(&row))
	}
}

// shownIn reads the user that an answer shows and reports whether it is the
// one that was written.
func (o *personOrder) shownIn(body []byte) (directory.MemberRow, bool) {
	data, err := dataOf(body)
	if err != nil {
		return directory.MemberRow{}, false
	}
	row, err := payload.DecodeMember(data, directory.SingleForm)
	return row, err == nil && (o.user == 0 || row.ID == o.user)
}

func (o *personOrder) agrees(row *directory.MemberRow) bool {
	s, ok := payload.MemberShows(row.Payload, o.sent)
	return ok && len(s.Other) == 0
}

func (o *personOrder) applied(ctx context.Context, row directory.MemberRow) (directory.Freshness, error) {
	present, err := o.mirror.ApplyMember(ctx, o.obs, row, o.judge(&row))
	switch {
	case errors.Is(err, directory.ErrSuperseded):
		o.open = o.sentFields()
	case err != nil || len(o.open) == 0:
		return present, err
	}
	return o.settled(ctx, row.ID)
}

func (o *personOrder) settled(ctx context.Context, id int64) (directory.Freshness, error) {
	return o.mirror.SettleMember(ctx, id, o.judge)
}

// looked reads a user whom upstream denies. Groups may name somebody who is
// gone, so that a sweep follows.
func (o *personOrder) looked(ctx context.Context) (directory.Refresh, directory.Freshness) {
	isGone := false
	refresh, present := o.conclude(ctx, o.user, func(ctx context.Context, id int64) (directory.Freshness, error) {
		return o.mirror.SettleMember(ctx, id, func(shown *directory.MemberRow) directory.Applied {
			isGone = shown == nil
			return refreshed
		})
	})
	if isGone {
		o.askForSweep(ctx)
		return directory.RefreshPending, directory.Freshness{}
	}
	return refresh, present
}

// conclude turns the end of a refresh into what the client is told. A user who
// could not be brought up to date is in doubt; for what no answer shows, and
// before the first sweep, only a sweep helps.
func (o *personOrder) conclude(ctx context.Context, id int64, refresh func(context.Context, int64) (directory.Freshness, error)) (directory.Refresh, directory.Freshness) {
	present, err := refresh(ctx, id)
	switch {
	case err == nil && len(o.open) == 0:
		return directory.RefreshApplied, present
	case err == nil, errors.Is(err, directory.ErrNoData):
		o.askForSweep(ctx)
	default:
		o.mirror.DoubtMember(context.WithoutCancel(ctx), id)
	}
	return directory.RefreshPending, directory.Freshness{}
}

// judge ascribes to the write what it sent and shown shows so.
func (o *personOrder) judge(shown *directory.MemberRow) directory.Applied {
	if shown == nil {
		o.open = nil
		return refreshed
	}
	s, _ := payload.MemberShows(shown.Payload, o.sent)
	o.open = slices.DeleteFunc(o.open, func(field string) bool { return !slices.Contains(s.Absent, field) })
	if len(s.Same) == 0 {
		return refreshed
	}
	return directory.Applied{Cause: directory.CauseWrite, Actor: o.actor, Fields: s.Same}
}
