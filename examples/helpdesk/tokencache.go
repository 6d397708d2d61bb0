//go:build linux || windows || (darwin && cgo)

package main

import (
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity/cache"
)

// tokenCache is where the system keeps tokens, encrypted for this user: the kernel's key ring, the keychain, DPAPI. The
// error says why there is no such place here.
func tokenCache() (azidentity.Cache, error) { return cache.New(&cache.Options{Name: folderName}) }
