/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_CLIENT_INT_H
#define GX_CLIENT_INT_H
#include <stdatomic.h>
#include <curl/curl.h>
#include <gx/mapi_client.h>
#include <gx/mapihttp.h>
#include <gx/rop.h>

#define MC_OK GX_EC(ecSuccess)

/* ---- HTTP ---- */

/* A place that requests go to, and what it wants to be told again. */
struct mc_endpoint {
	const char *url;
	struct gx_strbuf cookies;      /* "a=b; c=d" */
	bool unsure;                   /* which answer the server takes for the last: ask before the next request */
};

struct mc_reply {
	unsigned status;               /* 0: no answer came */
	int code;                      /* X-ResponseCode, -1: none */
	int64_t retry_ms;              /* Retry-After, -1: none */
	bool distrusted;               /* nothing was sent: the certificate does not hold */
	char location[2048];           /* Location; empty when it is longer */
	char type[64];                 /* Content-Type */
	struct gx_push body;           /* of the caller, to be released */
};

/* POSTs @p body. Not MC_OK: there is no whole answer; r->status says whether one had begun. */
gx_ec gx_mapi__post(struct gx_mapi *c, struct mc_endpoint *to, struct curl_slist *headers, struct gx_bin body, struct mc_reply *ret_r);
/* Sleeps, unless that would pass the deadline. */
gx_ec gx_mapi__sleep(struct gx_mapi *c, int64_t ms);

/* ---- Connections ---- */

enum { MC_EVENTS_MAX = 4096 };
struct mc_batch;
struct mc_sync;

struct gx_mapi {
	struct gx_mapi_opts o;
	struct gx_arena *keep;         /* copies of the options */
	struct gx_arena *scratch;      /* of one call */
	CURLM *multi;
	CURL *easy;
	char curl_text[CURL_ERROR_SIZE];
	struct mc_endpoint mailbox;
	const char *start_url;         /* that the caller has named */
	const char *location;          /* where the last Connect was sent on to, NULL: nowhere; in scratch */
	unsigned stores;               /* open ones */
	char client_id[37];
	unsigned requests;
	bool connected;
	const char *display_name;
	_Atomic bool canceled;
	int64_t deadline_ms;           /* of all calls, 0: none */
	int64_t until_ms;              /* of the running call */
	uint32_t silence_ms;           /* what comes of an answer moves it to so long from then; 0: it does not */
	struct gx_mapi_error error;
	struct gx_strbuf error_text;
	uint8_t next_logon;
	/* handles to be released with the next operations */
	struct mc_dead {
		uint32_t handle;
		uint8_t logon_id;
	} *dead;
	size_t dead_n, dead_cap;
	struct mc_batch *batch;
	struct mc_event *events, *last_event; /* not asked for yet */
	unsigned event_n;
	bool events_lost;              /* some behind the last */
};

/* A call from outside begins: its time, no error yet. */
void gx_mapi__enter(struct gx_mapi *c);
/* Writes down what went wrong, and returns @p ec. */
gx_ec gx_mapi__fail(struct gx_mapi *c, gx_ec ec, const char *fmt, ...) GX_PRINTF(3, 4);
static inline gx_ec gx_mapi__nomem(struct gx_mapi *c)
{
	return gx_mapi__fail(c, GX_EC(ecMAPIOOM), "out of memory");
}

/* ---- Other servers (redirect.c) ---- */

enum { MC_MOVES_MAX = 3 };
/* The place that @p c->location names becomes the mailbox's, if the login may go there. */
gx_ec gx_mapi__follow(struct gx_mapi *c);
/*
 * The mailbox of @p dn (NULL: the user's own; "": the public folders) is not at this server, as it says: a session with the one where
 * autodiscover finds it. @p moves: how often that was done.
 */
gx_ec gx_mapi__move(struct gx_mapi *c, const char *dn, unsigned moves);
/* Does a password go there? http: only to this machine. */
bool gx_mapi__is_safe(const char *url, bool insecure);
/* Connect, wherever it leads to. */
gx_ec gx_mapi__connect(struct gx_mapi *c);
/* Nothing of the session is left. */
void gx_mapi__disconnect(struct gx_mapi *c);

/* One request type: @p q asked, @p res answered, in @p a. */
gx_ec gx_mapi__exchange(struct gx_mapi *c, struct mc_endpoint *to, uint32_t type, const void *q, struct gx_arena *a, void *res);

/* ---- Objects ---- */

enum { MC_STORE, MC_FOLDER, MC_TABLE, MC_MESSAGE, MC_ATTACHMENT, MC_STREAM, MC_SUBSCRIPTION, MC_SYNC, MC_KINDS };

struct gx_mapi_obj {
	struct gx_mapi *c;
	struct gx_mapi_obj *store;     /* itself, of a store */
	uint8_t kind, logon_id;
	bool is_public;                /* of a store */
	uint32_t handle;
	uint64_t id;                   /* of a folder, message */
	union {
		struct {
			uint64_t folders[13];
			uint16_t repl_id;
			struct gx_guid replica;
		} st;
		struct {
			gx_proptag_t *columns;
			uint32_t count;
		} table;
		struct mc_sync *sync;  /* NULL: only a stream */
	} u;
};

/* Is it one of those? Else writes that down. @p kinds: bits 1 << MC_*. */
bool gx_mapi__is(struct gx_mapi_obj *o, unsigned kinds);
/* Of @p o's store. NULL: no memory, the handle is let go. */
struct gx_mapi_obj *gx_mapi__obj(struct gx_mapi *c, struct gx_mapi_obj *store, uint8_t kind, uint32_t handle, uint8_t logon_id);

/* ---- Operations, several in one request ---- */

enum { MC_ROPS_MAX = 64, MC_HANDLES_MAX = 128 };
struct mc_rop {
	const struct gx_rop_desc *desc;
	size_t off;                    /* in the requests */
	const struct gx_columns *columns; /* of rows in the answer */
	uint8_t handle[2];
	bool is_public, answered;
	struct gx_rop_response r;
};
struct mc_batch {
	struct gx_mapi *c;
	struct gx_arena *a;            /* answers */
	struct gx_push out;            /* requests */
	struct mc_rop rops[MC_ROPS_MAX];
	unsigned n;
	uint32_t handles[MC_HANDLES_MAX];
	unsigned handle_n;
	bool chain;                    /* the last operation may be answered several times */
	void **more;                   /* bodies of these further answers */
	size_t more_n, more_cap;
	const struct gx_rop_desc *bad; /* what could not be written */
	int err;
};

/* An empty batch, but for what is to be released. */
struct mc_batch *gx_mapi__begin(struct gx_mapi *c, struct gx_arena *a);
/* A place in the table of handles. */
uint8_t gx_mapi__slot(struct mc_batch *b, uint32_t handle);
/* @p store gives id and kind of the logon, NULL: RopLogon's own @p h1. @return its number, for gx_mapi__answer(). */
unsigned gx_mapi__add(struct mc_batch *b, const struct gx_mapi_obj *store, uint8_t id, uint8_t h0, uint8_t h1, const void *body,
	const struct gx_columns *cols);
/* Sends them, as often as needed until all are answered. */
gx_ec gx_mapi__run(struct mc_batch *b);
/* What the server said to one; failures are written down. */
gx_ec gx_mapi__answer(struct mc_batch *b, unsigned i, void **ret_body);

/* A notification that came with an answer. */
gx_ec gx_mapi__note(struct gx_mapi *c, const struct gx_rop_notify_res *r);
void gx_mapi__forget_events(struct gx_mapi *c);

/* One operation on @p o. @p ret_handle: of the object that it makes, NULL: makes none; @p ret_body may be NULL. */
gx_ec gx_mapi__do(struct gx_mapi_obj *o, uint8_t id, const void *body, struct gx_arena *a, uint32_t *ret_handle, void **ret_body);
/* One that makes an object of @p kind. */
gx_ec gx_mapi__make(struct gx_mapi_obj *o, uint8_t id, const void *body, uint8_t kind, struct gx_arena *a, struct gx_mapi_obj **ret_o,
	void **ret_body);
/* One of two objects, from the first to the second. */
gx_ec gx_mapi__do2(struct gx_mapi_obj *from, struct gx_mapi_obj *to, uint8_t id, const void *body, void **ret_body);
/* A value of any size, as a stream. */
gx_ec gx_mapi__write_value(struct gx_mapi_obj *o, const struct gx_propval *v);
/* Those that operations on messages and folders give. */
void gx_mapi__partial(const void *body, bool *ret_partial);

#endif
