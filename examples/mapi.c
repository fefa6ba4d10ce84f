/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client of MAPI over HTTP: logs in, lists the newest messages of the inbox, writes one into the drafts, and waits for
 * something to happen for a while.
 *
 *   cc mapi.c $(pkg-config --cflags --libs libgxproto) -o mapi
 *   GX_PASSWORD=secret ./mapi 'https://mail.example.org/mapi/emsmdb/?MailboxId=ann@example.org' ann@example.org "$dn"
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <gx/mapi_client.h>

static struct gx_mapi *conn;
static struct gx_arena *arena;

static void check(gx_ec ec, const char *what)
{
	if (!gx_ec_failed(ec))
		return;
	fprintf(stderr, "%s: %s\n", what, gx_mapi_error(conn)->text);
	exit(EXIT_FAILURE);
}

static void list(struct gx_mapi_obj *store)
{
	static const gx_proptag_t columns[] = {PidTagSubject, PidTagSenderName};
	static const struct gx_sort by_time = {PidTagMessageDeliveryTime, GX_SORT_DESCEND};
	static const struct gx_sortset order = {&by_time, 1, 0, 0};
	struct gx_mapi_obj *inbox, *table;
	struct gx_proplist *rows;
	uint32_t total;
	size_t n;
	check(gx_mapi_open_folder(store, gx_mapi_special_folder(store, GX_MAPI_INBOX), 0, &inbox), "inbox");
	check(gx_mapi_contents(inbox, GX_MAPI_NO_NOTIFICATIONS, &table, &total), "table");
	check(gx_mapi_set_columns(table, columns, 2), "columns");
	check(gx_mapi_sort(table, &order), "order");
	check(gx_mapi_rows(table, 10, arena, &rows, &n), "rows");
	printf("%" PRIu32 " messages\n", total);
	for (size_t i = 0; i < n; ++i)
		printf("%-24s %s\n", gx_proplist_str(&rows[i], PidTagSenderName, ""), gx_proplist_str(&rows[i], PidTagSubject, ""));
	gx_mapi_close(table);
	gx_mapi_close(inbox);
}

static void write_draft(struct gx_mapi_obj *store)
{
	struct gx_msgobj *m = gx_msgobj_new(arena);
	struct gx_proplist *to = gx_msgobj_add_rcpt(m, arena);
	struct gx_mapi_obj *msg;
	uint64_t fid, mid;
	if (gx_proplist_set_str(&m->props, arena, PidTagSubject, "Hello from a program") != 0 ||
	    gx_proplist_set_str(&m->props, arena, PidTagBody, "It was written over MAPI/HTTP.\r\n") != 0 ||
	    gx_proplist_set_i32(to, arena, PidTagRecipientType, 1) != 0 ||
	    gx_proplist_set_str(to, arena, PidTagDisplayName, "Bob") != 0 ||
	    gx_proplist_set_str(to, arena, PidTagAddressType, "SMTP") != 0 ||
	    gx_proplist_set_str(to, arena, PidTagEmailAddress, "bob@example.org") != 0)
		exit(EXIT_FAILURE);
	check(gx_mapi_find_folder(store, "Drafts", &fid), "drafts");
	check(gx_mapi_create_message(store, fid, false, &msg), "new message");
	check(gx_mapi_write_message(msg, m), "write");
	check(gx_mapi_save(msg, false, &mid), "save");
	printf("message 0x%" PRIx64 "\n", mid);
	gx_mapi_close(msg);
}

static void watch(struct gx_mapi_obj *store)
{
	struct gx_mapi_obj *sub;
	struct gx_mapi_event e;
	bool any;
	check(gx_mapi_subscribe(store, GX_MAPI_EV_NEW_MAIL | GX_MAPI_EV_CREATED, 0, 0, &sub), "subscription");
	check(gx_mapi_wait(conn, 1000, &any), "wait");
	while (any) {
		check(gx_mapi_event(conn, arena, &e, &any), "event");
		if (any)
			printf("event %u in folder 0x%" PRIx64 "\n", e.type, e.fid);
	}
	gx_mapi_close(sub);
}

int main(int argc, char **argv)
{
	struct gx_mapi_opts o = GX_MAPI_OPTS_INIT;
	struct gx_mapi_obj *store;
	const char *why, *name;
	if (argc < 4) {
		fprintf(stderr, "usage: %s URL ADDRESS DN [CA-FILE]\n", argv[0]);
		return 2;
	}
	o.url = argv[1];
	o.user = argv[2];
	o.user_dn = argv[3];
	o.ca_file = argv[4];
	o.password = getenv("GX_PASSWORD");
	o.timeout_ms = 10000;
	arena = gx_arena_new(0);
	if (arena == NULL || gx_mapi_new(&o, &conn, &why) != 0) {
		fprintf(stderr, "%s\n", arena == NULL ? "out of memory" : why);
		return EXIT_FAILURE;
	}
	check(gx_mapi_connect(conn, &name), "connect");
	check(gx_mapi_logon(conn, NULL, &store), "log on");
	printf("logged in as %s\n", name);
	list(store);
	write_draft(store);
	watch(store);
	gx_mapi_close(store);
	gx_mapi_free(conn);
	gx_arena_free(arena);
	return EXIT_SUCCESS;
}
