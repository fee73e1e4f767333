select l[1] as first, l[-1] as last, l[2:] as rest, len(l) as n from l
-- Spark:
SELECT TRY_ELEMENT_AT(`l`.`l`, 1) AS `first`, TRY_ELEMENT_AT(`l`.`l`, (-1)) AS `last`, SLICE(`l`.`l`, 2, GREATEST((SIZE(`l`.`l`) - 2) + 1, 0)) AS `rest`, CASE WHEN NOT `l`.`l` IS NULL THEN CAST(SIZE(`l`.`l`) AS BIGINT) END AS `n` FROM `l`
