-- Record which parameter columns a strategy type uses.
insert into type_parameter by name
select * from incoming
except
select * from type_parameter;
