-- All tags, or those of the chosen traces and their strategies.
select *
from tags
where
    getvariable('publish_all')
    or case
        when trace_id is not null then trace_id in (select trace_id from chosen)
        else strategy_key in (
            select strategy_key from trace_file where trace_id in (select trace_id from chosen)
        )
    end;
