DROP TABLE duty_proof;
