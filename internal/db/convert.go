package db

import (
	"cmp"
	"database/sql"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"rollcall/internal/directory"
)

// Times are stored as unix milliseconds. The zero time is 0 where a column
// is never null, and NULL elsewhere.

func toMS(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func toNullMS(t time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: toMS(t), Valid: !t.IsZero()}
}

// toMSUp rounds up, for instants before which something is known to be.
func toMSUp(t time.Time) int64 { return toMS(t.Add(time.Millisecond - 1)) }

func fromMS(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func fromNullMS(ms sql.NullInt64) time.Time {
	if !ms.Valid {
		return time.Time{}
	}
	return time.UnixMilli(ms.Int64).UTC()
}

func toText(s *string) sql.NullString {
	if s == nil {
		return sql.NullString{}
	}
	return sql.NullString{String: *s, Valid: true}
}

func fromText(s sql.NullString) *string {
	if !s.Valid {
		return nil
	}
	return &s.String
}

func toBounds(notBefore sql.NullInt64, notAfter int64) directory.Bounds {
	return directory.Bounds{NotBefore: fromNullMS(notBefore), NotAfter: fromMS(notAfter)}
}

// toGroup is the group as it was at a revision. If what moves by itself moved
// later, only that part of the logo's URL which names the picture is known.
func toGroup(row GroupVersion, revision int64) directory.Group {
	group := directory.Group{
		ID:          row.ID,
		Name:        row.Name,
		Description: fromText(row.Description),
		Logo:        fromText(row.Logo),
		CreatedAt:   fromNullMS(row.CreatedMs),
		UpdatedAt:   fromNullMS(row.UpdatedMs),
		MemberCount: int(row.MemberCount),
		GuestCount:  int(row.GuestCount),
		Version:     row.Version,
	}
	if row.Churned > revision && group.Logo != nil {
		group.Logo = new(withoutQuery(*group.Logo))
	}
	return group
}

func withoutQuery(url string) string {
	plain, _, _ := strings.Cut(url, "?")
	return plain
}

// toMember is the member as they were at a revision. A last login that moved
// later is unknown.
func toMember(row MemberVersion, revision int64) directory.Member {
	member := directory.Member{
		ID:         row.ID,
		Email:      row.Email,
		FirstName:  fromText(row.FirstName),
		LastName:   fromText(row.LastName),
		FullName:   fromText(row.FullName),
		Role:       fromText(row.Role),
		Status:     directory.Status(row.Status),
		JobTitle:   fromText(row.JobTitle),
		Team:       fromText(row.Team),
		Timezone:   fromText(row.Timezone),
		CreatedAt:  fromNullMS(row.CreatedMs),
		UpdatedAt:  fromNullMS(row.UpdatedMs),
		GroupCount: int(row.GroupCount),
	}
	if row.Churned <= revision {
		member.LastLoginAt = fromNullMS(row.LastLoginMs)
	}
	return member
}

// emailOf is nil for an e-mail that was erased.
func emailOf(email string) *string {
	if email == "" {
		return nil
	}
	return &email
}

// nameKey sorts members by what a person would look for. It is never empty.
func nameKey(m directory.Member) string {
	for _, name := range []string{value(m.FullName), value(m.FirstName) + " " + value(m.LastName)} {
		if key := directory.Fold(name); key != "" {
			return key
		}
	}
	return cmp.Or(directory.FoldEmail(m.Email), strconv.FormatInt(m.ID, 10))
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func toSweep(row Sweep) directory.Sweep {
	return directory.Sweep{
		BeganAt:  fromMS(row.BeganMs),
		EndedAt:  fromMS(row.EndedMs),
		Result:   directory.SweepResult(row.Result),
		Reason:   directory.Reason(row.Reason),
		Detail:   row.Detail,
		Revision: row.Revision,
		Requests: int(row.Requests),
		Groups:   int(row.Groups),
		Members:  int(row.Members),
	}
}

func fromSweep(s directory.Sweep) InsertSweepParams {
	return InsertSweepParams{
		BeganMs:  toMS(s.BeganAt),
		EndedMs:  toMS(s.EndedAt),
		Result:   string(s.Result),
		Reason:   string(s.Reason),
		Detail:   s.Detail,
		Revision: s.Revision,
		Requests: int64(s.Requests),
		Groups:   int64(s.Groups),
		Members:  int64(s.Members),
	}
}

// idList is a set of ids as the queries that take one want it.
func idList(ids []int64) string { return jsonList(ids) }

// jsonList is idList for integers, texts and lists of them.
func jsonList[T any](all []T) string {
	if all == nil {
		return "[]"
	}
	text, err := json.Marshal(all)
	if err != nil {
		panic(err) // integers and texts can be encoded
	}
	return string(text)
}

// distinct sorts, and drops what is there twice.
func distinct[T cmp.Ordered](all []T) []T {
	slices.Sort(all)
	return slices.Compact(all)
}

func convert[From, To any](rows []From, one func(From) To) []To {
	converted := make([]To, 0, len(rows))
	for _, row := range rows {
		converted = append(converted, one(row))
	}
	return converted
}

func presentGroup(row PresentGroup) GroupVersion    { return GroupVersion(row) }
func presentMember(row PresentMember) MemberVersion { return MemberVersion(row) }
