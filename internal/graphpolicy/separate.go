package graphpolicy

import "context"

// Separate returns a context for one of several requests that are sent at the same time below one span. azcore 1.24 keeps the
// URL of the latest request for the whole operation, to remove it from the text of a failed span, and does not guard it, so
// that two requests at the same time are a data race. With this context, each request has its own. That takes nothing from the
// operation's span, because errors of this library hold no URL.
func Separate(ctx context.Context) context.Context { return separate{ctx} }

type separate struct{ context.Context }

// sanitizerPackage defines the key under which azcore keeps the URL.
const sanitizerPackage = "github.com/Azure/azure-sdk-for-go/sdk/azcore/internal/sanitizer"

// Value implements [context.Context].
func (s separate) Value(key any) any {
	if isOf(key, sanitizerPackage) {
		return nil
	}
	return s.Context.Value(key)
}
