package write

import (
	"context"
	"errors"

	"rollcall/internal/directory"
)

// An order is one write that upstream has answered.
type order struct {
	*Writer
	obs      directory.Observation
	id       string // empty for a creation
	actor    string
	isDelete bool
	sent     sent
}

// refresh makes the mirror show what the answer tells and says how far that
// went; an answer that refuses the write leaves nothing to show.
func (o *order) refresh(ctx context.Context, out *directory.Outcome) (directory.Refresh, directory.Freshness) {
	switch {
	case out.Status/100 == 2 && o.isDelete && saysDeleted(out):
		return o.conclude(ctx, o.id, o.removed)
	case out.Status/100 == 2 && o.isDelete:
		return o.conclude(ctx, o.id, o.settled)
	case out.Status/100 == 2:
		return o.stored(ctx, out.Body)
	case out.Status == 404 && o.id != "":
		// Upstream denies what the mirror may still show. That alone removes
		// nothing, but it is worth a look.
		return o.conclude(ctx, o.id, o.looked)
	case out.Status/100 == 4:
		return "", directory.Freshness{}
	}
	o.doubt(ctx, o.id)
	return directory.RefreshPending, directory.Freshness{}
}

// stored applies the object that came back if it shows all that was sent, and
// reads the group otherwise.
func (o *order) stored(ctx context.Context, body []byte) (directory.Refresh, directory.Freshness) {
	row, err := parseAnswer(body)
	isOurs := err == nil && (o.id == "" || row.ID == o.id)
	switch {
	case isOurs && o.sent.isIn(&row):
		return o.conclude(ctx, row.ID, func(ctx context.Context, id string) (directory.Freshness, error) {
			present, err := o.mirror.ApplyGroup(ctx, o.obs, row, o.judge(&row))
			return o.orSettled(ctx, id, present, err)
		})
	case isOurs:
		return o.conclude(ctx, row.ID, o.settled)
	case o.id != "":
		return o.conclude(ctx, o.id, o.settled)
	}
	o.doubt(ctx, "")
	return directory.RefreshPending, directory.Freshness{}
}

func (o *order) removed(ctx context.Context, id string) (directory.Freshness, error) {
	present, err := o.mirror.RemoveGroup(ctx, o.obs, id, o.judge(nil))
	return o.orSettled(ctx, id, present, err)
}

// orSettled reads the group if something later was applied to it while the
// write was on its way.
func (o *order) orSettled(ctx context.Context, id string, present directory.Freshness, err error) (directory.Freshness, error) {
	if errors.Is(err, directory.ErrSuperseded) {
		return o.settled(ctx, id)
	}
	return present, err
}

func (o *order) settled(ctx context.Context, id string) (directory.Freshness, error) {
	return o.mirror.SettleGroup(ctx, id, o.judge)
}

func (o *order) looked(ctx context.Context, id string) (directory.Freshness, error) {
	return o.mirror.SettleGroup(ctx, id, func(*directory.GroupRow) directory.Applied { return refreshed })
}

// conclude turns the end of a refresh into what the client is told. A group
// that could not be brought up to date is in doubt; before the first sweep
// only a sweep helps.
func (o *order) conclude(ctx context.Context, id string, refresh func(context.Context, string) (directory.Freshness, error)) (directory.Refresh, directory.Freshness) {
	present, err := refresh(ctx, id)
	switch {
	case err == nil:
		return directory.RefreshApplied, present
	case errors.Is(err, directory.ErrNoData):
		id = ""
	}
	o.doubt(ctx, id)
	return directory.RefreshPending, directory.Freshness{}
}

var refreshed = directory.Applied{Cause: directory.CauseRefresh}

// judge ascribes to the write what it sent and shown shows, or that the group
// is gone if it was told to go.
func (o *order) judge(shown *directory.GroupRow) directory.Applied {
	by := directory.Applied{Cause: directory.CauseWrite, Actor: o.actor, Carried: o.sent.fields}
	switch {
	case shown == nil && o.isDelete:
		return by
	case shown == nil || o.isDelete:
		return refreshed
	}
	if by.Sent = o.sent.shownBy(shown); by.Sent == (directory.Sent{}) {
		return directory.Applied{Cause: directory.CauseRefresh, Carried: o.sent.fields}
	}
	return by
}
