-- COPY writes the result of any query to a file in the current folder; STORED AS names the format, and PARTITIONED BY
-- makes one folder for each value. The files are read back here to show what was written.
COPY (
    SELECT faa, name, lat, lon, tz
    FROM redivis.'demo.nycflights13.airports'
) TO 'airports.csv' STORED AS CSV OPTIONS ('format.has_header' 'true');

COPY (
    SELECT origin, month, day, hour, temp, precip
    FROM redivis.'demo.nycflights13.weather'
    WHERE temp IS NOT NULL
) TO 'weather' STORED AS PARQUET PARTITIONED BY (origin);

CREATE EXTERNAL TABLE airports_file STORED AS CSV LOCATION 'airports.csv' OPTIONS ('format.has_header' 'true');

CREATE EXTERNAL TABLE weather_files STORED AS PARQUET LOCATION 'weather/' PARTITIONED BY (origin);

SELECT count(*) AS airports, min(faa) AS first, max(faa) AS last, count(DISTINCT tz) AS time_zones
FROM airports_file;

SELECT origin, count(*) AS hours, round(max(temp), 1) AS warmest, round(sum(precip), 2) AS inches_of_rain
FROM weather_files
GROUP BY origin
ORDER BY origin;
