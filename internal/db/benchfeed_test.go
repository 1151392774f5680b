package db_test

import (
	"testing"

	"rollcall/internal/directory"
)

// BenchmarkFeed asks what changed, of a large first revision and two small
// ones after it; Member is what all is measured by.
func BenchmarkFeed(b *testing.B) {
	mirror, _, p := loaded(b)
	ctx := b.Context()
	first, err := mirror.Freshness(ctx)
	if err != nil {
		b.Fatal(err)
	}
	before := publish(b, mirror, oneInAThousand(p, 1))
	publish(b, mirror, oneInAThousand(p, 2))
	everybody, usual := p.Groups[0].Row.ID, p.Groups[len(p.Groups)/2].Row.ID
	someone := directory.PersonRef{ID: 500}
	page := directory.ListQuery{Limit: 100}
	feed := func(after *directory.FeedPlace) func() error {
		return func() error { return second(mirror.Changes(ctx, directory.FeedQuery{After: after, Limit: 100})) }
	}
	within := func(group string, id int64) *directory.FeedPlace {
		return &directory.FeedPlace{Pin: first.Pin(), Key: directory.ChangeKey{Step: directory.StepEdgesAdded, Group: group, ID: id}}
	}
	group := func(initial bool) func() error {
		return func() error {
			return second(mirror.GroupTimeline(ctx, directory.GroupRef{ID: everybody}, initial, page))
		}
	}
	person := func(initial bool) func() error {
		return func() error { return second(mirror.PersonTimeline(ctx, someone, initial, page)) }
	}
	since := func(revision int64) func() error {
		q := directory.DiffQuery{Limit: 100, From: directory.AsOf{Revision: revision}}
		return func() error { return second(mirror.Diff(ctx, q)) }
	}
	for _, c := range []struct {
		name string
		read func() error
	}{
		{"Member", func() error { return second(mirror.Member(ctx, someone, nil)) }},
		{"FromTheBeginning", feed(nil)},
		{"WithinTheFirstRevision", feed(within(usual, 500))},
		{"WithinEverybody", feed(within(everybody, 50_000))},
		{"TheLastRevision", feed(&directory.FeedPlace{Pin: before.Pin()})},
		{"PersonTimeline", person(false)},
		{"PersonTimelineInitial", person(true)},
		{"EverybodyTimeline", group(false)},
		{"EverybodyTimelineInitial", group(true)},
		{"DiffOfTheLastTwo", since(before.Revision)},
		{"DiffFromTheFirst", since(first.Revision)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := c.read(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
