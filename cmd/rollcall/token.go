package main

import (
	"cmp"
	"context"
	"strings"

	"rollcall/internal/tallyfy"
)

// The environment variables that give the sweep token, or the credentials of
// an application that asks for one. They have no flags: what stands on a
// command line can be read by every user of the machine.
const (
	tokenVar     = "TALLYFY_ACCESS_TOKEN"
	tokenFileVar = "TALLYFY_ACCESS_TOKEN_FILE"
	tokenAlias   = "TALLYFY_API_TOKEN"

	clientIDVar   = "TALLYFY_CLIENT_ID"
	secretVar     = "TALLYFY_CLIENT_SECRET"
	secretFileVar = "TALLYFY_CLIENT_SECRET_FILE"
	tokenURLVar   = "TALLYFY_TOKEN_URL"
	actAsVar      = "TALLYFY_ACT_AS"
)

// tokenHelp is said by each command that speaks to Tallyfy.
const tokenHelp = "The token is no flag: it comes from $" + tokenVar + ", or from the file that $" + tokenFileVar +
	" names, which is read again when Tallyfy refuses the token. $" + tokenAlias + " is read, too.\n\n" +
	"Instead of a token that dies when its owner logs out, $" + clientIDVar + " and $" + secretVar + ", or the file that $" + secretFileVar +
	" names, have tokens asked for at $" + tokenURLVar + " and renewed; with $" + actAsVar +
	", an administrator's e-mail, a token of that user is minted from them."

// A token is what sweeps authenticate with: a token as it is, or the
// application that asks for one.
type token struct {
	given       tallyfy.TokenSource
	application *tallyfy.Application
	settings    []setting // that gave it
}

// use puts the token into the options of a client.
func (t token) use(o *tallyfy.Options) { o.Token, o.Application = t.given, t.application }

// tokenFrom picks the one token or application that the environment gives and
// reads its secret once, so that a wrong path is told at start. The options
// are the client's, but for the token. With an error the token may tell what
// was set, and no more.
func tokenFrom(ctx context.Context, env func(string) string, o tallyfy.Options) (token, error) {
	if err := contradiction(env); err != nil {
		return token{}, err
	}
	if env(clientIDVar) == "" {
		return givenToken(ctx, env)
	}
	t, err := applicationFrom(ctx, env, o.BaseURL)
	if err != nil {
		return token{}, err
	}
	t.use(&o)
	if _, err := tallyfy.New(o); err != nil {
		return t, usageError{err}
	}
	return t, nil
}

// contradiction refuses settings that do not go together.
func contradiction(env func(string) string) error {
	if a, b := firstSet(env, tokenVar, tokenAlias, tokenFileVar), firstSet(env, clientIDVar, secretVar, secretFileVar, actAsVar, tokenURLVar); a != "" && b != "" {
		return usagef("%s and %s are both set, unset one of them: a token is either given or asked for", a, b)
	}
	value := firstSet(env, tokenVar, tokenAlias)
	switch {
	case value != "" && env(tokenFileVar) != "":
		return usagef("%s and %s are both set, unset one of them", value, tokenFileVar)
	case env(tokenAlias) != "" && env(value) != env(tokenAlias):
		return usagef("%s and %s are both set and differ, unset one of them", tokenVar, tokenAlias)
	case env(secretVar) != "" && env(secretFileVar) != "":
		return usagef("%s and %s are both set, unset one of them", secretVar, secretFileVar)
	}
	if stray := firstSet(env, secretVar, secretFileVar, actAsVar, tokenURLVar); stray != "" && env(clientIDVar) == "" {
		return usagef("%s is set without %s, set both or neither", stray, clientIDVar)
	}
	return nil
}

// firstSet is the first of some variables that is set, empty if none is.
func firstSet(env func(string) string, names ...string) string {
	for _, name := range names {
		if env(name) != "" {
			return name
		}
	}
	return ""
}

func givenToken(ctx context.Context, env func(string) string) (token, error) {
	var chosen token
	variable := firstSet(env, tokenFileVar, tokenVar, tokenAlias)
	switch variable {
	case "":
		return token{}, usagef("the access token is missing: set %s, or %s to a file that holds it, or %s and its secret", tokenVar, tokenFileVar, clientIDVar)
	case tokenFileVar:
		chosen.given, chosen.settings = tallyfy.FileToken(env(tokenFileVar)), []setting{{tokenFileVar, env(tokenFileVar), tokenFileVar}}
	default:
		chosen.given, chosen.settings = tallyfy.StaticToken(env(variable)), []setting{{tokenVar, redacted, variable}}
	}
	if _, err := chosen.given.Token(ctx); err != nil {
		return token{}, usagef("%s cannot be used, make it give the token alone, without the word Bearer: %w", variable, err)
	}
	return chosen, nil
}

func applicationFrom(ctx context.Context, env func(string) string, baseURL string) (token, error) {
	a := &tallyfy.Application{
		ClientID: strings.TrimSpace(env(clientIDVar)),
		TokenURL: cmp.Or(env(tokenURLVar), tallyfy.DefaultTokenURL(baseURL)),
		ActAs:    strings.TrimSpace(env(actAsVar)),
	}
	variable, shown := firstSet(env, secretVar, secretFileVar), redacted
	switch variable {
	case "":
		return token{}, usagef("%s is set without its secret: set %s, or %s to a file that holds it", clientIDVar, secretVar, secretFileVar)
	case secretVar:
		a.Secret = tallyfy.StaticSecret(env(secretVar))
	case secretFileVar:
		a.Secret, shown = tallyfy.FileSecret(env(secretFileVar)), env(secretFileVar)
	}
	if _, err := a.Secret.Token(ctx); err != nil {
		return token{}, usagef("%s cannot be used, make it give the secret alone: %w", variable, err)
	}
	source := cmp.Or(firstSet(env, tokenURLVar), "default")
	settings := []setting{{clientIDVar, a.ClientID, clientIDVar}, {variable, shown, variable}, {tokenURLVar, withoutPassword(a.TokenURL), source}}
	if a.ActAs != "" {
		settings = append(settings, setting{actAsVar, a.ActAs, actAsVar})
	}
	return token{application: a, settings: settings}, nil
}
