-- Take strategies out by their keys.
delete from strategy where list_contains($keys, strategy_key);
