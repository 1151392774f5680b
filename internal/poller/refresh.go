package poller

import (
	"context"
	"errors"

	"rollcall/internal/directory"
)

// ApplyGroup applies a group that the answer to a write, or a read, showed.
// It fails with directory.ErrSuperseded when something later was applied to
// the group after obs began: read it again then, as SettleGroup does; and with
// directory.ErrHeld, asking for a sweep, when it would drop suspiciously many
// edges that no write sent.
func (p *Poller) ApplyGroup(ctx context.Context, obs directory.Observation, row directory.GroupRow, how directory.Applied) (directory.Freshness, error) {
	present, err := p.groups.apply(ctx, obs, row, how)
	if errors.Is(err, directory.ErrHeld) {
		p.ask()
	}
	return present, err
}

// RemoveGroup applies that a group is gone, under the terms of ApplyGroup.
func (p *Poller) RemoveGroup(ctx context.Context, obs directory.Observation, id string, how directory.Applied) (directory.Freshness, error) {
	return p.groups.remove(ctx, obs, id, how)
}

// SettleGroup reads a group after a write and applies what the read shows,
// again while something later comes between. how says what of it the write
// made; it is given nil when the group is gone. A group that denies itself is
// removed if another can be read at this time, else the denial is returned and
// a sweep asked for; so it is for a group that would lose suspiciously many
// edges (directory.ErrHeld).
func (p *Poller) SettleGroup(ctx context.Context, id string, how func(shown *directory.GroupRow) directory.Applied) (directory.Freshness, error) {
	present, err := p.groups.refresh(ctx, id, how)
	if saysGone(err) || errors.Is(err, directory.ErrHeld) {
		p.ask()
	}
	return present, err
}

// RefreshGroup is SettleGroup for no write's sake. Callers who want the same
// group share a read that began after they came.
func (p *Poller) RefreshGroup(ctx context.Context, id string) (directory.Renewal, error) {
	return p.groups.flights.do(ctx, id, func(ctx context.Context) error {
		_, err := p.SettleGroup(ctx, id, refreshed[directory.GroupRow])
		return err
	})
}

// ApplyMember is ApplyGroup for a member.
func (p *Poller) ApplyMember(ctx context.Context, obs directory.Observation, row directory.MemberRow, how directory.Applied) (directory.Freshness, error) {
	return p.members.apply(ctx, obs, row, how)
}

// SettleMember is SettleGroup for a member.
func (p *Poller) SettleMember(ctx context.Context, id int64, how func(shown *directory.MemberRow) directory.Applied) (directory.Freshness, error) {
	present, err := p.members.refresh(ctx, id, how)
	if saysGone(err) {
		p.ask()
	}
	return present, err
}

// RefreshMember is RefreshGroup for a member.
func (p *Poller) RefreshMember(ctx context.Context, id int64) (directory.Renewal, error) {
	return p.members.flights.do(ctx, id, func(ctx context.Context) error {
		_, err := p.SettleMember(ctx, id, refreshed[directory.MemberRow])
		return err
	})
}

// DoubtGroup says that a write's outcome is unknown. The group keeps its
// confirmation, whatever began before finds, and is read again, while Run
// runs, until it is known.
func (p *Poller) DoubtGroup(ctx context.Context, id string) {
	if err := p.groups.doubtStored(ctx, id); err != nil {
		p.logger.Warn("the doubt about a group could not be noted", "group", id, "error", err)
	}
	p.rereads.add(doubtful{group: id})
}

// DoubtMember is DoubtGroup for a member.
func (p *Poller) DoubtMember(ctx context.Context, id int64) {
	if err := p.members.doubtStored(ctx, id); err != nil {
		p.logger.Warn("the doubt about a member could not be noted", "member", id, "error", err)
	}
	p.rereads.add(doubtful{member: id})
}

// doubtStored is doubt for who does not hold applying.
func (s *shelf[ID, R]) doubtStored(ctx context.Context, id ID) error {
	s.applying.Lock()
	defer s.applying.Unlock()
	if err := s.trust(ctx); err != nil {
		return err
	}
	return s.doubt(ctx, id)
}
