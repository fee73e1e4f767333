-- Forget all tags, to record them anew.
delete from tag;
