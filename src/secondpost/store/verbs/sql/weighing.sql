-- Queries of weighing bounces.

-- name: bounced_issues
-- Issues with bounces from before ?1 that were not weighed; NULL for confirmations.
SELECT DISTINCT issue FROM bounce /*+ INDEXED BY bounce_new */ WHERE weighed = 'new' AND at_ms <= ?1;

-- name: bounced_readers
-- A page of an issue's bounces in state ?2 from before ?3, after number ?4; and since when readers who were suspended by
-- earlier bounces are in their present state.
SELECT b.id, b.subscriber, b.kind, coalesce(place.site, 'unsorted'), reader.created_ms, reader.state, b.text,
       CASE WHEN EXISTS (SELECT 1 FROM bounce AS earlier /*+ INDEXED BY bounce_of */
                         WHERE earlier.subscriber = b.subscriber AND earlier.weighed IN ('suspended', 'accepted'))
            THEN reader.since_ms END
FROM bounce AS b
/*+ CROSS */ JOIN subscriber AS reader ON reader.id = b.subscriber
LEFT JOIN domain AS place ON place.id = reader.domain
WHERE b.issue IS NOT DISTINCT FROM ?1 AND b.weighed = ?2 AND b.at_ms <= ?3 AND b.id > ?4
ORDER BY b.id LIMIT ?5;

-- name: bounces_among
-- The bounces of the chosen readers' mails of issue ?1 and the ?2 - 1 before it.
-- set: chosen (id integer)
-- gives: subscriber, number, kind
SELECT b.subscriber AS subscriber, earlier.number AS number, b.kind AS kind
FROM chosen
/*+ CROSS */ JOIN bounce AS b ON b.subscriber = chosen.id
/*+ CROSS */ JOIN issue AS earlier ON earlier.id = b.issue
/*+ CROSS */ JOIN issue AS this ON this.id = ?1
WHERE earlier.newsletter = this.newsletter AND earlier.number <= this.number
  AND earlier.number > this.number - ?2 AND b.weighed <> 'forgiven';

-- name: weighed_counts
-- Readers by what the bounces of an issue came to, by site and whether they were added after ?2.
SELECT b.weighed, coalesce(place.site, 'unsorted'), CASE WHEN reader.created_ms > ?2 THEN 1 ELSE 0 END AS is_new,
       count(DISTINCT b.subscriber)
FROM bounce AS b /*+ INDEXED BY bounce_weighed */
/*+ CROSS */ JOIN subscriber AS reader ON reader.id = b.subscriber
LEFT JOIN domain AS place ON place.id = reader.domain
WHERE b.issue = ?1 AND b.weighed IN ('suspended', 'held', 'accepted', 'forgiven')
GROUP BY 1, 2, 3;

-- name: audience
-- The sites of an issue's readers after ?2 up to ?3, and whether they were added after ?4.
SELECT coalesce(place.site, 'unsorted'), CASE WHEN reader.created_ms > ?4 THEN 1 ELSE 0 END AS is_new, count(*)
FROM issue
/*+ CROSS */ JOIN delivery AS d ON d.message = issue.message
/*+ CROSS */ JOIN subscriber AS reader ON reader.id = d.subscriber
LEFT JOIN domain AS place ON place.id = d.domain
WHERE issue.id = ?1 AND d.number > ?2 AND d.number <= ?3
GROUP BY 1, 2;

-- name: undecided
-- Issues with bounces that wait for the owner, and of how many readers.
SELECT issue, count(DISTINCT subscriber) FROM bounce /*+ INDEXED BY bounce_weighed */
WHERE weighed IN ('suspended', 'held', 'accepted', 'forgiven') AND weighed = 'held' GROUP BY issue ORDER BY issue;

-- name: next_of_audience
-- The last of the issue's next ?3 readers after ?2.
SELECT max(number) FROM (
  SELECT d.number FROM issue /*+ CROSS */ JOIN delivery AS d ON d.message = issue.message
  WHERE issue.id = ?1 AND d.number > ?2 ORDER BY d.number LIMIT ?3) AS next;

-- name: weigh
-- Record what became of the chosen bounces.
-- set: chosen (id integer, weighed text)
UPDATE bounce SET weighed = chosen.weighed FROM chosen WHERE bounce.id = chosen.id;
