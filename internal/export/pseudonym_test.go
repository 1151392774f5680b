package export

import "testing"

func TestAStandInIsTheSameForTheSameAndOfItsOwnKind(t *testing.T) {
	one, other := newKey([]byte("one secret of many")), newKey([]byte("another secret, too"))
	email := one.disguise(text("Ann@x.test"), emails)
	if email != newKey([]byte("one secret of many")).disguise(text("ann@X.test"), emails) {
		t.Error("an e-mail has two stand-ins")
	}
	if email == other.disguise(text("Ann@x.test"), emails) {
		t.Error("the key does not count")
	}
	seen := map[value]bool{}
	for _, as := range []veil{emails, names, hashes, actors} {
		seen[one.disguise(text("Ann"), as)] = true
	}
	for _, id := range []int64{1, 2, -1, 9007199254740993} {
		v := one.disguise(number(id), people)
		if v.number <= 0 || v.number >= 1<<53 || v.number == id {
			t.Error(id, "becomes", v.number)
		}
		seen[v] = true
	}
	if len(seen) != 8 {
		t.Error("stand-ins meet:", seen)
	}
	if v := one.disguise(text("about"), freeText); v != (value{isNull: true}) {
		t.Error(v)
	}
	if v := one.disguise(value{isNull: true}, names); !v.isNull {
		t.Error("nobody gets a name:", v)
	}
	for i := range int64(mostStandIns + 10) {
		one.disguise(number(i), people)
	}
	if len(one.known) > mostStandIns || one.disguise(text("ann@x.test"), emails) != email {
		t.Error(len(one.known), "are remembered")
	}
}
