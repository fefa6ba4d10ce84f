/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The address book with 100,000 people: reading the directory, memory, names resolved, rows, searches by ambiguous name and by
 * any restriction. Microseconds a request without transport and coding.
 */
#include <config.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <gx/nsp.h>
#include <gx/oab.h>
#include <gx/proptag.h>
#include <gx/strbuf.h>
#include "libgxstore/directory/dir-int.h"

enum { USERS = 100000, ROUNDS = 2000, SEARCHES = 20 };

static struct gx_nsp *nsp;
static struct gx_stat st = {.code_page = 1252};

static double now(void)
{
	return (double)gx_clock_system()->monotonic_ns(NULL) / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "bench_nsp: %s\n", what);
	exit(1);
}

static int exec(struct gx_dirconn *c, void *ctx)
{
	return c->back->exec(c, ctx);
}

static const char *const first[] = {"Anna", "Bernd", "Clara", "David", "Eva", "Franz", "Greta", "Hans", "Ida", "Jan"};
static const char *const last[] = {"Adler", "Becker", "Conrad", "Decker", "Ebert", "Fischer", "Graf", "Huber", "Imhof", "Jung"};

static void add_users(struct gx_dir *d)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	gx_strbuf_adds(&b, "INSERT INTO users(username, domain_id, group_id, maildir) VALUES");
	for (int i = 0; i < USERS; ++i)
		gx_strbuf_printf(&b, "%s('user%d@example.org',1,0,'')", i == 0 ? "" : ",", i);
	if (b.err != 0 || gx_dir__write(d, exec, b.s) != 0)
		die("users");
	gx_strbuf_clear(&b);
	gx_strbuf_adds(&b, "INSERT INTO user_properties(user_id, proptag, order_id, propval_str) VALUES");
	for (int i = 0; i < USERS; ++i)
		gx_strbuf_printf(&b, "%s(%d,805371935,1,'%s %s %d'),(%d,973471775,1,'%s'),(%d,974192671,1,'%s'),(%d,974716959,1,'Office %d'),"
			"(%d,973602847,1,'+49 30 %06d')", i == 0 ? "" : ",", i + 1, first[i % 10], last[i / 10 % 10], i, i + 1, first[i % 10], i + 1,
			last[i / 10 % 10], i + 1, i % 1000, i + 1, i);
	if (b.err != 0 || gx_dir__write(d, exec, b.s) != 0)
		die("properties");
	gx_strbuf_release(&b);
}

static void ask(uint32_t type, const void *q, void *r, struct gx_arena *a)
{
	if (gx_ec_failed(gx_nsp_do(nsp, "user0@example.org", type, q, a, r)))
		die(gx_mapihttp_exchange(type)->name);
}

static void report(const char *what, double seconds, int n)
{
	printf("%-42s %10.1f us\n", what, seconds * 1e6 / n);
}

static void resolve(struct gx_arena *a, const char *what, const char *form)
{
	static const gx_proptag_t cols[] = {PidTagDisplayName, PidTagSmtpAddress, PidTagEntryId, PidTagDisplayType};
	double t = now();
	for (int i = 0; i < ROUNDS; ++i) {
		struct gx_mh_resolve_names_res r;
		const char *name = gx_arena_printf(a, form, i * 37 % USERS);
		const struct gx_mh_resolve_names_req q = {.state = &st, .has_property_tags = true, .property_tags = cols, .property_tags_count = 4,
			.has_names = true, .name_values = &name, .name_values_count = 1};
		ask(GX_MH_RESOLVE_NAMES, &q, &r, a);
		gx_arena_reset(a);
	}
	report(what, now() - t, ROUNDS);
}

static void rows(struct gx_arena *a)
{
	static const gx_proptag_t cols[] = {PidTagEntryId, PidTagDisplayName, PidTagSmtpAddress, PidTagTitle, PidTagBusinessTelephoneNumber,
		PidTagOfficeLocation, PidTagDepartmentName, PidTagDisplayType, PidTagObjectType};
	struct gx_stat at = st;
	double t = now();
	for (int i = 0; i < ROUNDS; ++i) {
		const struct gx_mh_query_rows_req q = {.state = &at, .row_count = 50, .has_columns = true, .columns = cols, .columns_count = 9};
		struct gx_mh_query_rows_res r;
		ask(GX_MH_QUERY_ROWS, &q, &r, a);
		if (r.rows.count != 50)
			die("rows");
		at = *r.state;
		gx_arena_reset(a);
	}
	report("QueryRows, 50 rows of 9 columns", now() - t, ROUNDS);
}

static void seeks(struct gx_arena *a)
{
	double t = now();
	for (int i = 0; i < ROUNDS; ++i) {
		char name[30];
		snprintf(name, sizeof(name), "%s %s %d", first[i % 10], last[i / 10 % 10], i);
		const struct gx_propval target = {PidTagDisplayName, {.str = name}};
		const struct gx_mh_seek_entries_req q = {.state = &st, .target = &target};
		struct gx_mh_seek_entries_res r;
		ask(GX_MH_SEEK_ENTRIES, &q, &r, a);
		gx_arena_reset(a);
	}
	report("SeekEntries", now() - t, ROUNDS);
}

static void matches(struct gx_arena *a, const char *what, const struct gx_restr *f, uint32_t want)
{
	double t = now();
	for (int i = 0; i < SEARCHES; ++i) {
		const struct gx_mh_get_matches_req q = {.state = &st, .filter = f, .row_count = USERS};
		struct gx_mh_get_matches_res r;
		ask(GX_MH_GET_MATCHES, &q, &r, a);
		if (r.minimal_ids_count != want)
			die(what);
		gx_arena_reset(a);
	}
	report(what, now() - t, SEARCHES);
}

static void offline(struct gx_arena *a, const char *dir)
{
	struct gx_oab_opts o = GX_OAB_OPTS_INIT;
	struct gx_oab *oab;
	const char *path;
	o.nsp = nsp;
	o.dir = gx_arena_printf(a, "%s/oab", dir);
	double t = now();
	if (gx_oab_new(&o, NULL, &oab) != 0 || gx_oab_file(oab, "user0@example.org", "oab.xml", a, &path) != 0)
		die("oab");
	printf("%-42s %10.2f s\n", "offline address book, full details", now() - t);
	gx_oab_free(oab);
}

int main(void)
{
	static const struct gx_restr few = {.type = RES_PROPERTY, .u.prop = {RELOP_EQ, PidTagAnr, {PidTagAnr, {.str = "anna 777"}}}};
	static const struct gx_restr many = {.type = RES_PROPERTY, .u.prop = {RELOP_EQ, PidTagAnr, {PidTagAnr, {.str = "anna"}}}};
	static const struct gx_restr any = {.type = RES_CONTENT, .u.content = {FL_SUBSTRING, FL_IGNORECASE, PidTagOfficeLocation,
		{PidTagOfficeLocation, {.str = "ce 77"}}}};
	char dir[] = "/tmp/gx-bench-nsp-XXXXXX";
	struct gx_dir_opts d = GX_DIR_OPTS_INIT;
	struct gx_nsp_opts o = GX_NSP_OPTS_INIT;
	struct gx_arena *a = gx_arena_new(0);
	const char *why;
	uint32_t id;
	struct gx_mh_update_stat_res r;
	if (mkdtemp(dir) == NULL)
		die("/tmp");
	d.path = gx_arena_printf(a, "%s/people", dir);
	if (gx_dir_create(d.path, a, &why) != 0 || gx_dir_open(&d, &o.dir, a, &why) != 0 ||
	    gx_dir_add_domain(o.dir, "example.org", "", 0, &id) != 0)
		die("directory");
	add_users(o.dir);
	size_t before = mallinfo2().uordblks;
	double t = now();
	if (gx_nsp_new(&o, &nsp) != 0)
		die("address book");
	ask(GX_MH_UPDATE_STAT, &(struct gx_mh_update_stat_req){.state = &st}, &r, a);
	printf("%-42s %10.2f s\n", "reading 100,000 people", now() - t);
	printf("%-42s %10.1f MB\n", "memory", (double)(mallinfo2().uordblks - before) / 1e6);
	struct gx_arena *scratch = gx_arena_new(0);
	resolve(scratch, "ResolveNames, an address", "user%d@example.org");
	resolve(scratch, "ResolveNames, a number that is a name", "anna %d");
	rows(scratch);
	matches(scratch, "GetMatches, two words", &few, 11);
	matches(scratch, "GetMatches, one of ten people", &many, USERS / 10);
	matches(scratch, "GetMatches, part of a text of anybody", &any, 1100);
	st.sort_locale = 0x41d;
	before = mallinfo2().uordblks;
	t = now();
	ask(GX_MH_UPDATE_STAT, &(struct gx_mh_update_stat_req){.state = &st}, &r, a);
	printf("%-42s %10.2f s\n", "an order of its own, Swedish", now() - t);
	printf("%-42s %10.1f MB\n", "memory", (double)(mallinfo2().uordblks - before) / 1e6);
	rows(scratch);
	seeks(scratch);
	offline(a, dir);
	gx_nsp_free(nsp);
	gx_dir_close(o.dir);
	gx_arena_free(scratch);
	(void)!system(gx_arena_printf(a, "rm -rf %s", dir));
	gx_arena_free(a);
	return 0;
}
