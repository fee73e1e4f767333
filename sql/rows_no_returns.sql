-- Session returns where there is no pack of them.
select
    null::bigint as return_number,
    null::date as session_date,
    null::double as ret_gross,
    null::double as ret_overnight,
    null::double as turnover,
    null::integer as bars_held
where false;
