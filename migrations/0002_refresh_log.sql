-- What is known of refreshes: each attempt, which grant a connection holds, and whether a
-- provider fails for a whole integration.

create table refresh_log (
    id text primary key,
    connection integer not null references connection (id) on delete cascade,
    trigger text not null,
    outcome text not null,
    status integer,
    error text,
    attempt integer not null,
    started_at integer not null,
    duration integer not null,
    retry_at integer
) strict;

-- The newest of a connection, and the oldest of all.
create index refresh_log_connection on refresh_log (connection, started_at);
create index refresh_log_age on refresh_log (started_at);

-- The log of the last attempt, where that failed.
alter table connection add column refresh_failure_log text;

-- Stands for the refresh token, so that a grant that two connections hold is found.
alter table connection add column grant_fingerprint text;

-- The same of the refresh token that was imported, so that it is known after it was rotated.
alter table connection add column imported_grant_fingerprint text;

-- When the credentials were last imported, so that an import that the database took late does not
-- go over a later one.
alter table connection add column imported_at integer;

create index connection_grant on connection (integration_id, grant_fingerprint)
where grant_fingerprint is not null;
create index connection_imported_grant on connection (integration_id, imported_grant_fingerprint)
where imported_grant_fingerprint is not null;

create index connection_refresh_due on connection (refresh_due_at)
where refresh_due_at is not null and refresh_exhausted_at is null;

-- Transient failures in a row across the connections of an integration, and until when it is left
-- alone because of them.
alter table integration add column refresh_failures integer not null default 0;
alter table integration add column refresh_failures_since integer;
alter table integration add column refreshes_paused_until integer;
