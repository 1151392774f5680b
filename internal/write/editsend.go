package write

import (
	"context"
	"errors"
	"net/http"

	"rollcall/internal/directory"
	"rollcall/internal/payload"
)

// send sends the plan once and makes the mirror show what became of it.
func (e *edit) send(ctx context.Context, put *http.Request) error {
	e.obs = e.mirror.Begin()
	out, err := e.once(ctx, put, e.plan.body()) // after a 429 the read would no longer be fresh
	if isUnsent(err) {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	switch {
	case err != nil:
		return e.doubted(ctx, 0, err)
	case out.Status/100 == 2:
		return e.settle(ctx, out.Body)
	case out.Status == http.StatusNotFound:
		// Upstream denies what the mirror may still show. That alone removes
		// nothing, but it is worth a look.
		if _, err := e.mirror.SettleGroup(ctx, e.ID, func(*directory.GroupRow) directory.Applied { return refreshed }); err != nil {
			e.doubt(ctx, e.ID)
		}
		return &directory.RefusedError{Outcome: *out}
	case out.Status/100 == 4:
		return &directory.RefusedError{Outcome: *out}
	}
	return e.doubted(ctx, out.Status, nil)
}

// doubted says that nobody knows what became of the edit. The group is read
// again until it is known.
func (e *edit) doubted(ctx context.Context, status int, err error) error {
	e.doubt(ctx, e.ID)
	return &directory.UnknownOutcomeError{Status: status, Err: err}
}

// settle makes the mirror show the group that came back.
func (e *edit) settle(ctx context.Context, body []byte) error {
	err := e.publish(ctx, body)
	if err == nil && e.shown.ID != "" && isPartial(&e.shown) {
		err = errPartial
	}
	if err != nil {
		return e.doubted(ctx, 0, err)
	}
	return nil
}

// publish publishes the answer if it is all that was sent. Else it reads the
// group.
func (e *edit) publish(ctx context.Context, body []byte) error {
	answer, err := parseAnswer(body)
	isOurs := err == nil && answer.ID == e.ID
	if isOurs && e.sent.isIn(&answer) {
		_, err := e.mirror.ApplyGroup(ctx, e.obs, answer, e.judge(&answer))
		if !errors.Is(err, directory.ErrSuperseded) {
			return err
		}
	} else if isOurs {
		if err := e.publishOwn(ctx, &answer); err != nil {
			return err
		}
	}
	_, err = e.mirror.SettleGroup(ctx, e.ID, e.judge)
	return err
}

// publishOwn publishes what the edit changed where an answer holds that, but
// other things came back otherwise than they were sent: history tells the one
// from the other. As nobody has seen the group so, it counts as confirmed by
// the read before.
func (e *edit) publishOwn(ctx context.Context, answer *directory.GroupRow) error {
	came, err := payload.PartsOf(answer.Payload)
	if err != nil || isPartial(answer) || !isHeldBy(e.GroupEdit, answer, came) {
		return err
	}
	as := directory.Observation{Number: e.obs.Number, BeganAt: e.readAt}
	_, err = e.mirror.ApplyGroup(ctx, as, e.sent.row, e.own(e.plan.changed, e.plan.changed))
	if errors.Is(err, directory.ErrSuperseded) {
		return nil
	}
	return err
}

// judge ascribes to the edit what it changed, as far as shown shows it.
func (e *edit) judge(shown *directory.GroupRow) directory.Applied {
	if e.shown = rowOf(shown); e.shown.ID == "" {
		return refreshed
	}
	shows, changed := e.sent.shownBy(shown), e.plan.changed
	return e.own(directory.Sent{
		Name:        shows.Name && changed.Name,
		Description: shows.Description && changed.Description,
		Members:     shows.Members && changed.Members,
		Guests:      shows.Guests && changed.Guests,
	}, e.carried(shown))
}

// own says what of a row the edit made.
func (e *edit) own(made, carried directory.Sent) directory.Applied {
	how := directory.Applied{Cause: directory.CauseRefresh, Carried: carried}
	if made != (directory.Sent{}) {
		how.Cause, how.Actor, how.Sent, how.NotBefore = directory.CauseWrite, e.actor, made, e.obs.BeganAt
	}
	return how
}

// fewLost is how many of those that were sent may be missing before it is no
// longer the edit that explains what the group lost.
const fewLost = 10

func (e *edit) carried(shown *directory.GroupRow) directory.Sent {
	came, err := payload.PartsOf(shown.Payload)
	if err != nil {
		return directory.Sent{}
	}
	return directory.Sent{
		Members: len(without(e.plan.Members, came.Members)) <= fewLost,
		Guests:  len(without(e.plan.Guests, came.Guests)) <= fewLost,
	}
}
