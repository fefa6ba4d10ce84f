/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to the address book as MAPI/HTTP carries them: the first byte chooses the type, the rest is its body. What decodes
 * is done on a book of a few people, and its answer is encoded. Dialog templates and offline books are read from the same bytes.
 */
#include <config.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <gx/abktjson.h>
#include <gx/oab.h>
#include <gx/proptag.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char file[] = "/tmp/gx-fuzz-nsp-XXXXXX";
static struct gx_dir *people;
static struct gx_nsp *nsp;

static void end(void)
{
	gx_nsp_free(nsp);
	gx_dir_close(people);
	unlink(file);
}

static void add(const char *name, const char *display)
{
	struct gx_user_new n = GX_USER_NEW_INIT;
	uint32_t id;
	n.username = name;
	n.display_name = display;
	int err = gx_dir_add_user(people, &n, &id);
	assert(err == 0);
	(void)err;
}

static void begin(void)
{
	struct gx_dir_opts d = GX_DIR_OPTS_INIT;
	struct gx_nsp_opts o = GX_NSP_OPTS_INIT;
	struct gx_arena *a = gx_arena_new(0);
	const char *why;
	uint32_t id;
	if (nsp != NULL) {
		gx_arena_free(a);
		return;
	}
	int fd = mkstemp(file);
	assert(fd >= 0);
	close(fd);
	d.path = file;
	int err = gx_dir_create(file, a, &why);
	err = err != 0 ? err : gx_dir_open(&d, &people, a, &why);
	err = err != 0 ? err : gx_dir_add_domain(people, "example.org", "", 0, &id);
	assert(err == 0);
	add("ann@example.org", "Ann Example");
	add("bob@example.org", "Bob \xc3\x84lpler");
	err = gx_dir_add_list(people, "all@example.org", GX_LIST_DOMAIN, 0, "All");
	o.dir = people;
	err = err != 0 ? err : gx_nsp_new(&o, &nsp);
	assert(err == 0);
	atexit(end);
	gx_arena_free(a);
}

static void request(struct gx_arena *a, uint32_t type, const uint8_t *data, size_t size)
{
	const struct gx_exchange_desc *d = gx_mapihttp_exchange(type);
	const struct gx_dctx x = {.px = GX_PX_AB(a, 1252)};
	void *q = gx_arena_alloc(a, d->req->size), *r = gx_arena_alloc(a, d->res->size);
	struct gx_bin out;
	if (gx_desc_decode(&x, d->req, data, size, q) != 0)
		return;
	(void)!gx_nsp_do(nsp, "ann@example.org", type, q, a, r).v;
	int err = gx_desc_encode(&x, d->res, r, &out);
	assert(err == 0 || err == GX_E_NOMEM);
	(void)err;
}

static void template(struct gx_arena *a, const uint8_t *data, size_t size)
{
	struct gx_abkt t, u;
	struct gx_strbuf b = GX_STRBUF_INIT;
	struct gx_push out = GX_PUSH_INIT;
	const char *why;
	if (gx_abkt_read(a, data, size, 0, &t) == 0) {
		gx_abkt_to_json(&t, &b);
		int err = b.err != 0 ? 0 : gx_abkt_from_json(a, gx_strbuf_cstr(&b), b.len, &u, &why);
		assert(err == 0);
		(void)err;
	}
	(void)!gx_abkt_from_json(a, (const char *)data, size, &t, &why);
	(void)!gx_oab_decompress(&out, data, size, 1 << 20);
	gx_push_release(&out);
	gx_strbuf_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	begin();
	struct gx_arena *a = gx_arena_new(64 << 20);
	uint32_t type = GX_MH_BIND + data[0] % (GX_MH_TYPES - GX_MH_BIND + 1);
	if (type < GX_MH_TYPES)
		request(a, type, data + 1, size - 1);
	else
		template(a, data + 1, size - 1);
	gx_arena_free(a);
	return 0;
}
