-- Results go back to Redivis: CALL makes a dataset and releases its versions, CREATE TABLE and INSERT fill the version that
-- is not released yet, which references call :next. What is released never changes; the next version starts with its rows.
CALL redivis.create_dataset('local.delays');

CREATE TABLE redivis.'local.delays:next.carriers' AS
SELECT carrier, count(*) AS flights, round(avg(arr_delay), 2) AS mean_delay
FROM redivis.'demo.nycflights13.flights'
WHERE month <= 6
GROUP BY carrier;

INSERT INTO redivis.'local.delays:next.carriers' (carrier, flights) VALUES ('XX', 0);

SELECT count(*) AS carriers, sum(flights) AS flights FROM redivis.'local.delays:next.carriers';

CALL redivis.release('local.delays', 'The first half of the year');

CALL redivis.next_version('local.delays');

CREATE OR REPLACE TABLE redivis.'local.delays:next.carriers' AS
SELECT * FROM redivis.'local.delays.carriers' WHERE flights > 0;

SELECT
    (SELECT count(*) FROM redivis.'local.delays:v1_0.carriers') AS released,
    (SELECT count(*) FROM redivis.'local.delays:next.carriers') AS next;
