/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GXSTORE_GROMOX_INT_H
#define GXSTORE_GROMOX_INT_H
/*
 * Reading a mailbox directory of Gromox, [gromox formats 2-8]. The source is never written to, and
 * one snapshot of it is read. What is damaged is noted and left out; functions fail only for what
 * makes going on pointless (memory, the system refusing to read, a database that cannot be read).
 */
#include <gx/msgobj.h>
#include <gx/propcodec.h>
#include <gx/restr.h>
#include <gx/storeconv.h>
#include "libgxstore/sql-int.h"

/* ---- What could not be read as it should ---- */

/* @kind is GX_CONV_*, @file NULL when the database itself. */
typedef int (*gx_gromox_note_cb)(int kind, const char *object, const char *file, const char *text, void *ctx);
struct gx_gromox_notes {
	gx_gromox_note_cb cb; /* may be NULL */
	void *ctx;
	char object[96];      /* what is being read: "message 2001f", for all notes until it changes */
};
void gx_gromox__about(struct gx_gromox_notes *n, const char *fmt, ...) GX_PRINTF(2, 3);
/* 0 or what the receiver of notes answers. */
int gx_gromox__note(struct gx_gromox_notes *n, int kind, const char *file, const char *fmt, ...) GX_PRINTF(4, 5);

/* ---- Named properties (names.c) ---- */

#define GX_GROMOX_NAMED_FIRST 0x8000U
#define GX_GROMOX_NAMED_MAX 0x8000U
/* Ids of the source to ids of the new store; 0 for those without a name. */
struct gx_gromox_idmap {
	uint16_t id[GX_GROMOX_NAMED_MAX];
};
/* "GUID=...,LID=n" or "GUID=...,NAME=text"; the name is in @a. GX_E_FORMAT. */
int gx_gromox__propname(struct gx_arena *a, const char *s, struct gx_propname *ret_n) GX_MUST_CHECK;
/* 0 when the id has no name. Tags that are not named stay; string types become Unicode. */
gx_proptag_t gx_gromox__map_tag(const struct gx_gromox_idmap *map, gx_proptag_t tag);

/* ---- Values and blobs (blob.c, actions.c) ---- */

/* What decoding needs; @map NULL leaves ids as they are. */
struct gx_gromox_px {
	struct gx_arena *a;
	const struct gx_gromox_idmap *map;
};
/* Multi-values: u32 count and elements, all of it. Borrows @b. */
int gx_gromox__multi(const struct gx_gromox_px *x, uint16_t type, struct gx_bin b, union gx_value *ret_v) GX_MUST_CHECK;
/* PtypServerId without its length. Borrows. */
int gx_gromox__svreid(struct gx_bin b, struct gx_bin *ret_b) GX_MUST_CHECK;
/* GX_E_FORMAT, GX_E_TRUNC, GX_E_DEPTH, GX_E_NOTFOUND for a named property without a name. */
int gx_gromox__restr(const struct gx_gromox_px *x, struct gx_bin b, const struct gx_restr **ret_r) GX_MUST_CHECK;
/* Rule actions as [MS-OXORULE] 2.2.5 has them in ROP buffers: counts of 16 bits, UTF-16. */
int gx_gromox__actions(const struct gx_gromox_px *x, struct gx_bin b, struct gx_bin *ret_wire) GX_MUST_CHECK;
/* config/zarafa.dat: properties of the profile, then its sections. */
int gx_gromox__profile(const struct gx_gromox_px *x, struct gx_bin b, struct gx_proplist *ret_l,
	struct gx_proplist **ret_sections, size_t *ret_n) GX_MUST_CHECK;
/* Text that is not UTF-8 is taken for code page @cp (0: windows-1252). @ret_guessed may be NULL. */
int gx_gromox__text(struct gx_arena *a, uint32_t cp, const void *p, size_t n, const char **ret_s,
	bool *ret_guessed) GX_MUST_CHECK;

/* ---- Content files (cid.c), [gromox formats 6] ---- */

struct gx_gromox_cid;
int gx_gromox__cid_open(const char *dir, struct gx_gromox_cid **ret_c) GX_MUST_CHECK;
void gx_gromox__cid_close(struct gx_gromox_cid *c);
/*
 * The value under a name of the database; @unicode: text that old versions keep with a header.
 * A NUL follows the value. GX_E_NOTFOUND no such file, GX_E_FORMAT a bad name or a damaged file,
 * GX_E_LIMIT; @ret_file names the file in @a (in every case).
 */
int gx_gromox__cid_read(struct gx_gromox_cid *c, struct gx_arena *a, const char *name, bool unicode,
	struct gx_bin *ret_b, const char **ret_file) GX_MUST_CHECK;
/* eml/NAME, whole. Errors as above. */
int gx_gromox__eml_read(const char *dir, struct gx_arena *a, const char *name, struct gx_bin *ret_b,
	const char **ret_file) GX_MUST_CHECK;
/* A file of at most @max bytes. GX_E_NOTFOUND, GX_E_FORMAT not a regular file, GX_E_LIMIT, GX_E_IO. A NUL follows. */
int gx_gromox__read_file(struct gx_arena *a, const char *path, size_t max, struct gx_bin *ret_b) GX_MUST_CHECK;

/* ---- The mailbox (source.c) ---- */

struct gx_gromox_info {
	int version;                  /* EV or EB number */
	bool is_public;
	bool has_mailbox, has_mapping, has_replica;
	struct gx_guid mailbox, mapping, replica;
	uint64_t last_id, last_cn;    /* the highest that were given out or set aside */
	uint32_t default_rights, anonymous_rights;
	bool has_default, has_anonymous;
	uint64_t messages, folders;   /* rows, for progress */
};

struct gx_gromox {
	char *dir;
	struct gx_sql *q, *midb;      /* midb NULL: none */
	struct gx_gromox_cid *cid;
	struct gx_gromox_info info;
	struct gx_gromox_notes notes;
	const struct gx_gromox_idmap *map;
	/* Statements that depend on the columns that are there; they live as long as the connections. */
	struct gx_arena *sql;
	const char *q_folders, *q_message, *q_messages, *q_stray, *q_midb_msg, *q_midb_folder;
	const char *midb_why;         /* why the IMAP index could not be opened, NULL if there is none or it could */
	struct gx_stmt *cursor;       /* over messages */
};
/* @why (size bytes) names file and remedy. GX_E_NOTFOUND, GX_E_FORMAT, GX_E_BUSY, GX_E_IO. */
int gx_gromox__open(const char *dir, const struct gx_log *log, struct gx_gromox **ret_g, char *why,
	size_t size) GX_MUST_CHECK;
void gx_gromox__close(struct gx_gromox *g); /* accepts NULL */
bool gx_gromox__has_table(struct gx_sql *q, const char *table);
bool gx_gromox__has_column(struct gx_sql *q, const char *table, const char *column);

/* Calls @cb for every name; 0 or what it returns. */
typedef int (*gx_gromox_name_cb)(uint16_t id, const struct gx_propname *n, void *ctx);
int gx_gromox__names(struct gx_gromox *g, gx_gromox_name_cb cb, void *ctx) GX_MUST_CHECK;

/* ---- Properties (props.c) ---- */

/* Which tables: name of the id column and of the table, and what content names stand in it. */
enum { GX_GROMOX_STORE = 0, GX_GROMOX_FOLDER, GX_GROMOX_MESSAGE, GX_GROMOX_RCPT, GX_GROMOX_ATTACH };
/* All properties of an object, decoded, content files read, ids mapped. @cp: code page for text that is not UTF-8. */
int gx_gromox__props(struct gx_gromox *g, int table, uint64_t id, uint32_t cp, struct gx_arena *a,
	struct gx_proplist *ret_l) GX_MUST_CHECK;

/* ---- Folders (folders.c) ---- */

struct gx_gromox_folder {
	uint64_t fid, parent, cn;     /* parent 0: none */
	bool deleted, search;
	uint32_t search_flags;
};
/* Parents before children; those whose parents are missing or go in circles get @lost as their parent and a note. */
int gx_gromox__folders(struct gx_gromox *g, uint64_t lost, struct gx_arena *a, struct gx_gromox_folder **ret_v,
	size_t *ret_n) GX_MUST_CHECK;
/* @ret_criteria NULL without. */
int gx_gromox__criteria(struct gx_gromox *g, uint64_t fid, struct gx_arena *a, const struct gx_restr **ret_criteria,
	uint64_t **ret_scope, size_t *ret_n) GX_MUST_CHECK;
struct gx_gromox_perm {
	const char *member;
	uint32_t rights;
};
int gx_gromox__permissions(struct gx_gromox *g, uint64_t fid, struct gx_arena *a, struct gx_gromox_perm **ret_v,
	size_t *ret_n) GX_MUST_CHECK;
struct gx_gromox_rule {
	uint64_t id;
	const char *name, *provider;
	uint32_t sequence, state, level, user_flags;
	bool has_level, has_flags;
	struct gx_bin provider_data;  /* data NULL: none */
	const struct gx_restr *condition; /* NULL: always */
	struct gx_bin actions;        /* see gx_gromox__actions() */
};
/* Rules whose blobs are damaged are left out with a note. */
int gx_gromox__rules(struct gx_gromox *g, uint64_t fid, struct gx_arena *a, struct gx_gromox_rule **ret_v,
	size_t *ret_n) GX_MUST_CHECK;
struct gx_gromox_receive {
	const char *cls;
	uint64_t fid;
	gx_nttime_t modified;
};
int gx_gromox__receive(struct gx_gromox *g, struct gx_arena *a, struct gx_gromox_receive **ret_v,
	size_t *ret_n) GX_MUST_CHECK;

/* ---- Messages (messages.c) ---- */

struct gx_gromox_msg {
	uint64_t mid, fid, cn, read_cn, size; /* fid 0: in no folder that exists */
	bool deleted, fai, read;
	uint64_t timer;               /* of Gromox's timer service, 0 none */
	const char *eml;              /* name of the original text, NULL none */
	struct gx_msgobj *obj;
	struct gx_bin original;       /* data NULL: none */
};
/* Messages of a folder by id, behind @after; fid 0: those that are in no folder. One listing at a time. */
void gx_gromox__list(struct gx_gromox *g, uint64_t fid, uint64_t after);
/* 1 and the next row, 0 at the end; obj and original are read by gx_gromox__message(). */
int gx_gromox__next(struct gx_gromox *g, struct gx_arena *a, struct gx_gromox_msg *ret_m) GX_MUST_CHECK;
/* Messages of a folder that IMAP knows, by UID, behind @after. Takes the place of the other listing. */
void gx_gromox__list_uids(struct gx_gromox *g, uint64_t fid, uint32_t after);
int gx_gromox__next_uid(struct gx_gromox *g, uint64_t *ret_mid, uint32_t *ret_uid) GX_MUST_CHECK;
/* One row. 1 found, 0 not. */
int gx_gromox__row(struct gx_gromox *g, uint64_t mid, struct gx_arena *a, struct gx_gromox_msg *ret_m) GX_MUST_CHECK;
int gx_gromox__message(struct gx_gromox *g, struct gx_arena *a, struct gx_gromox_msg *m) GX_MUST_CHECK;
/* Embedded messages whose attachment is gone. */
int gx_gromox__lost_embedded(struct gx_gromox *g, uint64_t *ret_n) GX_MUST_CHECK;

/* ---- IMAP state (midb.c), [gromox formats 7] ---- */

struct gx_gromox_imap {
	uint64_t fid;
	uint32_t uid;                 /* 0: IMAP has not seen it */
	uint32_t flags;               /* GX_MSGF_* without READ */
	bool read;
	const char *const *keywords;  /* NULL-terminated, or NULL */
	const char *eml;              /* NULL none */
	gx_nttime_t modified;         /* 0 unknown */
	int64_t received;             /* unix time, 0 unknown */
};
/* 1 found, 0 not, also when there is no index. */
int gx_gromox__imap_msg(struct gx_gromox *g, uint64_t mid, struct gx_arena *a,
	struct gx_gromox_imap *ret_i) GX_MUST_CHECK;
/* @ret_uidlast: last UID given out. 1 found, 0 not. */
int gx_gromox__imap_folder(struct gx_gromox *g, uint64_t fid, uint32_t *ret_uidlast,
	bool *ret_subscribed) GX_MUST_CHECK;

/* ---- Files under config/ (config.c) ---- */

struct gx_gromox_config {
	bool has_oof;
	uint32_t oof_state;
	bool allow_external, known_senders_only;
	int64_t start, end;           /* unix time, 0 none */
	struct gx_bin internal_reply, external_reply, photo, profile; /* data NULL: none */
	const char *const *delegates, *const *send_as;                /* NULL-terminated, never NULL */
};
int gx_gromox__config(struct gx_gromox *g, struct gx_arena *a, struct gx_gromox_config *ret_c) GX_MUST_CHECK;

#endif
