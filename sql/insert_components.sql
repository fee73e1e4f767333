-- Record what new composite strategies are made of.
delete from component where parent_key in (select parent_key from incoming_component);

insert into component by name select * from incoming_component;
