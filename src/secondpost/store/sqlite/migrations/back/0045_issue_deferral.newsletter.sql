DROP TABLE issue_deferral;
