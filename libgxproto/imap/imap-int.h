/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_IMAP_INT_H
#define GX_IMAP_INT_H
/*
 * One IMAP session. Bytes are collected into a whole command (collect.c), which a row of the
 * command table parses on the loop; it then runs there if it needs memory only, or on a worker.
 */
#include <stdatomic.h>
#include <gx/imap.h>
#include "libgxproto/imap/parse.h"

struct imap_session;

/* States as bits, for the table. */
enum { IMAP_NOAUTH = 1, IMAP_AUTH = 2, IMAP_SELECTED = 4, IMAP_ANY = 7, IMAP_IN = IMAP_AUTH | IMAP_SELECTED };

enum imap_result {
	IMAP_DONE,      /* the tagged answer is written */
	IMAP_MORE,      /* run again when the output has gone and others had their turn */
	IMAP_DELAY,     /* run again after s->delay_ms */
	IMAP_LINE,      /* "+ " was written: hand the next line to s->on_line */
	IMAP_STARTTLS,
	IMAP_CLOSE,
};

enum {
	IMAP_F_LOOP = 1,      /* needs memory only: runs on the loop */
	IMAP_F_UID = 2,       /* "UID name" exists */
	IMAP_F_UID_ONLY = 4,  /* row of the UID form only */
	IMAP_F_KEEP = 8,      /* no EXPUNGE while it runs, [RFC 3501] 7.4.1; its UID form may */
};

struct imap_command {
	const char *name;
	uint8_t states, flags;
	/* Reads the arguments behind the name into s->args; NULL: there are none. */
	bool (*parse)(struct imap_session *s, struct imap_parse *c);
	enum imap_result (*run)(struct imap_session *s);
};
/* NULL when unknown. */
const struct imap_command *gx_imap__command(const char *name, bool uid);

/* The message literal of APPEND: memory, or beyond 1 MiB a nameless file, mapped when complete. */
struct imap_spool {
	uint8_t *data;
	size_t len, cap;
	int fd;          /* -1: in memory */
	bool mapped;
};
int gx_imap__spool_begin(struct imap_spool *sp, uint64_t size, const char *dir) GX_MUST_CHECK;
int gx_imap__spool_add(struct imap_spool *sp, const void *p, size_t n) GX_MUST_CHECK;
int gx_imap__spool_end(struct imap_spool *sp) GX_MUST_CHECK;
void gx_imap__spool_release(struct imap_spool *sp);

enum imap_phase {
	IMAP_IN_LINE, IMAP_IN_LITERAL, IMAP_IN_MESSAGE,
	IMAP_SKIP_LITERAL,   /* a refused literal that comes anyway */
	IMAP_SKIP_LINE,
};
struct imap_collect {
	struct gx_push cmd;      /* lines and literals so far */
	size_t line;             /* where the present line begins in cmd */
	uint64_t literal_left;
	enum imap_phase phase;
	bool complete;
	bool have_message;
	bool no_space;           /* the message literal could not be kept */
	struct imap_spool message;
	char *refuse;            /* answer when skipping ends; malloc'd */
};
enum imap_collected { IMAP_NEED_INPUT, IMAP_COMPLETE, IMAP_BLOCKS, IMAP_REFUSED, IMAP_FATAL };
enum imap_collected gx_imap__collect(struct imap_session *s, bool may_block);
void gx_imap__collect_reset(struct imap_collect *c);

/* A logged-in user; one block of memory with its strings. */
struct imap_user {
	struct gx_actor actor;
	struct gx_store *store;
	struct gx_arena *arena;
	const char *name;        /* mailbox owner */
};

/* Byte ranges of the parts of the message whose body was asked for last. */
struct imap_parts;

/* Names of a keyword set as they stand in FLAGS: " foo bar". */
struct imap_kwtext {
	uint32_t kwset;
	char *text;
};

struct imap_selected {
	uint64_t fid;
	struct gx_imapview *view;
	uint64_t sub;
	bool read_only, subscribed;
	struct imap_kwtext *kw;       /* keyword sets met so far, by number */
	size_t kw_n, kw_cap;
	struct imap_range *saved;     /* SEARCH RETURN (SAVE): UIDs, malloc'd */
	size_t saved_n;
	struct imap_parts *parts;
	bool gone;                    /* the folder was deleted */
};

struct imap_session {
	const struct gx_imap_server *srv;
	struct gx_io *io;             /* valid during a call */
	struct gx_push *out;          /* &io->out */
	struct imap_user *user;
	struct imap_selected *sel;
	struct imap_collect in;
	/* The running command; what it has lies in arena. */
	struct gx_arena *arena;
	const struct imap_command *row;
	const char *tag;
	void *args;
	void (*release)(void *args);  /* of what args holds outside the arena; may be NULL */
	enum imap_result (*on_line)(struct imap_session *s, char *line, size_t len);
	struct gx_io *wake_io;        /* for events of the selected folder */
	int64_t login_by_ms;          /* monotonic; 0: not set yet */
	uint32_t delay_ms;
	uint16_t bad, auth_tries;
	uint8_t state;
	bool uid_form, on_loop, greeted, delaying, want_line, closing;
	bool condstore, rev2, tls;
	atomic_bool idling;
};

/* ---- respond.c ---- */
#define imap_puts(out, lit) gx_push_bytes((out), "" lit, sizeof(lit) - 1)
void gx_imap__put_u64(struct gx_push *out, uint64_t v);
/* As quoted string, or literal where it must. */
void gx_imap__put_string(struct gx_push *out, const char *s, size_t n);
void gx_imap__put_nstring(struct gx_push *out, const char *s);
/* UTF-8 name as it stands in answers. */
void gx_imap__put_mailbox(struct imap_session *s, const char *name);
void gx_imap__put_ranges(struct gx_push *out, const struct imap_range *v, size_t n);
/* Tagged answers; text may start with a response code. They report pending changes of the selected mailbox first. */
enum imap_result gx_imap__ok(struct imap_session *s, const char *fmt, ...) GX_PRINTF(2, 3);
enum imap_result gx_imap__no(struct imap_session *s, const char *fmt, ...) GX_PRINTF(2, 3);
enum imap_result gx_imap__bad(struct imap_session *s, const char *fmt, ...) GX_PRINTF(2, 3);
/* NO for a failed store operation, with the response code of [RFC 5530] that fits. */
enum imap_result gx_imap__no_ec(struct imap_session *s, gx_ec ec, const char *what, struct gx_txn *t);
enum imap_result gx_imap__no_err(struct imap_session *s, int err, const char *what);
void gx_imap__put_capabilities(struct imap_session *s);

/* ---- store access ---- */
enum { IMAP_TXN_MS = 15000 };
/* Begins a transaction as the session's user; on failure the NO is written. */
struct gx_txn *gx_imap__begin(struct imap_session *s, int mode);
/* Commits; false when it failed and the NO is written. */
bool gx_imap__commit(struct imap_session *s, struct gx_txn *t, int sync);

/* ---- view.c: the selected mailbox ---- */
struct gx_uid_entry;
bool gx_imap__view_stale(const struct imap_session *s);
/* Moves the view to the present and reports the differences. */
void gx_imap__view_refresh(struct imap_session *s, bool allow_expunge);
/* The same, but FETCH answers only for messages outside the set (STORE makes its own). */
void gx_imap__view_refresh_except(struct imap_session *s, const struct imap_range *v, size_t n);
void gx_imap__unselect(struct imap_session *s);
/* "(\Seen foo)" */
void gx_imap__put_flags(struct imap_session *s, const struct gx_uid_entry *e);
/* Can it do so without asking the store for names of keywords? */
bool gx_imap__knows_flags(const struct imap_session *s, const struct gx_uid_entry *e);
/* Untagged HIGHESTMODSEQ when CONDSTORE wakes up while a mailbox is selected, [RFC 7162] 3.1. */
void gx_imap__enable_condstore(struct imap_session *s);
uint64_t gx_imap__modseq(const struct imap_session *s);
/*
 * A set of message numbers, or with uid of UIDs, as ranges of message numbers of the view, ascending.
 * False (complained by gx_imap__bad) for numbers that do not exist.
 */
bool gx_imap__resolve(struct imap_session *s, const struct imap_set *set, bool uid, struct imap_range **ret_v, size_t *ret_n);
uint64_t gx_imap__ranges_count(const struct imap_range *v, size_t n);
/* Message ids of the ranges. NULL when out of memory. */
uint64_t *gx_imap__mids(struct imap_session *s, const struct imap_range *v, size_t n, size_t *ret_n);

/* ---- mailbox.c: names and folders ---- */
struct imap_mailbox {
	const char *name;               /* full, UTF-8, "/" between levels */
	const struct gx_folder_info *info;
	bool mail;                      /* holds mail; else only a step in the path */
	bool children;
};
/* Folder of a full name. ecNotFound. */
gx_ec gx_imap__mailbox_find(struct gx_txn *t, struct gx_arena *a, const char *name, uint64_t *ret_fid);
/* Parent folder and last component; missing parents are made with create. ecNotFound. */
gx_ec gx_imap__mailbox_parent(struct gx_txn *t, struct gx_arena *a, const char *name, bool create, uint64_t *ret_parent,
	const char **ret_leaf);
/* All mailboxes, parents first. */
gx_ec gx_imap__mailbox_list(struct gx_txn *t, struct gx_arena *a, struct imap_mailbox **ret_v, size_t *ret_n);
/* Display name to path component and back: "/" is written "%2F", and "%(25)*2F" gets one more "25". */
int gx_imap__name_encode(struct gx_arena *a, const char *display, bool top, char **ret) GX_MUST_CHECK;
int gx_imap__name_decode(struct gx_arena *a, const char *part, size_t len, bool top, char **ret) GX_MUST_CHECK;
bool gx_imap__is_inbox(const char *name);
/* LIST patterns: '*' any, '%' within a level. */
bool gx_imap__pattern_match(const char *pattern, const char *name);

/* ---- cmd_status.c ---- */
enum {
	IMAP_ST_MESSAGES = 1, IMAP_ST_RECENT = 2, IMAP_ST_UIDNEXT = 4, IMAP_ST_UIDVALIDITY = 8, IMAP_ST_UNSEEN = 16,
	IMAP_ST_HIGHESTMODSEQ = 32, IMAP_ST_SIZE = 64, IMAP_ST_DELETED = 128,
};
/* "(MESSAGES UNSEEN ...)" */
bool gx_imap__status_items(struct imap_parse *c, unsigned *ret_items);
void gx_imap__put_status(struct imap_session *s, const char *name, const struct gx_folder_info *f, unsigned items);

/* ---- login.c ---- */
/* Checks the password and opens the store; blocks. Writes the tagged answer. */
enum imap_result gx_imap__login(struct imap_session *s, const char *login, const char *password);
/* After the delay of a failed attempt. */
enum imap_result gx_imap__login_failed(struct imap_session *s);
void gx_imap__user_free(struct imap_session *s);

/* Rows of the table, one file each. */
#define IMAP_COMMAND_FNS(name) \
	bool gx_imap__##name##_parse(struct imap_session *s, struct imap_parse *c); \
	enum imap_result gx_imap__##name##_run(struct imap_session *s);
IMAP_COMMAND_FNS(append)
IMAP_COMMAND_FNS(authenticate)
IMAP_COMMAND_FNS(copy)
IMAP_COMMAND_FNS(create)
IMAP_COMMAND_FNS(delete)
IMAP_COMMAND_FNS(enable)
IMAP_COMMAND_FNS(fetch)
IMAP_COMMAND_FNS(id)
IMAP_COMMAND_FNS(list)
IMAP_COMMAND_FNS(login)
IMAP_COMMAND_FNS(lsub)
IMAP_COMMAND_FNS(rename)
IMAP_COMMAND_FNS(search)
IMAP_COMMAND_FNS(select)
IMAP_COMMAND_FNS(status)
IMAP_COMMAND_FNS(store)
IMAP_COMMAND_FNS(uid_expunge)
bool gx_imap__one_mailbox_parse(struct imap_session *s, struct imap_parse *c);
enum imap_result gx_imap__capability_run(struct imap_session *s);
enum imap_result gx_imap__noop_run(struct imap_session *s);
enum imap_result gx_imap__logout_run(struct imap_session *s);
enum imap_result gx_imap__starttls_run(struct imap_session *s);
enum imap_result gx_imap__namespace_run(struct imap_session *s);
enum imap_result gx_imap__idle_run(struct imap_session *s);
enum imap_result gx_imap__close_run(struct imap_session *s);
enum imap_result gx_imap__unselect_run(struct imap_session *s);
enum imap_result gx_imap__expunge_run(struct imap_session *s);
enum imap_result gx_imap__examine_run(struct imap_session *s);
enum imap_result gx_imap__move_run(struct imap_session *s);
enum imap_result gx_imap__subscribe_run(struct imap_session *s);
enum imap_result gx_imap__unsubscribe_run(struct imap_session *s);

#endif
