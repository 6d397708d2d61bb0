package peer

import (
	"context"
	"fmt"
	"os"
	"time"
)

// Program is what the programs under programs/ share: they are called with the address of Graph and the id of a device.
func Program(do func(ctx context.Context, s Setup, device string) error) {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: program ROOT DEVICE")
		os.Exit(2)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // one of the libraries asks for a deadline
	defer cancel()
	if err := do(ctx, Setup{Root: os.Args[1], Token: "test"}, os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Job finds the device in the list, asks for remote assistance on it and reads the session.
func Job(ctx context.Context, client Client, device string) error {
	found := false
	if err := client.List(ctx, func(row Row) { found = found || row.ID == device }); err != nil {
		return err
	}
	if !found {
		return fmt.Errorf("no device %s", device)
	}
	if err := client.Request(ctx, device); err != nil {
		return err
	}
	session, err := client.Session(ctx, device)
	if err != nil {
		return err
	}
	fmt.Println("link:", session.URL != "")
	return nil
}
