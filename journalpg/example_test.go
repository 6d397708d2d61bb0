package journalpg_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/go-intune/intune"
	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/go-intune/intune/journalpg"
)

type technicianKey struct{}

// technician is the person that a copy works for.
func technician(ctx context.Context) string {
	name, _ := ctx.Value(technicianKey{}).(string)
	return name
}

// A program of which several copies run: it goes on with what copies left behind, and asks for a device.
func Example() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	db, err := sql.Open("pgx", os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	credential, err := intune.NewCredential(nil)
	if err != nil {
		log.Fatal(err)
	}
	ctx = context.WithValue(ctx, technicianKey{}, "Kim")
	device := intune.Device("6babcaad-604b-40ac-a9d7-9fd97c0b779f")
	if err := helpWith(ctx, db, credential, os.Getenv("AZURE_TENANT_ID"), []byte(os.Getenv("JOURNAL_KEY")), device); err != nil {
		log.Print(err)
	}
}

func helpWith(
	ctx context.Context, db *sql.DB, credential azcore.TokenCredential, tenantID string, key []byte, device intune.DeviceRef,
) error {
	journal, err := journalpg.New(db, &journalpg.Options{
		Scope: "graph.microsoft.com/" + tenantID, // whose devices these are
		Key:   key,                               // 32 random bytes, the same in all copies, kept outside of the database
		Actor: technician,                        // who it is done for, from the context
	})
	if err != nil {
		return err
	}
	defer journal.Close() // gives up the waits of this copy, so that others go on at once
	if err := journal.Migrate(ctx); err != nil {
		return err
	}
	client, err := intune.NewClient(credential, &intune.ClientOptions{Journal: journal})
	if err != nil {
		return err
	}
	go goOn(ctx, journal, client) // goes on with what copies left behind: journalpg.Resume
	session, err := client.OpenRemoteAssistance(ctx, device, &intune.OpenRemoteAssistanceOptions{Reference: "INC-4711"})
	if busy, ok := errors.AsType[*intune.DeviceBusyError](err); ok {
		line, err := busyLine(ctx, journal, busy)
		if err != nil {
			return err
		}
		return errors.New(line)
	}
	if err != nil {
		return err
	}
	fmt.Println(session.URL.Reveal())
	return nil
}

// busyLine is what a person reads of a device that is busy. The record knows what became of the request that holds it.
func busyLine(ctx context.Context, journal *journalpg.Journal, busy *intune.DeviceBusyError) (string, error) {
	asked := "nobody knows whether it went out"
	for request, err := range journal.Requests(ctx, busy.Since) {
		if err != nil {
			return "", err
		}
		if !strings.EqualFold(request.Device().DeviceID(), busy.Device.DeviceID()) {
			continue
		}
		if request.Outcome() == intune.OutcomeAccepted {
			asked = "the user was asked"
		}
		break
	}
	line := busy.Actor + " asked at " + busy.Since.Local().Format("15:04") + "; " + asked
	if !busy.FreeAt.IsZero() { // else somebody waits for the link
		line += "; free at " + busy.FreeAt.Local().Format("15:04")
	}
	return line, nil
}

// goOn hands on the links of earlier requests to the people of the record.
func goOn(ctx context.Context, journal *journalpg.Journal, client *intune.Client) {
	err := journalpg.Resume(ctx, journal, client, func(result intune.OpenResult) {
		fmt.Println(result.Device, result.Session, result.Err)
	})
	if err != nil {
		log.Print(err)
	}
}
