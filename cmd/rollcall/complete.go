package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/alecthomas/kong"
)

// completeCommand is what the scripts of completion call. It prints candidates,
// one a line, never complains, and exits with exitFailure where the shell should
// offer files.
type completeCommand struct {
	How   string   `arg:"" enum:"bash,words" help:"bash: cursor, $COMP_WORDBREAKS and line follow. words: the words of the line follow up to the cursor, without quotes."`
	Words []string `arg:"" optional:"" passthrough:""`
}

// completionTimeout bounds how long the server may take: somebody waits with a
// finger on the key.
const completionTimeout = time.Second

// Run prints candidates for the last word.
func (c *completeCommand) Run(ctx context.Context, con *console, parsed *kong.Context, twins *environment) error {
	ctx, cancel := context.WithTimeout(ctx, completionTimeout)
	defer cancel()
	words, worded := c.Words, func(candidate string) string { return candidate }
	if c.How == "bash" {
		if len(c.Words) != 3 {
			return nil
		}
		line := newBashLine(c.Words[0], c.Words[1], c.Words[2])
		words, worded = line.words, line.worded
	}
	if len(words) == 0 {
		return nil
	}
	found := completionOf(parsed.Model.Node, words[:len(words)-1], words[len(words)-1])
	candidates, err := found.candidates(ctx, con, twins)
	if err != nil {
		return &exitError{code: exitFailure}
	}
	for _, candidate := range candidates {
		if isOneLine(candidate) && hasFoldPrefix(candidate, words[len(words)-1]) {
			fmt.Fprintln(con.stdout, worded(candidate))
		}
	}
	return nil
}

func isOneLine(s string) bool { return s != "" && !strings.ContainsFunc(s, unicode.IsControl) }

func hasFoldPrefix(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// A completion is what may stand in a place of the command line.
type completion struct {
	node  *kong.Node        // the command that was named so far
	given map[string]string // values of flags that were named so far
	last  string            // the word to complete
	value *kong.Value       // what it is a value of, nil for a command or flag
	front string            // what stands before the value in the same word
}

// completionOf reads the words before the last as kong would.
func completionOf(node *kong.Node, before []string, last string) completion {
	c := completion{node: node, given: map[string]string{}, last: last}
	positionals, onlyArgs := 0, false
	for i := 0; i < len(before); i++ {
		word := before[i]
		switch {
		case word == "--":
			onlyArgs = true
		case strings.HasPrefix(word, "-") && !onlyArgs:
			name, value, hasValue := strings.Cut(word, "=")
			flag := c.flag(name)
			if flag == nil || flag.IsBool() || flag.IsCounter() {
				continue
			}
			if !hasValue {
				if i++; i == len(before) {
					c.value = flag.Value
					return c
				}
				value = before[i]
			}
			c.given[flag.Name] = value
		case c.child(word) != nil:
			c.node = c.child(word)
		default:
			positionals++
		}
	}
	name, _, hasValue := strings.Cut(last, "=")
	switch {
	case strings.HasPrefix(last, "-") && hasValue && !onlyArgs && c.flag(name) != nil:
		c.value, c.front = c.flag(name).Value, name+"="
	case strings.HasPrefix(last, "-") && !onlyArgs:
	case positionals < len(c.node.Positional):
		c.value = c.node.Positional[positionals]
	}
	return c
}

func (c *completion) child(name string) *kong.Node {
	for _, child := range c.node.Children {
		if child.Name == name && !child.Hidden {
			return child
		}
	}
	return nil
}

func (c *completion) flag(name string) *kong.Flag {
	for _, flag := range c.flags() {
		if name == "--"+flag.Name || flag.Short != 0 && name == "-"+string(flag.Short) {
			return flag
		}
	}
	return nil
}

func (c *completion) flags() []*kong.Flag { return slices.Concat(c.node.AllFlags(true)...) }

// errFiles says that a file is wanted.
var errFiles = fmt.Errorf("a file is wanted")

// candidates are all there are, whatever the word begins with. Where the server
// does not answer there are none of its own.
func (c *completion) candidates(ctx context.Context, con *console, twins *environment) ([]string, error) {
	switch {
	case c.value != nil:
		values, err := c.values(ctx, con, twins)
		for i := range values {
			values[i] = c.front + values[i]
		}
		return values, err
	case strings.HasPrefix(c.last, "-"):
		var names []string
		for _, flag := range c.flags() {
			names = append(names, "--"+flag.Name)
		}
		return names, nil
	}
	var names []string
	for _, child := range c.node.Children {
		if !child.Hidden {
			names = append(names, child.Name)
		}
	}
	return names, nil
}

// values are those of a flag or an argument: its field says, by a complete tag,
// what the server knows it from.
func (c *completion) values(ctx context.Context, con *console, twins *environment) ([]string, error) {
	if c.value.Enum != "" {
		return c.value.EnumSlice(), nil
	}
	beginning := strings.TrimPrefix(c.last, c.front)
	switch c.value.Tag.Get("complete") {
	case "groups":
		return c.ask(ctx, con, twins, "/v1/groups", "name", beginning), nil
	case "people":
		return c.ask(ctx, con, twins, "/v1/members", "email", beginning), nil
	}
	if c.value.Tag.PlaceHolder == "FILE" || c.value.Name == "db" {
		return nil, errFiles
	}
	return nil, nil
}

// ask has the server, or the file, that the line names list what may be meant:
// the first thousand, without any that would be taken for a flag.
func (c *completion) ask(ctx context.Context, con *console, twins *environment, path, field, beginning string) []string {
	from := readSettings{serverSettings{cmp.Or(c.given["server"], con.env(twins.byName["server"]))}, c.given["db"]}
	client, done, err := from.open(ctx, con)
	if err != nil {
		return nil
	}
	defer done()
	query := map[string][]string{"limit": {strconv.Itoa(pageLimit)}, "sort": {"name"}}
	if beginning != "" {
		query["q"] = []string{beginning}
	}
	answer, err := client.get(ctx, path, query)
	if err != nil {
		return nil
	}
	page := &list{}
	if _, err := page.add(answer.body); err != nil {
		return nil
	}
	var names []string
	for _, row := range page.rows {
		if name := row.text(field); !strings.HasPrefix(name, "-") && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
