// Command go is the life of a group over Tallyfy's API with net/http.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

type group struct {
	ID          string            `json:"id,omitempty"`
	Name        string            `json:"name"`
	Description string            `json:"description"`
	Members     []json.RawMessage `json:"members"` // numbers, or numbers in quotes
	Guests      []string          `json:"guests"`
}

type user struct {
	ID     json.RawMessage `json:"id"`
	Email  string          `json:"email"`
	Groups json.RawMessage `json:"groups"` // an array, wrapped in data or not
}

var client = &http.Client{Timeout: 15 * time.Second}

// call makes one request and, when something came, decodes its data.
func call(method, path string, body, data any) int {
	sent, err := json.Marshal(body)
	failIf(err)
	url := fmt.Sprintf("%s/organizations/%s/%s", os.Getenv("TALLYFY_BASE_URL"), os.Getenv("TALLYFY_ORG_ID"), path)
	request, err := http.NewRequestWithContext(context.Background(), method, url, nil)
	failIf(err)
	request.Header.Set("Authorization", "Bearer "+os.Getenv("TALLYFY_ACCESS_TOKEN"))
	request.Header.Set("Accept", "application/json")
	request.Header.Set("X-Tallyfy-Client", "APIClient")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
		request.Body = io.NopCloser(bytes.NewReader(sent))
		request.ContentLength = int64(len(sent))
	}
	response, err := client.Do(request)
	failIf(err)
	defer response.Body.Close()
	came, err := io.ReadAll(response.Body)
	failIf(err)
	if data != nil && len(came) > 0 {
		failIf(json.Unmarshal(came, &struct {
			Data any `json:"data"`
		}{data}))
	}
	return response.StatusCode
}

func failIf(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func check(what string, holds bool, status int) {
	if !holds {
		fmt.Fprintf(os.Stderr, "%s: %d\n", what, status)
		os.Exit(1)
	}
	fmt.Println("ok", what)
}

func isDone(status int) bool { return status == http.StatusOK || status == http.StatusCreated }

func main() {
	var groups []group
	status := call(http.MethodGet, "groups?with=assets", nil, &groups)
	check("list groups", status == http.StatusOK && len(groups) > 0 && groups[0].ID != "", status)

	var users []user
	status = call(http.MethodGet, "users?with=groups", nil, &users)
	check("list members with groups", status == http.StatusOK && len(users) > 1 && len(users[0].Groups) > 0, status)

	wanted := group{
		Name: fmt.Sprintf("Crew of main.go %d", os.Getpid()), Description: "Made by an example",
		Members: []json.RawMessage{users[0].ID, users[1].ID}, Guests: []string{"crew@go.test"},
	}
	var made group
	status = call(http.MethodPost, "groups", wanted, &made)
	check("create group", isDone(status) && made.Name == wanted.Name, status)

	var read group
	status = call(http.MethodGet, "groups/"+made.ID, nil, &read)
	check("get group", status == http.StatusOK && len(read.Members) == 2 && len(read.Guests) == 1, status)

	wanted.Members = wanted.Members[:1]
	status = call(http.MethodPut, "groups/"+made.ID, wanted, &read)
	check("update group", isDone(status) && len(read.Members) == 1, status)

	status = call(http.MethodDelete, "groups/"+made.ID, nil, nil)
	check("delete group", status == http.StatusOK || status == http.StatusNoContent, status)

	status = call(http.MethodGet, "groups/"+made.ID, nil, nil)
	check("get it no more", status == http.StatusNotFound, status)
}
