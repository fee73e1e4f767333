-- Forget what the views and macros were made from, so that all are made anew.
update view_signature set signature = '';
