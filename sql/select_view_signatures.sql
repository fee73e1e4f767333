-- What each public view was made of when it was made last.
select view_name, signature from view_signature;
