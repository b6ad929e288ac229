DROP TABLE provider_day;
