select * from a full join b using (id)
-- Spark:
SELECT `_q`.`id` AS `id`, `_q`.`g` AS `g`, `_q`.`ts` AS `ts`, `_q`.`va` AS `va`, `_q`.`g_1` AS `g`, `_q`.`ts_1` AS `ts`, `_q`.`vb` AS `vb` FROM (SELECT COALESCE(`a`.`id`, `b`.`id`) AS `id`, `a`.`g`, `a`.`ts`, `a`.`va`, `b`.`g` AS `g_1`, `b`.`ts` AS `ts_1`, `b`.`vb` FROM `a` FULL OUTER JOIN `b` ON `a`.`id` = `b`.`id`) AS `_q`
