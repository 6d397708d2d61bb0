// Command nethttp lists devices, asks for remote assistance and reads the session.
package main

import (
	"context"

	"github.com/go-intune/intune/benchmarks/internal/peer"
	"github.com/go-intune/intune/benchmarks/internal/peer/vianethttp"
)

func main() {
	peer.Program(func(ctx context.Context, s peer.Setup, device string) error {
		client, err := vianethttp.New(s)
		if err != nil {
			return err
		}
		return peer.Job(ctx, client, device)
	})
}
