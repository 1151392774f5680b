package doctor

import (
	"fmt"
	"net/http"
	"time"
)

// clockTolerance is how far clocks may differ, given that a Date header has
// whole seconds.
const clockTolerance = 5 * time.Second

var ofTransport = []assumption{
	{
		name: "base-url", assumed: "the paths stand right below the base URL that is set",
		otherwise: "--base-url is https://go.tallyfy.com/api or https://api.tallyfy.com; both serve the same",
		judge: func(e *evidence) (Verdict, string) {
			if e.me.err != nil {
				return NotVisible, e.me.said()
			}
			return holds(e.me.status != http.StatusNotFound && e.me.status/100 != 3, e.me.said())
		},
	},
	{
		name: "no-etag", assumed: "Tallyfy sends no ETag",
		otherwise: "nothing: sweeps compare rows by what they hold; Rollcall's own ETags are its own",
		judge: func(e *evidence) (Verdict, string) {
			if !e.groups.list() {
				return NotVisible, e.groups.said()
			}
			list, one := e.groups.header.Get("ETag") != "", e.group.ok() && e.group.header.Get("ETag") != ""
			return holds(!list && !one, fmt.Sprintf("list %t, single %t", list, one))
		},
	},
	{
		name: "no-conditional-requests", assumed: "Tallyfy answers no request with 304",
		otherwise: "nothing: Rollcall asks none conditionally",
		judge: func(e *evidence) (Verdict, string) {
			if e.conditional == nil {
				return NotVisible, "there is no ETag to ask with"
			}
			return holds(e.conditional.status != http.StatusNotModified, e.conditional.said())
		},
	},
	{
		name: "rate-headers", assumed: "answers do not tell the rest of a rate limit",
		otherwise: "nothing: the limits are Rollcall's own settings, and a 429 is obeyed",
		judge: func(e *evidence) (Verdict, string) {
			if e.rateHeader == "" {
				return Confirmed, "none came"
			}
			return Contradicted, e.rateHeader
		},
	},
	{
		name: "not-throttled", assumed: "some thirty reads under Rollcall's limits are not throttled",
		otherwise: "a 429 stops sending for as long as it says; lower --upstream-rate",
		judge: func(e *evidence) (Verdict, string) {
			if e.throttled == nil {
				return Confirmed, fmt.Sprintf("%d requests", e.requests)
			}
			return Contradicted, "429, Retry-After: " + e.throttled.header.Get("Retry-After")
		},
	},
	{
		name: "rate-limits", assumed: "12 requests in five seconds, 90 in a minute and 900 in an hour are borne",
		otherwise: "--upstream-rate and --upstream-hourly set others",
		judge:     unseen("finding the limits would mean to run into them"),
	},
	{
		name: "clock", assumed: "Tallyfy's clock and this machine's differ by less than five seconds",
		otherwise: "bounds of changes are taken from this machine's clock alone, and are as wrong as it is",
		judge: func(e *evidence) (Verdict, string) {
			if !e.hasClock {
				return NotVisible, "no Date header came"
			}
			return holds(e.clock.Abs() < clockTolerance, "Tallyfy's is ahead by "+e.clock.Round(time.Second).String())
		},
	},
	{
		name: "activity-feed", assumed: "the activity feed can be asked for groups",
		otherwise: "nothing: what it leaves out is not documented, so changes are found by comparing lists alone",
		judge: func(e *evidence) (Verdict, string) {
			if e.feed == nil {
				return NotVisible, e.feed.said()
			}
			return holds(e.feed.list(), e.feed.said())
		},
	},
}
