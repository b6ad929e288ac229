DROP TABLE blocked_network;
DROP TABLE network_origin;
DROP TABLE primary_hour;
DROP TABLE author_domain;
DROP TABLE arrival_pending;
DROP TABLE arrival_hour;
