// Command msgraph lists devices, asks for remote assistance and reads the session.
package main

import (
	"context"

	"github.com/go-intune/intune/benchmarks/internal/peer"
	"github.com/go-intune/intune/benchmarks/internal/peer/viamsgraph"
)

func main() {
	peer.Program(func(ctx context.Context, s peer.Setup, device string) error {
		client, err := viamsgraph.New(s)
		if err != nil {
			return err
		}
		return peer.Job(ctx, client, device)
	})
}
