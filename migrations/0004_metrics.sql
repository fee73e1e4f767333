-- Price series, what strategies earned on them, and how many were tried.
create table internal.price_series (
    symbol varchar not null,
    timeframe varchar not null,
    time_zone varchar not null,
    bar_label varchar not null,
    adjustment varchar,
    regular_hours varchar,
    price_path varchar not null,
    source_path varchar not null,
    digest varchar not null,
    bar_count bigint not null,
    first_ts timestamptz not null,
    last_ts timestamptz not null,
    session_count bigint not null,
    sessions_per_year double not null,
    bars_per_year double not null,
    bars_without_price bigint not null,
    prepended_bars bigint not null,
    origin_bars bigint not null,
    origin_ts timestamptz not null,
    origin_digest varchar not null,
    added_at timestamptz not null
);

create table internal.metric_set (
    set_id integer not null,
    cost_bps double not null,
    fill varchar not null,
    range_start date,
    range_end date,
    last_days integer,
    split date,
    folds integer,
    is_default boolean not null
);

create table internal.metric (
    trace_id varchar not null,
    set_id integer not null,
    period varchar not null,
    classifier varchar,
    regime varchar,
    inputs varchar not null,
    matched_by varchar,
    start_bar bigint,
    bar_count bigint,
    from_ts timestamptz,
    to_ts timestamptz,
    sessions bigint,
    total_return double,
    annual_return double,
    volatility double,
    sharpe double,
    sharpe_bar double,
    sharpe_session double,
    sortino double,
    calmar double,
    max_drawdown double,
    drawdown_bars bigint,
    exposure double,
    net_exposure double,
    time_in_market double,
    turnover double,
    trades bigint,
    hit_rate double,
    profit_factor double,
    mean_holding double,
    breakeven_cost_bps double,
    overnight_share double,
    skew double,
    kurtosis double,
    benchmark_return double,
    benchmark_sharpe double,
    beta double,
    alpha double,
    correlation double,
    drift_sharpe double,
    deflated_sharpe double,
    deflated_sharpe_no_drift double,
    sessions_per_year double,
    bars_per_year double,
    note varchar,
    computed_at timestamptz not null
);

-- Every strategy that was ever tried on some data; what is forgotten elsewhere stays here. Data is
-- known by the times of its first and last bar, which no renumbering changes.
create table internal.trial (
    symbol varchar not null,
    timeframe varchar not null,
    from_ts timestamptz not null,
    to_ts timestamptz not null,
    content_digest varchar not null,
    is_flat boolean not null,
    tried_at timestamptz not null
);

-- What each of them earned on the terms and within the range of a metric set.
create table internal.trial_figure (
    set_id integer not null,
    symbol varchar not null,
    timeframe varchar not null,
    from_ts timestamptz not null,
    to_ts timestamptz not null,
    content_digest varchar not null,
    is_flat boolean not null,
    sharpe_session double,
    drift_sharpe double,
    measured_at timestamptz not null
);

-- Which bars of each price series a metric set looks at.
create table internal.metric_range (
    set_id integer not null,
    symbol varchar not null,
    timeframe varchar not null,
    from_ts timestamptz not null,
    to_ts timestamptz not null
);

-- Which traces have session returns, and in which pack; no number where they are not known.
create table internal.session_returns (
    trace_id varchar not null,
    fill varchar not null,
    return_number bigint,
    inputs varchar not null,
    pack_path varchar
);

-- The set whose figures stand in strategy_index: without cost, filled at the close, whole range.
insert into internal.metric_set values (1, 0, 'close', null, null, null, null, null, true);
