-- What a list of providers is filtered by, beside the entry that says it. The index holds all of
-- it, so that a list reads the entries that it shows and no others.

alter table provider add column display_name text;
alter table provider add column auth_mode text;
alter table provider add column categories text;

update provider set
    display_name = json_extract(entry, '$.display_name'),
    auth_mode = json_extract(entry, '$.auth_mode'),
    categories = json_extract(entry, '$.categories');

create index provider_list on provider (name, display_name, auth_mode, categories);
