-- Remember how a view was made.
insert into view_definition values ($view_name, $definition);
