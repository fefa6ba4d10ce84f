/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GXSTORE_ICS_LIST_H
#define GXSTORE_ICS_LIST_H
/*
 * The changes of a synchronisation in the order in which they are sent, in memory that does not grow with their number:
 * as many as are sorted at a time; those before them lie in a file without a name.
 */
#include <gx/ics.h>
#include "libgxstore/fs-int.h"

typedef int (*gx_icslist_cmp)(const void *x, const void *y);

#define GX_ICSLIST_RUN 32768U /* changes sorted at a time: 1.25 MiB */
#define GX_ICSLIST_SEQS 64U   /* sequences merged at a time */

struct gx_icslist {
	gx_icslist_cmp cmp;
	const struct gx_fs *fs;
	const char *dir;             /* for the file; borrowed until the list is sorted */
	size_t run;                  /* how many are sorted at a time */
	bool stuck;                  /* no file can be made or written: what comes stays in memory */
	int fd;                      /* -1: none are in a file */
	size_t filed;                /* the first so many are in it, */
	struct gx_ics_change *v;     /* and here are those that came after */
	size_t nv, cap;
	size_t seq[GX_ICSLIST_SEQS]; /* of those in the file: from which on the order begins anew */
	size_t seqs;
	struct gx_ics_change last;   /* that went to the file */
};

/* @run 0 takes GX_ICSLIST_RUN. */
void gx_icslist__init(struct gx_icslist *l, gx_icslist_cmp cmp, const struct gx_fs *fs, const char *dir, size_t run);
void gx_icslist__release(struct gx_icslist *l);
/* Empty again, as initialised. */
void gx_icslist__clear(struct gx_icslist *l);
size_t gx_icslist__count(const struct gx_icslist *l);
int gx_icslist__add(struct gx_icslist *l, const struct gx_ics_change *c) GX_MUST_CHECK;
/* After the last one, before they are read. */
int gx_icslist__sort(struct gx_icslist *l) GX_MUST_CHECK;

/* Reads a list, which stays where it is. */
struct gx_icsreader {
	const struct gx_icslist *l;
	size_t at, end;
	struct gx_ics_change *buf; /* some that come from the file */
	size_t from, n;            /* which they are */
};
void gx_icsreader__init(struct gx_icsreader *r, const struct gx_icslist *l);
void gx_icsreader__release(struct gx_icsreader *r);
void gx_icsreader__seek(struct gx_icsreader *r, size_t n);
/* After an error the next call tries the same one again. */
int gx_icsreader__next(struct gx_icsreader *r, struct gx_ics_change *ret_c, bool *ret_more) GX_MUST_CHECK;

#endif
