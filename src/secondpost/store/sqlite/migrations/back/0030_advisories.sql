DROP TABLE advisory_look;
DROP TABLE advisory;
