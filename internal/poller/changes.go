package poller

import (
	"time"

	"rollcall/internal/directory"
	"rollcall/internal/payload"
)

// An update sets one row.
type update[R any] struct {
	row     *R
	quiet   bool
	origins origins
}

// origins are those of a row's own fields and of its edges.
type origins struct{ attributes, members, guests directory.Origin }

func sameOrigin(o directory.Origin) origins { return origins{o, o, o} }

func originOf(cause directory.Cause, how directory.Applied, b directory.Bounds) directory.Origin {
	o := directory.Origin{Bounds: b, Cause: cause}
	if cause == directory.CauseWrite {
		o.Actor = how.Actor
	}
	return o
}

// groupOrigins ascribes to a write what it sent and to the look at its
// outcome what that showed beside. old is nil for a row that was not stored;
// edges that it did not show may have been there before.
func groupOrigins(how directory.Applied, b directory.Bounds, old, now *directory.GroupRow) origins {
	own := b
	if how.NotBefore.After(b.NotBefore) {
		own.NotBefore = how.NotBefore
	}
	by := func(sent bool) directory.Origin {
		switch {
		case how.Cause == directory.CauseWrite && sent:
			return originOf(directory.CauseWrite, how, own)
		case how.Cause == directory.CauseWrite:
			return originOf(directory.CauseRefresh, how, b)
		}
		return originOf(how.Cause, how, b)
	}
	attributes := how.Sent.Name || how.Sent.Description
	if old != nil {
		attributes = how.Sent.Name && old.Name != now.Name ||
			how.Sent.Description && !equal(old.Description, now.Description)
	}
	of := origins{by(attributes), by(how.Sent.Members), by(how.Sent.Guests)}
	if old != nil && old.MembersAbsent {
		of.members.NotBefore = time.Time{}
	}
	if old != nil && old.GuestsAbsent {
		of.guests.NotBefore = time.Time{}
	}
	return of
}

// memberOrigins ascribes a member's change to a write if that made any of it.
func memberOrigins(how directory.Applied, b directory.Bounds, old, now *directory.MemberRow) origins {
	cause := how.Cause
	if cause == directory.CauseWrite && old != nil && !payload.MemberChanged(old.Payload, now.Payload, how.Fields) {
		cause = directory.CauseRefresh
	}
	return sameOrigin(originOf(cause, how, b))
}

func alikeGroups(a, b *directory.GroupRow) bool {
	return a.MembersAbsent == b.MembersAbsent && a.GuestsAbsent == b.GuestsAbsent &&
		a.Name == b.Name && equal(a.Description, b.Description) && equal(a.Logo, b.Logo) &&
		a.CreatedAt.Equal(b.CreatedAt) && a.UpdatedAt.Equal(b.UpdatedAt)
}

// alikeMembers ignores churn.
func alikeMembers(a, b *directory.MemberRow) bool {
	return a.Email == b.Email && equal(a.FirstName, b.FirstName) && equal(a.LastName, b.LastName) &&
		equal(a.FullName, b.FullName) && equal(a.Role, b.Role) && a.Status == b.Status &&
		equal(a.JobTitle, b.JobTitle) && equal(a.Team, b.Team) && equal(a.Timezone, b.Timezone) &&
		a.CreatedAt.Equal(b.CreatedAt) && a.UpdatedAt.Equal(b.UpdatedAt)
}

func equal[T comparable](a, b *T) bool {
	return a == b || a != nil && b != nil && *a == *b
}
