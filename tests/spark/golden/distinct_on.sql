select distinct on (g) g, k from g order by g, k desc
-- Spark:
SELECT `g`, `k` FROM (SELECT `g`.`g`, `g`.`k`, ROW_NUMBER() OVER (PARTITION BY `g`.`g` ORDER BY `g`.`g` ASC NULLS LAST, `g`.`k` DESC) AS `_1` FROM `g`) AS `_2` WHERE (`_1` = 1) ORDER BY `g` ASC NULLS LAST, `k` DESC
