//go:build !linux && !windows && (!darwin || !cgo)

package main

import (
	"errors"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// tokenCache has nothing to offer: the cache of azidentity does not know this system, or needs cgo on it.
func tokenCache() (azidentity.Cache, error) {
	return azidentity.Cache{}, errors.New("this program was built without a persistent token cache")
}
