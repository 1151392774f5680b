package tallyfysim

import "slices"

// group writes a group in the given form. In a single read ids are strings,
// members come in another order, and timestamps carry milliseconds.
func (s *Sim) group(o *writer, g *Group, f form, include func(*writer)) {
	o.begin(g.Extra)
	o.text("id", g.ID)
	if f == single {
		o.textOrNull("logo", g.Logo)
	}
	o.text("name", g.Name)
	o.textOrNull("description", g.Description)
	if f == single {
		o.texts("guests", g.Guests)
		o.ids("members", reversed(g.Members), true)
	} else {
		o.textOrNull("logo", g.Logo)
		o.ids("members", g.Members, s.opts.StringIDs)
		o.texts("guests", g.Guests)
	}
	s.groupTimes(o, g, f)
	if include != nil {
		include(o)
	}
	o.end()
}

func (s *Sim) groupTimes(o *writer, g *Group, f form) {
	zone := [...]string{listed: zulu, single: zuluMillis, written: plusZero}[f]
	o.instant("created_at", g.CreatedAt, zone)
	if s.opts.Generation == Gen2025 && f != single {
		o.instant("updated_at", g.UpdatedAt, zone)
		o.raw("deleted_at", "null")
		return
	}
	o.instant("last_updated", g.UpdatedAt, zone)
}

func reversed(ids []int64) []int64 {
	ids = slices.Clone(ids)
	slices.Reverse(ids)
	return ids
}
