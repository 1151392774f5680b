package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestARecordingGivesTheSameAnswersAgain(t *testing.T) {
	asked := 0
	simulation := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write([]byte(r.URL.String()))
	})
	known := newRecording()
	for _, url := range []string{"/a?page=1", "/a?page=2", "/a?page=1", "/a?page=2"} {
		got := httptest.NewRecorder()
		known.serve(got, httptest.NewRequest(http.MethodGet, url, http.NoBody), simulation)
		if got.Code != http.StatusTeapot || got.Body.String() != url || got.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s is answered %d %q %v", url, got.Code, got.Body, got.Header())
		}
	}
	if asked != 2 {
		t.Errorf("the simulation was asked %d times, want 2", asked)
	}
}
