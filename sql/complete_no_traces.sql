-- No strategy of this batch completes a trace.
create or replace temp table completed as
select cast(null as varchar) as strategy_key
limit 0;

create or replace temp table arrived as
select cast(null as varchar) as strategy_key
limit 0;
