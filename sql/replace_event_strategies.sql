-- Record the strategies that orders, fills and positions name and that have no trace in their run.
insert into perhaps_idle by name
select strategy_key
from event_strategy
where run_id in (select run_id from incoming_event_strategy);

delete from event_strategy
where run_id in (select run_id from incoming_event_strategy);

insert into event_strategy by name
select i.*
from incoming_event_strategy as i
anti join (select run_id, strategy_id from trace_file where kind = 'signal') as t
    using (run_id, strategy_id);
