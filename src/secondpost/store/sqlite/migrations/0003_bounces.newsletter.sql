-- How many mails of an issue came back is asked by issue.
CREATE INDEX bounce_in ON bounce (issue, kind) WHERE issue IS NOT NULL;
