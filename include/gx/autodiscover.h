/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_AUTODISCOVER_H
#define GX_AUTODISCOVER_H
/**
 * @file autodiscover.h
 * Where clients learn how to reach a mailbox, over the HTTP server: Autodiscover in XML for Outlook and for phones, [MS-OXDISCO],
 * [MS-OXDSCLI], [MS-ASCMD] 2.2.1.1; in JSON; Autoconfig for Thunderbird; redirections for CalDAV and CardDAV, [RFC 6764] 5.
 * Thread class: locked.
 */
#include <gx/directory.h>
#include <gx/http.h>
#include <gx/store.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gx_disco;

/** To whom something is told: what Outlook is new follows from its name for itself, or from X-MapiHttpCapability. */
enum {
	GX_DISCO_NO, GX_DISCO_YES,
	GX_DISCO_NOT_OLD_MSO, /**< to all but Outlook before 2013 */
	GX_DISCO_ONLY_NEW_MSO, GX_DISCO_ONLY_OLD_MSO, GX_DISCO_NOT_NEW_MSO,
	/**
	 * EXCH and EXPR for what else they name, where RPC over HTTP is not served: to all but Outlook before 2013, which would try
	 * that and sets up IMAP without them; and only where there are GX_DISCO_EWS or GX_DISCO_OAB to tell of.
	 */
	GX_DISCO_SERVICES,
};
/** What there is at the usual paths besides MAPI over HTTP; bits. */
enum { GX_DISCO_EWS = 1, GX_DISCO_OAB = 2, GX_DISCO_EAS = 4, GX_DISCO_WEB = 8 };

struct gx_disco_opts {
	size_t size;
	struct gx_dir *dir;            /**< borrowed, as is what follows */
	struct gx_store_pool *pool;    /**< for validate_second */
	const struct gx_log *log;
	const struct gx_clock *clock;  /**< NULL: system */
	const char *org_name;          /**< x500_org_name; NULL "Gromox default" */
	const char *exonym;            /**< oxdisco_exonym: by which clients know this server, with a port if need be */
	const char *server_version;    /**< reported_server_version, NULL takes "15.00.0847.4040" */
	unsigned advertise_mh, advertise_rpch; /**< GX_DISCO_NO ... */
	bool pretty;                   /**< oxdisco_pretty_response */
	bool log_requests, log_responses;
	bool validate_second;          /**< oxdisco_validate_scndrequest: mailboxes of others only for those who may do something in them */
	uint32_t services;             /**< GX_DISCO_EWS ... */
	/**
	 * Servers for other mail programs, separated by blanks: imap, imaps, pop3, pop3s, submission, submissions, each perhaps with
	 * "://HOST" and ":PORT". NULL or "": none.
	 */
	const char *mail_servers;
};
#define GX_DISCO_OPTS_INIT {.size = sizeof(struct gx_disco_opts), .advertise_mh = GX_DISCO_YES, .advertise_rpch = GX_DISCO_SERVICES, \
	.validate_second = true}
/** Adds its routes to @p h, which it must outlive. GX_E_INVAL with @p ret_why when an option makes no sense. */
GX_API int gx_disco_new(const struct gx_disco_opts *o, struct gx_http *h, struct gx_disco **ret_d, struct gx_arena *a,
	const char **ret_why) GX_MUST_CHECK;
/** Accepts NULL. */
GX_API void gx_disco_free(struct gx_disco *d);
/** "yes", "no", "not_old_mso", "only_new_mso", "only_old_mso", "not_new_mso". GX_E_FORMAT. */
GX_API int gx_disco_parse_whom(const char *text, unsigned *ret_whom) GX_MUST_CHECK;
/** Words "ews", "oab", "eas", "web". GX_E_FORMAT. */
GX_API int gx_disco_parse_services(const char *text, uint32_t *ret_services) GX_MUST_CHECK;

/* ---- Whose a request for a mailbox is ---- */

/** Stores by what stands behind MailboxId= in the URLs that clients are told. Thread class: locked. */
struct gx_disco_boxes;
struct gx_disco_box {
	const char *dir;               /**< the store; in the arena */
	uint32_t homeserver;
};
/** @p cache_ms: how long an answer of the directory is remembered, 0 takes 60000. */
GX_API int gx_disco_boxes_new(struct gx_dir *dir, uint32_t cache_ms, struct gx_disco_boxes **ret_b) GX_MUST_CHECK;
/** Accepts NULL. */
GX_API void gx_disco_boxes_free(struct gx_disco_boxes *b);
/** The store that @p id names (may be NULL); where it names none, @p user's own. GX_E_NOTFOUND: there is none either. */
GX_API int gx_disco_box(struct gx_disco_boxes *b, const char *id, const char *user, struct gx_arena *a, struct gx_disco_box *ret_box) GX_MUST_CHECK;

/* ---- The client's side ---- */

/** What a client asks in XML; NULL members are left out. */
struct gx_disco_question {
	size_t size;
	const char *address;           /**< whose mailbox */
	const char *legacy_dn;
	bool eas;                      /**< as a phone does */
};
#define GX_DISCO_QUESTION_INIT {.size = sizeof(struct gx_disco_question)}
/** The body of a request, in @p a; NULL out of memory. */
GX_API const char *gx_disco_ask(const struct gx_disco_question *q, struct gx_arena *a);

/** What the answer says; NULL for what it does not. */
struct gx_disco_answer {
	const char *name, *address, *legacy_dn;
	const char *mailstore_url, *addressbook_url; /**< of MAPI over HTTP */
	const char *ews_url, *oab_url, *eas_url;
	const char *imap_host, *smtp_host;
	unsigned imap_port, smtp_port;
	const char *redirect_address, *redirect_url; /**< ask there instead */
	unsigned error_code;           /**< 0: none */
	const char *error;
};
/** Reads an answer in XML, also one of Autoconfig (hosts and ports alone), into @p a. GX_E_FORMAT for what is none. */
GX_API int gx_disco_read_answer(struct gx_bin body, struct gx_arena *a, struct gx_disco_answer *ret_w) GX_MUST_CHECK;

enum { GX_DISCO_LOOK_OUTLOOK, GX_DISCO_LOOK_EAS, GX_DISCO_LOOK_AUTOCONFIG };
struct gx_disco_look {
	size_t size;
	unsigned what;                 /**< GX_DISCO_LOOK_* */
	const char *address;           /**< whose mailbox; or legacy_dn, with host or url */
	const char *legacy_dn;
	const char *user, *password;   /**< login; user NULL takes address */
	const char *url, *host;        /**< look only there */
	const char *ca_file;           /**< authorities to trust, PEM; NULL: the system's */
	bool insecure;                 /**< any certificate will do, and no TLS at all with url */
	uint32_t timeout_ms;           /**< of each attempt, 0 takes 30000 */
	void (*note)(const char *text, void *ctx); /**< what is tried and comes of it; may be NULL */
	bool (*stop)(void *ctx);       /**< asked about once a second, true ends the search with GX_E_NOTFOUND; may be NULL */
	bool same_host;                /**< redirections to other hosts are not followed: they see no login */
	void *ctx;
};
#define GX_DISCO_LOOK_INIT {.size = sizeof(struct gx_disco_look)}
struct gx_disco_found {
	const char *url;               /**< that has answered */
	struct gx_bin body;            /**< as it came */
	struct gx_disco_answer answer;
};
/**
 * Asks the places where a server can be, in the order of [MS-OXDSCLI] 3.1.5.1: the domain itself, its "autodiscover" host, its service
 * record. The first that answers counts, also with an error. Blocks. GX_E_NOTFOUND: none answers; GX_E_STATE: the login was refused;
 * GX_E_INVAL: the options make no sense. @p ret_why: in @p a.
 */
GX_API int gx_disco_look_up(const struct gx_disco_look *o, struct gx_arena *a, struct gx_disco_found *ret_f, const char **ret_why) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
