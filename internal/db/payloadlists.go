package db

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"rollcall/internal/directory"
)

// GroupPayloads returns groups as upstream sent them, searched by name and
// description.
func (db *DB) GroupPayloads(ctx context.Context, q directory.PayloadQuery) (page directory.PayloadPage, err error) {
	err = db.read(ctx, nil, nil, func(s *state) error {
		if page.Rows, page.Total, err = s.groupPayloads(ctx, q); err != nil {
			return err
		}
		page.Freshness, err = s.freshList(ctx, ofGroups)
		return err
	})
	return page, wrap("list groups", err)
}

// MemberPayloads returns members as upstream sent them, searched by first
// name, last name and e-mail.
func (db *DB) MemberPayloads(ctx context.Context, q directory.PayloadQuery) (page directory.PayloadPage, err error) {
	err = db.read(ctx, nil, nil, func(s *state) error {
		if page.Rows, page.Total, err = s.memberPayloads(ctx, q); err != nil {
			return err
		}
		page.Freshness, err = s.freshList(ctx, ofMembers)
		return err
	})
	return page, wrap("list members", err)
}

// inOrderOfCreation tells the queries that an index answers alone.
func inOrderOfCreation(q directory.PayloadQuery) bool {
	return q.Contains == "" && q.Order == directory.ByCreation
}

func (s *state) groupPayloads(ctx context.Context, q directory.PayloadQuery) ([][]byte, int, error) {
	if inOrderOfCreation(q) && !q.Descending {
		rows, err := s.q.GroupPayloads(ctx, int64(q.Offset), int64(q.Limit))
		return convert(rows, toPayload), int(s.mirror.GroupCount), err
	}
	keys, total, err := s.groupKeys(ctx, q)
	if err != nil {
		return nil, 0, err
	}
	rows, err := s.payloadsOfGroups(ctx, keys)
	return rows, total, err
}

func (s *state) memberPayloads(ctx context.Context, q directory.PayloadQuery) ([][]byte, int, error) {
	if inOrderOfCreation(q) && !q.Descending {
		rows, err := s.q.MemberPayloads(ctx, int64(q.Offset), int64(q.Limit))
		return convert(rows, toPayload), int(s.mirror.MemberCount), err
	}
	ids, total, err := s.memberKeys(ctx, q)
	if err != nil {
		return nil, 0, err
	}
	rows, err := s.payloadsOfMembers(ctx, ids)
	return rows, total, err
}

// groupKeys returns the gids of a page, and how many rows there are in all. What
// no index answers takes one pass over the texts of all groups.
func (s *state) groupKeys(ctx context.Context, q directory.PayloadQuery) ([]int64, int, error) {
	if q.Contains == "" && q.Order == directory.ByName && !q.Descending {
		gids, err := s.q.GroupKeysByName(ctx, int64(q.Offset), int64(q.Limit))
		return gids, int(s.mirror.GroupCount), err
	}
	part := directory.FoldCase(q.Contains)
	var places []place
	err := eachRow(ctx, s.groupTexts(part), func(row GroupTextsRow) (int64, error) {
		if contain(part, row.Name, row.Description.String) {
			places = append(places, placeOfGroup(row, q.Order))
		}
		return row.Gid, nil
	})
	return keys(places, q), len(places), err
}

// memberKeys is groupKeys for members.
func (s *state) memberKeys(ctx context.Context, q directory.PayloadQuery) ([]int64, int, error) {
	if inOrderOfCreation(q) {
		list := s.q.MemberKeysByCreation
		if q.Descending {
			list = s.q.MemberKeysByCreationDown
		}
		ids, err := list(ctx, int64(q.Offset), int64(q.Limit))
		return ids, int(s.mirror.MemberCount), err
	}
	part := directory.FoldCase(q.Contains)
	var places []place
	err := eachRow(ctx, s.memberTexts(part), func(row MemberTextsRow) (int64, error) {
		if contain(part, row.FirstName.String, row.LastName.String, row.Email) {
			places = append(places, placeOfMember(row, q.Order))
		}
		return row.ID, nil
	})
	return keys(places, q), len(places), err
}

// rowsAtOnce bounds what a pass over all rows holds in memory.
const rowsAtOnce = 1000

// A textList returns the first rows after a key, ascending, at most so many,
// with the texts that are searched.
type textList[R any] func(ctx context.Context, after, size int64) ([]R, error)

// groupTexts lists the groups that may have a folded part.
func (s *state) groupTexts(part string) textList[GroupTextsRow] {
	match, ok := matchOf(part)
	if !ok {
		return s.q.GroupTexts
	}
	return func(ctx context.Context, after, size int64) ([]GroupTextsRow, error) {
		gids, err := s.candidates(ctx, groupTrigrams, match, after, size)
		if err != nil {
			return nil, err
		}
		rows, err := s.q.GroupTextsOf(ctx, idList(gids))
		return convert(rows, func(row GroupTextsOfRow) GroupTextsRow { return GroupTextsRow(row) }), err
	}
}

// memberTexts lists the members who may have a folded part.
func (s *state) memberTexts(part string) textList[MemberTextsRow] {
	match, ok := matchOf(part)
	if !ok {
		return s.q.MemberTexts
	}
	return func(ctx context.Context, after, size int64) ([]MemberTextsRow, error) {
		ids, err := s.candidates(ctx, memberTrigrams, match, after, size)
		if err != nil {
			return nil, err
		}
		rows, err := s.q.MemberTextsOf(ctx, idList(ids))
		return convert(rows, func(row MemberTextsOfRow) MemberTextsRow { return MemberTextsRow(row) }), err
	}
}

// eachRow hands every row to see, which returns the row's key.
func eachRow[R any](ctx context.Context, list textList[R], see func(R) (int64, error)) error {
	for after := int64(beforeAllIDs); ; {
		rows, err := list(ctx, after, rowsAtOnce)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if after, err = see(row); err != nil {
				return err
			}
		}
		if len(rows) < rowsAtOnce {
			return nil
		}
	}
}

// contain tells whether any of texts contains part, whatever the case of the
// texts. Part is folded.
func contain(part string, texts ...string) bool {
	return part == "" || slices.ContainsFunc(texts, func(text string) bool {
		return strings.Contains(directory.FoldCase(text), part)
	})
}

// A place is where a row stands in a list: by its instant or its text, ties by
// the id, which is text for groups and the key for members.
type place struct {
	ms   int64
	text string
	id   string
	key  int64
}

func placeOfGroup(row GroupTextsRow, order directory.PayloadOrder) place {
	p := place{id: row.ID, key: row.Gid}
	switch order {
	case directory.ByName:
		p.text = directory.Fold(row.Name)
	case directory.ByUpdate:
		p.ms = row.UpdatedMs.Int64
	default:
		p.ms = row.CreatedMs.Int64
	}
	return p
}

func placeOfMember(row MemberTextsRow, order directory.PayloadOrder) place {
	p := place{key: row.ID}
	switch order {
	case directory.ByID:
	case directory.ByUpdate:
		p.ms = row.UpdatedMs.Int64
	case directory.ByEmail:
		p.text = directory.FoldEmail(row.Email)
	case directory.ByFirstName:
		p.text = directory.Fold(row.FirstName.String)
	case directory.ByLastName:
		p.text = directory.Fold(row.LastName.String)
	default:
		p.ms = row.CreatedMs.Int64
	}
	return p
}

func comparePlaces(a, b place) int {
	return cmp.Or(cmp.Compare(a.ms, b.ms), strings.Compare(a.text, b.text), strings.Compare(a.id, b.id), cmp.Compare(a.key, b.key))
}

// keys returns the keys of the rows on the page that is asked for.
func keys(places []place, q directory.PayloadQuery) []int64 {
	slices.SortFunc(places, comparePlaces)
	if q.Descending {
		slices.Reverse(places)
	}
	from := min(q.Offset, len(places))
	to := from + min(q.Limit, len(places)-from)
	return convert(places[from:to], func(p place) int64 { return p.key })
}

func (s *state) payloadsOfGroups(ctx context.Context, gids []int64) ([][]byte, error) {
	rows, err := s.q.GroupPayloadsOf(ctx, idList(gids))
	payloads := make(map[int64]string, len(rows))
	for _, row := range rows {
		payloads[row.Gid] = row.Payload
	}
	return pick(payloads, gids), err
}

func (s *state) payloadsOfMembers(ctx context.Context, ids []int64) ([][]byte, error) {
	rows, err := s.q.MemberPayloadsOf(ctx, idList(ids))
	payloads := make(map[int64]string, len(rows))
	for _, row := range rows {
		payloads[row.ID] = row.Payload
	}
	return pick(payloads, ids), err
}

// pick puts payloads in the order of keys.
func pick(payloads map[int64]string, keys []int64) [][]byte {
	return convert(keys, func(key int64) []byte { return []byte(payloads[key]) })
}

func toPayload(row string) []byte { return []byte(row) }
