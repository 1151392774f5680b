package export

import (
	"context"
	"encoding/json"
	"iter"
	"time"

	"rollcall/internal/directory"
)

// changes is the feed up to a revision. Each row has a revision of its own,
// and with it the instant of its publication.
func changes(cursor func(directory.FeedPlace) string) table {
	return &tableOf[directory.Change]{
		label: "changes",
		own: []columnOf[directory.Change]{
			{Column{"cursor", Text, false, hashes}, func(c *directory.Change) value { return text(cursor(c.Place)) }},
			{Column{"revision", Integer, false, plain}, func(c *directory.Change) value { return number(c.Revision) }},
			{Column{"type", Text, false, plain}, func(c *directory.Change) value { return text(string(c.Type)) }},
			{Column{"group_id", Text, true, plain}, func(c *directory.Change) value { return unlessEmpty(c.GroupID) }},
			{Column{"group_name", Text, true, names}, func(c *directory.Change) value { return maybe(c.GroupName) }},
			{Column{"member_id", Integer, true, people}, func(c *directory.Change) value { return memberID(c.MemberID) }},
			{Column{"email", Text, true, emails}, func(c *directory.Change) value { return maybe(c.Email) }},
			{Column{"not_before", Instant, true, plain}, func(c *directory.Change) value { return instant(c.NotBefore) }},
			{Column{"not_after", Instant, true, plain}, func(c *directory.Change) value { return instant(c.NotAfter) }},
			{Column{"cause", Text, false, plain}, func(c *directory.Change) value { return text(string(c.Cause)) }},
			{Column{"actor", Text, true, actors}, func(c *directory.Change) value { return unlessEmpty(c.Actor) }},
			{Column{"changed", Text, true, freeText}, func(c *directory.Change) value { return fieldChanges(c.Changed) }},
		},
		dated: func(c *directory.Change) time.Time { return c.Place.PublishedAt },
		rows: func(ctx context.Context, src Source, q directory.ExportQuery) iter.Seq2[[]directory.Change, error] {
			return src.AllChanges(ctx, q.Pin)
		},
	}
}

func unlessEmpty(s string) value { return value{isNull: s == "", text: s} }

// fieldChanges is what changed as JSON: {"name":{"old":"A","new":"B"}}.
func fieldChanges(changed []directory.FieldChange) value {
	if changed == nil {
		return value{isNull: true}
	}
	buf := []byte{'{'}
	for i, c := range changed {
		if i > 0 {
			buf = append(buf, ',')
		}
		buf = append(appendJSON(buf, c.Field), `:{"old":`...)
		buf = append(appendAny(buf, c.Old), `,"new":`...)
		buf = append(appendAny(buf, c.New), '}')
	}
	return text(string(append(buf, '}')))
}

func appendAny(buf []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		return appendJSON(buf, v)
	case time.Time:
		return appendJSON(buf, v.UTC().Truncate(time.Millisecond).Format(time.RFC3339Nano))
	}
	encoded, err := json.Marshal(v)
	if err != nil {
		return append(buf, "null"...) // there are no other kinds
	}
	return append(buf, encoded...)
}
