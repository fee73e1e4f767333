-- The ledger of applied migrations, and the schema that keeps the tables apart from the views.
create schema if not exists internal;

create table internal.migration (
    version integer not null,
    name varchar not null,
    checksum varchar not null,
    program varchar not null,
    applied_at timestamptz not null
);
