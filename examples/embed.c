/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Embedding the store: makes a mailbox in a directory, a folder in it, a message in the folder,
 * and reads everything back.
 *
 *   cc embed.c $(pkg-config --cflags --libs libgxstore) -o embed && ./embed /tmp/mailbox
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <gx/store.h>

static struct gx_arena *arena;

static void check(int err, const char *what, const char *why)
{
	if (err >= 0)
		return;
	fprintf(stderr, "%s: %s\n", what, why != NULL ? why : gx_strerror(err));
	exit(EXIT_FAILURE);
}

static void check_ec(gx_ec ec, const char *what)
{
	if (gx_ec_failed(ec))
		check(GX_E_INTERNAL, what, gx_ec_text(ec));
}

static uint64_t add_message(struct gx_txn *txn, uint64_t folder)
{
	struct gx_msgobj *msg = gx_msgobj_new(arena);
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	struct gx_msg_insert_opts opts = GX_MSG_INSERT_OPTS_INIT;
	struct gx_msg_prepared *prepared;
	struct gx_msg_ids ids;
	check(gx_proplist_set_str(&msg->props, arena, PidTagMessageClass, "IPM.Note"), "class", NULL);
	check(gx_proplist_set_str(&msg->props, arena, PidTagSubject, "Hello from a program"), "subject", NULL);
	check(gx_proplist_set_str(&msg->props, arena, PidTagBody, "No server was involved.\r\n"), "body", NULL);
	src.obj = msg;
	check(gx_msg_prepare(arena, &src, &prepared), "prepare", NULL);
	check_ec(gx_msg_insert(txn, folder, prepared, &opts, &ids), "insert");
	gx_msg_prepared_release(prepared);
	return ids.mid;
}

int main(int argc, char **argv)
{
	struct gx_store_create_opts create = GX_STORE_CREATE_OPTS_INIT;
	struct gx_store_opts opts = GX_STORE_OPTS_INIT;
	struct gx_actor me = GX_ACTOR_SYSTEM;
	struct gx_store *store;
	struct gx_txn *txn;
	struct gx_folder_info *folders;
	struct gx_proplist props;
	const gx_proptag_t want[] = {PidTagSubject, PidTagBody};
	const char *why = NULL;
	uint64_t folder, mid;
	size_t n;

	if (argc != 2) {
		fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
		return 2;
	}
	arena = gx_arena_new(0);
	create.owner = "me@example.org";
	create.owner_id = 1;
	check(gx_store_create(argv[1], &create, arena, &why), argv[1], why);
	check(gx_store_open(argv[1], &opts, &store, arena, &why), argv[1], why);

	check(gx_txn_begin(store, &me, GX_TXN_WRITE, 1000, &txn), "begin", NULL);
	check_ec(gx_folder_create(txn, GX_FID_IPMSUBTREE, "Projects", "IPF.Note", GX_FOLDER_GENERIC, NULL, &folder), "folder");
	mid = add_message(txn, folder);
	check(gx_txn_commit(txn, GX_SYNC_NOW), "commit", NULL);

	check(gx_txn_begin(store, &me, GX_TXN_READ, 1000, &txn), "begin", NULL);
	check_ec(gx_folder_list(txn, GX_FID_IPMSUBTREE, true, arena, &folders, &n), "list");
	for (size_t i = 0; i < n; ++i)
		printf("%-24s %" PRIu64 " messages\n", folders[i].name, folders[i].total);
	check_ec(gx_msg_get_props(txn, mid, want, 2, arena, &props), "read");
	printf("%s\n%s", gx_proplist_str(&props, PidTagSubject, ""), gx_proplist_str(&props, PidTagBody, ""));
	gx_txn_abort(txn);

	gx_store_close(store);
	gx_arena_free(arena);
	return 0;
}
