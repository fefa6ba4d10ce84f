/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model URL USER DN CACERT NAME SEED: commands come line by line from stdin; every answer ends with a line ".".
 *
 * setup     the places are there
 * work N    N things at random: "op RESULT KIND PLACE TAG ..."
 * sync      until the copy is what the server has
 * copy      what the copy has: "m PLACE MID TAG VERSION READ FLAGGED ASSOCIATED", "f FID PARENT NAME"
 * truth     the same of a copy made anew, and "t ...", "g ..." of tables, with UIDs
 *
 * "bad TEXT" anywhere is a failure.
 */
#include <config.h>
#include <stdarg.h>
#include <time.h>
#include "tests/model/model.h"

struct model w;

uint32_t rnd(uint32_t n)
{
	w.seed = w.seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(w.seed >> 33) % n;
}

const char *fresh(const char *kind)
{
	static char s[NAME];
	snprintf(s, sizeof(s), "%s%s%u", w.name, kind, ++w.serial);
	return s;
}

void say_op(const char *res, const char *kind, const char *place, const char *tag, const char *fmt, ...)
{
	va_list ap;
	printf("op %s %s %s %s ", res, kind, place, tag);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

void bad(const char *fmt, ...)
{
	va_list ap;
	fputs("bad ", stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

/* Behind a failure: is there a server, and the session? */
static void settle(void)
{
	static const struct timespec pause_between = {0, 20000000};
	static unsigned seen;
	time_t end = time(NULL) + ATTEMPTS_S;
	if (w.broken == seen)
		return;
	seen = w.broken;
	for (;;) {
		gx_ec ec = gx_mapi_ping(w.c);
		if (!gx_ec_failed(ec))
			return;
		if (gx_ec_is(ec, ecEndOfSession) || gx_ec_is(ec, ecLoginFailure) || time(NULL) > end) {
			link_down();
			link_up();
			++w.reconnects;
			return;
		}
		(void)nanosleep(&pause_between, NULL);
	}
}

static void setup(void)
{
	static const char *const names[PLACES] = {"Inbox", "Alpha", "Beta"};
	bool done = false;
	while (!done) {
		struct gx_mapi_folder_new n = GX_MAPI_FOLDER_NEW_INIT;
		struct gx_mapi_obj *top = open_folder(gx_mapi_special_folder(w.store, GX_MAPI_IPMSUBTREE));
		gx_ec ec = GX_EC(ecSuccess);
		n.open_existing = true;
		for (unsigned i = 0; i < PLACES && top != NULL && !gx_ec_failed(ec); ++i) {
			snprintf(w.p[i].name, sizeof(w.p[i].name), "%s", n.name = names[i]);
			if (i == 0)
				w.p[i].fid = gx_mapi_special_folder(w.store, GX_MAPI_INBOX);
			else
				ec = gx_mapi_create_folder(top, &n, NULL, &w.p[i].fid);
		}
		done = top != NULL && !gx_ec_failed(ec);
		if (!done)
			(void)verdict(ec);
		gx_mapi_close(top);
		settle();
	}
}

static void work(unsigned n)
{
	while (n-- > 0) {
		struct place *p = &w.p[rnd(PLACES)];
		uint32_t what = rnd(100);
		if (what < 45)
			work_online(p);
		else if (what < 68)
			work_local(p);
		else if (what < 78)
			work_dirs();
		else if (what < 84)
			(void)sync_tree(rnd(3) == 0 ? rnd(4) : UINT32_MAX);
		else if (sync_up((unsigned)(p - w.p)))
			(void)sync_down(p, rnd(3) == 0 ? rnd(12) : UINT32_MAX);
		settle();
		fflush(stdout);
		gx_arena_reset(w.a);
	}
}

static void sync_all(void)
{
	for (unsigned i = 0; i < PLACES;) {
		bool ok = sync_up(i);
		settle();
		i += ok;
	}
	for (unsigned i = 0; i < PLACES;) {
		bool ok = sync_down(&w.p[i], UINT32_MAX);
		settle();
		i += ok;
	}
	for (bool ok = false; !ok;) {
		ok = sync_tree(UINT32_MAX);
		settle();
	}
}

static void truth(void)
{
	bool ok = false;
	forget_all();
	sync_all();
	while (!ok) {
		puts("again");
		print_copy();
		ok = print_tables();
		settle();
	}
}

static void obey(char *line)
{
	char *arg = strchr(line, ' ');
	line[strcspn(line, " \n")] = 0;
	if (strcmp(line, "setup") == 0)
		setup();
	else if (strcmp(line, "work") == 0)
		work((unsigned)strtoul(arg == NULL ? "1" : arg + 1, NULL, 10));
	else if (strcmp(line, "sync") == 0)
		sync_all();
	else if (strcmp(line, "copy") == 0)
		print_copy();
	else if (strcmp(line, "truth") == 0)
		truth();
	else
		bad("no such command: %s", line);
	printf("told %u reconnects %u broken %u\n.\n", w.told, w.reconnects, w.broken);
	fflush(stdout);
	gx_arena_reset(w.a);
}

int main(int argc, char **argv)
{
	char line[200];
	if (argc != 7) {
		fprintf(stderr, "usage: model URL USER DN CACERT NAME SEED\n");
		return 2;
	}
	w.o = (struct gx_mapi_opts)GX_MAPI_OPTS_INIT;
	w.o.url = argv[1];
	w.o.user = argv[2];
	w.o.password = getenv("GX_PASSWORD");
	w.o.user_dn = argv[3];
	w.o.ca_file = argv[4];
	w.name = argv[5];
	w.seed = strtoull(argv[6], NULL, 10);
	setvbuf(stdout, NULL, _IOLBF, 0);
	w.a = gx_arena_new(0);
	if (w.a == NULL || gx_guid_random(&w.space) != 0)
		return 2;
	forget_all();
	link_up();
	while (fgets(line, sizeof(line), stdin) != NULL)
		obey(line);
	forget_all();
	link_down();
	gx_arena_free(w.a);
	return 0;
}
