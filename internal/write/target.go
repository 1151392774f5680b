package write

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"rollcall/internal/directory"
	"rollcall/internal/payload"
)

// A target is what a write on people is about.
type target struct {
	on    string // method and path below the organisation, with {} for who it is
	user  int64  // 0 for a guest, and for a user whom only the answer names
	guest string // e-mail, folded; empty for a user
	sent  []byte // what the user in the answer must show; nil if that is not the row that stays
	alone bool   // nothing but the user's own row can change
}

// targetOf knows what the writes on users reach
// (https://tallyfy.com/products/pro/integrations/open-api/code-samples/members/).
// Who is disabled, enabled or removed, becomes a guest or ceases to be one,
// leaves or enters groups that nobody names.
func targetOf(method string, u *url.URL, body []byte) target {
	var t target
	segments := strings.Split(strings.Trim(u.EscapedPath(), "/"), "/")
	segments = segments[min(2, len(segments)):] // below /organizations/{org}
	if len(segments) > 1 && segments[1] != "invite" {
		t.name(segments[0], segments[1])
		segments[1] = "{}"
	}
	t.on = method + " " + strings.Join(segments, "/")
	switch t.on {
	case "PUT users/{}", "PUT users/{}/role", "PUT me":
		t.alone, t.sent = true, body
	case "POST users/invite":
		t.alone, t.sent = !joins(body), body
	case "DELETE users/{}", "DELETE users/{}/disable":
		t.sent = []byte(`{"status":"disabled"}`)
	case "PUT users/{}/enable":
		t.sent = []byte(`{"status":"active"}`)
	}
	return t
}

func (t *target) name(kind, segment string) {
	key, err := url.PathUnescape(segment)
	if err != nil {
		key = segment
	}
	if kind == "guests" {
		t.guest = directory.FoldEmail(key)
	} else if id, err := strconv.ParseInt(key, 10, 64); err == nil {
		t.user = max(0, id)
	}
}

// row names the line in which the write waits.
func (t *target) row() string {
	if t.user != 0 {
		return strconv.FormatInt(t.user, 10)
	}
	return t.guest
}

// invitation are the documented fields of one. Tallyfy's own application puts
// those whom it invites into groups by a field that is not documented.
var invitation = []string{"email", "first_name", "last_name", "role", "message"}

func joins(body []byte) bool {
	s, ok := payload.MemberShows(nil, body)
	return !ok || slices.ContainsFunc(s.Absent, func(field string) bool { return !slices.Contains(invitation, field) })
}

// unseen are sent, but no part of a user.
var unseen = []string{"message", "step_preferences"}

// sentFields are those that some answer must show.
func (t *target) sentFields() []string {
	s, _ := payload.MemberShows(nil, t.sent)
	return slices.DeleteFunc(s.Absent, func(field string) bool { return slices.Contains(unseen, field) })
}
