-- Forget the session returns that were computed from prices which are no longer the series'.
delete from internal.session_returns
where trace_id in (
    select trace_id
    from internal.trace_file
    where symbol = $symbol and timeframe = $timeframe
);
