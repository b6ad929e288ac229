-- Which alarms stand is no longer kept per newsletter: every process knows its own (mail/standing_alarms), and
-- mail.db has those of all (0025).
DROP TABLE held_alarm;
