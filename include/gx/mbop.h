/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_MBOP_H
#define GX_MBOP_H
/**
 * @file mbop.h
 * Operations on mailboxes for administrators: what gromox-mbop can do, as a library.
 *
 * A command line is parsed as a whole before anything is done, then run on one mailbox or on all
 * that filters select. Everything is done by calls of gx/exmdb.h: at the server that has the store,
 * or in this process when no server of this host answers.
 *
 * Thread class: the table is immutable, a struct gx_mbop_line too after parsing; gx_mbop_run() is
 * confined, its callbacks come one at a time.
 */
#include <gx/directory.h>
#include <gx/exmdb-remote.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- The table of commands ---- */

struct gx_mbop_option {
	char letter;                /**< 0: none */
	const char *name;           /**< the long one, without dashes; NULL: none */
	const char *arg;            /**< what to call its value; NULL: it has none */
	const char *help;
	uint8_t type;               /**< GX_MBOP_* */
	bool required;
};
/* What an option's value or the operands have to be. */
enum {
	GX_MBOP_NONE,
	GX_MBOP_FLAG,
	GX_MBOP_FOLDER,
	GX_MBOP_FOLDER_OR_ALL,
	GX_MBOP_MESSAGE,
	GX_MBOP_AGE,
	GX_MBOP_TIME,
	GX_MBOP_NUMBER,
	GX_MBOP_LOCALE,
	GX_MBOP_USERMAP,
	GX_MBOP_ADDRESS,
	GX_MBOP_COMMAND,
};
#define GX_MBOP_OPTIONS 8
struct gx_mbop_command {
	const char *name;
	const char *help;           /**< one line */
	const char *args;           /**< how operands are written, "" none */
	uint8_t operands;           /**< GX_MBOP_*: what they are */
	unsigned min, max;          /**< how many of them, UINT_MAX any number */
	bool parallel;              /**< foreach -j counts */
	struct gx_mbop_option option[GX_MBOP_OPTIONS + 1]; /**< ended by one without letter and name */
};
/** By number from 0, in alphabetical order; NULL behind the last. Static. */
GX_API const struct gx_mbop_command *gx_mbop_command(size_t i);
/** What filters foreach knows, with what each lets through; NULL behind the last. @p ret_help may be NULL. */
GX_API const char *gx_mbop_filter(size_t i, const char **ret_help);

/* ---- The command line ---- */

struct gx_mbop_line;
/**
 * Commands as they stand behind the global options: "COMMAND ARGS", "( COMMAND ARGS ) ( ... )", foreach with either
 * behind it. Values are checked, files that options name are read. GX_E_INVAL with a text for who typed it, GX_E_NOMEM.
 */
GX_API int gx_mbop_parse(char *const *argv, size_t argc, struct gx_arena *a, struct gx_mbop_line **ret_l,
	const char **ret_why) GX_MUST_CHECK;
/** The command whose help is asked for (-? or --help behind it); NULL: none. */
GX_API const struct gx_mbop_command *gx_mbop_help_wanted(const struct gx_mbop_line *l);
/** Is there something that needs to be told which mailbox? */
GX_API bool gx_mbop_needs_mailbox(const struct gx_mbop_line *l);
/** Does it look into the directory by itself (foreach)? */
GX_API bool gx_mbop_has_foreach(const struct gx_mbop_line *l);

/* ---- Running ---- */

struct gx_mbop_field {
	const char *name;           /**< NULL ends a row */
	const char *text;           /**< NULL: a number */
	uint64_t number;
};
/** What became of one command on one mailbox. Lives until the callback returns. */
struct gx_mbop_result {
	const char *command;
	const char *who;            /**< address, "@domain", or the directory when there is no name */
	const char *dir;            /**< "" when it was not found out */
	bool failed;
	const char *why;            /**< when failed */
	const char *text;           /**< a line or more for people, "" nothing; without newline at the end */
	const struct gx_mbop_field *const *rows; /**< the same for programs */
	size_t nrows;
	bool list;                  /**< rows are a list, else at most one */
	bool has_data;              /**< data, not text, is the answer */
	struct gx_bin data;
	bool binary;
};

struct gx_mbop_opts {
	size_t size;
	const struct gx_log *log;
	struct gx_dir *dir;          /**< borrowed; may be NULL with path and without foreach */
	const char *user;            /**< address, or "@domain" for a public store */
	const char *path;            /**< directory of the store; one of the two */
	bool keep_going;             /**< past a command that failed */
	bool verbose;                /**< commands tell more */
	const char *server;          /**< who is asked for every store; NULL: as the directory says */
	const char *home; /**< who is asked for stores of this host, NULL: nobody, they are opened in this process */
	bool home_plain;             /**< never over TLS */
	unsigned port;               /**< of other hosts, 0 takes 5000 */
	const struct gx_exmdb_transport *transport; /**< to other hosts and to server; NULL: in the clear */
	const char *org_name;        /**< x500_org_name */
	const struct gx_store_opts *store; /**< for stores that are opened in this process; NULL: as they are without configuration */
	/** Called once before stores are opened in this process. 0, or GX_E_* with a text. */
	int (*enter)(const char *dir, struct gx_arena *a, const char **ret_why, void *ctx);
	/** Each command that was run. */
	void (*result)(const struct gx_mbop_result *r, void *ctx);
	/** What is being worked on; may be NULL. */
	void (*progress)(const char *who, const char *what, uint64_t done, uint64_t total, void *ctx);
	/** Everything that the user gives (set-photo); at most GX_MBOP_INPUT_MAX bytes. 0 or GX_E_* with a text. */
	int (*input)(struct gx_arena *a, struct gx_bin *ret_b, const char **ret_why, void *ctx);
	void *ctx;
};
#define GX_MBOP_OPTS_INIT {.size = sizeof(struct gx_mbop_opts)}
#define GX_MBOP_INPUT_MAX (64U << 20)

/**
 * @param ret_failed how many commands failed; they have been told of by result.
 * @return 0, or GX_E_* with a text when it did not come to that: no such user, no directory.
 */
GX_API int gx_mbop_run(const struct gx_mbop_opts *o, const struct gx_mbop_line *l, struct gx_arena *a,
	size_t *ret_failed, const char **ret_why) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
