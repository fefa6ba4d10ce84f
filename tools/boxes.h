/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_TOOLS_BOXES_H
#define GX_TOOLS_BOXES_H
/* The mailboxes that a tool is told to work on: by directory, by address, or all of them. */
#include "tools/site.h"

struct box {
	const char *dir;      /* of the store */
	const char *name;     /* for messages: address, domain or the path as given */
	const char *owner;    /* address or domain when the directory was asked, else NULL */
	uint32_t owner_id;    /* its number there, 0 unknown */
};
struct boxes {
	struct box *v;
	size_t n, cap;
};

/* A directory, or the database or cid directory in it. */
int boxes_add_path(struct site *s, struct boxes *b, const char *path);
/* "user@domain", or "@domain" for its public store; asks the directory, which is opened at first need. */
int boxes_add_address(struct site *s, struct boxes *b, const char *address);
/* Every mailbox and every public store that the directory has. */
int boxes_add_all(struct site *s, struct boxes *b);
/* What a command line asks for, in the order in which it is done: paths, each -u, --all. */
struct boxes_wanted {
	char **paths;         /* ended by NULL */
	const char **users;
	size_t nusers;
	bool all;
};
/* One more -u; @address must stay. To be released. */
void boxes_want(struct boxes_wanted *w, const char *address);
bool boxes_want_none(const struct boxes_wanted *w);
int boxes_add_wanted(struct site *s, struct boxes *b, const struct boxes_wanted *w);
void boxes_wanted_release(struct boxes_wanted *w);
/*
 * As root: goes on as the owner of the store, so that files that are made are his; until boxes_leave().
 * 0, or -1 and a complaint.
 */
int boxes_enter(const struct box *b);
void boxes_leave(void);

#endif
