package db_test

import (
	"errors"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall/internal/directory"
)

// compareInstants asks for every state there was by its number, and by every
// half minute since the world began: none is between that and the next.
func (s *story) compareInstants() {
	for i, m := range s.past {
		s.compareAt(m, directory.AsOf{Revision: int64(i + 1)})
	}
	for half := range 2*s.minute + 3 {
		instant := noon.Add(time.Duration(half) * 30 * time.Second)
		if m, isKnown := s.momentAt(instant); isKnown {
			s.compareAt(m, directory.AsOf{Instant: instant})
		} else {
			s.refuse(instant)
		}
	}
}

func (s *story) momentAt(instant time.Time) (last moment, isKnown bool) {
	for _, m := range s.past {
		if !m.fresh.PublishedAt.After(instant) {
			last, isKnown = m, true
		}
	}
	return last, isKnown
}

func (s *story) compareAt(m moment, at directory.AsOf) {
	q := s.anyOrder()
	q.AsOf = &at
	s.compareLists(m, q)
	s.compareSinglesAt(m, at)
}

func (s *story) refuse(instant time.Time) {
	_, err := s.mirror.Groups(s.t.Context(), directory.GroupFilter{}, directory.ListQuery{Limit: 1, AsOf: &directory.AsOf{Instant: instant}})
	var early *directory.TooEarlyError
	if !errors.As(err, &early) || !early.First.Equal(s.past[0].fresh.PublishedAt) {
		s.t.Fatalf("before the first revision, as of %s: %v", instant, err)
	}
}

// isUncertain reports whether an instant lies inside the bounds of an edge's
// coming or going.
func (s *story) isUncertain(edge *modelEdge, q directory.ListQuery) bool {
	if q.AsOf == nil {
		return false
	}
	instant := q.AsOf.Instant
	if q.AsOf.Revision != 0 {
		instant = s.past[q.AsOf.Revision-1].fresh.PublishedAt
	}
	isInside := func(b directory.Bounds) bool { return instant.After(b.NotBefore) && instant.Before(b.NotAfter) }
	return isInside(edge.since) || edge.until != nil && isInside(*edge.until)
}

// compareSinglesAt asks for each row of a moment by itself, and for those who
// are not there.
func (s *story) compareSinglesAt(m moment, at directory.AsOf) {
	ctx, isPast := s.t.Context(), true
	group := directory.GroupRef{ID: rapid.SampledFrom(groupPool).Draw(s.t, "group")}
	g := m.world.groups[group.ID]
	found, err := s.mirror.Group(ctx, group, &at)
	if g == nil != errors.Is(err, directory.ErrUnknownGroup) {
		s.t.Fatalf("group %s as of %+v: %v", group.ID, at, err)
	}
	if g != nil {
		if d := gocmp.Diff(s.full(g), found.Row, settleLogo(isPast)); err != nil || d != "" {
			s.t.Fatalf("group %s as of %+v: %v\n%s", group.ID, at, err, d)
		}
	}
	for _, g := range m.world.groups {
		s.compareNamed(m.world, g, at)
	}
	for _, member := range s.members(m.world, directory.ListQuery{}) {
		for _, ref := range []directory.PersonRef{{ID: member.ID}, {Email: member.Email}} {
			found, err := s.mirror.Member(ctx, ref, &at)
			if d := gocmp.Diff(member, found.Row, settleLogin(isPast)); err != nil || d != "" || !found.Row.LastLoginAt.IsZero() {
				s.t.Fatalf("member %+v as of %+v: %v\n%s", ref, at, err, d)
			}
		}
	}
	if g == nil {
		return
	}
	for _, id := range idPool {
		s.compareCheck(directory.PersonRef{ID: id}, group, at, g.members[id] != nil)
	}
	for key := range s.spelling {
		s.compareCheck(directory.PersonRef{Email: key}, group, at, g.guests[key] != nil || s.isMember(m.world, g, key))
	}
}

// compareNamed finds a group by the name it had.
func (s *story) compareNamed(w world, g *modelGroup, at directory.AsOf) {
	alike := 0
	for _, other := range w.groups {
		if other.Name == g.Name {
			alike++
		}
	}
	found, err := s.mirror.GroupSummary(s.t.Context(), directory.GroupRef{Name: g.Name}, &at)
	var ambiguous *directory.AmbiguousNameError
	if alike > 1 && !errors.As(err, &ambiguous) || alike == 1 && (err != nil || found.Row.ID != g.ID) {
		s.t.Fatalf("group named %q as of %+v: %s, %v; want %s, of %d", g.Name, at, found.Row.ID, err, g.ID, alike)
	}
}

// isMember reports whether somebody is in a group as a member of an e-mail.
func (s *story) isMember(w world, g *modelGroup, email string) bool {
	for id, member := range w.members {
		if directory.FoldEmail(member.Email) == email && g.members[id] != nil {
			return true
		}
	}
	return false
}

func (s *story) compareCheck(who directory.PersonRef, group directory.GroupRef, at directory.AsOf, want bool) {
	found, err := s.mirror.Check(s.t.Context(), who, group, true, &at)
	if errors.Is(err, directory.ErrUnknownPerson) && !want {
		return
	}
	if err != nil || found.Row.Member != want {
		s.t.Fatalf("is %+v in %s as of %+v: %+v, %v; want %t", who, group.ID, at, found.Row, err, want)
	}
}
