package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"time"

	"github.com/go-intune/intune"
)

// pgFlags are the flags of the store in PostgreSQL.
type pgFlags struct {
	dsn, listen, schema string
	onlyMigrate         bool
	lease               time.Duration // no flag; 0 is that of journalpg
}

func (f *pgFlags) add(flags *flag.FlagSet) {
	flags.StringVar(&f.dsn, "database", "",
		"`DSN` of a PostgreSQL, postgres://…, to record who asked for what in instead of -journal, for several copies;\n"+
			"one with a password is better in SERVICE_DATABASE, or in a file that SERVICE_DATABASE_FILE names")
	flags.StringVar(&f.listen, "database-listen", "",
		"`DSN` that leads past a pooler, to hear of changes at once; also SERVICE_DATABASE_LISTEN, and its _FILE")
	flags.StringVar(&f.schema, "database-schema", "intune", "`name` of the schema of the tables")
	flags.BoolVar(&f.onlyMigrate, "migrate", false, "make the tables of -database, or bring them up to date, as their owner, and end")
}

// read takes what the environment has.
func (f *pgFlags) read(env func(string) string) (err error) {
	for name, dsn := range map[string]*string{"SERVICE_DATABASE": &f.dsn, "SERVICE_DATABASE_LISTEN": &f.listen} {
		if *dsn == "" {
			if *dsn, err = readSecret(env, name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *pgFlags) check(o *options) error {
	switch {
	case f.dsn == "" && (f.onlyMigrate || f.listen != ""):
		return errors.New("-migrate and -database-listen belong to -database, which should be the DSN of a PostgreSQL")
	case f.dsn == "":
		return nil
	case o.journal != "":
		return errors.New("-journal and -database are two places for one record; keep one")
	case o.demo:
		return errors.New("-demo keeps its record in a file; leave -database out")
	case o.keys == nil && !f.onlyMigrate:
		return errors.New("-database needs -keys-file, with the same keys for all copies: they seal the rows")
	}
	if _, err := pgConfig(f.dsn); err != nil {
		return fmt.Errorf("-database: %w", err)
	}
	return nil
}

// usePostgres keeps sessions and sign-ins in PostgreSQL.
func (s *settings) usePostgres(ctx context.Context, f *pgFlags) error {
	scope, err := scopeOf(s.graph(), s.tenantID)
	if err != nil {
		return err
	}
	p, err := openPGStore(ctx, &pgOptions{
		dsn: f.dsn, listen: f.listen, schema: f.schema, scope: scope, keys: s.keys.journalKeys(), lease: f.lease, log: s.log,
	})
	if err != nil {
		return err
	}
	s.store, s.shared = p, p.pgShared
	s.logins = func(keys *keyRing, makeIdentity identityMaker) logins {
		return newPGLogins(p.pgShared, keys, makeIdentity)
	}
	return nil
}

// scopeOf says whose devices a client sees: the host of Graph, and the tenant.
func scopeOf(o *intune.ClientOptions, tenantID string) (string, error) {
	in := o.Cloud
	if len(in.Services) == 0 {
		in = intune.CloudPublic
	}
	at, err := url.Parse(in.Services[intune.ServiceGraph].Endpoint)
	if err != nil {
		return "", fmt.Errorf("the address of Graph: %w", err)
	}
	return at.Host + "/" + tenantID, nil
}

// migrateOnly makes the tables for copies whose role may not do so.
func migrateOnly(ctx context.Context, o *options, log *slog.Logger, talk io.Writer) error {
	f := &o.database
	p, err := openPGStore(ctx, &pgOptions{dsn: f.dsn, schema: f.schema, scope: "none", keys: randomKeys().journalKeys(), log: log})
	if err != nil {
		return err
	}
	defer func() { _ = p.close(ctx) }()
	if err := p.check(ctx); err != nil {
		return err
	}
	_, _ = fmt.Fprintln(talk, "service: the tables are up to date")
	return nil
}
