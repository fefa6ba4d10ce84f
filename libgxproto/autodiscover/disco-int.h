/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_DISCO_INT_H
#define GX_DISCO_INT_H
/*
 * endpoint.c has the routes; request.c reads what is asked, target.c finds whose mailbox that is, and outlook.c, phone.c,
 * json.c and autoconfig.c write the answers, by xmlout.c.
 */
#include <gx/autodiscover.h>
#include <gx/strbuf.h>

/* The public store of a domain, as if it were a mailbox. */
#define PUBLIC_LOCALPART "public.folder.root"
#define NS_RESPONSE "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"
#define NS_OUTLOOK "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
#define NS_OUTLOOK_OLD "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006"
#define NS_PHONE "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006"
#define NS_OUTLOOK_REQUEST "http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"
#define NS_PHONE_REQUEST "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/requestschema/2006"

/* A server for mail programs. */
enum { MAIL_IMAP, MAIL_POP3, MAIL_SMTP };
struct disco_mail {
	uint8_t kind;
	bool tls;              /* from the beginning, else STARTTLS */
	const char *host;      /* NULL: that of the mailbox */
	unsigned port;
};
enum { MAIL_MOST = 16 };

struct gx_disco {
	struct gx_disco_opts o;
	struct gx_arena *a;    /* what the options name is copied here */
	const char *version;   /* of Exchange, as ServerVersion has it */
	unsigned number;       /* of this server, in errors */
	struct disco_mail mail[MAIL_MOST];
	size_t nmail;
};

/* ---- request.c ---- */

struct disco_request {
	const char *address, *legacy_dn, *schema; /* NULL: not there */
};
/* GX_E_FORMAT: not what it should be, or it has a DTD. */
int gx_disco__read(struct gx_bin body, struct gx_arena *a, struct disco_request *ret_q);

/* ---- target.c ---- */

/* A mailbox, or a domain's public store. */
struct disco_target {
	bool is_public;
	bool own;                /* of who asks */
	struct gx_user user;     /* zero for a public store */
	struct gx_domain domain;
	const char *address, *name, *dn;
	const char *host;        /* where it is reached, with a port if need be */
	const char *bare_host;   /* without */
	const char *id;          /* GUID@DOMAIN */
};
/* GX_E_NOTFOUND: there is none; GX_E_UNSUP: a contact or a list. @param user who asks; "" when that is not known. */
int gx_disco__find(struct gx_disco *d, const char *address, const char *dn, const char *user, struct gx_arena *a, struct disco_target *ret_t);
/* Server of a homeserver's number, with a port if need be; NULL out of memory. */
const char *gx_disco__host(struct gx_disco *d, uint32_t homeserver, struct gx_arena *a);
const char *gx_disco__bare(const char *host, struct gx_arena *a);
/* GX_E_STATE: who asks may do nothing in this mailbox. */
int gx_disco__may_see(struct gx_disco *d, const struct disco_target *t, const char *user, struct gx_arena *a);
/* A GUID that follows from a text. */
const char *gx_disco__guid_of(const char *text, struct gx_arena *a);

/* ---- mail.c ---- */

int gx_disco__mail_parse(struct gx_disco *d, const char *words, struct gx_arena *a, const char **ret_why);
const char *gx_disco__mail_host(const struct disco_mail *m, const char *bare_host);

/* ---- xmlout.c ---- */

struct disco_xml {
	struct gx_strbuf b;
	bool pretty;
	unsigned depth;
};
void gx_disco__xml_begin(struct disco_xml *x, bool pretty);
/* @param attributes as they stand in the tag, or NULL. */
void gx_disco__open(struct disco_xml *x, const char *tag, const char *attributes);
void gx_disco__close(struct disco_xml *x, const char *tag);
/* Nothing for a @p text that is NULL. */
void gx_disco__leaf(struct disco_xml *x, const char *tag, const char *text);
/* The same with attributes. */
void gx_disco__put(struct disco_xml *x, const char *tag, const char *attributes, const char *text);
void gx_disco__leaff(struct disco_xml *x, const char *tag, const char *fmt, ...) GX_PRINTF(3, 4);

/* ---- Answers ---- */

void gx_disco__outlook(struct gx_disco *d, const struct gx_http_req *r, const struct disco_target *t, const char *schema, struct disco_xml *x);
void gx_disco__phone(struct gx_disco *d, const struct disco_target *t, struct disco_xml *x);
/* [MS-OXDSCLI] 2.2.4.1.1.3.1 */
enum { DISCO_NOT_FOUND = 500, DISCO_NO_MAILBOX = 501, DISCO_BAD_REQUEST = 600, DISCO_BAD_SCHEMA = 601 };
void gx_disco__error(struct gx_disco *d, unsigned code, const char *message, struct disco_xml *x);
void gx_disco__json(struct gx_http_req *r, void *disco);
void gx_disco__autoconfig(struct gx_http_req *r, void *disco);
/* advertise.c */
bool gx_disco__told(unsigned whom, const struct gx_http_req *r);

#endif
