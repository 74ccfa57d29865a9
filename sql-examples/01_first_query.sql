-- A table is named by its Redivis reference, owner.dataset.table, in quotes after `redivis.`.
-- LIMIT keeps the answer short; ORDER BY decides which rows it keeps.
SELECT name, alt AS altitude_in_feet
FROM redivis.'demo.nycflights13.airports'
ORDER BY alt DESC, name
LIMIT 5;
