package tallyfysim

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// Size says how large a seeded organisation is.
type Size struct {
	Groups  int
	Members int // users of every status, the bot among them
	Edges   int // memberships of users; 0 for five a user, negative for none
	Guests  int // distinct guest e-mails, each in one to three groups; 0 for one in fifty users, negative for none

	// Until is the newest instant in the data; default the morning of 5
	// January 2026, or now if the clock is before that.
	Until time.Time
}

func (z Size) withDefaults() Size {
	switch {
	case z.Edges == 0:
		z.Edges = 5 * z.Members
	case z.Edges < 0:
		z.Edges = 0
	}
	switch {
	case z.Guests == 0:
		z.Guests = z.Members / 50
	case z.Guests < 0:
		z.Guests = 0
	}
	if z.Until.IsZero() {
		z.Until = time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC)
		if now := time.Now(); now.Before(z.Until) {
			z.Until = now
		}
	}
	z.Until = z.Until.UTC().Truncate(time.Second)
	return z
}

// Populate adds groups, users and guests to s. The same options, size and
// history of s give the same rows.
//
// The first user is the default administrator, the second the bot. One user
// in twenty-five is disabled and in no group, one in thirty is invited. The
// first group holds everybody who is not disabled; one group in twenty is
// empty, the sizes of the others follow Zipf's law. Edges are exactly as many
// as asked for, or as many as the groups can hold. Some names of groups
// differ in case alone.
func Populate(s *Sim, size Size) {
	s.mu.Lock()
	defer s.mu.Unlock()
	size = size.withDefaults()
	p := &population{sim: s, size: size, rng: s.rng}
	p.users()
	p.groups()
	p.guests()
}

type population struct {
	sim    *Sim
	size   Size
	rng    *rand.Rand
	inside []int64 // who may be in groups
	made   []*Group
}

func (p *population) users() {
	s, n := p.sim, p.size.Members
	s.users.grow(n)
	rows := make([]User, n)
	emails := newArena(n * 40)
	p.inside = make([]int64, 0, n)
	age := newAges(p.rng, p.size.Until, n)
	for i := range rows {
		u := &rows[i]
		u.ID = s.nextUser
		s.nextUser += 1 + p.rng.Int64N(4)
		u.CreatedAt = age.next()
		p.person(u, i, emails)
		p.career(u, i)
		s.users.put(u)
		if u.Status != StatusDisabled && !u.Bot {
			p.inside = append(p.inside, u.ID)
		}
	}
}

func (p *population) person(u *User, i int, emails *arena) {
	t := tongues[p.rng.IntN(len(tongues))]
	given, family := t.given[p.rng.IntN(len(t.given))], t.family[p.rng.IntN(len(t.family))]
	u.FirstName, u.LastName = given.text, family.text
	separator := "."
	if i%40 == 7 {
		separator = "+"
	}
	domain := domains[p.rng.IntN(len(domains))]
	u.Email = emails.join(given.handle, separator, family.handle, strconv.FormatInt(u.ID, 36), "@", domain)
	u.Username, _, _ = strings.Cut(u.Email, "@")
	z := zones[p.rng.IntN(len(zones))]
	u.Timezone, u.UTCOffset = z.name, z.offset
	u.JobTitle, u.Team = jobs[p.rng.IntN(len(jobs))], teams[p.rng.IntN(len(teams))]
	u.CountryID = 1 + p.rng.Int64N(200)
}

// career gives role, status and the instants that follow from it.
func (p *population) career(u *User, i int) {
	u.Status, u.Role = StatusActive, [...]string{RoleStandard, RoleStandard, RoleStandard, RoleLight}[p.rng.IntN(4)]
	if i%60 == 5 {
		u.Role = RoleAdmin
	}
	u.ActivatedAt = u.CreatedAt.Add(time.Duration(p.rng.IntN(72*3600)) * time.Second)
	u.UpdatedAt = p.since(u.CreatedAt)
	u.LastLoginAt = p.since(u.UpdatedAt)
	switch {
	case i == 0:
		u.Role, u.DefaultAdmin = RoleAdmin, true
	case i == 1:
		u.Bot, u.FirstName, u.LastName, u.LastLoginAt = true, "Tally", "Bot", time.Time{}
	case i%25 == 12:
		u.Status, u.DisabledAt = StatusDisabled, u.UpdatedAt
	case i%30 == 17:
		u.Status, u.Username = StatusInvited, ""
		u.ActivatedAt, u.LastLoginAt = time.Time{}, time.Time{}
	}
	if i%16 == 3 {
		u.ProfilePic = "https://pictures.works.test/" + strconv.FormatInt(u.ID, 10) + ".png?signature=" + strconv.FormatUint(p.rng.Uint64(), 36)
	}
}

// since is a second between t and the newest one.
func (p *population) since(t time.Time) time.Time {
	seconds := int64(p.size.Until.Sub(t) / time.Second)
	return t.Add(time.Duration(p.rng.Int64N(max(1, seconds))) * time.Second)
}
