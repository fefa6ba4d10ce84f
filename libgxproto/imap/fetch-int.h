/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_IMAP_FETCH_INT_H
#define GX_IMAP_FETCH_INT_H
/* FETCH in three steps: cmd_fetch.c reads the items, fetch_run.c walks the messages, fetch_body.c finds bytes. */
#include <gx/mime.h>
#include "libgxproto/imap/imap-int.h"

enum imap_item_kind {
	IMAP_ITEM_FLAGS, IMAP_ITEM_UID, IMAP_ITEM_MODSEQ, IMAP_ITEM_SIZE, IMAP_ITEM_DATE, IMAP_ITEM_ENVELOPE,
	IMAP_ITEM_BODY, IMAP_ITEM_BODYSTRUCTURE, IMAP_ITEM_SECTION, IMAP_ITEM_BINARY, IMAP_ITEM_BINARY_SIZE,
};

enum imap_section_kind {
	IMAP_SEC_ALL, IMAP_SEC_HEADER, IMAP_SEC_TEXT, IMAP_SEC_MIME, IMAP_SEC_FIELDS, IMAP_SEC_FIELDS_NOT,
};

struct imap_item {
	enum imap_item_kind kind;
	const char *label;            /* as it stands in the answer: "BODY[1.MIME]" */
	/* of a section: */
	enum imap_section_kind section;
	const char *part;             /* "1.2", "" the message itself */
	struct imap_str *fields;
	size_t field_count;
	bool partial;
	uint64_t off, most;           /* of a partial fetch */
};

struct imap_fetch {
	struct imap_set set;
	struct imap_item *items;
	size_t n, cap;
	bool sets_seen, has_flags, memory_only, needs_info, has_uid, has_modseq;
	bool same;               /* in this slice the message is what its UID stands for; then info holds */
	uint64_t changed_since;
	/* progress */
	struct imap_range *ranges;
	size_t range_count, range;
	uint32_t seq;                 /* the message at hand */
	bool resolved, gap;           /* gap: some message was gone */
	bool unknown_cte;             /* some part could not be decoded */
	bool open;                    /* "* n FETCH (" is out */
	size_t item;
	uint64_t at, left;            /* bytes of the original still to copy */
	uint64_t streamed;            /* mid whose literal has begun and left this buffer; 0 none */
	size_t mark;                  /* of out, where the message at hand began */
	uint32_t seen_until;          /* messages up to here have \Seen */
	unsigned ahead;               /* GX_AHEAD_* that the items need */
	uint32_t ahead_until;         /* messages up to here were asked for */
	uint32_t *seen;               /* message numbers that got it from us, ascending */
	size_t seen_count, seen_cap, seen_next;
	/* of the message at hand */
	struct gx_msg_info info;
	struct gx_msg_mime mime;
	bool mime_valid;
	struct gx_arena *scratch;
	struct gx_push whole;         /* the original, when it had to be parsed */
	struct gx_mime_part *root;
};

/* Where a section lies in the original. *ret_none: there is no such part. */
gx_ec gx_imap__section_range(struct imap_session *s, struct imap_fetch *f, struct gx_txn *t, uint64_t mid,
	const struct imap_item *it, uint64_t *ret_off, uint64_t *ret_len, bool *ret_none);
/*
 * Header fields that the item names, with the empty line, appended to out. The range is that of a
 * part's header; the message's own needs none.
 */
gx_ec gx_imap__section_fields(struct gx_txn *t, uint64_t mid, const struct imap_item *it, uint64_t off, uint64_t len,
	struct gx_push *out);
/* The part decoded, [RFC 9051] 6.4.5.1: BINARY and BINARY.SIZE. */
gx_ec gx_imap__put_binary(struct imap_session *s, struct imap_fetch *f, struct gx_txn *t, uint64_t mid,
	const struct imap_item *it);
void gx_imap__fetch_next_message(struct imap_fetch *f);
/* BODY out of a stored BODYSTRUCTURE: the extension data left out. */
void gx_imap__put_body(struct gx_push *out, const struct gx_bin *structure);
/* End of the list, string, literal or atom that begins at p. */
const char *gx_imap__skip_token(const char *p, const char *end);

#endif
