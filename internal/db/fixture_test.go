package db_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"rollcall/internal/db"
	"rollcall/internal/directory"
)

// noon was before any clock of a test, as what is noted later says that the
// clock was set back.
var noon = time.Date(1999, 3, 1, 12, 0, 0, 0, time.UTC)

// at is an instant some minutes after noon.
func at(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }

// observed is the origin of what a sweep saw between two minutes.
func observed(from, to int) directory.Origin {
	return directory.Origin{
		Bounds: directory.Bounds{NotBefore: at(from), NotAfter: at(to)},
		Cause:  directory.CauseSweep,
	}
}

func sweepAt(minute int) *directory.Sweep {
	return &directory.Sweep{BeganAt: at(minute), EndedAt: at(minute).Add(time.Second), Result: directory.SweepPublished}
}

// groupRow makes a row as the list shows it; its payload and fingerprint
// follow from its fields.
func groupRow(id, name string, members []int64, guests ...string) directory.GroupRow {
	row := directory.GroupRow{
		Group: directory.Group{
			ID: id, Name: name, Members: members, Guests: guests,
			CreatedAt: noon.Add(-time.Hour), UpdatedAt: noon.Add(-time.Minute),
		},
		Form: directory.ListForm,
	}
	return sealGroup(row)
}

func sealGroup(row directory.GroupRow) directory.GroupRow {
	row.Payload = fmt.Appendf(nil, `{"id":%q,"name":%q,"members":%v,"guests":%q,"logo":%q}`,
		row.ID, row.Name, slices.Clone(row.Members), row.Guests, text(row.Logo))
	for _, b := range row.Payload {
		row.Fingerprint.Row = row.Fingerprint.Row*31 + int64(b)
	}
	return row
}

func memberRow(id int64, email, name string) directory.MemberRow {
	row := directory.MemberRow{
		Member: directory.Member{
			ID: id, Email: email, FullName: &name, Status: directory.Active,
			CreatedAt: noon.Add(-time.Hour), UpdatedAt: noon.Add(-time.Minute),
		},
		Form: directory.ListForm,
	}
	return sealMember(row)
}

func sealMember(row directory.MemberRow) directory.MemberRow {
	row.Payload = fmt.Appendf(nil, `{"id":%d,"email":%q,"name":%q,"login":%d}`, row.ID, row.Email, text(row.FullName), row.LastLoginAt.Unix())
	for _, b := range row.Payload {
		row.Fingerprint.Row = row.Fingerprint.Row*31 + int64(b)
	}
	return row
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// updateGroup sets a row as a sweep between two minutes saw it.
func updateGroup(row directory.GroupRow, from, to int) directory.GroupUpdate {
	origin := observed(from, to)
	return directory.GroupUpdate{Row: &row, ConfirmedAt: at(to), Attributes: origin, Members: origin, Guests: origin}
}

func updateMember(row directory.MemberRow, from, to int) directory.MemberUpdate {
	return directory.MemberUpdate{Row: &row, ConfirmedAt: at(to), Origin: observed(from, to)}
}

func publish(t testing.TB, mirror *db.DB, p directory.Publication) directory.Freshness {
	t.Helper()
	if p.Cause == "" {
		p.Cause = directory.CauseSweep
	}
	fresh, err := mirror.Publish(t.Context(), p)
	if err != nil {
		t.Fatalf("publish: %v", err)
	}
	return fresh
}

const (
	sales   = "0f0000000000000000000000000000aa"
	support = "0f0000000000000000000000000000bb"
)

// seed publishes revision 1 at minute 0: Ann (1), Bob (2) and Cy (3), and
// Sales with Ann, Bob, the unlisted 99 and a guest.
func seed(t testing.TB, mirror *db.DB) directory.Freshness {
	t.Helper()
	return publish(t, mirror, directory.Publication{
		Cause:  directory.CauseInitial,
		Groups: []directory.GroupUpdate{updateGroup(groupRow(sales, "Sales", []int64{1, 2, 99}, "Guest@x.test"), 0, 0)},
		Members: []directory.MemberUpdate{
			updateMember(memberRow(1, "ann@x.test", "Ann"), 0, 0),
			updateMember(memberRow(2, "bob@x.test", "Bob"), 0, 0),
			updateMember(memberRow(3, "cy@x.test", "Cy"), 0, 0),
		},
		Sweep: sweepAt(0),
	})
}

func mustGroup(t testing.TB, mirror *db.DB, id string) directory.Found[directory.Group] {
	t.Helper()
	found, err := mirror.Group(t.Context(), directory.GroupRef{ID: id}, nil)
	if err != nil {
		t.Fatalf("group %s: %v", id, err)
	}
	return found
}

func mustMember(t testing.TB, mirror *db.DB, id int64) directory.Found[directory.Member] {
	t.Helper()
	found, err := mirror.Member(t.Context(), directory.PersonRef{ID: id}, nil)
	if err != nil {
		t.Fatalf("member %d: %v", id, err)
	}
	return found
}

// membersOf returns the rows of one group, all on one page.
func membersOf(t testing.TB, mirror *db.DB, id string) []directory.Membership {
	t.Helper()
	page, err := mirror.GroupMembers(t.Context(), directory.GroupRef{ID: id}, "", directory.ListQuery{Limit: 1000})
	if err != nil {
		t.Fatalf("members of %s: %v", id, err)
	}
	return page.Rows
}

func currentPin(t testing.TB, mirror *db.DB) directory.Pin {
	t.Helper()
	fresh, err := mirror.Freshness(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return fresh.Pin()
}
