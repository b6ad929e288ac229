DROP TABLE reach_answer;
DROP TABLE reach_context;
DROP TABLE reach_source;
DROP TABLE reach_count;
DROP TABLE reach_network;
DROP TABLE reach_view;
