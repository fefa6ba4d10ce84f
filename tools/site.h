/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_TOOLS_SITE_H
#define GX_TOOLS_SITE_H
/*
 * The installation a tool works on: its configuration, its directory, its data. Messages go to
 * stderr with the program's name in front.
 */
#include <gx/conf.h>
#include <gx/directory.h>
#include <gx/store.h>

/* Exit codes, the same for all tools. */
enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct site {
	struct gx_log log;
	struct gx_arena *arena;
	struct gx_conf *conf;
	struct gx_dir_opts where; /* the directory is */
	struct gx_dir *dir;    /* after site_directory() */
};

void complain(const char *fmt, ...) GX_PRINTF(1, 2);
/* From here on the program ends with @code when something that it printed could not be written. */
void output_must_arrive(int code);
/* Reads the file, or the default ones that are there. 0 or an exit code; says why. */
int site_open(struct site *s, const char *config);
/* The same for a tool in which the option is not called -c. */
int site_open_named(struct site *s, const char *config, const char *option);
void site_close(struct site *s);
/* Opens the directory. */
int site_directory(struct site *s);
/* DATA/KIND/... : user/DOMAIN/LOCAL or domain/DOMAIN, lower case; NULL out of memory. */
const char *site_user_path(struct site *s, const char *address);
const char *site_domain_path(struct site *s, const char *domain);
/* Stores are worked on where they live: 0, or EXIT_FAILED and a complaint that @who lives elsewhere. */
int site_must_be_home(struct site *s, const char *who, uint32_t homeserver);
/*
 * As root: makes the data directory if it is missing and goes on as its owner, so that services
 * can use what is made from here on.
 */
int site_become_owner(struct site *s);

/* As the directives of stores say; the rest of @o stays. 0 or an exit code. */
int site_store_opts(struct site *s, struct gx_store_opts *o);

struct store_names;
struct new_store {
	const char *path, *owner;
	const char *lang;                /* NULL or "": user_default_lang, for users */
	uint32_t id;                     /* of the owner in the directory */
	bool public_store, overwrite;
	unsigned schema_version;         /* 0 the newest */
	const struct store_names *names; /* NULL: the built-in ones */
};
int site_make_store(struct site *s, const struct new_store *n);

/* After getopt said '?': the help when "-?" asked for it, else the same text as an error. @return exit code. */
int usage_exit(const char *usage, char *const *argv, int at);
/* Prints "program (gx) version". */
void print_version(const char *program);

#endif
