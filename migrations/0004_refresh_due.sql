-- What is due while nobody reads. Tokens that are signed here are signed when somebody reads them,
-- so they are in nobody's way here.

drop index connection_refresh_due;

create index connection_refresh_due on connection (refresh_due_at)
where refresh_due_at is not null and refresh_exhausted_at is null
    and auth_mode not in ('APP_STORE', 'JWT', 'SIGNATURE');
