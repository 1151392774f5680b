package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"rollcall/internal/directory"
)

// guardSettings say when the removals of a sweep are held.
type guardSettings struct {
	RemovalGuard string        `name:"removal-guard" env:"ROLLCALL_REMOVAL_GUARD" default:"25%" placeholder:"25%" help:"Share of the groups, members or memberships whose removal in one sweep is held, three at least; off holds nothing."`
	HoldRelease  time.Duration `name:"hold-release" env:"ROLLCALL_HOLD_RELEASE" default:"0" help:"How long every sweep must show held removals before they are believed; 0 means only by hand."`
}

// guardOff is the setting that holds nothing.
const guardOff = "off"

// check refuses what cannot be meant.
func (s *guardSettings) check() error {
	share, isOn, err := s.share()
	switch {
	case err != nil:
		return err
	case s.HoldRelease < 0:
		return usagef("--hold-release: %s is negative, give a duration such as 24h, or 0 to release by hand alone", s.HoldRelease)
	case isOn && (share <= 0 || share > 1):
		return usagef("--removal-guard: %s is not above 0%% and at most 100%%, give a share such as 25%%, or off", s.RemovalGuard)
	case !isOn && s.HoldRelease > 0:
		return usagef("--hold-release: with --removal-guard=off nothing is held that could be released, leave one of them out")
	}
	return nil
}

// share is the setting as a number; isOn is false where nothing is held.
func (s *guardSettings) share() (share float64, isOn bool, err error) {
	if s.RemovalGuard == guardOff {
		return 0, false, nil
	}
	digits, isShare := strings.CutSuffix(s.RemovalGuard, "%")
	percent, err := strconv.ParseFloat(digits, 64)
	if !isShare || err != nil || percent != percent {
		return 0, false, usagef("--removal-guard: %q is not a share, give one such as 25%%, or off", s.RemovalGuard)
	}
	return percent / 100, true, nil
}

// exitHeld is the code of a sync whose sweep is held: nothing failed, and
// nothing was published.
const exitHeld = 4

// sayHeld tells what a sweep into a file would have removed.
func sayHeld(w io.Writer, held *directory.Held) {
	fmt.Fprintf(w, "held as %s: the sweep would remove %d groups, %d members and %d memberships; nothing was published\n",
		held.ID, held.Groups, held.Members, held.Memberships)
	for _, row := range heldRows(held) {
		fmt.Fprintln(w, "  "+printable(row))
	}
	fmt.Fprintln(w, "If Tallyfy is wrong, sync again later. If it is right, sync once with --removal-guard=off.")
}

// heldRows names some of what is held, a row a line.
func heldRows(held *directory.Held) []string {
	var rows []string
	for _, g := range held.GoneGroups {
		rows = append(rows, fmt.Sprintf("group %s %s", g.ID, g.Name))
	}
	for _, m := range held.GoneMembers {
		rows = append(rows, fmt.Sprintf("member %d %s", m.ID, m.Email))
	}
	for _, g := range held.ThinnedGroups {
		rows = append(rows, fmt.Sprintf("%d memberships of group %s %s", g.Memberships, g.ID, g.Name))
	}
	if held.Truncated {
		rows = append(rows, "and more")
	}
	return rows
}

// printHeld writes the lines of a status that say what is held, none if
// nothing is.
func printHeld(w io.Writer, body []byte) {
	var told struct {
		Data struct {
			Held *struct {
				ID            string                 `json:"id"`
				Since         string                 `json:"since"`
				Groups        int                    `json:"groups"`
				Members       int                    `json:"members"`
				Memberships   int                    `json:"memberships"`
				GoneGroups    []directory.HeldGroup  `json:"gone_groups"`
				GoneMembers   []directory.HeldMember `json:"gone_members"`
				ThinnedGroups []directory.HeldGroup  `json:"thinned_groups"`
				Truncated     bool                   `json:"truncated"`
				Release       string                 `json:"release"`
			} `json:"held"`
		} `json:"data"`
	}
	if json.Unmarshal(body, &told) != nil || told.Data.Held == nil {
		return
	}
	h := told.Data.Held
	what := "what it is will be known after the next sweep"
	if h.Groups+h.Members+h.Memberships > 0 {
		what = fmt.Sprintf("%d groups, %d members, %d memberships", h.Groups, h.Members, h.Memberships)
	}
	fmt.Fprintf(w, "held\t%s since %s: %s\n", printable(h.ID), printable(h.Since), what)
	for _, row := range heldRows(&directory.Held{
		GoneGroups: h.GoneGroups, GoneMembers: h.GoneMembers, ThinnedGroups: h.ThinnedGroups, Truncated: h.Truncated,
	}) {
		fmt.Fprintf(w, "\t%s\n", printable(row))
	}
	fmt.Fprintf(w, "\t%s\n", printable(h.Release))
}
