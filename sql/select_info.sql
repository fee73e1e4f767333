-- What the catalog holds, in figures.
select
    (select count(*) from strategies) as strategies,
    (select count(distinct strategy_type) from strategies) as types,
    (select count(distinct path) from parameters) as parameters,
    (select count(*) from runs) as runs,
    (
        select count(distinct content_digest)
        from trace_files
        where kind = 'signal' and status = 'registered'
    ) as contents,
    (select count(*) from missing_files) as missing,
    (select count(*) from quarantine) as quarantined,
    (select count(*) from other_files where status = 'copy') as copies,
    (
        select count(*)
        from trace_files
        where kind in ('signal', 'classifier') and not knows_bar_times and status = 'registered'
    ) as without_bar_times;
