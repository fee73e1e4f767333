-- The public views as they were made last.
select view_name, definition from view_definition;
