-- Forget how a view was made.
delete from view_definition where view_name = $view_name;
