select g, hit_rate(y) as hits from g group by g
-- Spark:
SELECT `g`.`g`, CASE WHEN COUNT(`g`.`y`) > 0 THEN CASE WHEN CAST(COUNT(`g`.`y`) AS DOUBLE) = 0 THEN NANVL(CAST(COUNT(*) FILTER(WHERE `g`.`y` > CAST(0 AS DOUBLE)) AS DOUBLE) * CAST('Infinity' AS DOUBLE), CAST('NaN' AS DOUBLE)) ELSE CAST(COUNT(*) FILTER(WHERE `g`.`y` > CAST(0 AS DOUBLE)) AS DOUBLE) / CAST(COUNT(`g`.`y`) AS DOUBLE) END END AS `hits` FROM `g` GROUP BY `g`.`g`
