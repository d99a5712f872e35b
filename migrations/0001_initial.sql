-- Everything belongs to an environment. Instants are integer milliseconds since the epoch.
-- docs/storage.md explains each table, what is sealed in it and who writes it.

create table environment (
    id integer primary key autoincrement,
    name text not null unique,
    created_at integer not null,
    updated_at integer not null
) strict;

-- A secret is named HOLDFAST_SECRET_KEY_<ENVIRONMENT>, and a variable's name has no hyphen: two
-- environments must not share one.
create unique index environment_variable on environment (replace(name, '-', '_'));

insert into environment (name, created_at, updated_at)
values
    ('dev', unixepoch() * 1000, unixepoch() * 1000),
    ('prod', unixepoch() * 1000, unixepoch() * 1000);

create table api_key (
    id integer primary key autoincrement,
    environment_id integer not null references environment (id) on delete cascade,
    display_name text not null,
    digest text not null unique,
    digest_key_id integer not null,
    scopes text not null,
    created_at integer not null,
    expires_at integer,
    last_used_at integer,
    unique (environment_id, display_name)
) strict;

create index api_key_digest_key on api_key (digest_key_id);

-- Providers that the deployment defined itself. They shadow the catalogue.
create table provider (
    name text primary key,
    entry text not null,
    created_at integer not null,
    updated_at integer not null
) strict;

create table integration (
    id integer primary key autoincrement,
    uid text not null unique,
    environment_id integer not null references environment (id) on delete cascade,
    unique_key text not null,
    provider text not null,
    display_name text,
    forward_webhooks integer not null,
    client_id text,
    scopes text,
    app_link text,
    secrets text not null,
    secrets_key_id integer not null,
    created_at integer not null,
    updated_at integer not null,
    unique (environment_id, unique_key)
) strict;

create index integration_provider on integration (provider);
create index integration_secrets_key on integration (secrets_key_id);

create table connection (
    id integer primary key autoincrement,
    uid text not null unique,
    environment_id integer not null references environment (id) on delete cascade,
    integration_id integer not null references integration (id) on delete cascade,
    connection_id text not null,
    auth_mode text not null,
    credentials text not null,
    credentials_key_id integer not null,
    credentials_version integer not null default 1,
    connection_config text not null,
    connection_config_key_id integer not null,
    metadata text,
    tags text not null default '{}',
    end_user_id text,
    end_user_email text,
    end_user_display_name text,
    end_user_tags text,
    organization_id text,
    organization_display_name text,
    webhook_url_override text,
    last_fetched_at integer,
    expires_at integer,
    refresh_due_at integer,
    last_refresh_success_at integer,
    last_refresh_failure_at integer,
    refresh_failures integer not null default 0,
    refresh_failure_days integer not null default 0,
    refresh_retry_at integer,
    refresh_exhausted_at integer,
    created_at integer not null,
    updated_at integer not null,
    unique (integration_id, connection_id)
) strict;

-- Each of these ends in the row's id, so a list filtered by it comes out newest first.
create index connection_environment on connection (environment_id);
create index connection_integration on connection (integration_id);
create index connection_name on connection (environment_id, connection_id);
create index connection_end_user on connection (environment_id, end_user_id);
create index connection_organization on connection (environment_id, organization_id);
create index connection_credentials_key on connection (credentials_key_id);
create index connection_config_key on connection (connection_config_key_id);

-- What lists filter and search by. Triggers keep both in step with the row, in its transaction.
create table connection_tag (
    environment_id integer not null,
    key text not null,
    value text not null,
    connection integer not null references connection (id) on delete cascade,
    primary key (environment_id, key, value, connection)
) strict, without rowid;

create index connection_tag_connection on connection_tag (connection);

create virtual table connection_search using fts5 (
    connection_id,
    end_user_display_name,
    end_user_email,
    content = '',
    contentless_delete = 1,
    tokenize = 'trigram'
);

create trigger connection_inserted after insert on connection begin
    insert into connection_search (rowid, connection_id, end_user_display_name, end_user_email)
    values (new.id, new.connection_id, new.end_user_display_name, new.end_user_email);
    insert into connection_tag (environment_id, key, value, connection)
    select new.environment_id, tag.key, tag.value, new.id from json_each(new.tags) as tag;
end;

create trigger connection_deleted after delete on connection begin
    delete from connection_search where rowid = old.id;
end;

create trigger connection_end_user_updated
after update of end_user_display_name, end_user_email on connection
when new.end_user_display_name is not old.end_user_display_name
    or new.end_user_email is not old.end_user_email
begin
    delete from connection_search where rowid = new.id;
    insert into connection_search (rowid, connection_id, end_user_display_name, end_user_email)
    values (new.id, new.connection_id, new.end_user_display_name, new.end_user_email);
end;

create trigger connection_tags_updated after update of tags on connection
when new.tags is not old.tags
begin
    delete from connection_tag where connection = new.id;
    insert into connection_tag (environment_id, key, value, connection)
    select new.environment_id, tag.key, tag.value, new.id from json_each(new.tags) as tag;
end;
