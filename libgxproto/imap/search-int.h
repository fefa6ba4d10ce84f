/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_IMAP_SEARCH_INT_H
#define GX_IMAP_SEARCH_INT_H
/* SEARCH: search_parse.c makes a tree of keys, search_match.c asks it about a message, cmd_search.c walks and answers. */
#include <gx/mime.h>
#include <gx/search.h>
#include "libgxproto/imap/imap-int.h"

enum imap_key_kind {
	/* from memory */
	IMAP_KEY_ALL, IMAP_KEY_FLAGS, IMAP_KEY_KEYWORD, IMAP_KEY_SET, IMAP_KEY_LARGER, IMAP_KEY_SMALLER, IMAP_KEY_MODSEQ,
	/* from the row */
	IMAP_KEY_DATE,
	/* from the stored envelope */
	IMAP_KEY_SENT, IMAP_KEY_ENVELOPE,
	/* from the message */
	IMAP_KEY_HEADER, IMAP_KEY_BODY, IMAP_KEY_TEXT,
	/* of other keys */
	IMAP_KEY_NOT, IMAP_KEY_AND, IMAP_KEY_OR,
};

/* Fields of ENVELOPE in their order, [RFC 3501] 7.4.2. */
enum imap_env_field {
	IMAP_ENV_DATE, IMAP_ENV_SUBJECT, IMAP_ENV_FROM, IMAP_ENV_SENDER, IMAP_ENV_REPLY_TO, IMAP_ENV_TO, IMAP_ENV_CC,
	IMAP_ENV_BCC, IMAP_ENV_IN_REPLY_TO, IMAP_ENV_MESSAGE_ID, IMAP_ENV_FIELDS,
};

struct imap_key {
	enum imap_key_kind kind;
	struct imap_key *next;          /* of an AND */
	struct imap_key *a, *b;         /* NOT, OR; first of an AND */
	unsigned cost;
	uint32_t flags, want;           /* FLAGS: (flags & mask) == want */
	const char *text;               /* UTF-8 needle, keyword, or header name with text */
	size_t text_len;
	const char *header;
	enum imap_env_field env;
	uint64_t number;
	int64_t from, until;            /* seconds, [from, until) */
	struct imap_set set;
	bool uid;
	struct imap_range *v;           /* the set as message numbers */
	size_t n;
};

enum { IMAP_RET_MIN = 1, IMAP_RET_MAX = 2, IMAP_RET_ALL = 4, IMAP_RET_COUNT = 8, IMAP_RET_SAVE = 16 };

struct imap_search {
	struct imap_key *root;
	unsigned ret;
	bool extended;                  /* RETURN was given */
	bool modseq;                    /* a MODSEQ key: the answer has one, too */
	bool bad_charset;
	const char *charset_name;
	uint32_t cp;
	unsigned keys, text_keys;
	/* progress */
	bool started, gap;
	uint32_t seq;
	uint32_t *found;                /* UIDs or message numbers */
	size_t found_n, found_cap;
	uint32_t *found_uids;           /* of SAVE, when found has message numbers */
	uint64_t highest;               /* mod-sequence of the found */
	struct gx_arena *hits;          /* keeps found */
	bool looked_up;
	struct gx_candidates candidates; /* what the index leaves to be looked at */
	struct gx_arena *scratch;       /* for one message */
};

bool gx_imap__search_keys(struct imap_session *s, struct imap_search *q, struct imap_parse *c);

/* A message while it is being asked about; things are fetched when a key needs them. */
struct imap_subject {
	struct imap_session *s;
	struct gx_txn *t;
	struct gx_arena *a;             /* reset between messages */
	uint32_t seq;
	const struct gx_uid_entry *e;
	bool has_info, has_mime;
	struct gx_msg_info info;
	struct gx_msg_mime mime;
	struct gx_push *whole;
	struct gx_mime_part *root;
	gx_ec ec;                       /* why something could not be read */
};
/* Asks the index, once a search. */
gx_ec gx_imap__search_candidates(struct imap_session *s, struct imap_search *q, struct gx_txn *t);
bool gx_imap__search_match(struct imap_subject *m, const struct imap_key *k);
/* The text of one ENVELOPE field as people read it: decoded, addresses as "Name <local@domain>, ...". */
bool gx_imap__envelope_text(struct gx_arena *a, const struct gx_bin *env, enum imap_env_field f, struct gx_strbuf *out);
/* Is the needle in the header fields (all with name NULL) or, with body, in the text of the parts? */
bool gx_imap__search_header(struct imap_subject *m, const char *name, const char *needle, size_t len);
bool gx_imap__search_body(struct imap_subject *m, const char *needle, size_t len, bool headers);

#endif
