// Command hashicorp lists devices, asks for remote assistance and reads the session.
package main

import (
	"context"

	"github.com/go-intune/intune/benchmarks/internal/peer"
	"github.com/go-intune/intune/benchmarks/internal/peer/viahashicorp"
)

func main() {
	peer.Program(func(ctx context.Context, s peer.Setup, device string) error {
		client, err := viahashicorp.New(s)
		if err != nil {
			return err
		}
		return peer.Job(ctx, client, device)
	})
}
