/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GXSTORE_INST_INT_H
#define GXSTORE_INST_INT_H
/*
 * What the files of instances share.
 *
 *   gx_inst      a handle: a message, an attachment or an embedded message that somebody edits
 *   gx_imsg      what a message says: properties, recipients, attachments
 *   gx_iatt      an attachment, maybe with a message in it
 *   gx_iprops    properties, each a piece of a packed row, or a reference
 *   gx_isrc      what is stored and referred to: a body that stays while it is
 *   gx_blob      a new large value, in memory or in a file
 *
 * Messages, attachments and pieces are counted and shared by copies. Who edits has a copy of his own
 * level; a parent's attachment is never changed, only replaced by another one.
 */
#include <pthread.h>
#include <gx/instance.h>
#include "libgxstore/content/cio-int.h"
#include "libgxstore/message/msg-int.h"

/* ---- Memory ---- */

/* What the instances of one message hold in memory. */
struct gx_iacct {
	atomic_uint refs;
	atomic_size_t used;
	size_t limit;
	const struct gx_fs *fs;
	char *dir;               /* where files of large values go */
};
struct gx_iacct *gx_iacct__new(const struct gx_store *s);
struct gx_iacct *gx_iacct__ref(struct gx_iacct *c);
void gx_iacct__unref(struct gx_iacct *c); /* accepts NULL */
/* GX_E_LIMIT. */
int gx_iacct__take(struct gx_iacct *c, size_t n) GX_MUST_CHECK;
void gx_iacct__give(struct gx_iacct *c, size_t n);

/* Bytes of rows. */
struct gx_ibuf {
	atomic_uint refs;
	struct gx_iacct *acct;
	size_t len;
	uint8_t b[];
};
int gx_ibuf__new(struct gx_iacct *c, const void *p, size_t n, struct gx_ibuf **ret_b) GX_MUST_CHECK;
struct gx_ibuf *gx_ibuf__ref(struct gx_ibuf *b);
void gx_ibuf__unref(struct gx_ibuf *b); /* accepts NULL */

/* ---- What is stored (inst_src.c, pins.c) ---- */

struct gx_isrc {
	atomic_uint refs;
	struct gx_store *s;
	uint64_t body;           /* pinned */
	struct gx_bin skel;      /* as it was */
	struct gx_skel parsed;   /* nothing when it is damaged */
	struct gx_arena *a;
};
int gx_isrc__new(struct gx_txn *t, uint64_t body, struct gx_isrc **ret_s) GX_MUST_CHECK;
struct gx_isrc *gx_isrc__ref(struct gx_isrc *s); /* accepts NULL */
void gx_isrc__unref(struct gx_isrc *s);
/* Where the bytes of a value held elsewhere can be had. */
struct gx_iplace {
	uint8_t how;             /* GX_PLACE_* */
	uint8_t hash[GX_HASH_LEN];
	uint64_t off, size;      /* in the original; size is exact but for VALUE */
};
enum { GX_PLACE_CONTENT, GX_PLACE_ORIGINAL, GX_PLACE_VALUE /* must be decoded or converted as a whole */ };
/* Text of GX_PLACE_CONTENT is what the content is once it has been made valid UTF-8. */
int gx_isrc__place(struct gx_isrc *s, gx_proptag_t tag, struct gx_bin ext, struct gx_iplace *ret_p) GX_MUST_CHECK;
int gx_isrc__resolve(struct gx_txn *t, struct gx_isrc *s, gx_proptag_t tag, struct gx_bin ext, struct gx_arena *a, union gx_value *ret_v) GX_MUST_CHECK;
int gx_isrc__read(struct gx_txn *t, struct gx_isrc *s, const struct gx_iplace *p, uint64_t off, uint64_t n, struct gx_push *out) GX_MUST_CHECK;

/* ---- New large values (inst_blob.c) ---- */

#define GX_BLOB_SPILL ((size_t)2 * 1024 * 1024) /* larger ones are files */
struct gx_blob {
	atomic_uint refs;
	struct gx_iacct *acct;
	uint64_t size;
	uint8_t *mem;            /* or in fd */
	size_t cap;
	int fd;
	/* When it has been packed, see gx_blob__pack(). */
	bool packed;
	struct gx_content_new content;
	uint8_t *own_packed;     /* memory of content.packed, if that is not mem */
	size_t own_len;
	int packed_fd;
};
int gx_blob__new(struct gx_iacct *c, struct gx_blob **ret_b) GX_MUST_CHECK;
struct gx_blob *gx_blob__ref(struct gx_blob *b);
void gx_blob__unref(struct gx_blob *b); /* accepts NULL */
/* Only the one who holds it alone may write. */
int gx_blob__write(struct gx_blob *b, uint64_t off, const void *p, size_t n) GX_MUST_CHECK;
int gx_blob__set_size(struct gx_blob *b, uint64_t size) GX_MUST_CHECK;
int gx_blob__read(struct gx_blob *b, uint64_t off, size_t n, uint8_t *out) GX_MUST_CHECK;
/* Hash and packed form, once. @io_cctx as gx_pack__pack(). */
int gx_blob__pack(struct gx_blob *b, ZSTD_CCtx **io_cctx) GX_MUST_CHECK;

/* ---- Properties (inst_value.c) ---- */

struct gx_ival {
	gx_proptag_t tag;        /* GX_PROW_EXTERN: held elsewhere, in src or blob */
	uint32_t len;
	const uint8_t *p;        /* tag and value as in a packed row; NULL with blob */
	struct gx_ibuf *buf;     /* holds p */
	struct gx_isrc *src;
	struct gx_blob *blob;
};
/* Ascending by id, each id once. */
struct gx_iprops {
	struct gx_ival *v;
	size_t n, cap;
};
int gx_iprops__load(struct gx_iprops *l, struct gx_ibuf *row, struct gx_isrc *src) GX_MUST_CHECK;
void gx_iprops__release(struct gx_iprops *l);
int gx_iprops__clone(struct gx_iprops *ret_l, const struct gx_iprops *l) GX_MUST_CHECK;
const struct gx_ival *gx_iprops__find(const struct gx_iprops *l, gx_proptag_t tag);
/* A value of just this type that stands in its row; what it points to is the row's. False: there is none, or it is held elsewhere. */
bool gx_iprops__get(const struct gx_iprops *l, gx_proptag_t tag, struct gx_propval *ret_pv);
/* Packs the value; a large one becomes a blob. */
int gx_iprops__set(struct gx_iprops *l, struct gx_iacct *c, gx_proptag_t tag, const union gx_value *v) GX_MUST_CHECK;
int gx_iprops__set_blob(struct gx_iprops *l, gx_proptag_t tag, struct gx_blob *b) GX_MUST_CHECK;
int gx_iprops__set_ival(struct gx_iprops *l, const struct gx_ival *v) GX_MUST_CHECK;
bool gx_iprops__remove(struct gx_iprops *l, gx_proptag_t tag);
/* As a list in @a: what is held elsewhere is there with its mark and no bytes. */
int gx_iprops__list(const struct gx_iprops *l, struct gx_arena *a, struct gx_proplist *ret_l) GX_MUST_CHECK;
/* One value; what is held elsewhere is read. */
int gx_ival__get(struct gx_txn *t, const struct gx_ival *v, struct gx_arena *a, struct gx_propval *ret_pv) GX_MUST_CHECK;
/* The bytes of a binary as a blob of nobody else's (inst_stream.c), in small pieces. */
int gx_ival__to_blob(struct gx_txn *t, const struct gx_ival *v, struct gx_iacct *c, struct gx_blob **ret_b) GX_MUST_CHECK;
/* Bytes of the value, nearly; exact for stored contents. */
uint64_t gx_ival__size(const struct gx_ival *v);
/* From this size on a value is kept apart from its row. */
size_t gx_ival__apart(gx_proptag_t tag);

/* ---- Messages and attachments (inst_msg.c, inst_load.c) ---- */

struct gx_ircpt {
	uint32_t row_id, len;
	const uint8_t *p;        /* packed row */
	struct gx_ibuf *buf;
};
struct gx_imsg;
struct gx_iatt {
	atomic_uint refs;
	uint32_t num;
	struct gx_iprops props;
	struct gx_imsg *embedded;   /* or not loaded: */
	uint64_t embedded_body;
	struct gx_isrc *src;        /* for embedded_body */
};
/* What was changed since it was loaded. */
enum { GX_IDIRTY_PROPS = 1, GX_IDIRTY_RCPTS = 2, GX_IDIRTY_ATTS = 4, GX_IDIRTY_RENDERED = 8 /* what IMAP shows */ };
enum { GX_IBODY_PLAIN = 1, GX_IBODY_RTF = 2, GX_IBODY_HTML = 4, GX_IBODY_NATIVE = 8 /* PidTagNativeBody itself */ };
struct gx_imsg {
	atomic_uint refs;
	struct gx_iacct *acct;
	struct gx_iprops props;
	struct gx_ircpt *rcpts;     /* ascending by row id */
	size_t nrcpts, rcpt_cap;
	struct gx_iatt **atts;      /* ascending by number */
	size_t natts, att_cap;
	uint32_t next_num;          /* numbers are not used twice */
	uint64_t body;              /* that it was loaded from; 0 none */
	struct gx_isrc *src;        /* holds body */
	bool atts_later;            /* attachments are loaded when they are needed */
	unsigned dirty;
	uint8_t bodies_set;         /* GX_IBODY_*: formats given since it was loaded */
	uint16_t *named;            /* named properties changed since: whether IMAP shows them is seen when saving */
	size_t nnamed, named_cap;
};
struct gx_imsg *gx_imsg__new(struct gx_iacct *c);
struct gx_imsg *gx_imsg__ref(struct gx_imsg *m);
void gx_imsg__unref(struct gx_imsg *m); /* accepts NULL */
int gx_imsg__clone(const struct gx_imsg *m, struct gx_imsg **ret_m) GX_MUST_CHECK;
void gx_imsg__clear(struct gx_imsg *m);
int gx_imsg__note_named(struct gx_imsg *m, uint16_t id) GX_MUST_CHECK;
struct gx_iatt *gx_iatt__new(uint32_t num);
struct gx_iatt *gx_iatt__ref(struct gx_iatt *x);
void gx_iatt__unref(struct gx_iatt *x); /* accepts NULL */
int gx_iatt__clone(const struct gx_iatt *x, struct gx_iatt **ret_x) GX_MUST_CHECK;
/* Takes over the reference; replaces the one with that number. */
int gx_imsg__put_att(struct gx_imsg *m, struct gx_iatt *x) GX_MUST_CHECK;
/* All that are there; more may be to be loaded. */
void gx_imsg__drop_atts(struct gx_imsg *m);
struct gx_iatt **gx_imsg__att(struct gx_imsg *m, uint32_t num);
/* How deep messages are nested below; attachments that are not loaded count as one. */
unsigned gx_imsg__depth(const struct gx_imsg *m);
int gx_imsg__set_rcpts(struct gx_imsg *m, const struct gx_proplist *rows, size_t n, bool replace) GX_MUST_CHECK;

/* The stored message @body of @src. GX_E_NOTFOUND: it is gone. */
int gx_imsg__load(struct gx_txn *t, struct gx_iacct *c, struct gx_isrc *src, uint64_t body, struct gx_imsg **ret_m) GX_MUST_CHECK;
int gx_imsg__load_atts(struct gx_txn *t, struct gx_imsg *m) GX_MUST_CHECK;
int gx_iatt__load_embedded(struct gx_txn *t, struct gx_iacct *c, struct gx_iatt *x) GX_MUST_CHECK;
/* Everything below. */
int gx_imsg__load_all(struct gx_txn *t, struct gx_imsg *m, unsigned depth) GX_MUST_CHECK;
/* Rows and contents, estimated as gx_msg_prepare() does. */
uint64_t gx_imsg__size(const struct gx_imsg *m);
uint64_t gx_iatt__size(const struct gx_iatt *x);
/* PidTagHasAttachments: @was while nothing has changed them; hidden ones do not count. */
bool gx_imsg__has_attach(const struct gx_imsg *m, bool was);

/* ---- Handles (inst.c) ---- */

struct gx_itree {
	atomic_uint refs;
	pthread_mutex_t lock;
	struct gx_store *s;
	struct gx_iacct *acct;
};
struct gx_inst {
	unsigned refs;              /* the handle and instances opened from it; under the tree's lock */
	struct gx_itree *tree;
	struct gx_inst *parent;
	int kind;
	struct gx_imsg *msg;        /* messages; nobody else's */
	struct gx_iatt *att;        /* attachments; nobody else's */
	struct gx_msg_row row;      /* of the outermost: as opened or saved last, with what was set since */
	uint32_t flags_before;      /* of the row, as opened or saved last */
	bool is_new, writable, changed, given_flags;
	bool quiet;                 /* the next save makes no new version */
	uint32_t att_version;       /* counts changes of the attachments */
	uint64_t new_mid;           /* of a new one; 0: the next */
	/* Given by who speaks for the server, for the next save. */
	uint64_t given_cn;
	bool given_key, given_modified;
};
void gx_inst__lock(struct gx_inst *i);
void gx_inst__unlock(struct gx_inst *i);
/* Two at a time, in an order that cannot lock up. */
void gx_inst__lock2(struct gx_inst *x, struct gx_inst *y);
void gx_inst__unlock2(struct gx_inst *x, struct gx_inst *y);
/* A GX_E_* of a function above as what the caller is told; @t may be NULL. */
gx_ec gx_inst__ec(struct gx_txn *t, int err);
static inline bool gx_inst__is_msg(const struct gx_inst *i)
{
	return i->kind != GX_INST_ATTACHMENT;
}
static inline struct gx_iprops *gx_inst__props(struct gx_inst *i)
{
	return gx_inst__is_msg(i) ? &i->msg->props : &i->att->props;
}
/* With the lock held: a message whose attachments are there. ecInvalidObject. */
gx_ec gx_inst__with_atts(struct gx_txn *t, struct gx_inst *i);
/* May it be changed? ecAccessDenied. */
gx_ec gx_inst__writable(const struct gx_inst *i);
/* The same for a message; ecInvalidObject for attachments. */
gx_ec gx_inst__writable_msg(const struct gx_inst *i);
/* The message's row as it is now. ecObjectDeleted. */
gx_ec gx_inst__present(struct gx_txn *t, const struct gx_inst *i, struct gx_msg_row *ret_r);
void gx_inst__touch(struct gx_inst *i, unsigned dirty);
/* The message as row.body has it; what was in memory goes. */
int gx_inst__load(struct gx_txn *t, struct gx_inst *i) GX_MUST_CHECK;
/* It is as it is stored. */
void gx_inst__settle(struct gx_inst *i);
/* Messages that contain this one. */
unsigned gx_inst__level(const struct gx_inst *i);
/* A new instance in the tree of @parent (which gets a reference), or in a tree of its own in @s. */
struct gx_inst *gx_inst__make(struct gx_store *s, struct gx_inst *parent, int kind);
/* With the tree's lock held; the last one takes the lock along. */
void gx_inst__unref(struct gx_inst *i);
/* The same while the caller has another one of the tree: the lock stays. */
void gx_inst__drop(struct gx_inst *i);
/* An attachment or embedded message into its parent. */
gx_ec gx_inst__save_part(struct gx_txn *t, struct gx_inst *i);
/* One of the versions that a message in conflict shows; it is in conflict then. */
gx_ec gx_inst__add_version(struct gx_txn *t, struct gx_inst *i, const struct gx_msgobj *m);
/* GX_MSGF_* as PidTagMessageFlags says them. */
uint32_t gx_inst__columns(int32_t flags);
/* PidTagMessageFlags of an embedded message from what was set. */
int gx_inst__put_state(struct gx_inst *i) GX_MUST_CHECK;
/* Does IMAP show this property of it? */
bool gx_inst__shown(const struct gx_inst *i, gx_proptag_t tag);
/* How its properties are asked for: gx_msg__value() and the like. @list, @row: the caller's. */
int gx_inst__view(struct gx_txn *t, struct gx_inst *i, struct gx_arena *a, struct gx_proplist *list, struct gx_msg_row *row, struct gx_msg_view *ret_v) GX_MUST_CHECK;

/* ---- Rules (inst_rules.c) ---- */

/* What setting a property means, [MS-OXCMSG] 2.2.1, [MS-OXCPRPT] 2.2.1 */
enum {
	GX_RULE_PLAIN = 0,
	GX_RULE_COMPUTED,   /* the server's alone */
	GX_RULE_VERSION,    /* who speaks for the server may give it */
	GX_RULE_NEW,        /* may be given before the first save */
	GX_RULE_SUBJECT, GX_RULE_BODY, GX_RULE_FLAG, GX_RULE_VERB, GX_RULE_STATUS, GX_RULE_RECEIPT,
};
int gx_rule__msg(gx_proptag_t tag);
int gx_rule__att(gx_proptag_t tag);
/* Is it mail, of which it is known what the internet message says? */
bool gx_rule__is_mail(const struct gx_imsg *m);
/* Does IMAP show it, so that the original message is no longer right when it changes? Of named ones see gx_rule__named_rendered(). */
bool gx_rule__rendered(const struct gx_imsg *m, gx_proptag_t tag);
/* The same of named properties that were changed. 1 yes, 0 no. */
int gx_rule__named_rendered(struct gx_txn *t, const struct gx_imsg *m) GX_MUST_CHECK;
/* One property of an instance that may be changed. @return 0, GX_E_*, or a problem in @ret_code. */
void gx_inst__new_body(struct gx_inst *i, gx_proptag_t tag);
int gx_inst__set(struct gx_inst *i, const struct gx_propval *pv, uint32_t flags, uint32_t *ret_code) GX_MUST_CHECK;
int gx_inst__remove(struct gx_inst *i, gx_proptag_t tag, uint32_t flags, uint32_t *ret_code) GX_MUST_CHECK;
int gx_problems__add(struct gx_problems *p, struct gx_arena *a, size_t index, gx_proptag_t tag, uint32_t code) GX_MUST_CHECK;

/* ---- Copying (inst_copy.c) ---- */

bool gx_inst__copy_wants(const struct gx_inst_copy_opts *o, gx_proptag_t tag);
/* gx_inst_copy_props(), which also says what was copied; @ret_done lives in @a. */
gx_ec gx_inst__copy_props(struct gx_txn *t, struct gx_inst *src, struct gx_inst *dst, const struct gx_inst_copy_opts *o,
	struct gx_arena *a, struct gx_problems *ret_problems, gx_proptag_t **ret_done, size_t *ret_n);

/* ---- Saving (inst_save.c, inst_store.c) ---- */

/* Packs what is new below the message. */
int gx_imsg__pack(struct gx_imsg *m, ZSTD_CCtx **io_cctx) GX_MUST_CHECK;
int gx_iatt__pack(struct gx_iatt *x, ZSTD_CCtx **io_cctx) GX_MUST_CHECK;
/* Writes a message as a body (inst_store.c). */
struct gx_istore {
	struct gx_txn *t;
	struct gx_imsg *m;       /* its attachments are loaded as far as needed */
	uint64_t old_body;       /* that it replaces; 0: a new message */
	uint64_t new_body;       /* id for it; 0: the next one */
	bool keep_original;      /* what IMAP shows stays as it is, if there is something */
	/* results */
	uint64_t body;           /* may be the old one */
	uint64_t size;           /* of rows and contents */
	bool has_original;
};
int gx_istore__write(struct gx_istore *w) GX_MUST_CHECK;

#endif
