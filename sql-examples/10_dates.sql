-- A dateTime of Redivis is a timestamp without a time zone, and all date functions take it. time_hour is in UTC, hence the hours
-- taken off: New York is five behind in winter. How much of the traffic leaves in each quarter, and when is the last flight scheduled?
SELECT date_trunc('quarter', time_hour - INTERVAL '5 hours') AS quarter,
       count(*) AS flights,
       count(DISTINCT CAST(time_hour - INTERVAL '5 hours' AS DATE)) AS days,
       max(time_hour) AS last_scheduled_utc
FROM redivis.'demo.nycflights13.flights'
GROUP BY date_trunc('quarter', time_hour - INTERVAL '5 hours')
ORDER BY quarter;

-- make_date builds dates from their parts; to_char and date_part take them apart: delays by day of the week.
SELECT date_part('dow', make_date(year, month, day)) AS day_of_week,
       to_char(min(make_date(year, month, day)), '%A') AS name,
       round(avg(arr_delay), 2) AS mean_arrival_delay
FROM redivis.'demo.nycflights13.flights'
GROUP BY date_part('dow', make_date(year, month, day))
ORDER BY day_of_week;
