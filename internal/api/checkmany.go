package api

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"rollcall/internal/directory"
)

// A CheckManyInput asks of many pairs whether somebody is in a group.
type CheckManyInput struct {
	Dated
	CacheControl    string `header:"Cache-Control" example:"max-age=5" doc:"How old the answer may be, as in a GET."`
	IncludeDisabled bool   `query:"include_disabled" doc:"Count disabled people as members where Tallyfy still lists the edge."`
	Body            PairList
}

// A PairList names pairs.
type PairList struct {
	Pairs []Pair `json:"pairs" minItems:"1" maxItems:"1000"`
}

// A Pair is somebody and a group.
type Pair struct {
	Member PersonName `json:"member"`
	Group  string     `json:"group" minLength:"1" doc:"The group: 32 hex digits are an id, anything else is a name; id: or name: in front forces it."`
}

// A PersonName is a member's id as a number, or what a path would hold.
type PersonName string

// Schema allows both.
func (PersonName) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		OneOf:       []*huma.Schema{{Type: huma.TypeInteger, Minimum: new(1.0)}, {Type: huma.TypeString, MinLength: new(1)}},
		Description: "The person: a number, or a text of digits, is a member's id, any other text is an e-mail, looked up among members, then guests; id: or name: in front forces it.",
	}
}

// UnmarshalJSON takes a number as it is written.
func (p *PersonName) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '"' {
		return json.Unmarshal(raw, (*string)(p))
	}
	var id int64
	if err := json.Unmarshal(raw, &id); err != nil {
		return err
	}
	*p = PersonName(strconv.FormatInt(id, 10))
	return nil
}

// A CheckManyOutput answers in the order of the pairs.
type CheckManyOutput struct {
	Freshness
	FeedCursor string `header:"Rollcall-Cursor" doc:"The answer's place in the feed of changes; opaque."`
	Body       One[[]Check]
}

var checkManyDoc = doc{
	"check-many", "Who is in which group, of many pairs",
	"Answers up to 1,000 pairs in their order, all at one revision. A pair that cannot be told is no error: its reason is unknown group, unknown member or ambiguous. " +
		"It reads and changes nothing.", "check",
}

func (s *server) checkMany(ctx context.Context, in *CheckManyInput) (*CheckManyOutput, error) {
	r := requestOf(ctx)
	infoOf(ctx).told = true // it is a read, whatever its method
	at, err := in.asOf()
	if err != nil {
		return nil, err
	}
	pairs := make([]directory.Pair, len(in.Body.Pairs))
	for i, pair := range in.Body.Pairs {
		pairs[i] = directory.Pair{Member: directory.ParsePersonRef(string(pair.Member)), Group: directory.ParseGroupRef(pair.Group)}
	}
	verdicts, err := fresh(s, r, func() (directory.Found[[]directory.Check], error) {
		return s.Mirror.Checks(ctx, pairs, in.IncludeDisabled, at)
	}, everything)
	if err != nil {
		return nil, err
	}
	if err := s.tooOld(verdicts.Freshness); err != nil {
		return nil, err
	}
	data := make([]Check, len(verdicts.Row))
	for i, verdict := range verdicts.Row {
		data[i] = newCheck(verdict)
	}
	return &CheckManyOutput{freshnessFor(r, verdicts.Freshness), feedPlace(verdicts.Freshness), One[[]Check]{data, shown(verdicts.Freshness)}}, nil
}
