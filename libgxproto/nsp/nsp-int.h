/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_NSP_INT_H
#define GX_NSP_INT_H
/*
 * A book is a copy of the directory, made once and never changed: everybody in the order of names, so that an index says
 * who comes first and the rows of a container are ascending indexes; languages that sort otherwise have orders besides (order.h). Requests hold the book they began with.
 */
#include <pthread.h>
#include <gx/nsp.h>

#define NSP_OK GX_EC(ecSuccess)

/* [MS-OXNSPI] 2.2.1.8 */
enum { MID_BEGINNING_OF_TABLE = 0, MID_CURRENT = 1, MID_END_OF_TABLE = 2 };
enum { MID_UNRESOLVED = 0, MID_AMBIGUOUS = 1, MID_RESOLVED = 2 };
/* [MS-OXNSPI] 2.2.1.10 */
enum { SORT_DISPLAY_NAME = 0, SORT_PHONETIC = 3, SORT_DISPLAY_NAME_RO = 1000, SORT_DISPLAY_NAME_W = 1001 };
enum { NSP_SKIP_OBJECTS = 1, NSP_EPHEMERAL_IDS = 2 };

/* PR_ATTR_HIDDEN as a number: from what an entry is hidden. */
enum { NSP_HIDE_GAL = 1, NSP_HIDE_LISTS = 2, NSP_HIDE_DELEGATES = 4, NSP_HIDE_RESOLVE = 8 };

/* PidTagContainerFlags, [MS-OXOABK] 2.2.2.1 */
enum { AB_RECIPIENTS = 1, AB_UNMODIFIABLE = 8, AB_CONF_ROOMS = 0x200 };

enum { NSP_MAILBOX, NSP_LIST, NSP_CONTACT, NSP_ROOM, NSP_EQUIPMENT };

/* What an id is made of: entries have low ones, the lists of kinds and domains high ones; 0 is the GAL. */
enum { NSP_MID_FIRST = 0x10 };
#define NSP_MID_KINDS 0xF0000000U
#define NSP_MID_DOMAINS 0xF1000000U

#define NSP_NONE UINT32_MAX

struct nsp_entry {
	const struct gx_dir_entry *e;
	const char *name;
	const char *key;               /* of the name: no case, no marks; what names are searched by */
	uint32_t alias, alias_count;   /* into the links of the directory's book */
	uint32_t member, member_count;
	uint16_t domain;               /* index */
	uint8_t kind, hidden;
};

struct nsp_address {
	const char *s;
	uint32_t entry;
};

struct nsp_word {
	uint32_t at;                   /* in the text of all words */
	uint32_t entry;
};

struct nsp_container {
	uint32_t mid;
	uint32_t flags;                /* PidTagContainerFlags */
	const char *name;
	const char *dn;
	const uint32_t *rows;          /* entries, ascending */
	uint32_t count;
};

/* What the users of an organisation, or of a domain without one, see. */
struct nsp_base {
	uint32_t org;
	uint16_t domain;               /* when org is 0 */
	const struct nsp_container *containers; /* the first is the GAL */
	uint32_t count;
};

struct nsp_book {
	unsigned refs;                 /* under the lock of gx_nsp */
	uint64_t generation;
	struct gx_arena *a;
	struct gx_dir_book dir;
	struct nsp_entry *v;
	uint32_t n;
	uint32_t *by_id;               /* entries by their directory id */
	struct nsp_address *addresses; /* caseless */
	uint32_t naddresses;
	struct nsp_word *words;
	uint32_t nwords;
	char *word_text;
	const struct nsp_base *bases;
	uint32_t nbases;
	const uint32_t *base_of;       /* by domain */
	struct nsp_orders *orders;     /* others than that of the entries; order.h */
};

struct gx_nsp {
	struct gx_nsp_opts o;
	char *org, *host, *template_dir;
	struct gx_guid guid;
	pthread_mutex_t lock;          /* of what follows */
	pthread_cond_t made;
	struct nsp_book *book;         /* NULL: none yet */
	int64_t looked_ms;
	bool making;                   /* somebody is at it */
	bool stale;                    /* gx_nsp_reload() */
};

/* One request under way. */
struct nsp_call {
	struct gx_nsp *n;
	const struct nsp_book *b;
	const struct nsp_base *base;
	uint32_t me;                   /* entry of who asks */
	struct gx_arena *a;
	uint32_t rows;                 /* given, for the log */
};

/* Calls @fn with what @user sees, which stays while it runs. ecLoginFailure: there is no such user. */
gx_ec gx_nsp__with(struct gx_nsp *n, const char *user, gx_ec (*fn)(struct nsp_call *c, void *ctx), struct gx_arena *a, void *ctx) GX_MUST_CHECK;

/* ---- book.c, containers.c ---- */

int gx_nsp__book_new(struct gx_nsp *n, struct nsp_book **ret_b) GX_MUST_CHECK;
void gx_nsp__book_free(struct nsp_book *b);
/* The form in which names are compared, NUL-terminated. */
const char *gx_nsp__key(struct gx_arena *a, const char *s);
int gx_nsp__make_containers(struct gx_nsp *n, struct nsp_book *b) GX_MUST_CHECK;
/* NULL: no such container for this user. */
const struct nsp_container *gx_nsp__container(const struct nsp_call *c, uint32_t mid);
/* Is that a container, or what NspiGetMatches leaves in the place of one: whose property was read, or a place in a table? */
bool gx_nsp__is_table(const struct nsp_call *c, uint32_t mid);
/* Entries that this user may know of; NSP_NONE. */
uint32_t gx_nsp__by_id(const struct nsp_book *b, uint32_t id);
uint32_t gx_nsp__by_mid(const struct nsp_call *c, uint32_t mid);
uint32_t gx_nsp__by_address(const struct nsp_call *c, const char *address);
uint32_t gx_nsp__by_dn(const struct nsp_call *c, const char *dn);
uint32_t gx_nsp__by_entryid(const struct nsp_call *c, struct gx_bin eid);
uint32_t gx_nsp__find_address(const struct nsp_book *b, const char *address);
static inline uint32_t gx_nsp__mid(const struct nsp_call *c, uint32_t entry)
{
	return c->b->v[entry].e->id + NSP_MID_FIRST;
}
bool gx_nsp__sees(const struct nsp_call *c, uint32_t entry);

/* ---- words.c: ambiguous name resolution, [MS-OXNSPI] 3.1.4.7 ---- */

int gx_nsp__make_words(struct nsp_book *b) GX_MUST_CHECK;
/* A bit for each entry that has all words of @text; NULL out of memory. */
uint8_t *gx_nsp__anr(const struct nsp_call *c, const char *text);
static inline bool gx_nsp__bit(const uint8_t *bits, uint32_t i)
{
	return bits[i / 8] >> i % 8 & 1;
}

/* ---- props.c, links.c, mailbox.c ---- */

/* @return 1, 0 or GX_E_*. The type of @tag may be PtypUnspecified. */
int gx_nsp__prop(struct nsp_call *c, uint32_t entry, uint32_t flags, gx_proptag_t tag, struct gx_propval *ret_pv) GX_MUST_CHECK;
/* All that it has; tables (PtypObject) unless @flags say NSP_SKIP_OBJECTS. */
int gx_nsp__tags(struct nsp_call *c, uint32_t entry, uint32_t flags, gx_proptag_t **ret_v, uint32_t *ret_n) GX_MUST_CHECK;
/* All tags that exist here. */
extern const gx_proptag_t gx_nsp__known[];
extern const uint32_t gx_nsp__known_count;
const char *gx_nsp__dn(const struct nsp_call *c, uint32_t entry);
int gx_nsp__container_props(const struct nsp_call *c, const struct nsp_container *k, struct gx_proplist *ret_l) GX_MUST_CHECK;

struct nsp_set {
	uint32_t *v;
	size_t n, cap;
};
/* Whom a property of an entry names, ascending. GX_E_UNSUP: it names nobody by its nature. */
int gx_nsp__links(struct nsp_call *c, uint32_t entry, gx_proptag_t tag, struct nsp_set *ret_s) GX_MUST_CHECK;

/* GX_E_NOTFOUND: there is none. */
int gx_nsp__photo(struct nsp_call *c, uint32_t entry, struct gx_bin *ret_b) GX_MUST_CHECK;
gx_ec gx_nsp__set_photo(struct nsp_call *c, uint32_t entry, struct gx_bin b) GX_MUST_CHECK;
int gx_nsp__delegates(struct nsp_call *c, uint32_t entry, const char *const **ret_v, size_t *ret_n) GX_MUST_CHECK;
gx_ec gx_nsp__set_delegates(struct nsp_call *c, uint32_t entry, const char *const *v, size_t n) GX_MUST_CHECK;

/* ---- rows.c ---- */

struct nsp_table; /* order.h */
/* A place in a table: 0 is before the first row. */
gx_ec gx_nsp__locate(const struct nsp_call *c, const struct gx_stat *st, struct nsp_table *ret_t, uint32_t *ret_pos, uint32_t *ret_start)
	GX_MUST_CHECK;
void gx_nsp__place(const struct nsp_call *c, const struct nsp_table *t, uint32_t pos, struct gx_stat *io_st);
/* The row's minimal id. */
uint32_t gx_nsp__row_mid(const struct nsp_call *c, const struct nsp_table *t, uint32_t row);
/* Rows of these minimal ids; stops early when they become too large, unless @all. Ids of nobody give rows of errors. */
gx_ec gx_nsp__rows(struct nsp_call *c, const uint32_t *mids, uint32_t n, uint32_t flags, const struct gx_columns *cols, bool all,
	struct gx_ab_rows *ret_r) GX_MUST_CHECK;
gx_ec gx_nsp__row(struct nsp_call *c, uint32_t mid, uint32_t flags, const struct gx_columns *cols, const struct gx_propval **ret_v, bool *ret_errors)
	GX_MUST_CHECK;
/* Code page of 8-bit texts: UTF-16 is refused. */
gx_ec gx_nsp__check_stat(const struct gx_stat *st) GX_MUST_CHECK;
static inline struct gx_columns gx_nsp__columns(const gx_proptag_t *v, uint32_t n)
{
	return (struct gx_columns){v, n};
}

/* ---- filter.c ---- */

/* Which of the rows of @k fulfil the restriction, ascending; ecTableTooBig beyond @most. */
gx_ec gx_nsp__filter(struct nsp_call *c, const struct nsp_container *k, const struct gx_restr *r, uint32_t most, struct nsp_set *ret_s) GX_MUST_CHECK;

/* ---- Operations: op/ ---- */

#define NSP_OP(name) gx_ec gx_nsp__##name(struct nsp_call *c, const struct gx_mh_##name##_req *q, struct gx_mh_##name##_res *r)
NSP_OP(bind);
NSP_OP(unbind);
NSP_OP(compare_m_ids);
NSP_OP(dn_to_m_id);
NSP_OP(get_matches);
NSP_OP(get_prop_list);
NSP_OP(get_props);
NSP_OP(get_special_table);
NSP_OP(get_template_info);
NSP_OP(mod_link_att);
NSP_OP(mod_props);
NSP_OP(query_columns);
NSP_OP(query_rows);
NSP_OP(resolve_names);
NSP_OP(resort_restriction);
NSP_OP(seek_entries);
NSP_OP(update_stat);
NSP_OP(get_mailbox_url);
NSP_OP(get_address_book_url);

#endif
