-- Take files in that were not registered, and the copies that traces have by now. Who saw a file last
-- says what it is; what was forgotten is not, where somebody else has it registered.
create or replace temp table placed_other as
select i.* exclude (prefix, is_relative), d.directory_id
from taken_other as i
join directory as d using (prefix, is_relative);

insert into placed_other by name
select *, 'copy' as status, 'copy of a registered trace' as reason
from copied;

delete from placed_other as p
using trace_file as t
where
    t.directory_id = p.directory_id
    and t.file_name = p.file_name
    and (t.registered_at >= p.seen_at or p.status = 'copy' or p.reason like '%forgotten%');

delete from trace_file as t
using placed_other as p
where t.directory_id = p.directory_id and t.file_name = p.file_name;

delete from other_file as o
using placed_other as p
where
    o.directory_id = p.directory_id
    and o.file_name = p.file_name
    and (p.seen_at, p.status, coalesce(p.reason, '')) > (o.seen_at, o.status, coalesce(o.reason, ''));

insert into other_file by name
select *
from placed_other
anti join other_file using (directory_id, file_name)
qualify row_number() over (partition by directory_id, file_name order by seen_at desc, status) = 1;

delete from other_file as o
using trace_file as t
where t.directory_id = o.directory_id and t.file_name = o.file_name;
