package main

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// pgTables are the tables of the service beside those of journalpg, in the same schema. A step only adds, so that copies of the
// version before go on; a new one goes to the end.
var pgTables = []string{pgSessionTable, loginTable, limitTables}

// pgSessionTable has what the journal does not have of a session: whose it is, to find it by, and what became of its link. A
// request whose Asking was refused leaves a row, which counts for nothing.
const pgSessionTable = `
CREATE TABLE {schema}.service_session (
	scope text NOT NULL,
	id text NOT NULL,
	owner text NOT NULL,
	begun timestamptz NOT NULL DEFAULT clock_timestamp(),
	link_hash bytea,
	fate text,
	fate_at timestamptz,
	fate_nonce text,
	change bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (scope, id)
);
CREATE INDEX service_session_owner ON {schema}.service_session (scope, owner, begun);
COMMENT ON TABLE {schema}.service_session IS 'whose requests these are, and what became of their links';
COMMENT ON COLUMN {schema}.service_session.id IS 'the client-request-id';
COMMENT ON COLUMN {schema}.service_session.link_hash IS 'salt and SHA-256 of the link, which is nowhere';
COMMENT ON COLUMN {schema}.service_session.fate IS 'of a link: opened, superseded, gone';
COMMENT ON COLUMN {schema}.service_session.fate_nonce IS 'of the call that opened the link, so that an unclear commit can be tried again';
CREATE FUNCTION {schema}.service_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS ` +
	`$$ BEGIN NEW.change := nextval('{schema}.change'); PERFORM pg_notify(TG_TABLE_SCHEMA, NEW.id); RETURN NEW; END $$;
CREATE TRIGGER service_session_change BEFORE UPDATE OF fate ON {schema}.service_session
	FOR EACH ROW EXECUTE FUNCTION {schema}.service_change();
CREATE TABLE {schema}.service_probe (one boolean PRIMARY KEY CHECK (one), at timestamptz);
INSERT INTO {schema}.service_probe VALUES (true);
COMMENT ON TABLE {schema}.service_probe IS 'is written to see whether the database can be written'`

// migrate makes the tables, or brings those of an earlier version up to date, in one transaction. It needs the rights of the
// schema's owner only if something is to be done.
func (p *pgStore) migrate(ctx context.Context) error {
	if err := p.Migrate(ctx); err != nil {
		return err
	}
	var version int
	read := func(ctx context.Context, tx *sql.Tx) (err error) {
		version, err = p.version(ctx, tx)
		return err
	}
	if err := p.tx(ctx, read); err != nil || version >= len(pgTables) {
		return err
	}
	err := p.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtext($1::text))`, "service "+p.schema); err != nil {
			return err
		}
		if err := read(ctx, tx); err != nil || version >= len(pgTables) {
			return err
		}
		for _, step := range pgTables[version:] {
			for statement := range strings.SplitSeq(step, ";\n") {
				if _, err := tx.ExecContext(ctx, p.sql(statement)); err != nil {
					return err
				}
			}
		}
		_, err := tx.ExecContext(ctx, p.sql(fmt.Sprintf(
			`CREATE OR REPLACE VIEW {schema}.service_version AS SELECT %d AS version`, len(pgTables))))
		return err
	})
	if err != nil {
		return fmt.Errorf("migrate the tables of the service: %w", err)
	}
	return nil
}

// version is how many steps the tables have had; a newer copy of the service may have done more.
func (p *pgStore) version(ctx context.Context, tx *sql.Tx) (version int, err error) {
	var exists bool
	err = tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT FROM pg_catalog.pg_views
		WHERE schemaname = $1::text AND viewname = 'service_version')`, p.schema).Scan(&exists)
	if err != nil || !exists {
		return 0, err
	}
	err = tx.QueryRowContext(ctx, p.sql(`SELECT version FROM {schema}.service_version`)).Scan(&version)
	return version, err
}
