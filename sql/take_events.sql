-- Take strategies in that orders, fills and positions name and that have no trace in their run.
insert into event_strategy by name
select i.*
from taken_event as i
anti join event_strategy as e using (run_id, strategy_id, strategy_key);

delete from event_strategy as e
using trace_file as t
where t.run_id = e.run_id and t.strategy_id = e.strategy_id and t.kind = 'signal';
