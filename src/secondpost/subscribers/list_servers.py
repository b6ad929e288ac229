"""Export formats of self-hosted programs and mailing-list servers; `services` joins them with those
of hosted services.

The comment above each program says where its columns and words were read.
"""

from dataclasses import replace

from secondpost.subscribers.meanings import (
    AtLeast,
    ExportForm,
    Moment,
    Plain,
    ReaderStanding,
    YesNo,
    each,
    export_form,
    words,
)

_ACTIVE, _PENDING = ReaderStanding.ACTIVE, ReaderStanding.PENDING
_LEFT, _SUPPRESSED = ReaderStanding.LEFT, ReaderStanding.SUPPRESSED

# Secondpost: subscribers/exporting.py.
_SECONDPOST = (
    each(Plain.ADDRESS, "email")
    | each(words(active="active", pending="pending", left="left", suppressed="suspended,complained"), "state")
    | each(YesNo(yes=_SUPPRESSED, no=None), "suppressed,everywhere")
    | each(Plain.CREATED, "created")
    | each(Plain.AGREED_AT, "agreed_at")
    | each(Plain.AGREED_WHERE, "agreed_where")
    | each(
        Plain.KEPT,
        "since,agreed_how,agreed_text,agreed_from,suppressed_at,suppressed_by,everywhere_at,everywhere_by,"
        "hash,hash_key,attributes",
    )
)

# knadh/listmonk: cmd/subscribers.go (the CSV), queries/subscribers.sql (export,
# get-subscriber-lists-lazy), schema.sql (subscriber_status, subscription_status). A subscriber who
# leaves a list stays "enabled", and the CSV has no other column; only the API shows it, and a
# subscriber on no list gets no mail. On a list without double opt-in everyone is "unconfirmed".
_LISTMONK = (
    each(Plain.ADDRESS, "email")
    | each(Plain.NAME, "name")
    | each(words(active="enabled", left="disabled", suppressed="blocklisted,blacklisted"), "status")
    | each(Plain.CREATED, "created_at")
    | each(Plain.KEPT, "uuid,attributes,updated_at")
)
_LISTMONK_API = (
    _LISTMONK
    | each(Plain.KEPT, "id,lists")
    | each(
        words(active="confirmed", pending="unconfirmed", left="unsubscribed", empty=_LEFT),
        "lists.subscription_status",
    )
)

# TryGhost/Ghost: core/server/api/endpoints/utils/serializers/output/members.js (CSV_HEADERS,
# serializeMember). The `status` of a member is free, paid or comped. A member whose mail bounced is
# suppressed, but still "subscribed" in the CSV.
_GHOST = (
    each(Plain.ADDRESS, "email")
    | each(Plain.NAME, "name")
    | each(YesNo(yes=_ACTIVE, no=_LEFT), "subscribed_to_emails")
    | each(Moment(_LEFT), "deleted_at")
    | each(Plain.CREATED, "created_at")
    | each(Plain.KEPT, "id,complimentary_plan,stripe_customer_id,tiers,products,gift_id")
)
_GHOST_API = (
    each(Plain.ADDRESS, "email")
    | each(Plain.NAME, "name")
    | each(YesNo(yes=_ACTIVE, no=_LEFT), "subscribed")
    | each(YesNo(yes=_SUPPRESSED, no=None), "email_suppression.suppressed")
    | each(Moment(_SUPPRESSED), "email_suppression.info")
    | each(Plain.CREATED, "created_at")
    | each(
        Plain.KEPT,
        "id,uuid,geolocation,updated_at,subscriptions,avatar_image,comped,email_count,email_opened_count,"
        "email_open_rate,email_recipients,status,last_seen_at,can_comment,commenting,attribution,"
        "unsubscribe_url,tiers,newsletters,email_suppression",
    )
)

# pentacent/keila: KeilaWeb.ContactsCsvExport (header and rows; older ones have no Status),
# lib/keila/contacts/schemas/contact.ex (the statuses, and the fields of the API's contacts).
_KEILA_STATUS = words(active="active", left="unsubscribed", suppressed="unreachable")
_KEILA_OLD = (
    each(Plain.ADDRESS, "Email")
    | each(Plain.NAME, "First name,Last name")
    | each(Plain.KEPT, "Data,External ID")
)
_KEILA = _KEILA_OLD | each(_KEILA_STATUS, "Status")
_KEILA_API = (
    _KEILA
    | each(Plain.CREATED, "inserted_at")
    | each(Plain.AGREED_AT, "double_opt_in_at")
    | each(Plain.KEPT, "id,updated_at")
)

# Sendy: includes/subscribers/export-csv.php. Older versions write name and address without a
# header, one file per state.
_SENDY = (
    each(Plain.ADDRESS, "Email")
    | each(Plain.NAME, "Name")
    | each(
        words(
            active="Active", pending="Unconfirmed", left="Unsubscribed", suppressed="Bounced,Marked as spam"
        ),
        "Status",
    )
    | each(Plain.CREATED, "Joined")
    | each(Plain.AGREED_WHERE, "Signed up from")
    | each(Plain.AGREED_FROM, "IP address")
    | each(Plain.KEPT, "Last activity,Added via,Opt-in method,Country,Country code,GDPR")
)

# phpList/phplist3: public_html/lists/admin/structure.php (column titles), actions/export.php.
# Leaving calls addUserToBlacklist, so "blacklisted" mostly means that the person left; after five
# bounces in a row ($bounce_unsubscribe_threshold of the sample configuration) an address becomes
# unconfirmed. The number of bounces counts all of them.
_PHPLIST = (
    each(Plain.ADDRESS, "Email")
    | each(YesNo(yes=_ACTIVE, no=_PENDING), "Is this subscriber confirmed")
    | each(YesNo(yes=_LEFT, no=None), "Is this subscriber blacklisted,Is this account disabled?")
    | each(AtLeast(5, _SUPPRESSED), "Number of bounces")
    | each(words(left="No Lists", is_open=True), "List Membership")
    | each(Plain.CREATED, "Entered")
    | each(
        Plain.KEPT,
        "id,Did this subscriber manually confirm,Last Modified,Send this subscriber HTML emails,"
        "RSS Frequency,Password,Foreign Key",
    )
)

# mailpoet/mailpoet: lib/Subscribers/ImportExport/ImportExportFactory.php,
# ImportExportRepository.php, Export/Export.php. One row per list of a person; a person on no list
# has an empty list status, under the list "Not In Segment", and gets no mail. "inactive" means no
# mail opened for months; they get none either.
_MAILPOET_STATUS = words(
    active="subscribed",
    pending="unconfirmed,inactive",
    left="unsubscribed",
    suppressed="bounced",
)
_MAILPOET = (
    each(Plain.ADDRESS, "Email")
    | each(Plain.NAME, "First name,Last name")
    | each(replace(_MAILPOET_STATUS, empty=_LEFT), "List status")
    | each(_MAILPOET_STATUS, "Global status")
    | each(Plain.CREATED, "Subscription time")
    | each(Plain.AGREED_AT, "Confirmation time")
    | each(Plain.AGREED_FROM, "Subscription IP,Confirmation IP")
    | each(Plain.KEPT, "List")
)

# The Newsletter Plugin for WordPress: newsletter/users/users-admin.php (header and rows), classes/TNP_User
# (the letters: confirmed, not confirmed as S, unsubscribed, bounced; P for complained is not verified).
_NEWSLETTER_PLUGIN = (
    each(Plain.ADDRESS, "Email")
    | each(Plain.NAME, "Name,Surname")
    | each(words(active="C", pending="S", left="U", suppressed="B,P"), "Status")
    | each(Plain.CREATED, "Date")
    | each(Plain.AGREED_FROM, "IP")
    | each(Plain.AGREED_WHERE, "Referrer")
    | each(Plain.KEPT, "Gender,Token,Feed by mail,Follow up,Country,Language,ID,WP User ID")
)

# Mailman 3: docs.mailman3.org, "Membership" of the REST API, and mailman/commands/cli_members.py
# (the statuses). A member whose delivery the member or a moderator turned off wants no mail now. A
# nonmember has only written to the list; owners and moderators are readers if they have a member
# entry too.
_MAILMAN3_OLD = (
    each(Plain.ADDRESS, "email")
    | each(Plain.NAME, "display_name")
    | each(words(nothing="member,owner,moderator", left="nonmember"), "role")
    | each(
        Plain.KEPT,
        "address,bounce_score,last_bounce_received,last_warning_sent,total_warnings_sent,delivery_mode,"
        "list_id,member_id,moderation_action,self_link,subscription_mode,user,http_etag",
    )
)
_MAILMAN3 = _MAILMAN3_OLD | each(
    words(active="enabled", left="by_user,by_moderator,unknown", suppressed="by_bounces"), "delivery_status"
)
# Mailman 2.1: Mailman/Cgi/admin.py (the membership list and its letters: U by user, A by admin, B by
# bounce, ? unknown), as Mark Sapiro's mailman-subscribers.py --csv writes it.
_MAILMAN2 = (
    each(Plain.ADDRESS, "email address")
    | each(Plain.NAME, "Full name")
    | each(words(active="off", left="[U],[A],[?]", suppressed="[B]"), "nomail")
    | each(Plain.KEPT, "mod,hide,ack,not metoo,nodupes,digest,plain")
)

# Google Groups: the columns are as published exports have them (support.google.com/groups, "Export
# members"). The words of "Email status" and "Email preference" are those of the members page: not
# verified in a file. Digests and summaries are ways to get the mail; "no email" means none.
_GOOGLE_GROUPS = (
    each(Plain.ADDRESS, "Email address")
    | each(Plain.NAME, "Nickname")
    | each(
        words(nothing="member,manager,owner", pending="invited,pending", suppressed="banned"), "Group status"
    )
    | each(words(nothing="OK,normal,delivering", suppressed="bouncing,bounced"), "Email status")
    | each(
        words(
            nothing="email,all email,each email,every email,digest,daily digest,abridged,daily summary",
            left="no email,none,disabled,no mail",
        ),
        "Email preference",
    )
    | each(
        Plain.KEPT,
        "Posting permissions,Join year,Join month,Join day,Join hour,Join minute,Join second,Time zone",
    )
)

LIST_SERVERS: tuple[ExportForm, ...] = (
    export_form("Secondpost", "readers", "email,state,since,agreed_how", _SECONDPOST),
    export_form(
        "listmonk",
        "subscribers",
        "uuid,email,attributes,status",
        _LISTMONK,
        unsaid="who left the list or never confirmed: people who left stay enabled. Export one list with the "
        "filter subscription_status=confirmed, or use the JSON of its API",
    ),
    export_form(
        "listmonk",
        "API",
        "email,uuid,status,lists.subscription_status",
        _LISTMONK_API,
        rows_at="data.results",
    ),
    export_form(
        "Ghost",
        "members",
        "email,subscribed_to_emails,created_at,complimentary_plan",
        _GHOST,
        unsaid="whose mail bounced; its API does (email_suppression)",
    ),
    export_form(
        "Ghost", "API", "email,subscribed,email_suppression.suppressed", _GHOST_API, rows_at="members"
    ),
    export_form("Keila", "contacts", "Email,First name,Last name,Data,Status", _KEILA),
    export_form(
        "Keila",
        "contacts without status",
        "Email,First name,Last name,Data",
        _KEILA_OLD,
        unsaid="who unsubscribed; export again with a newer Keila",
    ),
    export_form("Keila", "API", "email,status,double_opt_in_at", _KEILA_API, rows_at="data"),
    export_form("Sendy", "subscribers", "Name,Email,Status,Opt-in method,Added via", _SENDY),
    export_form(
        "phpList",
        "subscribers",
        "Email,Is this subscriber confirmed,Is this subscriber blacklisted",
        _PHPLIST,
    ),
    export_form("MailPoet", "subscribers", "Email,List status,Global status", _MAILPOET),
    export_form(
        "The Newsletter Plugin", "subscribers", "Email,Status,Token,Feed by mail", _NEWSLETTER_PLUGIN
    ),
    export_form("Mailman 3", "members", "email,list_id,role,delivery_status", _MAILMAN3, rows_at="entries"),
    export_form(
        "Mailman 3",
        "members without delivery status",
        "email,list_id,role",
        _MAILMAN3_OLD,
        rows_at="entries",
        unsaid="whose delivery is turned off: by themselves, by bounces or by the moderator",
    ),
    export_form("Mailman 2", "membership list", "email address,nomail,not metoo,nodupes", _MAILMAN2),
    export_form("Google Groups", "members", "Email address,Group status", _GOOGLE_GROUPS, whole=_ACTIVE),
)
