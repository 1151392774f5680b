package db

import (
	"context"
	"encoding/json"
	"strconv"

	"rollcall/internal/directory"
)

// An edgeID names an edge: a group, and a member's id or a guest's folded e-mail.
type edgeID struct {
	gid   int64
	id    int64
	guest string // empty for a member
}

// An edge is a group and a member.
type edge struct{ gid, member int64 }

// MarshalText makes the text that the queries take.
func (e edge) MarshalText() ([]byte, error) {
	return strconv.AppendInt(append(strconv.AppendInt(nil, e.gid, 10), ','), e.member, 10), nil
}

// A guestEdge is a group and a guest's folded e-mail.
type guestEdge struct {
	gid   int64
	email string
}

// MarshalJSON makes what the queries take.
func (e guestEdge) MarshalJSON() ([]byte, error) { return json.Marshal([]any{e.gid, e.email}) }

// uncertain tells which edges of the state may not have been at the instant
// that is asked about: those that came or went within bounds that enclose it.
// came has the bounds of each edge's coming; going is looked up. Without an
// instant, none is uncertain.
//
// Neither bound belongs to what they enclose: when the last observation of the
// old state began that was still to be seen, and when the first of the new
// state ended the new one was there.
func (s *state) uncertain(ctx context.Context, came map[edgeID]directory.Bounds) (map[edgeID]bool, error) {
	if s.then == nil {
		return nil, nil
	}
	marked := map[edgeID]bool{}
	for edge, bounds := range came {
		if encloses(bounds, s.instant) {
			marked[edge] = true
		}
	}
	ended, err := s.endsOf(ctx, came)
	if err != nil || len(ended) == 0 {
		return marked, err
	}
	changesets := make([]int64, 0, len(ended))
	for _, until := range ended {
		changesets = append(changesets, until)
	}
	went, err := s.boundsOf(ctx, changesets)
	for edge, until := range ended {
		if encloses(went[until], s.instant) {
			marked[edge] = true
		}
	}
	return marked, err
}

// encloses reports whether an instant lies between bounds; without a first one
// they go back for ever.
func encloses(b directory.Bounds, instant int64) bool {
	return (b.NotBefore.IsZero() || toMS(b.NotBefore) < instant) && instant < toMS(b.NotAfter)
}

// endsOf finds the changesets that ended edges of a state that is past.
func (s *state) endsOf(ctx context.Context, edges map[edgeID]directory.Bounds) (map[edgeID]int64, error) {
	if !s.past || len(edges) == 0 {
		return nil, nil
	}
	members, guests := split(edges)
	ended := map[edgeID]int64{}
	if len(members) > 0 {
		rows, err := s.q.EndsOfMemberEdges(ctx, jsonList(members), s.revision.Horizon)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			ended[edgeID{gid: row.Gid, id: row.MemberID}] = row.Until
		}
	}
	if len(guests) > 0 {
		rows, err := s.q.EndsOfGuestEdges(ctx, jsonList(guests), s.revision.Horizon)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			ended[edgeID{gid: row.Gid, guest: row.EmailKey}] = row.Until
		}
	}
	return ended, nil
}

func split(edges map[edgeID]directory.Bounds) (members []edge, guests []guestEdge) {
	for e := range edges {
		if e.guest == "" {
			members = append(members, edge{e.gid, e.id})
		} else {
			guests = append(guests, guestEdge{e.gid, e.guest})
		}
	}
	return members, guests
}
