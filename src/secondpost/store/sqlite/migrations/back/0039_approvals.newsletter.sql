DROP TABLE next_order;
DROP TABLE approval;
