-- Keep the hashes of traces uncompressed, for 9 bytes a trace: queries look traces up by them, and
-- among a million that takes half the time.
alter table internal.trace_file add column plain_hash varchar using compression uncompressed;

update internal.trace_file set plain_hash = strategy_hash;

alter table internal.trace_file drop column strategy_hash;

alter table internal.trace_file rename column plain_hash to strategy_hash;
