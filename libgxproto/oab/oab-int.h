/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_OAB_INT_H
#define GX_OAB_INT_H
#include <pthread.h>
#include <gx/oab.h>
#include "libgxproto/nsp/nsp-int.h"

enum { OAB_VERSION = 0x20, OAB_HEADER = 12, OAB_TEMPLATE_VERSION = 7 };
enum { OAB_ITEMS_MOST = 300, OAB_FILE_MOST = 1 << 30, OAB_HASH = 65, OAB_SHA1 = 41, OAB_NAME_MOST = 80 };

/* Files of the manifest; each kind has a form of its own in names and in the state. */
enum { OAB_DIFF, OAB_FULL, OAB_WINDOWS, OAB_MAC, OAB_KINDS };

struct oab_item {
	char name[OAB_NAME_MOST], sha[OAB_SHA1];
	uint8_t kind;                /* OAB_DIFF and others */
	uint32_t sequence, lcid;     /* lcid: of templates */
	unsigned long long size, plain;
};

/* The book of one organisation. */
struct oab_set {
	struct oab_set *next;
	char guid[37], people[OAB_HASH]; /* hash of the records of people: "" when there is no version yet */
	uint32_t sequence;
	uint64_t generation;         /* of the directory when it was looked at */
	bool looked;
	int64_t looked_ms;
	struct oab_item v[OAB_ITEMS_MOST];
	unsigned n;
};

struct gx_oab {
	struct gx_oab_opts o;
	char *dir;
	pthread_mutex_t lock;
	struct oab_set *sets;
};


/* CRC-32 as [MS-OXOAB] 2.9.1 wants it: not inverted at the end. */
uint32_t gx_oab__crc(const void *data, size_t len);
/*
 * Version 4 full details of what this user sees, in the order of directory ids, so that one version is like the next.
 * @p ret_people: where the records of people begin.
 */
int gx_oab__details(struct nsp_call *c, uint32_t sequence, const char *guid, struct gx_push *out, size_t *ret_people) GX_MUST_CHECK;
/* Where records end, and whose they are; 0 for the first, which is nobody's. In @p a. */
struct oab_record {
	uint32_t id;
	size_t end;
};
int gx_oab__records(struct gx_arena *a, struct gx_bin b, struct oab_record **ret_v, size_t *ret_n) GX_MUST_CHECK;

/* Templates of a language as one file, their texts in its code page. */
int gx_oab__templates(struct nsp_call *c, uint32_t lcid, struct gx_push *out) GX_MUST_CHECK;

/* ---- files.c: on disk ---- */

const char *gx_oab__path(const struct gx_oab *o, const struct oab_set *s, const char *name, struct gx_arena *a);
/* Says what errno does. @return GX_E_IO. */
int gx_oab__complain(const struct gx_oab *o, const char *path);
/* All of it or nothing: readers have the older one open, or get the new one. */
int gx_oab__write_file(const struct gx_oab *o, const struct oab_set *s, const char *name, const void *p, size_t n, struct gx_arena *a) GX_MUST_CHECK;
int gx_oab__read_file(const char *path, struct gx_push *out) GX_MUST_CHECK;
void gx_oab__load_state(const struct gx_oab *o, struct oab_set *s, struct gx_arena *a);
int gx_oab__save_state(const struct gx_oab *o, const struct oab_set *s, struct gx_arena *a) GX_MUST_CHECK;
/* [MS-OXWOAB] 2.2 */
int gx_oab__save_manifest(const struct gx_oab *o, const struct oab_set *s, struct gx_arena *a) GX_MUST_CHECK;

#endif
