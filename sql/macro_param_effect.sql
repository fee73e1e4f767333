-- How a number depends on one parameter while all others are held. The number is an expression on
-- the columns of strategy_index; the parameter is a name as in the configuration, or a name in a
-- name: param_effect(change_count, 'period'). The effect of a value is the mean difference to the
-- mean of the traces that share all other parameters, the symbol, the timeframe and the run.
create or replace macro param_effect(number, param) as table
with valued as (
    select
        strategy_type,
        symbol,
        timeframe,
        run_id,
        config->>('$.parameters.' || param) as value,
        json_merge_patch(
            config,
            case
                when contains(param, '.')
                then json_object(
                    'parameters',
                    json_object(split_part(param, '.', 1), json_object(split_part(param, '.', 2), null))
                )
                else json_object('parameters', json_object(param, null))
            end
        )::varchar as others,
        (number)::double as result
    from strategy_index
),
differing as (
    select
        *,
        result - avg(result) over same as difference,
        count(distinct value) over same as values
    from valued
    where value is not null and result is not null
    window same as (partition by strategy_type, symbol, timeframe, run_id, others)
)
select
    strategy_type,
    symbol,
    timeframe,
    try_cast(value as double) as value_number,
    value,
    count(*) as traces,
    avg(result) as mean,
    avg(difference) as effect,
    count(distinct (run_id, others)) as groups
from differing
where values > 1
group by strategy_type, symbol, timeframe, value
order by strategy_type, symbol, timeframe, value_number, value;
