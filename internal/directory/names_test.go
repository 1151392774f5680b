package directory

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestFoldMapsEveryCaseVariantToOneKey(t *testing.T) {
	for _, pair := range [][2]string{
		{"Sales", "SALES"},
		{"  Night shift ", "night SHIFT"},
		{"ΟΔΟΣ", "οδος"},
		{"οδοσ", "οδος"},          // final sigma
		{"\u212Aelvin", "kelvin"}, // Kelvin sign
		{"ſtraße", "Straße"},
		{"ДЕЖУРНЫЕ", "дежурные"},
		{"Ⅷ", "ⅷ"},
	} {
		if Fold(pair[0]) != Fold(pair[1]) {
			t.Errorf("Fold(%q) = %q, Fold(%q) = %q; want one key", pair[0], Fold(pair[0]), pair[1], Fold(pair[1]))
		}
	}
	for _, pair := range [][2]string{{"İstanbul", "istanbul"}, {"ß", "ss"}, {"a b", "ab"}} {
		if Fold(pair[0]) == Fold(pair[1]) {
			t.Errorf("Fold takes %q and %q for the same", pair[0], pair[1])
		}
	}
}

func FuzzFoldAgreesWithEqualFold(f *testing.F) {
	f.Add("Straße", "STRASSE")
	f.Add("ſ", "S")
	f.Fuzz(func(t *testing.T, a, b string) {
		if !utf8.ValidString(a) || !utf8.ValidString(b) {
			t.Skip()
		}
		want := strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b))
		if got := Fold(a) == Fold(b); got != want {
			t.Errorf("Fold(%q) == Fold(%q) is %t, EqualFold says %t", a, b, got, want)
		}
		if Fold(Fold(a)) != Fold(a) {
			t.Errorf("Fold is not idempotent on %q", a)
		}
	})
}

func TestParseGroupRef(t *testing.T) {
	id := strings.Repeat("0f", 16)
	for in, want := range map[string]GroupRef{
		id:                      {ID: id},
		strings.ToUpper(id):     {ID: strings.ToUpper(id)},
		"Night shift":           {Name: "Night shift"},
		"id:any text":           {ID: "any text"},
		"name:" + id:            {Name: id},
		id + "0":                {Name: id + "0"},
		"name:id:x":             {Name: "id:x"},
		strings.Repeat("g", 32): {Name: strings.Repeat("g", 32)},
		"":                      {},
	} {
		if got := ParseGroupRef(in); got != want {
			t.Errorf("ParseGroupRef(%q) = %+v, want %+v", in, got, want)
		}
	}
}

func TestParsePersonRef(t *testing.T) {
	for in, want := range map[string]PersonRef{
		"11":                   {ID: 11},
		"id:11":                {ID: 11},
		"name:11":              {Email: "11"},
		"a@x.test":             {Email: "a@x.test"},
		"name:a@x.test":        {Email: "a@x.test"},
		"0":                    {Email: "0"},
		"-4":                   {Email: "-4"},
		"+4":                   {Email: "+4"},
		"99999999999999999999": {Email: "99999999999999999999"},
	} {
		if got := ParsePersonRef(in); got != want {
			t.Errorf("ParsePersonRef(%q) = %+v, want %+v", in, got, want)
		}
	}
}

func FuzzRefs(f *testing.F) {
	for _, seed := range []string{"11", "id:11", "name:id:11", "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f", "A@x.test", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if g := ParseGroupRef(text); g.ID != "" && g.Name != "" || ParseGroupRef("id:"+text).ID != text || ParseGroupRef("name:"+text).Name != text {
			t.Errorf("ParseGroupRef(%q) = %+v", text, g)
		}
		if p := ParsePersonRef(text); p.ID < 0 || p.ID != 0 && p.Email != "" || ParsePersonRef("name:"+text).Email != text {
			t.Errorf("ParsePersonRef(%q) = %+v", text, p)
		}
	})
}
