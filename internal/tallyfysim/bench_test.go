package tallyfysim_test

import (
	"io"
	"net/http"
	"strconv"
	"testing"

	"rollcall/internal/tallyfysim"
)

var large = tallyfysim.Size{Groups: 10_000, Members: 100_000, Edges: 1_000_000}

func BenchmarkPopulate(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		tallyfysim.Populate(tallyfysim.New(tallyfysim.Options{}), large)
	}
}

func BenchmarkUserPage(b *testing.B) {
	s := tallyfysim.New(tallyfysim.Options{})
	tallyfysim.Populate(s, large)
	b.ReportAllocs()
	for b.Loop() {
		b.SetBytes(drain(b, s, "/users"))
	}
}

func BenchmarkGroupPages(b *testing.B) {
	s := tallyfysim.New(tallyfysim.Options{})
	tallyfysim.Populate(s, large)
	b.ReportAllocs()
	for b.Loop() {
		var n int64
		for page := range 100 {
			n += drain(b, s, "/groups?per_page=100&page="+strconv.Itoa(page+1))
		}
		b.SetBytes(n)
	}
}

func drain(b *testing.B, s *tallyfysim.Sim, path string) int64 {
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "http://tallyfy.test/organizations/"+s.Organization()+path, nil)
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.Token())
	req.Header.Set("Accept", "application/json")
	req.Header.Set("X-Tallyfy-Client", "APIClient")
	res, err := s.Transport().RoundTrip(req)
	if err != nil {
		b.Fatal(err)
	}
	defer res.Body.Close()
	n, err := io.Copy(io.Discard, res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		b.Fatal(res.Status, err)
	}
	return n
}
