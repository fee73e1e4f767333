-- Record new parameters.
insert into parameter by name select * from incoming;
