-- The tables of the catalog. People query the views over them, which the program makes in
-- the schema main.

create table internal.root (
    root_id integer not null,
    prefix varchar not null,
    is_relative boolean not null
);

create table internal.directory (
    directory_id integer not null,
    root_id integer not null,
    prefix varchar not null,
    is_relative boolean not null,
    is_linked boolean not null
);

create table internal.run (
    run_id varchar not null,
    name varchar not null,
    recorded_id varchar,
    directory_id integer not null,
    created_at timestamptz,
    registered_at timestamptz not null,
    data_source json,
    symbol varchar,
    timeframe varchar,
    total_bars bigint
);

create table internal.run_folder (
    directory_id integer not null,
    run_id varchar not null,
    records_stamp varchar not null,
    sweep_digest varchar
);

create table internal.trace_file (
    trace_id varchar not null,
    kind varchar not null,
    run_id varchar not null,
    directory_id integer not null,
    file_name varchar not null,
    run_path varchar not null,
    strategy_id varchar,
    strategy_hash varchar,
    strategy_key varchar,
    strategy_type varchar,
    latest_key varchar,
    config_source varchar,
    claimed_hash varchar,
    symbol varchar,
    timeframe varchar,
    symbol_raw varchar,
    timeframe_raw varchar,
    generation varchar not null,
    idx_base tinyint not null,
    layout varchar,
    row_count bigint not null,
    change_count bigint,
    declared_first_bar bigint,
    declared_last_bar bigint,
    first_bar bigint,
    last_bar bigint,
    first_ts timestamptz,
    last_ts timestamptz,
    range_source varchar,
    first_change_bar bigint,
    last_change_bar bigint,
    first_change_ts timestamptz,
    last_change_ts timestamptz,
    knows_bar_times boolean,
    last_val double,
    last_state varchar,
    bars_long bigint,
    bars_short bigint,
    is_flat boolean,
    is_latest boolean,
    data_digest varchar,
    code_digest varchar,
    rows_digest varchar not null,
    content_digest varchar not null,
    file_digest varchar not null,
    file_size_bytes bigint not null,
    mtime_ns bigint not null,
    created_at timestamptz,
    registered_at timestamptz not null,
    status varchar not null,
    pack_path varchar
);

create table internal.other_file (
    directory_id integer not null,
    file_name varchar not null,
    file_size_bytes bigint not null,
    mtime_ns bigint not null,
    status varchar not null,
    trace_id varchar,
    reason varchar,
    error varchar,
    hint varchar,
    seen_at timestamptz not null
);

create table internal.strategy (
    strategy_key varchar not null,
    strategy_hash varchar,
    config_digest varchar,
    config_key varchar,
    kind varchar not null,
    strategy_type varchar,
    config json,
    constraints varchar,
    config_source varchar not null,
    claimed_hash varchar,
    is_composite boolean not null,
    registered_at timestamptz not null
);

create table internal.parameter (
    path varchar not null,
    name varchar not null,
    form varchar not null,
    column_name varchar,
    column_type varchar not null,
    strategies bigint
);

create table internal.type_parameter (
    strategy_type varchar not null,
    column_name varchar not null
);

create table internal.event_strategy (
    run_id varchar not null,
    strategy_id varchar not null,
    strategy_hash varchar,
    strategy_key varchar not null,
    strategy_type varchar
);

create table internal.view_signature (
    view_name varchar not null,
    signature varchar not null
);
