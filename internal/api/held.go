package api

import (
	"fmt"
	"time"

	"rollcall/internal/directory"
)

// A Held is what a sweep would remove, so much that it looks like a fault of
// Tallyfy and nothing of the sweep was published.
type Held struct {
	ID            string       `json:"id" example:"5f0c2a9d41e7b836" doc:"Names the set of removals; the same removals have the same id after a restart."`
	Since         *time.Time   `json:"since" doc:"When the first of the sweeps began that are held under this id."`
	ReleaseAt     *time.Time   `json:"release_at" doc:"When it will be believed if every sweep until then shows it (--hold-release); null for only by hand."`
	Groups        int          `json:"groups" doc:"Groups that would go."`
	Members       int          `json:"members" doc:"Members that would go."`
	Memberships   int          `json:"memberships" doc:"Memberships that would go, of members and guests."`
	GoneGroups    []HeldGroup  `json:"gone_groups" doc:"Groups that would go, at most twenty."`
	GoneMembers   []HeldMember `json:"gone_members" doc:"Members that would go, at most twenty."`
	ThinnedGroups []HeldGroup  `json:"thinned_groups" doc:"Groups that would stay and lose memberships, most first, at most twenty."`
	Truncated     bool         `json:"truncated" doc:"There is more than is named here."`
	Release       string       `json:"release" doc:"How to release it, for a person."`
}

// A HeldGroup is a group that would go or lose memberships.
type HeldGroup struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Memberships int    `json:"memberships" doc:"That it would lose."`
}

// A HeldMember is a member that would go.
type HeldMember struct {
	ID    int64  `json:"id"`
	Email string `json:"email"`
}

func held(h *directory.Held) OrNull[Held] {
	if h == nil {
		return OrNull[Held]{}
	}
	shown := &Held{
		ID: h.ID, Since: instant(h.Since), ReleaseAt: instant(h.ReleaseAt),
		Groups: h.Groups, Members: h.Members, Memberships: h.Memberships,
		GoneGroups: heldGroups(h.GoneGroups), GoneMembers: []HeldMember{}, ThinnedGroups: heldGroups(h.ThinnedGroups),
		Truncated: h.Truncated, Release: release(h),
	}
	for _, m := range h.GoneMembers {
		shown.GoneMembers = append(shown.GoneMembers, HeldMember(m))
	}
	return OrNull[Held]{shown}
}

func heldGroups(groups []directory.HeldGroup) []HeldGroup {
	shown := []HeldGroup{}
	for _, g := range groups {
		shown = append(shown, HeldGroup(g))
	}
	return shown
}

// release says how to release a hold. The command goes through the server,
// as the request does.
func release(h *directory.Held) string {
	text := fmt.Sprintf("If Tallyfy is right, accept it: rollcall sync --accept-removals %s, or POST /v1/sync?accept_removals=%s. "+
		"If Tallyfy is wrong, do nothing: a sweep that shows the rows again ends it.", h.ID, h.ID)
	if !h.ReleaseAt.IsZero() {
		text += fmt.Sprintf(" If every sweep goes on showing it, it is believed at %s.", h.ReleaseAt.UTC().Format(time.RFC3339))
	}
	return text
}
