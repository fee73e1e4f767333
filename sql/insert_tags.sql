-- Record tags.
insert into tag by name select * from incoming_tag;
