-- Record that a parameter's column has become wider.
update parameter set column_type = $column_type where path = $path and form = $form;
