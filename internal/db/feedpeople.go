package db

import "context"

// peopleMet are the versions of members in a window of changesets, as edges name
// them. What is remembered stays true while rows go on to change after it.
type peopleMet struct {
	low, high int64
	versions  map[int64][]PeopleOfEdgesRow // empty for who is not listed
}

func (v PeopleOfEdgesRow) lived() (since, until int64) { return v.Since, v.Until }

// meet looks up those of some ids that are not known yet.
func (p *peopleMet) meet(ctx context.Context, q *Queries, ids []int64, low, high int64) error {
	if p.versions == nil || len(p.versions) > mostPeople || p.low != low || p.high != high {
		*p = peopleMet{low, high, map[int64][]PeopleOfEdgesRow{}}
	}
	var missing []int64
	for _, id := range ids {
		if _, isKnown := p.versions[id]; !isKnown {
			missing = append(missing, id)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	rows, err := q.PeopleOfEdges(ctx, PeopleOfEdgesParams{Ids: idList(missing), High: high, Low: low})
	if err != nil {
		return err
	}
	for _, id := range missing {
		p.versions[id] = nil
	}
	for _, row := range rows {
		p.versions[row.ID] = append(p.versions[row.ID], row)
	}
	return nil
}
