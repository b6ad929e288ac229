"""What is said of parameters that nothing else here reads: each group with its fate and its reason. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from secondpost.setup.importing.carried import Fate


@dataclass(frozen=True, slots=True)
class PostfixRemark:
    """`names`: a pattern of whole parameter names."""

    names: str
    fate: Fate
    why: str


_CARRIED, _CHANGED, _NOT = Fate.CARRIED, Fate.CHANGED, Fate.NOT_CARRIED

NO_LOGINS = "Nobody can log in here to send mail: people and programs that do need another server."

# The first that matches counts.
REMARKS: Sequence[PostfixRemark] = (
    PostfixRemark(
        r"relay_recipient_maps|transport_maps|relay_transport|relayhost|disable_dns_lookups|"
        r"smtp_dns_support_level|parent_domain_matches_subdomains|smtpd_reject_unlisted_recipient|"
        r"unverified_recipient_tempfail_action|reject_tempfail_action|compatibility_level|"
        r"smtpd_relay_before_recipient_restrictions|smtp_fallback_relay|fallback_relay|inet_protocols",
        _CARRIED,
        "It was taken into account where it matters to other lines.",
    ),
    PostfixRemark(
        r"permit_mx_backup_networks",
        _NOT,
        "Each domain whose MX records name this server needs a [[backup]] of its own.",
    ),
    PostfixRemark(
        r"mynetworks|mynetworks_style|relay_clientcerts|smtpd_relay_.*clients|debug_peer_list",
        _NOT,
        "Nothing is relayed for clients here, whatever their network: let programs of this machine and of "
        "your network use another server to send.",
    ),
    PostfixRemark(
        r"(?:smtpd|broken)_sasl_.*|cyrus_sasl_.*|submission_.*|smtps_.*|mua_.*|smtpd_sender_login_maps",
        _NOT,
        NO_LOGINS,
    ),
    PostfixRemark(
        r"smtpd_milters|non_smtpd_milters|milter_.*|content_filter|receive_override_options|smtpd_proxy_.*|"
        r"smtpd_end_of_data_restrictions",
        _NOT,
        "No filter is asked here. The primary still filters what is passed on to it.",
    ),
    PostfixRemark(
        r"(?:smtpd|postscreen)_upstream_proxy_.*",
        _NOT,
        "The PROXY protocol is not spoken here: let the proxy in front pass connections on without it.",
    ),
    PostfixRemark(
        r"postscreen_.*|dnsblog_.*|tlsproxy_.*",
        _NOT,
        "There is no postscreen here: clients of which too many come at once are turned away in another way, "
        "and no block list is asked.",
    ),
    PostfixRemark(
        r"virtual_mailbox_.*|virtual_(?:uid|gid|minimum_uid|transport|delivery|destination).*|dovecot_.*|"
        r"mailbox_.*|home_mailbox|mail_spool_directory|local_.*|fallback_transport.*|luser_relay|"
        r"forward_.*|allow_mail_to_.*|default_privs|owner_request_special|expand_owner_alias|propagate_.*|"
        r"alias_database|alias_maps|lmtp_.*|export_environment|recipient_bcc_maps_local|newaliases_path",
        _NOT,
        "Nothing is delivered into mailboxes here: the mail of such domains needs its own server.",
    ),
    PostfixRemark(
        r"canonical_.*|recipient_canonical_.*|sender_canonical_.*|masquerade_.*|smtp_generic_maps|"
        r"relocated_maps|remote_header_rewrite_domain|append_.*|sender_based_routing|virtual_alias_.*",
        _NOT,
        "No address is rewritten here: mail is passed on as it came.",
    ),
    PostfixRemark(
        r"always_bcc|(?:recipient|sender)_bcc_maps",
        _NOT,
        "No copies are sent. Mail that waits can be read and exported (`secondpost held`).",
    ),
    PostfixRemark(
        r".*header_checks|body_checks.*|.*_command_filter|.*_command_maps|.*_discard_ehlo_.*|.*_reply_filter|"
        r"smtpd_.*_filter|nested_header_checks|header_size_limit|body_checks_size_limit",
        _NOT,
        "Nothing looks into the text of a message here, and nothing is changed in it or refused for it.",
    ),
    PostfixRemark(
        r"sender_dependent_.*|smtp_sender_dependent_authentication",
        _NOT,
        "The way of a message depends on its recipient's domain alone here.",
    ),
    PostfixRemark(
        r"smtp_sasl_.*",
        _CHANGED,
        "Logins are SCRAM-SHA-256, PLAIN or LOGIN here, whichever is the strongest that the server offers.",
    ),
    PostfixRemark(
        r"soft_bounce",
        _NOT,
        "Refusals are final here: there is no mode in which all of them are temporary.",
    ),
    PostfixRemark(
        r"defer_transports|hold_.*",
        _NOT,
        "Nothing is held back on purpose: mail is passed on as soon as the primary can be reached.",
    ),
    PostfixRemark(
        r"smtp_tls_(?:policy_maps|per_site)|smtp_tls_(?:CA|cert|key|dcert|dkey|eccert|eckey|chain|fingerprint|"
        r"mandatory|secure_cert|verify_cert|scert|exclude|cipher|protocols|eckey|dane|connection).*|"
        r"tls_(?!ssl|random).*|smtp_(?:enforce|use)_tls",
        _CHANGED,
        "TLS with primaries is used where they offer it; `tls` of a [[route]] demands it for one host.",
    ),
    PostfixRemark(
        r"smtpd_tls_.*|smtpd_(?:enforce|use)_tls|tls_.*|smtp_tls_.*|smtp_starttls_timeout|smtpd_starttls_timeout",
        _CHANGED,
        "Versions and ciphers of TLS are those that the TLS library of this machine thinks safe.",
    ),
    PostfixRemark(
        r"address_verify_.*|unverified_.*",
        _CHANGED,
        "Answers of the primary are kept as long as `learn` keeps them here: good ones for 31 days, and "
        "for as long as the primary is down.",
    ),
    PostfixRemark(
        r"(?:unknown|reject|access_map|invalid|maps_rbl|multi_recipient|non_fqdn|plaintext|relay_domains|unlisted|"
        r"unverified)_.*(?:code|action|reason)|defer_code|rbl_reply_maps|default_rbl_reply",
        _CHANGED,
        "Replies have codes and texts of their own here.",
    ),
    PostfixRemark(
        r"smtpd_.*(?:restriction|restrictions)(?:_classes)?|smtpd_reject_unlisted_.*|smtpd_delay_.*|"
        r"permit_mx_backup_networks|smtpd_.*_maps|smtpd_policy_.*|strict_.*|parent_domain_matches_subdomains|"
        r"allow_(?:percent_hack|untrusted_routing|min_user)|swap_bangpath|disable_vrfy_command|"
        r"smtpd_helo_required|smtpd_.*pipelining.*|smtpd_(?:noop|forbidden)_commands|resolve_.*|"
        r"smtpd_relay_before_recipient_restrictions|enable_original_recipient|always_add_missing_headers",
        _CHANGED,
        "What is checked of clients and senders here is in docs/smtp.md; nothing else is.",
    ),
    PostfixRemark(
        r"smtputf8_.*|smtpd_(?:discard_ehlo|dns_reply).*|enable_idna2003_.*|disable_mime_.*|enable_long_queue_ids|"
        r"strict_(?:mime|7bit|8bit).*|smtp_.*_8bitmime",
        _CHANGED,
        "Addresses and headers in UTF-8 are taken where the primary takes them, by itself.",
    ),
    PostfixRemark(
        r"smtpd_(?:error|hard_error|soft_error|junk|history|recipient_overshoot|per_record|peername|min_data|"
        r"client|service|timeout|command|data|address|restriction|use_|etrn).*|anvil_.*|line_length_limit|"
        r"in_flow_delay|client_.*",
        _CHANGED,
        "Limits on clients are those of [receive] here.",
    ),
    PostfixRemark(
        r"(?:maximal|minimal)_backoff_time|queue_run_delay|bounce_queue_lifetime|.*_destination_.*|"
        r"default_(?:process|recipient|delivery|extra|minimum|transport|destination|filter).*|qmgr_.*|"
        r"initial_destination_.*|smtp_(?:connect|helo|mail|rcpt|data|rset|quit|connection|mx|skip|per_record|"
        r"randomize|balance|always|never|send|defer|line|pix|cname|bind|address|host|dns|body|xforward|"
        r"destination|delivery|reply|fallback|tcp).*|relay_(?:destination|initial|delivery|recipient_).*|"
        r"transport_(?:retry|delivery|destination|initial|extra|minimum).*|fast_flush_.*|delay_warning_time|"
        r"confirm_delay_cleared|hopcount_limit|ignore_mx_lookup_error|disable_dns_lookups|.*_transport_rate_delay|"
        r"best_mx_transport|default_transport|process_id.*|fork_.*|max_idle|max_use|ipc_.*|trigger_.*",
        _CHANGED,
        "When and how fast mail is passed on is decided here without it: a primary that is down is tried "
        "every `probe` of [deliver], and what waited then goes out in order.",
    ),
    PostfixRemark(
        r".*notice_recipient|notify_classes|double_bounce_sender|bounce_.*|2bounce.*|error_notice.*|delay_notice.*|"
        r"smtpd_authorized_.*|backwards_bounce.*|address_verify_sender",
        _CHANGED,
        "`owner` gets alarms about trouble; mail that waits for a primary never causes a bounce.",
    ),
    PostfixRemark(
        r"compatibility_level|mail_version|mail_name|smtpd_banner|mail_release_date|myorigin|biff|"
        r"readme_directory|html_directory|manpage_directory|sample_directory|sendmail_path|mailq_path|"
        r"setgid_group|mail_owner|.*_directory|.*_service_name|syslog_.*|maillog_.*|meta_directory|"
        r"queue_minfree|message_(?:drop|strip).*|inet_protocols|multi_instance_.*|alternate_config_.*|"
        r"authorized_.*|import_environment|.*_debug.*|debug_.*|debugger_command|undisclosed_recipients_header|"
        r"show_user_unknown_table_name|default_database_type|hash_queue_.*|berkeley_db_.*|lmdb_map_size|"
        r"proxy_(?:read|write)_maps|stress|respectful_logging|unix_.*|nullmx.*|enable_errors_to|body_.*|"
        r"openssl_.*|shlib_directory|config_directory|master_service_disable|process_name|mime_.*|info_.*|"
        r"sun_mailtool.*|internal_mail_filter_classes|frozen_.*|recipient_bcc.*|header_.*|stale_.*|long_queue.*",
        _NOT,
        "It is about Postfix's own files, processes or words; there is nothing to do.",
    ),
)


def remark_on(name: str) -> PostfixRemark | None:
    return next((remark for remark in REMARKS if re.fullmatch(remark.names, name) is not None), None)
