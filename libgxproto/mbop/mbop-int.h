/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_MBOP_INT_H
#define GX_MBOP_INT_H
/*
 * Inside of gromox-mbop: the parsed line, and what a command gets when it runs. Folder and message
 * ids are in wire form throughout.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <gx/entryid.h>
#include <gx/mbop.h>

/* ---- Parsed ---- */

/* A folder as it was typed; found out in each store anew. */
struct gx_mbop_spec {
	const char *text;
	uint64_t base;              /* counter of the folder that names start from */
	bool symbolic;              /* base is that of a mailbox, not of a public store */
	const char *const *names;   /* below it */
	size_t n;
};
/* values.c. GX_E_INVAL: @ret_why says what is wrong. */
int gx_mbop__spec(struct gx_arena *a, const char *text, struct gx_mbop_spec *ret_s, const char **ret_why) GX_MUST_CHECK;

struct gx_mbop_map;
/* usermap.c: people of another system and their addresses here. */
int gx_mbop__map_read(
	struct gx_arena *a, const char *path, struct gx_mbop_map **ret_m, const char **ret_why) GX_MUST_CHECK;
/* The address for an X.500 name, or for a name of Zarafa; NULL: not in the map. */
const char *gx_mbop__map_dn(const struct gx_mbop_map *m, const char *dn);
const char *gx_mbop__map_name(const struct gx_mbop_map *m, const char *name);
/* Is that JSON? */
bool gx_mbop__is_json(struct gx_bin b, struct gx_arena *a, const char **ret_why);

struct gx_mbop_value {
	bool set;
	const char *text;
	uint64_t num;               /* GX_MBOP_AGE: seconds; GX_MBOP_TIME: seconds since 1970, signed */
	bool all;                   /* of GX_MBOP_FOLDERS: the word "all" */
	struct gx_mbop_spec spec;
	struct gx_mbop_map *map;
};

struct gx_mbop_entry;
struct gx_mbop_cmd {
	const struct gx_mbop_entry *e;
	struct gx_mbop_value v[GX_MBOP_OPTIONS];
	struct gx_mbop_value *args;
	size_t nargs;
};
/* By letter ("t") or long name ("soft"); which must be in the table. */
const struct gx_mbop_value *gx_mbop__opt(const struct gx_mbop_cmd *c, const char *name);
int gx_mbop__value(struct gx_arena *a, uint8_t type, const char *text, struct gx_mbop_value *ret_v,
	const char **ret_why) GX_MUST_CHECK;

enum {
	GX_MBF_SECOBJ = 1,
	GX_MBF_USER = 2,
	GX_MBF_DL = 4,
	GX_MBF_SHAREDMB = 8,
	GX_MBF_ROOM = 0x10,
	GX_MBF_EQUIPMENT = 0x20,
	GX_MBF_CONTACT = 0x40,
	GX_MBF_ACTIVE = 0x80,
	GX_MBF_SUSP = 0x100,
	GX_MBF_DELETED = 0x200,
	GX_MBF_MB = 0x400,
	GX_MBF_HERE = 0x800, GX_MBF_STORE = 0x1000,
};
/* One mailbox, or those that the filters select, and what is done with each. */
struct gx_mbop_step {
	bool each;
	uint32_t filters;           /* GX_MBF_* */
	unsigned jobs;              /* 0: as many as are good */
	struct gx_mbop_cmd *cmds;
	size_t n, cap;
};
struct gx_mbop_line {
	struct gx_mbop_step *v;
	size_t n, cap;
	const struct gx_mbop_command *help;
};
/* targets.c. 0: no such filter. */
uint32_t gx_mbop__filter(const char *name, size_t len);

/* ---- Running ---- */

struct gx_mbop_target {
	const char *who, *dir;
	const char *user;           /* address of its owner; NULL: a public store, or nobody known */
	const char *host;           /* "local", or the host that has it */
	bool is_public;
};

struct gx_mbop_place {
	struct gx_mbop_place *next;
	struct gx_exmdb *x;
	char addr[];
};
enum { GX_MBHOME_UNKNOWN, GX_MBHOME_UP, GX_MBHOME_DOWN };
struct gx_mbop {
	const struct gx_mbop_opts *o;
	struct gx_arena *a;          /* the caller's; used by the first thread only */
	pthread_mutex_t tell;        /* held while a callback runs */
	pthread_mutex_t lock;        /* for what follows */
	struct gx_mbop_place *places;
	int home;                    /* GX_MBHOME_* */
	char home_why[256];
	struct gx_store_pool *pool;
	struct gx_exmdb_host *host;
	struct gx_exmdb *here;       /* stores that this process opens */
	size_t failed;
};
/* places.c: who answers calls for this store. */
int gx_mbop__init(struct gx_mbop *m, const struct gx_mbop_opts *o, struct gx_arena *a) GX_MUST_CHECK;
void gx_mbop__release(struct gx_mbop *m);
int gx_mbop__connect(struct gx_mbop *m, const struct gx_mbop_target *t, struct gx_arena *a, struct gx_exmdb **ret_x,
	const char **ret_why) GX_MUST_CHECK;

/* targets.c */
int gx_mbop__target(struct gx_mbop *m, struct gx_mbop_target *ret_t, const char **ret_why) GX_MUST_CHECK;
int gx_mbop__targets(struct gx_mbop *m, uint32_t filters, struct gx_mbop_target **ret_v, size_t *ret_n,
	const char **ret_why) GX_MUST_CHECK;

/* One command on one store. */
struct gx_mbop_job {
	struct gx_mbop *m;
	const struct gx_mbop_target *t;
	const struct gx_mbop_cmd *cmd;
	struct gx_exmdb *x;
	struct gx_arena *a;
	const char *why;
	gx_ec ec;                    /* of the last call */
	struct gx_strbuf text;
	struct gx_mbop_result r;
	struct gx_mbop_field **rows;
	size_t nrows, rows_cap, nfields, fields_cap;
};
typedef bool gx_mbop_run_fn(struct gx_mbop_job *j);
/* table.c */
struct gx_mbop_entry {
	struct gx_mbop_command c;
	gx_mbop_run_fn *run;         /* NULL: not a command by itself */
	const char *(*check)(const struct gx_mbop_cmd *c); /* options that do not go together: why not */
	bool offline;                /* needs no store */
	bool input;                  /* reads what is handed in, which is there once */
};
const struct gx_mbop_entry *gx_mbop__entry(const char *name);

/* jobs.c: the step's commands on each of them. */
int gx_mbop__do(
	struct gx_mbop *m, const struct gx_mbop_step *s, const struct gx_mbop_target *v, size_t n) GX_MUST_CHECK;

/* result.c */
bool gx_mbop__fail(struct gx_mbop_job *j, const char *fmt, ...) GX_PRINTF(2, 3);
bool gx_mbop__nomem(struct gx_mbop_job *j);
/* Result of a call: j->ec and, when it failed, the reason. */
bool gx_mbop__ok(struct gx_mbop_job *j, const char *call, gx_ec ec, const char *why);
/* A line for people. */
void gx_mbop__say(struct gx_mbop_job *j, const char *fmt, ...) GX_PRINTF(2, 3);
/* Fields of the present row. */
void gx_mbop__num(struct gx_mbop_job *j, const char *name, uint64_t n);
void gx_mbop__text(struct gx_mbop_job *j, const char *name, const char *text);
/* Rows are a list from now on, and the next one begins. */
void gx_mbop__row(struct gx_mbop_job *j);
void gx_mbop__data(struct gx_mbop_job *j, struct gx_bin b, bool binary);
void gx_mbop__begin(struct gx_mbop_job *j);
void gx_mbop__end(struct gx_mbop_job *j, bool ok);
void gx_mbop__progress(struct gx_mbop_job *j, const char *what, uint64_t done, uint64_t total);

/* bool: MBOP(j, get_store_properties, &req, &ans) */
#define MBOP_(j, call, expr) \
	({ \
		const char *why_ = ""; \
		gx_ec ec_ = (expr); \
		gx_mbop__ok((j), call, ec_, why_); \
	})
#define MBOP2(j, call, req, ans) MBOP_(j, #call, gx_exmdb_##call((j)->x, (j)->t->dir, (req), (j)->a, (ans), &why_))
#define MBOP_REQ(j, call, req) MBOP_(j, #call, gx_exmdb_##call((j)->x, (j)->t->dir, (req), (j)->a, &why_))
#define MBOP0(j, call) MBOP_(j, #call, gx_exmdb_##call((j)->x, (j)->t->dir, (j)->a, &why_))

/* folders.c */
struct gx_mbop_folder {
	uint64_t fid;
	const char *name;
	bool search;
};
bool gx_mbop__find(struct gx_mbop_job *j, const struct gx_mbop_spec *s, uint64_t *ret_fid);
/* Direct subfolders. */
bool gx_mbop__children(struct gx_mbop_job *j, uint64_t fid, struct gx_mbop_folder **ret_v, size_t *ret_n);
/* @depth: the folder itself and all below it but searches. */
bool gx_mbop__tree(struct gx_mbop_job *j, uint64_t fid, bool depth, struct gx_mbop_folder **ret_v, size_t *ret_n);
bool gx_mbop__messages(
	struct gx_mbop_job *j, uint64_t fid, bool fai, const struct gx_restr *r, uint64_t **ret_v, size_t *ret_n);
bool gx_mbop__delete(struct gx_mbop_job *j, uint64_t fid, const uint64_t *mids, size_t n, bool hard);
bool gx_mbop__count(struct gx_mbop_job *j, uint64_t fid, bool fai, uint32_t *ret_n);

/* props.c */
bool gx_mbop__named(struct gx_mbop_job *j, const char *name, bool create, uint16_t *ret_id);

/* Commands, by file */
gx_mbop_run_fn gx_mbop__ping, gx_mbop__unload, gx_mbop__vacuum, gx_mbop__purge_datafiles, gx_mbop__recalc_sizes,
	gx_mbop__cgkreset, gx_mbop__freeze, gx_mbop__thaw, gx_mbop__echo_maildir, gx_mbop__echo_username,
	gx_mbop__sync_midb;
gx_mbop_run_fn gx_mbop__get_photo, gx_mbop__set_photo, gx_mbop__clear_photo, gx_mbop__clear_profile;
gx_mbop_run_fn gx_mbop__get_settings, gx_mbop__get_persistent, gx_mbop__get_recipients, gx_mbop__set_settings,
	gx_mbop__set_persistent, gx_mbop__set_recipients;
gx_mbop_run_fn gx_mbop__delmsg, gx_mbop__emptyfld, gx_mbop__clear_rwz, gx_mbop__purge_softdelete;
const char *gx_mbop__emptyfld_check(const struct gx_mbop_cmd *c);
gx_mbop_run_fn gx_mbop__get_freebusy, gx_mbop__set_locale, gx_mbop__exaddrxlat, gx_mbop__zaddrxlat;
const char *gx_mbop__freebusy_check(const struct gx_mbop_cmd *c);
#endif
