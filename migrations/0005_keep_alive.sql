-- What is due while nobody reads: where a refresh token would die of disuse. What inputs or a key
-- can get anew waits for its reader, and a wrong password is not tried all day. The tokens of an
-- app's user are in the configuration, so those connections have no fingerprint.

drop index connection_refresh_due;

create index connection_refresh_due on connection (refresh_due_at)
where refresh_due_at is not null and refresh_exhausted_at is null
    and (grant_fingerprint is not null or auth_mode = 'APP');
