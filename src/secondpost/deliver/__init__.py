"""Station 5: takes due deliveries from the spool to the next server, and records the outcomes.

Read in this order. loop finds the sites that have mail due, as often as rhythm says and as many at
once as places allows; context holds what all parts share: routes, contents, outcomes, site_record.

* Mail to a site: site delivers it. lease claims its mail, sorting finds out which rows belong to
the site, prepared makes them ready (message says what is sent), pool has connections for them: pace
says how many, entrances how many may lead to one address, opening opens one or says why it is
unopened, logins has the login to a smart host, connection speaks SMTP, hostile_servers looks for attacks
where a server does not.
* Outcomes: results makes them from replies, refusals and pauses tell a domain that refuses us from
a message that is refused, outcomes and settling record them until they are durable, learning
remembers recipients, refused drops old mail that primaries refused.
* Mail to readers: marks, before the final dot. Mail to ourselves: inside. Mail to unverified
addresses: unverified, within refusal_budget.
* Primaries: primaries holds what is known of them. sites_down and probe look at sites that are
down, idle at sites without mail; recipient_probe asks about recipients, with recipient_questions,
recipient_connection and recipient_results; catch_all finds primaries that accept every address.
* Alarms: outages about primaries that are down and mail that waits long for them, disk_alarms about
the disk and quotas, stuck about messages that cannot be read or understood.
"""
