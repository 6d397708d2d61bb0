package graphpolicy

import (
	"context"
	"maps"
	"net/http"
	"reflect"
)

// sharedPackage defines the keys under which azcore keeps what a caller puts into a context for its policies.
const sharedPackage = "github.com/Azure/azure-sdk-for-go/sdk/azcore/internal/shared"

// isOf reports whether the type of a context's key is of a package, since nobody else can name such a key.
func isOf(key any, pkg string) bool {
	t := reflect.TypeOf(key)
	return t != nil && t.PkgPath() == pkg
}

// callerValue is a value that a caller put into a context, without what azcore's policies panic at: a header with an empty
// list of values (policy.WithHTTPHeader), which is one that is not set, and a response that is nowhere to be kept
// (policy.WithCaptureResponse).
func callerValue(key, value any) any {
	switch v := value.(type) {
	case http.Header:
		if isOf(key, sharedPackage) {
			return withoutEmpty(v)
		}
	case **http.Response:
		if v == nil && isOf(key, sharedPackage) {
			return nil
		}
	}
	return value
}

// withoutEmpty is the header itself if it needs no change, because it is the caller's.
func withoutEmpty(header http.Header) http.Header {
	for _, values := range header {
		if len(values) == 0 {
			changed := maps.Clone(header)
			maps.DeleteFunc(changed, func(_ string, values []string) bool { return len(values) == 0 })
			return changed
		}
	}
	return header
}

// forCredential keeps what a caller put into a context for the policies of this client from those of the credential,
// as azcore does when it asks for a token itself: the credential may ask a service with a pipeline of its own, whose answer
// holds the token, and it may do so after the call has ended.
func forCredential(ctx context.Context) context.Context { return credentialContext{ctx} }

type credentialContext struct{ context.Context }

// Value implements [context.Context].
func (c credentialContext) Value(key any) any {
	if isOf(key, sharedPackage) {
		return nil
	}
	return c.Context.Value(key)
}
