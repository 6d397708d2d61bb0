package journalpg_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"os"
	"os/signal"

	"github.com/go-intune/intune"
	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/go-intune/intune/journalpg"
)

// technician is how this program knows in a context for whom it works.
type technician struct{}

// A program of which several copies run: it goes on with what copies left behind, and asks for a device.
func Example() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	db, err := sql.Open("pgx", os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	journal, err := journalpg.New(db, &journalpg.Options{
		Scope: "graph.microsoft.com/" + os.Getenv("AZURE_TENANT_ID"),
		Key:   []byte(os.Getenv("JOURNAL_KEY")),
		Actor: func(ctx context.Context) string { name, _ := ctx.Value(technician{}).(string); return name },
	})
	if err != nil {
		log.Fatal(err)
	}
	defer journal.Close()
	if err := journal.Migrate(ctx); err != nil {
		log.Fatal(err)
	}
	credential, err := intune.NewCredential(nil)
	if err != nil {
		log.Fatal(err)
	}
	client, err := intune.NewClient(credential, &intune.ClientOptions{Journal: journal})
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		err := journalpg.Resume(ctx, journal, client, func(result intune.OpenResult) {
			fmt.Println(result.Device, result.Session, result.Err) // tell the person of the record
		})
		if err != nil {
			log.Print(err)
		}
	}()
	device := intune.Device("6babcaad-604b-40ac-a9d7-9fd97c0b779f")
	session, err := client.OpenRemoteAssistance(context.WithValue(ctx, technician{}, "Kim"), device, &intune.OpenRemoteAssistanceOptions{
		Reference: "INC-4711",
	})
	if busy, ok := errors.AsType[*intune.DeviceBusyError](err); ok {
		log.Fatalf("%s asked at %s; free at %s", busy.Actor, busy.Since, busy.FreeAt)
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(session.URL.Reveal())
}
