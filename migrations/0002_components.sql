-- What composite strategies are made of.
create table internal.component (
    parent_key varchar not null,
    child_key varchar not null,
    position integer not null,
    role varchar not null,
    weight double
);
