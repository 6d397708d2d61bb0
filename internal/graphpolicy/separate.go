package graphpolicy

import (
	"context"
	"reflect"
)

// Separate makes requests independent of each other that are sent at the same time below one span. azcore 1.24 keeps the
// latest request's URL for the whole of an operation, to take it out of what the operation's span says of an error, and does
// not guard it: two requests at once are a data race. With this context each request keeps its own. The errors of this
// library hold no URL, so that its spans lose nothing.
func Separate(ctx context.Context) context.Context { return separate{ctx} }

type separate struct{ context.Context }

// sanitizerPackage is where azcore defines the key of what it keeps. Should that change, a test fails under the race
// detector.
const sanitizerPackage = "github.com/Azure/azure-sdk-for-go/sdk/azcore/internal/sanitizer"

// Value implements [context.Context].
func (s separate) Value(key any) any {
	if t := reflect.TypeOf(key); t != nil && t.PkgPath() == sanitizerPackage {
		return nil
	}
	return s.Context.Value(key)
}
