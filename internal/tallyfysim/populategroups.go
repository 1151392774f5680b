package tallyfysim

import (
	"strconv"
	"strings"
)

func (p *population) groups() {
	s, n := p.sim, p.size.Groups
	s.groups.grow(n)
	rows := make([]Group, n)
	p.made = make([]*Group, n)
	sizes := groupSizes(n, len(p.inside), p.size.Edges)
	edges := make([]int64, 0, sum(sizes))
	age := newAges(p.rng, p.size.Until, n)
	for i := range rows {
		g := &rows[i]
		g.ID, g.Name = s.newGroupID(), p.groupName(i)
		if i%9 != 4 {
			g.Description = "About " + g.Name
		}
		g.CreatedAt = age.next()
		g.UpdatedAt = p.since(g.CreatedAt)
		from := len(edges)
		edges = p.pick(edges, sizes[i])
		g.Members = edges[from:len(edges):len(edges)]
		s.groups.put(g)
		p.made[i] = g
	}
}

// groupName is another for every i: a subject, a site and, when those are
// used up, a number. Every ninth repeats its predecessor's in lower case,
// where that differs.
func (p *population) groupName(i int) string {
	if i == 0 {
		return "Everybody"
	}
	if i%9 == 8 {
		before := fullGroupName(i - 1)
		if lower := strings.ToLower(before); lower != before {
			return lower
		}
	}
	return fullGroupName(i)
}

func fullGroupName(i int) string {
	name := subjects[i%len(subjects)]
	if site := sites[i/len(subjects)%len(sites)]; site != "" {
		name += " " + site
	}
	if round := i / len(subjects) / len(sites); round > 0 {
		name += " " + strconv.Itoa(round+1)
	}
	return name
}

// pick appends k distinct ids of those inside. A third come from the first
// tenth, so that some people are in far more groups than others.
func (p *population) pick(to []int64, k int) []int64 {
	tenth := len(p.inside) / 10
	few := min(k/3, tenth)
	to = p.stride(to, p.inside[:tenth], few)
	return p.stride(to, p.inside[tenth:], k-few)
}

// stride appends k distinct ids of those in from, without remembering any.
func (p *population) stride(to, from []int64, k int) []int64 {
	n := len(from)
	if n == 0 || k == 0 {
		return to
	}
	at, step := p.rng.IntN(n), 1+p.rng.IntN(n)
	for gcd(step, n) != 1 {
		step = step%n + 1
	}
	for range k {
		to = append(to, from[at])
		at = (at + step) % n
	}
	return to
}

// guests puts each guest into one to three groups, whose arrays are their own.
func (p *population) guests() {
	for i := range p.size.Guests {
		t := tongues[p.rng.IntN(len(tongues))]
		email := t.given[p.rng.IntN(len(t.given))].handle + "." + strconv.Itoa(i) + "@" + guestDomains[p.rng.IntN(len(guestDomains))]
		p.sim.meetGuest(email).CreatedAt = p.since(p.size.Until.AddDate(-1, 0, 0))
		if len(p.made) == 0 {
			continue
		}
		first := p.rng.IntN(len(p.made))
		for j := range min(1+p.rng.IntN(3), len(p.made)) {
			g := p.made[(first+j*j)%len(p.made)]
			if n := len(g.Guests); n == 0 || g.Guests[n-1] != email {
				g.Guests = append(g.Guests, email)
			}
		}
	}
}
