/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the journal.
 *
 * Files in the directory: segNNNNNNNN (segments), control (how far records are durable; a reader
 * in another process watches it), writer.lock, reader.lock, failed/.
 *
 * A segment is: one block with a header; the done map, one byte a record, written without a
 * flush when a record is finished; the records. Each flush begins on a block of its own, so
 * that no block that holds acknowledged bytes is written again. A header carries a random
 * stamp that its records repeat: records of an earlier use of the file are thus not seen.
 * Segments are filled with zeros when made and reused when all their records are done, so that
 * a flush writes data blocks only and no file system metadata.
 */
#ifndef GX_JOURNAL_INT_H
#define GX_JOURNAL_INT_H
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <gx/arena.h>
#include <gx/cursor.h>
#include <gx/delivery.h>

#define GX_JBLOCK 4096u
#define GX_JREC_HEADER 64u
#define GX_JOURNAL_MAX_RCPTS 100000u

/** System calls that tests make fail. */
struct gx_jio {
	ssize_t (*pwritev)(int fd, const struct iovec *iov, int n, off_t off);
	int (*fdatasync)(int fd);
};
extern const struct gx_jio gx_jio__system;

struct gx_jseg {
	struct gx_jseg *next;
	const struct gx_jio *io;
	int fd;
	uint32_t num;
	uint64_t size, stamp;
	uint32_t map_len;
	uint64_t data_off;
	uint64_t write_off;      /* writer: next flush goes here; follower: next record is looked for here */
	uint32_t count, released; /* records in it; those finished */
	uint64_t charge;         /* of all records in it */
	bool dedicated;          /* made for one large record */
	bool poisoned;           /* a write or flush failed: never used again */
	bool prepared;           /* fresh stamp and empty map on disk */
};

/** One durable record that is not finished. */
struct gx_jrec {
	struct gx_jrec *next;
	struct gx_jseg *seg;
	uint64_t seq, off;       /* off: of its header in the segment */
	uint64_t data_len;
	uint32_t env_len, index, body_crc;
	uint8_t id[16];
};

/** Header of a record as read. */
struct gx_jhead {
	uint64_t stamp, seq, data_len;
	uint32_t env_len, index, body_crc;
	uint8_t id[16];
};

/* record.c */
void gx_jrec__put_head(const struct gx_jhead *h, uint8_t out[GX_JREC_HEADER]);
bool gx_jrec__get_head(const uint8_t in[GX_JREC_HEADER], struct gx_jhead *ret_h);
void gx_jrec__make_id(uint64_t uuid, uint64_t seq, uint8_t out[16]);
/** Appends. */
void gx_jrec__put_env(struct gx_push *p, const struct gx_envelope *env);
int gx_jrec__get_env(struct gx_arena *a, struct gx_bin bytes, struct gx_envelope *ret_env) GX_MUST_CHECK;
static inline uint64_t gx_jrec__space(uint64_t env_len, uint64_t data_len)
{
	return (GX_JREC_HEADER + env_len + data_len + 7) & ~UINT64_C(7);
}

/** What it counts against max_bytes: its bytes, and what it costs in memory and marks. */
static inline uint64_t gx_jrec__charge(uint64_t env_len, uint64_t data_len)
{
	return gx_jrec__space(env_len, data_len) + 2048;
}

/* segment.c */
static inline uint64_t gx_jseg__align(uint64_t off)
{
	return (off + GX_JBLOCK - 1) & ~(uint64_t)(GX_JBLOCK - 1);
}
int gx_jseg__create(const char *dir, uint32_t num, uint64_t size, bool dedicated, const struct gx_jio *io, struct gx_jseg **ret_s) GX_MUST_CHECK;
/** GX_E_FORMAT: no valid header, prepared is false and it holds nothing. */
int gx_jseg__open(const char *dir, uint32_t num, const struct gx_jio *io, struct gx_jseg **ret_s) GX_MUST_CHECK;
/** Makes it empty, durably. */
int gx_jseg__prepare(struct gx_jseg *s) GX_MUST_CHECK;
/** Room for records in a normal segment. */
static inline uint64_t gx_jseg__capacity(const struct gx_jseg *s)
{
	return s->size - s->data_off;
}
int gx_jseg__write(struct gx_jseg *s, struct iovec *iov, int n, uint64_t off) GX_MUST_CHECK;
int gx_jseg__sync(struct gx_jseg *s) GX_MUST_CHECK;
/** Notes in the file that record @p index is finished. */
void gx_jseg__mark_done(struct gx_jseg *s, uint32_t index);
/** The done map; @p ret_map has map_len bytes, free() it. */
int gx_jseg__read_map(const struct gx_jseg *s, uint8_t **ret_map) GX_MUST_CHECK;
/** How many of the first count records are done. */
int gx_jseg__count_done(const struct gx_jseg *s, uint32_t *ret_n) GX_MUST_CHECK;
int gx_jseg__read(const struct gx_jseg *s, void *buf, size_t n, uint64_t off) GX_MUST_CHECK;
/** Closes; with @p dir removes the file too. */
void gx_jseg__free(struct gx_jseg *s, const char *dir);
struct gx_jscan {
	bool recover;            /* look behind damage and check bodies */
	uint64_t max_seq;        /* stop at later records; 0 none */
	void (*record)(struct gx_jseg *s, const struct gx_jhead *h, uint64_t off, bool done, void *ctx);
	void (*damaged)(struct gx_jseg *s, uint64_t off, uint64_t len, void *ctx);
	void *ctx;
};
/** From write_off on; moves it and count. */
int gx_jseg__scan(struct gx_jseg *s, const struct gx_jscan *sc) GX_MUST_CHECK;

/* One who waits for the flush. */
struct gx_jsub {
	struct gx_jsub *next;
	struct gx_jrec *rec;
	uint8_t *head;           /* header and envelope, one block */
	struct gx_bin data;
	gx_journal_cb cb;
	void *ctx;
	bool has_id;             /* the record keeps the id it has */
};

struct gx_journal {
	char *dir;
	const struct gx_log *log;
	const struct gx_jio *io;
	uint64_t segment_bytes, max_bytes, max_inflight;
	bool external;           /* another process finishes the records */
	bool follow;             /* another process writes them */
	int writer_lock, reader_lock, control_fd, stop_pipe[2];
	pthread_t thread;
	bool thread_runs;

	_Atomic uint64_t inflight;

	pthread_mutex_t mu;
	pthread_cond_t cond;
	bool stop, want_reap;
	struct gx_jsub *queue, **queue_tail;
	struct gx_jrec *ready, **ready_tail;
	void (*ready_cb)(void *ctx);
	bool telling;            /* it runs */
	pthread_cond_t told;
	void *ready_ctx;
	struct gx_jseg *cur;     /* writer thread only */
	struct gx_jseg *used;    /* those with unfinished records, cur among them */
	struct gx_jseg *spare;   /* empty ones */
	unsigned spares;
	uint32_t next_num;
	uint64_t unfinished;     /* charge of records not released */
	uint64_t seg_total;      /* bytes of all segments */
	uint64_t flushes;
	uint64_t uuid, next_seq;
	char *held;              /* journal_holds.c: lines; NULL: none */
	struct stat held_stat;   /* of the file they came from */
};

/* journal.c */
int gx_journal__open_io(const struct gx_journal_opts *o, const struct gx_jio *io, struct gx_journal **ret_j, struct gx_arena *a, const char **ret_why) GX_MUST_CHECK;
/** Reads what another process writes. */
int gx_journal__follow(const char *dir, const struct gx_log *log, struct gx_journal **ret_j, struct gx_arena *a, const char **ret_why) GX_MUST_CHECK;
/** Becomes the one consumer; GX_E_BUSY when there is another. @p ready runs on the journal's thread. */
int gx_journal__attach(struct gx_journal *j, void (*ready)(void *ctx), void *ctx) GX_MUST_CHECK;
/** After it, ready is not running and will not run. What was taken and not released comes back with the next start. */
void gx_journal__detach(struct gx_journal *j);
/** The next durable record in order, or NULL. The caller has it until release. */
struct gx_jrec *gx_journal__next(struct gx_journal *j);
int gx_journal__load_env(const struct gx_jrec *r, struct gx_arena *a, struct gx_envelope *ret_env) GX_MUST_CHECK;
/** Checks the sum: GX_E_FORMAT. */
int gx_journal__load_data(const struct gx_jrec *r, struct gx_arena *a, struct gx_bin *ret_data) GX_MUST_CHECK;
/** Finished for good; frees @p r. */
void gx_journal__release(struct gx_journal *j, struct gx_jrec *r);
/**
 * Writes a record that waits for long anew, with its id, so that the segment it lies in can be
 * used again: then release the old one.
 */
int gx_journal__resubmit(struct gx_journal *j, const uint8_t id[16], const struct gx_envelope *env, struct gx_bin data,
	gx_journal_cb cb, void *ctx) GX_MUST_CHECK;
/** Is it worth doing so? */
bool gx_journal__pins(struct gx_journal *j, const struct gx_jrec *r);
/** Are segments running short, so that finished records should be released soon? */
bool gx_journal__pressed(struct gx_journal *j);
const char *gx_journal__dir(const struct gx_journal *j);
uint64_t gx_journal__flushes(struct gx_journal *j);
/** Room for messages on their way in, over all connections. */
bool gx_journal__reserve(struct gx_journal *j, uint64_t n);
void gx_journal__unreserve(struct gx_journal *j, uint64_t n);

/* journal_holds.c */
/** For whom no mail is to be taken: lines "server NUMBER" and "store DIRECTORY". */
void gx_journal__set_held(struct gx_journal *j, const char *text);
/** Is there anybody? For the side that receives; with another process that delivers, reads anew what that says. */
bool gx_journal__any_held(struct gx_journal *j);
/** As it was when that was asked last. */
bool gx_journal__holds(struct gx_journal *j, uint32_t server, const char *maildir);

/* journal_dir.c */
int gx_journal__lock_file(const char *dir, const char *name, int *ret_fd) GX_MUST_CHECK;
/** Numbers of the segment files, ascending; free() them. */
int gx_journal__list(const char *dir, uint32_t **ret_v, size_t *ret_n) GX_MUST_CHECK;
int gx_journal__recover(struct gx_journal *j) GX_MUST_CHECK;
void gx_journal__set_durable(struct gx_journal *j, uint64_t seq);
uint64_t gx_journal__get_durable(struct gx_journal *j);
/** A record to the list of those to be delivered, by sequence; lock held. */
void gx_journal__add_ready(struct gx_journal *j, struct gx_jrec *r);
/** What is left of a segment whose records are all done; lock held, s out of all lists. */
void gx_journal__retire(struct gx_journal *j, struct gx_jseg *s);
struct gx_jrec *gx_jrec__new(struct gx_jseg *s, const struct gx_jhead *h, uint64_t off);

int gx_journal__add_segment(struct gx_journal *j, struct gx_jseg *s, const struct gx_jscan *sc) GX_MUST_CHECK;

/* journal_writer.c, journal_follow.c: threads */
/** There are new records to be taken. */
void gx_journal__tell_ready(struct gx_journal *j);
void *gx_journal__writer(void *j);
void *gx_journal__follower(void *j);

#endif
