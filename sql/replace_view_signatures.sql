-- Remember what views were made of, and forget the views that are gone (no signature).
delete from view_signature where view_name in (select view_name from incoming_view);

insert into view_signature by name select * from incoming_view where signature is not null;
