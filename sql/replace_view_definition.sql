-- Remember how a view was made.
merge into view_definition
using (select $view_name as view_name, $definition as definition) as made
using (view_name)
when matched then update set definition = made.definition
when not matched then insert (view_name, definition) values (made.view_name, made.definition);
