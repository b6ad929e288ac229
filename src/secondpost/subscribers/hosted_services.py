"""Export formats of hosted newsletter services; `services` joins them with those of list servers.

The comment above each service says where its columns and words were read, or that they are not
verified.
"""

from secondpost.subscribers.meanings import (
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

# Mailchimp: the three files of an audience are as TryGhost/migrate has them (mg-mailchimp-members,
# test fixtures); the words are from mailchimp.com/help/about-your-contacts and the API's list
# members. The headings of the contact table are those shown on its page; that its file has them too
# is not verified. A non-subscribed contact bought something and never asked for mail: this fourth
# file of an audience has the columns of the first and is recognised by its name alone, as published
# programs that read it do (nonsubscribed_email_audience_export_…, nonsubscribed_members_export_…).
# The first columns are named by the owner, in any language.
_MAILCHIMP = (
    each(Plain.ADDRESS, "Email Address")
    | each(Plain.NAME, "First Name,Last Name")
    | each(Plain.CREATED, "OPTIN_TIME")
    | each(Plain.AGREED_AT, "CONFIRM_TIME")
    | each(Plain.AGREED_FROM, "OPTIN_IP,CONFIRM_IP")
    | each(
        Plain.KEPT,
        "Address,Phone Number,Birthday,Company,Position,ZIP Code,MEMBER_RATING,LATITUDE,LONGITUDE,GMTOFF,"
        "DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,LEID,EUID,",
    )
)
_MAILCHIMP_MARKS = "MEMBER_RATING,OPTIN_TIME,LEID,EUID"
_MAILCHIMP_LEFT = _MAILCHIMP | each(
    Moment(_LEFT), "UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_CAMPAIGN_ID,UNSUB_REASON,UNSUB_REASON_OTHER"
)
_MAILCHIMP_CLEANED = _MAILCHIMP | each(
    Moment(_SUPPRESSED), "CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,CLEAN_CAMPAIGN_ID"
)
_MAILCHIMP_STATUS = words(
    active="subscribed",
    pending="pending",
    left="unsubscribed,non-subscribed,transactional,archived,deleted",
    suppressed="cleaned",
)
_MAILCHIMP_CONTACTS = _MAILCHIMP | each(_MAILCHIMP_STATUS, "Email Marketing")
_MAILCHIMP_TABLE = (
    each(Plain.ADDRESS, "Email Address")
    | each(Plain.NAME, "First Name,Last Name")
    | each(_MAILCHIMP_STATUS, "Email Marketing")
    | each(Plain.CREATED, "Date Added")
    | each(
        Plain.KEPT,
        "Address,Phone Number,Birthday,Company,SMS Marketing,Contact Rating,Source,Last Changed",
    )
)
_MAILCHIMP_API = (
    each(Plain.ADDRESS, "email_address")
    | each(Plain.NAME, "full_name")
    | each(_MAILCHIMP_STATUS, "status")
    | each(Moment(_LEFT), "unsubscribe_reason,unsubscribe_campaign_id")
    | each(Plain.CREATED, "timestamp_signup")
    | each(Plain.AGREED_AT, "timestamp_opt")
    | each(Plain.AGREED_FROM, "ip_signup,ip_opt")
    | each(
        Plain.KEPT,
        "id,unique_email_id,contact_id,web_id,email_type,consents_to_one_to_one_messaging,interests,"
        "stats,member_rating,last_changed,language,vip,email_client,location,marketing_permissions,"
        "source,tags_count,list_id,_links",
    )
)

# Buttondown: docs.buttondown.com/api-subscribers-introduction (fields; `subscriber_type` and
# `email` are their older names), api-subscribers-type and buttondown/openapi, enums.json (types),
# subscriber-cleanup ("blocked", "complained"); "undeliverable" and "churned" are newer and not
# verified. A paused, unpaid or churning subscriber belongs to the paid edition and still gets the
# mail; churn_date is when the paid subscription ended. bounce_date may be that of a single bounce;
# addresses that get no more mail are "undeliverable". That the CSV uses the names of the API is not
# verified.
_BUTTONDOWN = (
    each(Plain.ADDRESS, "email_address,email")
    | each(
        words(
            active="regular,premium,gifted,trialed,unpaid,churning,paused,past_due",
            pending="unactivated,churned",
            left="unsubscribed,removed",
            suppressed="spammy,blocked,complained,undeliverable",
        ),
        "type,subscriber_type",
    )
    | each(Moment(_LEFT), "unsubscription_date,unsubscription_reason")
    | each(Moment(_SUPPRESSED), "undeliverability_date,undeliverability_reason")
    | each(Plain.CREATED, "creation_date")
    | each(Plain.AGREED_FROM, "ip_address")
    | each(
        Plain.KEPT,
        "id,source,referrer_url,referral_code,secondary_id,churn_date,upgrade_date,avatar_url,"
        "gift_subscription_message,last_click_date,last_open_date,purchased_by,purchased_message,"
        "risk_score,stripe_coupon,stripe_customer,stripe_customer_id,subscriber_import_id,transitions,"
        "email_transitions,firewall_reasons,delivered_count,opened_count,clicked_count,bounce_date,"
        "bounce_reason,utm_campaign,utm_medium,utm_source,open_rate,click_rate",
    )
)

# Substack: the files of its export as TryGhost/migrate has them (mg-substack-members-csv, fixtures
# and process); the columns of the subscribers page as published programs that read the file have
# them. No active subscription means no paid one: the reader has not left. "Cancel date" is the
# API's unsubscribed_at; whether only the paid subscription ended then is not verified.
_SUBSTACK_PAID = (
    each(Plain.ADDRESS, "email")
    | each(Plain.NAME, "name")
    | each(YesNo(yes=_LEFT, no=None), "email_disabled")
    | each(Plain.CREATED, "created_at")
    | each(Plain.KEPT, "expiry,stripe_connected_customer_id,type")
)
_SUBSTACK = (
    each(Plain.ADDRESS, "email")
    | each(Plain.NAME, "name")
    | each(YesNo(yes=_LEFT, no=None), "email_disabled")
    | each(Plain.CREATED, "created_at")
    | each(Plain.KEPT, "active_subscription,expiry,plan,first_payment_at,prefer_digests")
)
_SUBSTACK_PAGE = (
    each(Plain.ADDRESS, "Email")
    | each(Plain.NAME, "Name")
    | each(Moment(_LEFT), "Cancel date")
    | each(Plain.CREATED, "Start date")
    | each(
        Plain.KEPT,
        "Type,Stripe plan,Subscription interval,Paid upgrade date,First paid date,Expiration date,"
        "Revenue,Activity,Bestseller,Group membership,Sections,Country,State/Province,"
        "Subscription source (free),Subscription source (paid),Subscriptions gifted,"
        "Emails received (6mo),Emails dropped (6mo),Emails opened (6mo),Emails opened (7d),"
        "Emails opened (30d),Unique emails seen (6mo),Unique emails seen (7d),Unique emails seen (30d),"
        "Last email open,Links clicked,Last clicked at,Post views,Post views (7d),Post views (30d),"
        "Unique posts seen,Unique posts seen (7d),Unique posts seen (30d),Comments,Comments (7d),"
        "Comments (30d),Shares,Shares (7d),Shares (30d),Days active (30d),",
    )
)

# Kit, formerly ConvertKit: developers.kit.com, "List subscribers" (states; "inactive" has not confirmed),
# and help.convertkit.com, "Subscribers type defined" (the words of its pages; "cold" readers are confirmed
# and have not opened mail lately). The columns of the CSV are not verified.
_KIT_STATE = words(
    active="active,confirmed,cold",
    pending="inactive,unconfirmed",
    left="cancelled,canceled,unsubscribed",
    suppressed="bounced,complained",
)
_KIT = (
    each(Plain.ADDRESS, "email")
    | each(Plain.NAME, "first_name,last_name")
    | each(_KIT_STATE, "status")
    | each(Moment(_LEFT), "canceled_at,cancelled_at")
    | each(Plain.CREATED, "created_at")
    | each(Plain.KEPT, "id")
)
_KIT_API = (
    each(Plain.ADDRESS, "email_address")
    | each(Plain.NAME, "first_name")
    | each(_KIT_STATE, "state")
    | each(Moment(_LEFT), "canceled_at,cancelled_at")
    | each(Plain.CREATED, "created_at")
    | each(Plain.KEPT, "id,attribution")
)

# MailerLite: developers.mailerlite.com, "Subscribers", and mailerlite/mailerlite-nodejs (statuses; `state`
# and `z_i_p` are of a postal address); developers-classic.mailerlite.com for the older API, whose `type` is
# the status. The CSV is taken to have the names of the API: not verified.
_MAILERLITE_STATUS = words(
    active="active,subscribed", pending="unconfirmed", left="unsubscribed", suppressed="bounced,junk"
)
_MAILERLITE = (
    each(Plain.ADDRESS, "email")
    | each(Plain.NAME, "name,last_name,fields.name,fields.last_name")
    | each(_MAILERLITE_STATUS, "status")
    | each(Moment(_LEFT), "unsubscribed_at,forget_at,deleted_at")
    | each(Plain.CREATED, "subscribed_at")
    | each(Plain.AGREED_AT, "opted_in_at")
    | each(Plain.AGREED_FROM, "ip_address,optin_ip")
    | each(
        Plain.KEPT,
        "id,source,sent,opens_count,clicks_count,open_rate,click_rate,created_at,updated_at,company,"
        "country,city,phone,state,z_i_p",
    )
)
_MAILERLITE_CLASSIC = (
    each(Plain.ADDRESS, "email")
    | each(Plain.NAME, "name")
    | each(_MAILERLITE_STATUS, "type")
    | each(Moment(_LEFT), "date_unsubscribe")
    | each(Plain.CREATED, "date_subscribe,signup_timestamp")
    | each(Plain.AGREED_AT, "confirmation_timestamp")
    | each(Plain.AGREED_FROM, "signup_ip,confirmation_ip")
    | each(
        Plain.KEPT,
        "id,sent,opened,opened_rate,clicked,clicked_rate,date_created,date_updated,fields,country_id",
    )
)

# Brevo, formerly Sendinblue: developers.brevo.com, "Get all the contacts" and "Export contacts"
# (EMAIL, ADDED_TIME, MODIFIED_TIME); EMAIL_BLACKLISTED is as published programs that read the file
# have it: not verified. Brevo blocklists contacts that unsubscribe, complain or bounce and does not
# say which, so they count as left and may sign up again by the form.
_BREVO = (
    each(Plain.ADDRESS, "EMAIL")
    | each(Plain.NAME, "FIRSTNAME,LASTNAME,PRENOM,NOM")
    | each(YesNo(yes=_LEFT, no=_ACTIVE), "EMAIL_BLACKLISTED,EMAIL_BLOCKLISTED,BLACKLIST_EMAIL,BLOCKLISTED")
    | each(Moment(_LEFT), "UNSUBSCRIBED,UNSUBSCRIBED_AT")
    | each(Plain.CREATED, "ADDED_TIME")
    | each(Plain.AGREED_AT, "DOUBLE_OPT-IN_DATE")
    | each(Plain.KEPT, "CONTACT ID,SMS,WHATSAPP,EXT_ID,LANDLINE_NUMBER,SMS_BLACKLISTED,MODIFIED_TIME,OPT_IN")
)
_BREVO_API = (
    each(Plain.ADDRESS, "email")
    | each(YesNo(yes=_LEFT, no=_ACTIVE), "emailBlacklisted")
    | each(Moment(_LEFT), "listUnsubscribed")
    | each(Plain.CREATED, "createdAt")
    | each(Plain.KEPT, "id,smsBlacklisted,whatsappBlacklisted,modifiedAt,listIds,statistics")
)

# beehiiv: TryGhost/migrate, mg-beehiiv-members (fixture; only "active" gets mail);
# developers.beehiiv.com, "Subscriptions" (statuses).
_BEEHIIV_STATUS = words(
    active="active", pending="pending,validating,needs_attention", left="inactive", suppressed="invalid"
)
_BEEHIIV = (
    each(Plain.ADDRESS, "email")
    | each(Plain.NAME, "First Name,Last Name")
    | each(_BEEHIIV_STATUS, "status")
    | each(Moment(_LEFT), "unsubscribed_at")
    | each(Plain.CREATED, "created_at,created")
    | each(
        Plain.KEPT,
        "id,tier,subscription_tier,subscription_premium_tier_names,stripe_customer_id,Free Tier,"
        "Premium Tier,utm_source,utm_medium,utm_campaign,utm_channel,referring_site,referral_code",
    )
)

# EmailOctopus: emailoctopus.com/api-documentation, "Contacts". Its CSV is not known.
_EMAILOCTOPUS = (
    each(Plain.ADDRESS, "email_address")
    | each(Plain.NAME, "fields.FirstName,fields.LastName")
    | each(words(active="subscribed", pending="pending", left="unsubscribed"), "status")
    | each(Plain.CREATED, "created_at")
    | each(Plain.KEPT, "id,last_updated_at")
)

# AWeber: api.aweber.com, "Subscribers"; not verified.
_AWEBER = (
    each(Plain.ADDRESS, "email")
    | each(Plain.NAME, "name")
    | each(words(active="subscribed", pending="unconfirmed", left="unsubscribed"), "status")
    | each(Moment(_LEFT), "unsubscribed_at,unsubscribe_method")
    | each(Plain.CREATED, "subscribed_at")
    | each(Plain.AGREED_AT, "verified_at")
    | each(Plain.AGREED_FROM, "ip_address")
    | each(Plain.AGREED_WHERE, "subscription_url")
    | each(
        Plain.KEPT,
        "id,uuid,ad_tracking,is_verified,last_followup_sent_at,subscription_method,"
        "last_followup_message_number_sent,city,region,country,postal_code,area_code,dma_code,latitude,"
        "longitude,self_link,resource_type_link,http_etag,last_followup_sent_link",
    )
)

# Campaign Monitor: campaignmonitor.com/api, "Active subscribers" and its sisters (states); not verified.
_CAMPAIGN_MONITOR = (
    each(Plain.ADDRESS, "EmailAddress")
    | each(Plain.NAME, "Name")
    | each(
        words(active="Active", pending="Unconfirmed", left="Unsubscribed,Deleted", suppressed="Bounced"),
        "State",
    )
    | each(Plain.CREATED, "ListJoinedDate")
    | each(Plain.KEPT, "Date,ReadsEmailWith,ConsentToTrack,ConsentToSendSms,MobileNumber")
)

# Constant Contact: the header is as published programs that read the file have it; the words are
# from developer.constantcontact.com, "permission_to_send" (implicit, explicit,
# pending_confirmation, unsubscribed, temp_hold, not_set).
_CONSTANT_CONTACT = (
    each(Plain.ADDRESS, "Email address")
    | each(Plain.NAME, "First name,Last name")
    | each(
        words(
            active="Active",
            pending="Awaiting confirmation,Unconfirmed",
            left="Unsubscribed,Removed",
            suppressed="Bounced,Complained,Do not mail",
        ),
        "Email status",
    )
    | each(
        words(
            nothing="Express,Explicit,Implied,Implicit,Confirmed",
            pending="Pending confirmation,Awaiting confirmation",
            left="Unsubscribed,Not set,Temp hold,None",
        ),
        "Email permission status",
    )
    | each(Moment(_LEFT), "Confirmed Opt-Out Date,Confirmed Opt-Out Source,Confirmed Opt-Out Reason")
    | each(Plain.CREATED, "Created At")
    | each(Plain.AGREED_AT, "Confirmed Opt-In Date")
    | each(Plain.AGREED_WHERE, "Confirmed Opt-In Source")
    | each(
        Plain.KEPT,
        "Company,Job title,Phone,Birthday,Anniversary,Source Name,Source,Updated At",
    )
)

# ActiveCampaign: the header is as published programs that read the file have it; not verified.
_ACTIVECAMPAIGN = (
    each(Plain.ADDRESS, "Email")
    | each(Plain.NAME, "First Name,Last Name")
    | each(words(active="Active", pending="Unconfirmed", left="Unsubscribed", suppressed="Bounced"), "Status")
    | each(Plain.CREATED, "Date Created")
    | each(Plain.AGREED_FROM, "IP")
    | each(Plain.KEPT, "id,Phone,Organization")
)

HOSTED_SERVICES: tuple[ExportForm, ...] = (
    export_form("Mailchimp", "subscribed contacts", _MAILCHIMP_MARKS, _MAILCHIMP, whole=_ACTIVE),
    export_form(
        "Mailchimp", "unsubscribed contacts", f"{_MAILCHIMP_MARKS},UNSUB_TIME", _MAILCHIMP_LEFT, whole=_LEFT
    ),
    export_form(
        "Mailchimp",
        "cleaned contacts",
        f"{_MAILCHIMP_MARKS},CLEAN_TIME",
        _MAILCHIMP_CLEANED,
        whole=_SUPPRESSED,
    ),
    export_form(
        "Mailchimp",
        "non-subscribed contacts",
        _MAILCHIMP_MARKS,
        _MAILCHIMP,
        whole=_LEFT,
        file_name="nonsubscribed",
    ),
    export_form("Mailchimp", "contact table", "Email Address,Email Marketing", _MAILCHIMP_TABLE),
    export_form(
        "Mailchimp", "contacts", f"Email Address,{_MAILCHIMP_MARKS},Email Marketing", _MAILCHIMP_CONTACTS
    ),
    export_form(
        "Mailchimp", "API", "email_address,status,unique_email_id", _MAILCHIMP_API, rows_at="members"
    ),
    export_form("Buttondown", "subscribers", "creation_date,unsubscription_date", _BUTTONDOWN),
    export_form("Buttondown", "API", "email_address,creation_date,type", _BUTTONDOWN, rows_at="results"),
    export_form(
        "Substack", "email list", "email,active_subscription,email_disabled", _SUBSTACK, whole=_ACTIVE
    ),
    export_form(
        "Substack",
        "paid subscribers",
        "email,expiry,email_disabled,stripe_connected_customer_id,type",
        _SUBSTACK_PAID,
        whole=_ACTIVE,
    ),
    export_form(
        "Substack",
        "page of subscribers",
        "Email,Start date,Type,Subscription source (free)",
        _SUBSTACK_PAGE,
        whole=_ACTIVE,
    ),
    export_form("Kit", "subscribers", "first_name,email,status,created_at", _KIT),
    export_form("Kit", "API", "email_address,state,created_at", _KIT_API, rows_at="subscribers"),
    export_form("MailerLite", "subscribers", "email,status,subscribed_at,opted_in_at", _MAILERLITE),
    export_form("MailerLite", "API", "email,status,subscribed_at,opted_in_at", _MAILERLITE, rows_at="data"),
    export_form("MailerLite", "classic API", "email,type,date_subscribe", _MAILERLITE_CLASSIC, rows_at=""),
    export_form("Brevo", "contacts", "EMAIL,EMAIL_BLACKLISTED,ADDED_TIME", _BREVO),
    export_form("Brevo", "API", "email,emailBlacklisted", _BREVO_API, rows_at="contacts"),
    export_form("beehiiv", "subscribers", "email,First Name,status,tier,created_at", _BEEHIIV),
    export_form("beehiiv", "API", "email,status,subscription_tier", _BEEHIIV, rows_at="data"),
    export_form("EmailOctopus", "API", "email_address,status,last_updated_at", _EMAILOCTOPUS, rows_at="data"),
    export_form("AWeber", "API", "email,status,subscribed_at,ad_tracking", _AWEBER, rows_at="entries"),
    export_form(
        "Campaign Monitor", "API", "EmailAddress,State,ListJoinedDate", _CAMPAIGN_MONITOR, rows_at="Results"
    ),
    export_form(
        "Constant Contact",
        "contacts",
        "Email address,Email status,Email permission status",
        _CONSTANT_CONTACT,
    ),
    export_form("ActiveCampaign", "contacts", "Email,Date Created,IP,Status", _ACTIVECAMPAIGN),
)
