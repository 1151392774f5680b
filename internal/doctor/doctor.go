// Package doctor compares what Rollcall assumes of Tallyfy's API with what
// Tallyfy answers to one token, by reading alone.
//
// Tallyfy's documentation contradicts itself and leaves much open, and it
// changes. Rollcall is written to bear each answer; a Report says which it
// was, and what Rollcall does about it.
package doctor

import (
	"context"
	"net/http"

	"rollcall/internal/directory"
)

// MaxRequests bounds what one examination asks of Tallyfy.
const MaxRequests = 30

// An Upstream sends requests to Tallyfy under its limits.
type Upstream interface {
	// Forward sends a request to a path below the base URL. The caller closes
	// the answer's body.
	Forward(context.Context, *http.Request) (*http.Response, error)
	// Authorize adds the access token.
	Authorize(context.Context, http.Header) error
	// TokenInfo tells what is known of that token without asking Tallyfy.
	TokenInfo(context.Context) directory.TokenInfo
}

// Options say what is examined.
type Options struct {
	Organization string
	BaseURL      string // as it was set, for comparing hosts
}

// A Verdict is what an examination says of an assumption.
type Verdict string

// The verdicts.
const (
	Confirmed    Verdict = "confirmed"
	Contradicted Verdict = "contradicted"
	NotVisible   Verdict = "not visible" // by reading, with this token, in this organisation
)

// A Finding is the verdict on one assumption.
type Finding struct {
	Name      string  `json:"name"`
	Assumed   string  `json:"assumed"`
	Verdict   Verdict `json:"verdict"`
	Seen      string  `json:"seen"`      // what led to the verdict, no names or e-mails
	Otherwise string  `json:"otherwise"` // what Rollcall does if the assumption does not hold
	Essential bool    `json:"essential"` // without it no mirror can be kept
}

// A Report is the result of an examination.
type Report struct {
	Organization string    `json:"organization"`
	Requests     int       `json:"requests"`
	Findings     []Finding `json:"findings"`
}

// IsUsable reports whether a mirror can be kept: no essential assumption is
// contradicted or hidden.
func (r *Report) IsUsable() bool {
	for _, f := range r.Findings {
		if f.Essential && f.Verdict != Confirmed {
			return false
		}
	}
	return true
}

// Count returns how many findings have a verdict.
func (r *Report) Count(v Verdict) int {
	n := 0
	for _, f := range r.Findings {
		if f.Verdict == v {
			n++
		}
	}
	return n
}

// Examine asks Tallyfy, at most MaxRequests times, and judges every
// assumption. It fails when ctx ends or nothing could be asked at all; an
// answer that is refused or missing is a finding.
func Examine(ctx context.Context, up Upstream, o Options) (*Report, error) {
	e := &evidence{Options: o, asker: asker{up: up}}
	if err := e.gather(ctx); err != nil {
		return nil, err
	}
	e.token = up.TokenInfo(ctx)
	r := &Report{Organization: o.Organization, Requests: e.requests}
	for _, a := range assumptions() {
		f := Finding{Name: a.name, Assumed: a.assumed, Otherwise: a.otherwise, Essential: a.essential}
		f.Verdict, f.Seen = a.judge(e)
		r.Findings = append(r.Findings, f)
	}
	return r, nil
}

// An assumption is one thing that Rollcall takes for likely.
type assumption struct {
	name, assumed, otherwise string
	essential                bool
	judge                    func(*evidence) (Verdict, string)
}

func assumptions() []assumption {
	var all []assumption
	for _, some := range [][]assumption{ofToken, ofLists, ofOrder, ofGroups, ofMembers, ofGuests, ofTransport, ofWrites, ofRest} {
		all = append(all, some...)
	}
	return all
}

// unseen is the judge of what reading cannot show.
func unseen(why string) func(*evidence) (Verdict, string) {
	return func(*evidence) (Verdict, string) { return NotVisible, why }
}

const needsWrite = "only a write would show it, and this command writes nothing"

// holds turns a fact that was seen into a verdict.
func holds(fact bool, seen string) (Verdict, string) {
	if fact {
		return Confirmed, seen
	}
	return Contradicted, seen
}

// answered is holds for an answer that may not have come.
func answered(a *answer, fact bool) (Verdict, string) {
	if a == nil || a.err != nil {
		return NotVisible, a.said()
	}
	return holds(fact, a.said())
}
