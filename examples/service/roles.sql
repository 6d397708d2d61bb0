-- Two roles for -database. The owner makes the tables: service -migrate -database postgres://intune_owner@…
CREATE ROLE intune_owner LOGIN;
CREATE ROLE intune_app LOGIN;
CREATE SCHEMA intune AUTHORIZATION intune_owner;
GRANT USAGE ON SCHEMA intune TO intune_app;
ALTER DEFAULT PRIVILEGES FOR ROLE intune_owner IN SCHEMA intune GRANT SELECT, INSERT, UPDATE ON TABLES TO intune_app;

-- After service -migrate: the application deletes what has ended, and no request.
GRANT DELETE ON intune.service_login, intune.person_use, intune.copy TO intune_app;
