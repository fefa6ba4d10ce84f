/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GXBENCH_SCALE_H
#define GXBENCH_SCALE_H
/*
 * What the benchmarks of the store share: measuring (scale.c), made-up mail (scalemail.c), and large stores
 * that are built once and kept (scalestore.c). Every failure ends the program with a text.
 */
#include <stdbool.h>
#include <gx/store.h>

/* ---- Measuring ---- */

extern const struct gx_actor scale_system;
extern const char *scale_name; /* of the benchmark; begins every line */

_Noreturn void scale_die(const char *what, const char *why);
void scale_need(gx_ec ec, const char *what);
void scale_must(int err, const char *what);

/* Seconds of wall clock and of CPU time, this process with all its threads. */
struct meter {
	double wall, cpu;
};
struct meter meter_now(void);
/* What has passed since @m. */
struct meter meter_since(struct meter m);
void meter_add(struct meter *sum, struct meter m);
/*
 * A line of JSON: name of the benchmark, @what, time per operation in a unit that suits, then @more: further
 * members by printf, or NULL.
 */
void scale_row(const char *what, struct meter m, double ops, const char *more, ...) GX_PRINTF(4, 5);
/* A line without a time. */
void scale_fact(const char *what, const char *members, ...) GX_PRINTF(2, 3);

/* KiB that are in use now, from where the peak counts anew; and how far above that it went. */
long scale_peak_begin(void);
long scale_peak(long before);
/* Runs it in a process of its own: nothing is cached but by the kernel, memory counts from nothing. */
void scale_apart(void (*fn)(void *ctx), void *ctx);

/* Deterministic: the same numbers in every run. */
unsigned scale_rnd(unsigned n);
void scale_seed(unsigned seed);

/* ---- Mail ---- */

#define SCALE_SMALL 2106U        /* bytes of the plain message that disk use is stated for */
#define SCALE_COMMON "quarterly" /* in every tenth text */
#define SCALE_RARE "xylograph"   /* in every 20,000th */
#define SCALE_THREE "xyl"
#define SCALE_NONE "nobodywrotethis"

/*
 * A message of @size bytes, with headers of usual length and a text of words; number @i of them. Everything lives
 * in the arena.
 */
struct gx_msg_source scale_mail(struct gx_arena *a, unsigned i, size_t size);
/* A size as mail has it, most of them short. */
size_t scale_mail_size(void);
/* 102 KB with a text and an attachment of 75 KB that cannot be compressed. */
struct gx_msg_source scale_mail_attachment(struct gx_arena *a, unsigned i);
struct gx_msg_prepared *scale_prepare(struct gx_arena *a, struct gx_msg_source *src);
/* The object alone, with its text of @size bytes as a value: what a client saves. */
struct gx_msgobj *scale_object(struct gx_arena *a, unsigned i, size_t size);

/* ---- Stores ---- */

enum { SCALE_INDEX = 1, SCALE_NO_INDEX = 0 };
void scale_create(const char *dir);
struct gx_store *scale_open(const char *dir, int index);
struct gx_txn *scale_begin(struct gx_store *s, int mode);
void scale_commit(struct gx_txn *t, int sync);
uint64_t scale_folder(struct gx_store *s, const char *name);
/*
 * Inserts @n messages from number @first on, @batch (at most 1000) a transaction; @size 0 as mail has it; @ret_mids may
 * be NULL. The time is that of the store alone.
 */
struct meter scale_fill(struct gx_store *s, uint64_t fid, unsigned first, unsigned n, unsigned batch, int sync,
	size_t size, uint64_t *ret_mids);
/* Ids in the order of arrival; to be freed. */
uint64_t *scale_mids(struct gx_store *s, uint64_t fid, size_t *ret_n);

/* The large store: @n messages in the Inbox, and folders with a tenth, a hundredth and a thousandth of them. */
enum { SCALE_SIZES = 4 };
struct scale_big {
	char dir[600];
	unsigned count[SCALE_SIZES]; /* ascending */
	uint64_t fid[SCALE_SIZES];
};
/*
 * Finds it under @keep, or builds it there, with its index if that is asked for; @keep NULL: under a temporary
 * directory, for this run. Never changed afterwards: who writes takes a copy.
 */
void scale_big(struct scale_big *b, unsigned n, const char *keep, int index);
/* A copy to write to, without the index; to be removed by scale_remove(). */
void scale_big_copy(const struct scale_big *b, struct scale_big *ret_copy);
/* Ends with it: what was temporary is removed. */
void scale_big_done(struct scale_big *b);

/* A new directory below @parent (NULL: GX_BENCH_DIR or /tmp). */
void scale_tmp(char dir[600], const char *parent);
void scale_remove(const char *dir);
struct scale_disk {
	uint64_t bytes;    /* allocated, directories too */
	uint64_t in_files; /* without them */
	unsigned files;
};
struct scale_disk scale_disk(const char *dir);
/* Its files leave the kernel's cache. */
void scale_uncache(const char *dir);
/* usage: PROGRAM [MESSAGES [DIRECTORY]] */
void scale_args(int argc, char **argv, const char *name, unsigned *io_n, const char **ret_keep);

#endif
