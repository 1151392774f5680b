package main

import (
	"context"

	"rollcall/internal/tallyfy"
)

// The environment variables that give the sweep token. It has no flag: what
// stands on a command line can be read by every user of the machine.
const (
	tokenVar     = "TALLYFY_ACCESS_TOKEN"
	tokenFileVar = "TALLYFY_ACCESS_TOKEN_FILE"
	tokenAlias   = "TALLYFY_API_TOKEN"
)

// tokenHelp is said by each command that speaks to Tallyfy.
const tokenHelp = "The token is no flag: it comes from $" + tokenVar + ", or from the file that $" + tokenFileVar +
	" names, which is read again when Tallyfy refuses the token. $" + tokenAlias + " is read, too."

// A token is the sweep token and where it comes from.
type token struct {
	tallyfy.TokenSource
	variable string // that gave it
}

// tokenFrom picks the one token that the environment gives and reads it once,
// so that a wrong path is told at start.
func tokenFrom(ctx context.Context, env func(string) string) (token, error) {
	value, variable := env(tokenVar), tokenVar
	if value == "" {
		value, variable = env(tokenAlias), tokenAlias
	}
	file, alias := env(tokenFileVar), env(tokenAlias)
	var chosen token
	switch {
	case file != "" && value != "":
		return token{}, usagef("%s and %s are both set, unset one of them", variable, tokenFileVar)
	case alias != "" && value != alias:
		return token{}, usagef("%s and %s are both set and differ, unset one of them", tokenVar, tokenAlias)
	case file != "":
		chosen = token{tallyfy.FileToken(file), tokenFileVar}
	case value != "":
		chosen = token{tallyfy.StaticToken(value), variable}
	default:
		return token{}, usagef("the access token is missing: set %s, or %s to a file that holds it", tokenVar, tokenFileVar)
	}
	if _, err := chosen.Token(ctx); err != nil {
		return token{}, usagef("%s cannot be used, make it give the token alone, without the word Bearer: %w", chosen.variable, err)
	}
	return chosen, nil
}
