package tallyfy

import "context"

type awaitedKey struct{}

// Awaited marks what is read under the returned context as what a caller waits
// for: like what is forwarded it goes first, and it gives up with ReasonBudget
// when its turn does not come within ten seconds.
func (c *Client) Awaited(ctx context.Context) context.Context {
	return context.WithValue(ctx, awaitedKey{}, true)
}
