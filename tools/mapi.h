/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_TOOLS_MAPI_H
#define GX_TOOLS_MAPI_H
/* gromox-mapi: what its commands share. */
#include <gx/mapi_client.h>
#include "tools/site.h"

/* Beside those of all tools. */
enum { EXIT_LOGIN = 3, EXIT_UNREACHABLE = 4, EXIT_NOTHING = 5, EXIT_CANCELED = 130 };

struct tool {
	struct gx_mapi *c;
	struct gx_mapi_obj *store;
	struct gx_arena *a;
	const char *user, *folder;
	uint32_t timeout_ms;
	bool json, read, hex, recursive, hard;
	const char *set, *remove;      /* permissions */
	struct gx_mapi *other;         /* cp to another mailbox: its connection and store, NULL */
	struct gx_mapi_obj *other_store;
	int argc;              /* arguments behind the command */
	char **argv;
};

/* Says what the client knows of the failure. @return exit code. */
int mapi_failed(struct tool *t, gx_ec ec, const char *what);

/* The same of another connection. */
int mapi_failed_at(struct tool *t, struct gx_mapi *c, gx_ec ec, const char *what);

int mapi_ls(struct tool *t);
int mapi_cat(struct tool *t);
int mapi_put(struct tool *t);
int mapi_resolve(struct tool *t);
int mapi_sync(struct tool *t);
int mapi_watch(struct tool *t);
int mapi_rop(struct tool *t);
int mapi_rules(struct tool *t);
int mapi_permissions(struct tool *t);
int mapi_mkdir(struct tool *t);
int mapi_rm(struct tool *t);
int mapi_mv(struct tool *t);
int mapi_cp(struct tool *t);

/* One value; a list of them as an object, with names where there are. */
void mapi_json_value(uint16_t type, const union gx_value *v);
void mapi_json_list(const struct gx_proplist *l);
void mapi_json_message(const struct gx_msgobj *m);

/* "FOLDER/0xID". Complains. */
int mapi_message_id(struct tool *t, const char *arg, uint64_t *ret_fid, uint64_t *ret_mid);
/* A message as internet mail; @ret_mail is in @a. */
int mapi_to_mail(struct gx_arena *a, const struct gx_msgobj *m, struct gx_bin *ret_mail);
/* Mail as a message without slices. */
int mapi_from_mail(struct gx_arena *a, struct gx_bin mail, struct gx_msgobj **ret_m);
/* Why it is none, NULL: it may be. */
const char *mapi_not_mail(struct gx_bin mail);
/* What a message has beside what mail can say (categories, flags for follow-up ...) comes into @p io_m, which is to replace it. */
gx_ec mapi_keep_rest(struct tool *t, struct gx_arena *a, uint64_t fid, uint64_t mid, struct gx_msgobj *io_m);
/* All of a file, "-": stdin. Complains. */
int mapi_read_file(struct gx_arena *a, const char *path, struct gx_bin *ret_data);
#define MAPI_FILE_MAX (256U << 20)

#endif
