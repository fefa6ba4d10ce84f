/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the LMTP and SMTP engine. */
#ifndef GX_SMTP_INT_H
#define GX_SMTP_INT_H
#include <pthread.h>
#include <gx/arena.h>
#include <gx/smtp.h>

/* What the engine needs from its surroundings; tests and the fuzzer have their own. */
struct gx_smtp_backend {
	/** May block. @p size as declared, or 0. Results as gx_delivery_check_rcpt(). */
	int (*check)(const struct gx_smtp_server *v, const char *address, uint64_t size, struct gx_arena *a);
	int (*submit)(const struct gx_smtp_server *v, const struct gx_envelope *env, struct gx_bin data, gx_journal_cb cb, void *ctx);
	bool (*reserve)(const struct gx_smtp_server *v, uint64_t n);
	void (*unreserve)(const struct gx_smtp_server *v, uint64_t n);
	/** A new file without a name, or -1. May block. */
	int (*spool)(const struct gx_smtp_server *v);
};

/** Messages above it leave the memory for a file. */
#define GX_SMTP_SPOOL_ABOVE (1u << 20)
#define GX_SMTP_MAX_LINE 4096u
#define GX_SMTP_MAX_ADDRESS 1024u
#define GX_SMTP_MAX_ERRORS 20u

/*
 * One message on its way in. While the journal has it, it belongs to the journal's callback as
 * well as to the engine, so that a connection may end without waiting.
 */
struct gx_smtp_txn {
	pthread_mutex_t mu;
	int refs;
	struct gx_io *io;            /* to be woken; NULL when the connection is gone */
	bool done;
	int result;                  /* once done */

	const struct gx_smtp_backend *be;
	const struct gx_smtp_server *srv;
	struct gx_arena *a;
	struct gx_envelope env;
	const char **rcpts;
	size_t rcpt_cap;
	uint64_t declared;           /* by SIZE, or 0 */
	uint64_t limit;              /* of bytes */
	uint64_t got;                /* bytes of the message */
	uint8_t *buf;
	size_t len, cap;
	int fd;                      /* file when larger */
	void *map;
	size_t map_len;
	int err;                     /* why it cannot be taken; its bytes are dropped */
};

/* txn.c */
struct gx_smtp_txn *gx_smtp_txn__new(const struct gx_smtp_backend *be, const struct gx_smtp_server *srv);
/** Gives up the engine's share. Accepts NULL. */
void gx_smtp_txn__drop(struct gx_smtp_txn *t);
int gx_smtp_txn__add_rcpt(struct gx_smtp_txn *t, const char *address) GX_MUST_CHECK;
/** Would adding n bytes need a file, and so a thread that may block? */
bool gx_smtp_txn__blocks(const struct gx_smtp_txn *t, uint64_t n);
/** Adds to the message; failures are kept in err. */
void gx_smtp_txn__append(struct gx_smtp_txn *t, const void *p, size_t n);
/** To the journal. 0: io is woken when done is set. */
int gx_smtp_txn__submit(struct gx_smtp_txn *t, struct gx_io *io) GX_MUST_CHECK;
/** @return whether the journal has answered. */
bool gx_smtp_txn__answered(struct gx_smtp_txn *t, int *ret_result);

enum gx_smtp_state {
	SMTP_GREETING, SMTP_COMMAND, SMTP_LONG_LINE, SMTP_DATA, SMTP_BDAT, SMTP_WAIT, SMTP_TLS, SMTP_CLOSE
};

struct gx_smtp {
	const struct gx_smtp_server *srv;
	const struct gx_smtp_backend *be;
	enum gx_smtp_state state;
	bool hello, esmtp, lmtp;     /* which greeting came */
	bool may_block;              /* this call runs on a worker */
	bool mailed;                 /* MAIL was accepted */
	bool line_start;             /* DATA: the next byte begins a line after CRLF */
	uint8_t tail[2];             /* DATA: the two bytes before it */
	bool smuggled;               /* DATA: a dot alone between line ends that are not both CRLF */
	bool bdat_last, bdat_seen, bdat_ignored;
	uint64_t bdat_left, bdat_size;
	unsigned errors;
	char helo[256];
	struct gx_smtp_txn *txn;
};

/* engine.c */
struct gx_smtp *gx_smtp__new(const struct gx_smtp_server *srv, const struct gx_smtp_backend *be);
extern const struct gx_engine_ops gx_smtp__ops;
void gx_smtp__reply(struct gx_io *io, const char *text);
void gx_smtp__replyf(struct gx_io *io, const char *fmt, ...) GX_PRINTF(2, 3);
/** A reply that counts as an error of the client. */
void gx_smtp__refuse(struct gx_smtp *s, struct gx_io *io, const char *text);
void gx_smtp__reset(struct gx_smtp *s);

/* Steps return one of enum gx_want or this: */
#define SMTP_GO_ON (-1)

/* commands.c */
int gx_smtp__command(struct gx_smtp *s, struct gx_io *io, char *line);
/* mail.c: line is what follows the verb */
int gx_smtp__mail(struct gx_smtp *s, struct gx_io *io, char *arg);
int gx_smtp__rcpt(struct gx_smtp *s, struct gx_io *io, char *arg);
/* data.c */
int gx_smtp__data(struct gx_smtp *s, struct gx_io *io, char *arg);
int gx_smtp__bdat(struct gx_smtp *s, struct gx_io *io, char *arg);
int gx_smtp__read_data(struct gx_smtp *s, struct gx_io *io);
int gx_smtp__read_bdat(struct gx_smtp *s, struct gx_io *io);
int gx_smtp__await_journal(struct gx_smtp *s, struct gx_io *io);

/* path.c */
enum { SMTP_PATH_UTF8 = 1, SMTP_PATH_NULL = 2, SMTP_PATH_BARE_LOCAL = 4 };
/** 0; GX_E_FORMAT; GX_E_ENCODING for 8-bit without SMTPUTF8 or bad UTF-8; GX_E_LIMIT too long; GX_E_NOMEM. */
int gx_smtp__path(struct gx_arena *a, char *s, unsigned flags, const char **ret_addr, char **ret_rest) GX_MUST_CHECK;
bool gx_smtp__utf8_ok(const char *s);

#endif
