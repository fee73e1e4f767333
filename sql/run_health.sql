-- What is wrong with a run, $run: files that are gone or in quarantine, what is not known of traces, and
-- why some have no figures; each with how many there are and the first.
select
    'gone' as finding,
    'the file was there when it was registered' as reason,
    count(*) as files,
    min(path) as example
from missing_files
where run_id = $run
having count(*) > 0
union all
select 'in quarantine', q.reason, count(*), min(q.path)
from quarantine as q
join runs as r on r.run_id = $run and starts_with(q.path, r.root)
group by q.reason
union all
select 'configuration unknown', 'no source tells it: a sweep file may', count(*), min(trace_path)
from strategy_index
where run_id = $run and config_source = 'unknown'
having count(*) > 0
union all
select
    case when metrics_note is null then 'not measured' else 'figures missing' end,
    coalesce(metrics_note, 'metrics were not computed yet'),
    count(*),
    min(trace_path)
from strategy_index
where run_id = $run and (metrics_note is not null or sessions is null)
group by all
order by finding, files desc, reason;
