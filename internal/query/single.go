package query

import "strings"

// single returns the one statement that a text holds, without what surrounds
// it. It refuses several, and any that does not begin as a reading one does:
// some others, PRAGMA among them, act when they are compiled already.
//
// It reads as little of SQL as it must: where texts, names and comments end,
// by the rules of SQLite's own tokenizer.
func single(sql string) (string, error) {
	if strings.ContainsRune(sql, 0) {
		return "", refused("It holds a zero byte.")
	}
	begin, end := -1, -1 // of the statement
	for at := 0; at < len(sql); {
		kind, length := token(sql[at:])
		switch {
		case kind == unended:
			return "", refused("It ends within a text, a name or a comment.")
		case kind == blank:
		case kind == semicolon:
			if begin >= 0 && end < 0 {
				end = at
			}
		case end >= 0:
			return "", refused("It is more than one statement: send one at a time.")
		case begin < 0:
			begin = at
		}
		at += length
	}
	if begin < 0 {
		return "", refused("There is no statement.")
	}
	if end < 0 {
		end = len(sql)
	}
	return checkVerb(sql[begin:end])
}

// checkVerb refuses what does not begin as a reading statement does. One that
// begins with WITH may still end in a write, which the file then refuses.
func checkVerb(statement string) (string, error) {
	letters := strings.IndexFunc(statement, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') })
	if letters < 0 {
		letters = len(statement)
	}
	switch strings.ToUpper(statement[:letters]) {
	case "SELECT", "WITH", "VALUES":
		return statement, nil
	}
	word, _, _ := strings.Cut(statement, " ")
	return "", refused("It begins with %.20q: only statements that read are run, those that begin with SELECT, WITH or VALUES.", word)
}

// What a token is, as far as that matters here.
type kind uint8

const (
	other     kind = iota // texts, names, numbers, operators
	blank                 // space or a comment
	semicolon             // the end of a statement
	unended               // a text, name or comment without an end
)

// token returns the kind and the length of the first token of a text that is
// not empty. What has no end of its own is as long as one byte.
func token(sql string) (kind, int) {
	switch sql[0] {
	case ' ', '\t', '\n', '\f', '\r':
		return blank, 1
	case ';':
		return semicolon, 1
	case '\'', '"', '`':
		return quoted(sql)
	case '[':
		return upTo(sql, "]", other)
	}
	switch {
	case strings.HasPrefix(sql, "--"):
		if end := strings.IndexByte(sql, '\n'); end >= 0 {
			return blank, end
		}
		return blank, len(sql)
	case strings.HasPrefix(sql, "/*"):
		if kind, length := upTo(sql[2:], "*/", blank); kind == blank {
			return blank, length + 2
		}
		return unended, len(sql)
	}
	return other, 1
}

// quoted is a text or name between two signs of one kind; doubled ones stand
// for themselves.
func quoted(sql string) (kind, int) {
	for at := 1; at < len(sql); at++ {
		if sql[at] != sql[0] {
			continue
		}
		if at+1 == len(sql) || sql[at+1] != sql[0] {
			return other, at + 1
		}
		at++
	}
	return unended, len(sql)
}

func upTo(sql, end string, is kind) (kind, int) {
	at := strings.Index(sql, end)
	if at < 0 {
		return unended, len(sql)
	}
	return is, at + len(end)
}
