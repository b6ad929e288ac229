DROP TABLE program;
