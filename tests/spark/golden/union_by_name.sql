select id, va from a union all by name select vb, id from b
-- Spark:
(SELECT `id` AS `id`, `va` AS `va`, CAST(NULL AS DOUBLE) AS `vb` FROM (SELECT `a`.`id`, `a`.`va` FROM `a`) AS `_1`) UNION ALL (SELECT `id` AS `id`, CAST(NULL AS STRING) AS `va`, `vb` AS `vb` FROM (SELECT `b`.`vb`, `b`.`id` FROM `b`) AS `_2`)
