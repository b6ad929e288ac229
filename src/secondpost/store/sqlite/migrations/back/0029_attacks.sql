DROP TABLE attack;
