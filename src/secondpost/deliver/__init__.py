"""Station 5: takes what is due out of the spool and to the next server, and writes down what came of it.

To read in this order. loop finds the sites that have mail due, as often as rhythm says, and as many at once
as places allows; context is what all parts share: routes, contents, outcomes, site_record.

* Mail to a site: site works it off. lease claims its mail, sorting finds out which rows are the site's own,
  prepared makes them ready (message says what is sent), pool has connections for them: pace says how many,
  entrances how many may lead to one address, opening opens one, connection speaks SMTP over it.
* What comes of it: results makes outcomes of replies, refusals and pauses tell a domain that refuses us from
  a message that it refuses, outcomes and settling write down until it is durable, learning remembers
  recipients, refused ends what primaries refused.
* Mail to readers: marks, before the final dot. Mail to ourselves: inside. Mail for addresses of which nothing
  is known: unverified, within refusal_budget.
* Primaries: primaries is what is known of them. sites_down and probe look at sites that are down, idle at
  those for which nothing waits; recipient_probe asks about recipients, by way of recipient_questions,
  recipient_connection and recipient_results; catch_all finds out who takes every address.
* disk_alarms says in time that the disk or a quota fills up.
"""
