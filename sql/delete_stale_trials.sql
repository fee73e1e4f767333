-- Forget what strategies that were tried earned on prices which are no longer the series'.
delete from internal.trial_figure
where symbol = $symbol and timeframe = $timeframe;
