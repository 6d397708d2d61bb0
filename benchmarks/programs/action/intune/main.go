// Command intune asks for remote assistance.
package main

import (
	"context"

	"github.com/go-intune/intune/benchmarks/internal/peer"
	"github.com/go-intune/intune/benchmarks/internal/peer/viaintune"
)

func main() {
	peer.Program(func(ctx context.Context, s peer.Setup, device string) error {
		client, err := viaintune.New(s)
		if err != nil {
			return err
		}
		return client.Request(ctx, device)
	})
}
