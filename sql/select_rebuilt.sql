-- What a catalog that was made anew holds, in figures.
select
    (select count(*) from internal.trace_file where status = 'registered') as traces,
    (select count(*) from internal.trace_file where has_original = false and trace_number is not null) as packed,
    (select count(*) from internal.strategy) as strategies,
    (select count(*) from internal.run) as runs,
    (select count(*) from internal.price_series) as prices,
    (select count(distinct trace_id) from internal.metric where start_bar is not null) as measured,
    (select count(*) from internal.other_file where status = 'quarantined') as quarantined;
