-- Traces whose id or content digest does not seem to follow from what it is made of.
select
    case when d.is_relative then $root || '/' else '' end || d.prefix || t.file_name as path,
    t.trace_id,
    t.run_id,
    t.run_path,
    t.content_digest,
    t.symbol,
    t.timeframe,
    t.kind,
    t.rows_digest
from trace_file as t
join directory as d using (directory_id)
where
    left(sha256(t.run_id || chr(0) || t.run_path || chr(0) || t.content_digest), 16) <> t.trace_id
    or t.content_digest <> sha256(
        concat(
            '[',
            coalesce(cast(to_json(t.symbol) as varchar), 'null'),
            ', ',
            coalesce(cast(to_json(t.timeframe) as varchar), 'null'),
            ', ',
            cast(to_json(t.kind) as varchar),
            ', ',
            cast(to_json(t.rows_digest) as varchar),
            ']'
        )
    );
