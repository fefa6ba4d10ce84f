/* SPDX-License-Identifier: Apache-2.0 */
/* Versions of offline address books: when there is a new one, what it takes from the last to the next, and who is given which. */
#include <config.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <gnutls/crypto.h>
#include <gx/httpmod.h>
#include "libgxproto/nsp/template.h"
#include "libgxproto/oab/oab-int.h"

enum { CACHE_MS = 300000, KEEP = 20 };

/* ---- Small things ---- */

static void hex(const uint8_t *p, size_t n, char *out)
{
	for (size_t i = 0; i < n; ++i)
		snprintf(out + 2 * i, 3, "%02x", p[i]);
}

static int hash(gnutls_digest_algorithm_t how, const void *p, size_t len, char *out)
{
	uint8_t b[64];
	if (gnutls_hash_fast(how, p, len, b) != 0)
		return GX_E_INTERNAL;
	hex(b, gnutls_hash_get_len(how), out);
	return 0;
}

/* ---- A new version ---- */

struct work {
	struct gx_oab *o;
	struct oab_set *s;
	struct gx_arena *a;
	struct gx_push plain, old, packed;
	size_t people;
	uint32_t next;        /* sequence of what is made */
	char hash[OAB_HASH];
};

static void name_item(const struct work *w, struct oab_item *it)
{
	static const char *const names[OAB_KINDS] = {"binpatch", "data", "lng", "mac"};
	char language[9] = "";
	if (it->lcid != 0)
		snprintf(language, sizeof(language), "%04x", (unsigned)it->lcid);
	snprintf(it->name, sizeof(it->name), "%s-%s%s-%u.lzx", w->s->guid, names[it->kind], language, (unsigned)it->sequence);
}

static int add_item(struct work *w, uint8_t kind, uint32_t lcid, uint32_t sequence, size_t plain)
{
	struct oab_item it = {.kind = kind, .lcid = lcid, .sequence = sequence, .size = w->packed.len, .plain = plain};
	name_item(w, &it);
	int err = w->packed.err != 0 ? w->packed.err : hash(GNUTLS_DIG_SHA1, w->packed.data, w->packed.len, it.sha);
	if (err == 0)
		err = gx_oab__write_file(w->o, w->s, it.name, w->packed.data, w->packed.len, w->a);
	if (err == 0)
		w->s->v[w->s->n++] = it;
	return err;
}

static void forget(struct work *w, unsigned i)
{
	const char *path = gx_oab__path(w->o, w->s, w->s->v[i].name, w->a);
	if (path != NULL)
		(void)unlink(path);
	memmove(&w->s->v[i], &w->s->v[i + 1], (--w->s->n - i) * sizeof(w->s->v[0]));
}

/* The last version, if it is there and whole. */
static bool load_old(struct work *w)
{
	struct gx_push file = GX_PUSH_INIT;
	bool ok = false;
	for (unsigned i = 0; i < w->s->n; ++i)
		if (w->s->v[i].kind == OAB_FULL && w->s->v[i].sequence == w->s->sequence)
			ok = gx_oab__read_file(gx_oab__path(w->o, w->s, w->s->v[i].name, w->a), &file) == 0 &&
			     gx_oab_decompress(&w->old, file.data, file.len, OAB_FILE_MOST) == 0;
	gx_push_release(&file);
	return ok;
}

/* All of a kind, but for the newest @p keep; of templates, those of one language. */
static void forget_all(struct work *w, uint8_t kind, uint32_t lcid, unsigned keep)
{
	for (unsigned i = w->s->n; i > 0; --i)
		if (w->s->v[i - 1].kind == kind && w->s->v[i - 1].lcid == lcid && keep-- == 0) {
			forget(w, i - 1);
			keep = 0;
		}
}

/* Without the older one, or when they differ too much, clients take all of it, and older differences lead nowhere. */
static int make_diff(struct work *w, bool had)
{
	if (had)
		gx_oab_diff(&w->packed, (struct gx_bin){w->old.data, w->old.len}, (struct gx_bin){w->plain.data, w->plain.len});
	if (had && w->packed.err == 0)
		return add_item(w, OAB_DIFF, 0, w->s->sequence, w->plain.len);
	if (had && w->packed.err == GX_E_NOMEM)
		return GX_E_NOMEM;
	forget_all(w, OAB_DIFF, 0, 0);
	return 0;
}

static void clear_packed(struct work *w)
{
	gx_push_release(&w->packed);
	gx_push_init(&w->packed, 0);
}

static int publish(struct work *w)
{
	bool had = *w->s->people != '\0' && load_old(w);
	w->s->sequence = w->next;
	int err = make_diff(w, had);
	clear_packed(w);
	if (err == 0) {
		forget_all(w, OAB_FULL, 0, 0);
		gx_oab_compress(&w->packed, w->plain.data, w->plain.len);
		err = add_item(w, OAB_FULL, 0, w->s->sequence, w->plain.len);
	}
	forget_all(w, OAB_DIFF, 0, w->o->o.keep);
	if (err == 0)
		memcpy(w->s->people, w->hash, OAB_HASH);
	return err;
}

static int make_plain(struct work *w, struct nsp_call *c)
{
	/* a lost folder must not begin again with numbers that clients have */
	w->next = *w->s->people != '\0' ? w->s->sequence + 1 : (uint32_t)(gx_clock_unix(w->o->o.clock) / 60);
	int err = gx_oab__details(c, w->next, w->s->guid, &w->plain, &w->people);
	return err == 0 ? hash(GNUTLS_DIG_SHA256, w->plain.data + w->people, w->plain.len - w->people, w->hash) : err;
}

/* ---- Templates ---- */

static const struct oab_item *served(const struct oab_set *s, uint32_t lcid)
{
	for (unsigned i = 0; i < s->n; ++i)
		if (s->v[i].kind == OAB_MAC && s->v[i].lcid == lcid)
			return &s->v[i];
	return NULL;
}

/* A number that none of this language had, though the book may be the same. */
static int replace_template(struct work *w, uint32_t lcid, const struct oab_item *old, size_t plain)
{
	uint32_t sequence = old != NULL && old->sequence >= w->s->sequence ? old->sequence + 1 : w->s->sequence;
	int err = 0;
	for (uint8_t kind = OAB_WINDOWS; kind <= OAB_MAC && err == 0; ++kind) {
		forget_all(w, kind, lcid, 0);
		err = add_item(w, kind, lcid, sequence, plain);
	}
	return err;
}

/* Clients of both systems read the same, each by a name of its own. */
static int make_template(struct work *w, struct nsp_call *c, uint32_t lcid, bool *io_changed)
{
	struct gx_push plain = GX_PUSH_INIT;
	char sha[OAB_SHA1] = "";
	clear_packed(w);
	int err = gx_oab__templates(c, lcid, &plain);
	if (err == 0) {
		gx_oab_compress(&w->packed, plain.data, plain.len);
		err = w->packed.err != 0 ? w->packed.err : hash(GNUTLS_DIG_SHA1, w->packed.data, w->packed.len, sha);
	}
	const struct oab_item *old = served(w->s, lcid);
	if (err == 0 && (old == NULL || strcmp(old->sha, sha) != 0)) {
		*io_changed = true;
		err = replace_template(w, lcid, old, plain.len);
	}
	gx_push_release(&plain);
	if (err != 0 && err != GX_E_NOMEM && err != GX_E_IO) {
		gx_log(w->o->o.log, GX_LOG_ERROR, "oab: templates of language %04x cannot be served: %s", (unsigned)lcid, gx_strerror(err));
		err = 0;
	}
	return err;
}

static int make_templates(struct work *w, struct nsp_call *c, bool *io_changed)
{
	uint32_t v[NSP_LANGUAGES_MOST], n;
	int err = 0;
	gx_nsp__template_languages(c, v, &n);
	for (unsigned i = w->s->n; i > 0; --i) {
		uint32_t lcid = w->s->v[i - 1].lcid;
		bool there = lcid == 0;
		for (uint32_t k = 0; k < n; ++k)
			there = there || v[k] == lcid;
		if (!there) {
			forget(w, i - 1);
			*io_changed = true;
		}
	}
	for (uint32_t k = 0; k < n && err == 0; ++k)
		err = make_template(w, c, v[k], io_changed);
	return err;
}

static int update(struct gx_oab *o, struct oab_set *s, struct nsp_call *c)
{
	struct work w = {.o = o, .s = s, .a = c->a, .plain = GX_PUSH_INIT, .old = GX_PUSH_INIT, .packed = GX_PUSH_INIT};
	int err = make_plain(&w, c);
	bool changed = err == 0 && strcmp(w.hash, s->people) != 0;
	if (changed)
		err = publish(&w);
	if (err == 0)
		err = make_templates(&w, c, &changed);
	if (err == 0 && changed)
		err = gx_oab__save_state(o, s, c->a);
	if (err == 0 && changed)
		err = gx_oab__save_manifest(o, s, c->a);
	gx_push_release(&w.plain);
	gx_push_release(&w.old);
	gx_push_release(&w.packed);
	return err;
}

/* ---- Which, and whether it is new ---- */

static void guid_of(const struct nsp_call *c, char out[37])
{
	struct gx_guid g = c->n->guid;
	g.d1 ^= c->base->org != 0 ? UINT32_C(0x80000000) | c->base->org : c->b->dir.domains[c->base->domain].id;
	gx_guid_print(&g, out);
}

static int find_set(struct gx_oab *o, struct nsp_call *c, struct oab_set **ret_s)
{
	char guid[37];
	guid_of(c, guid);
	for (struct oab_set *s = o->sets; s != NULL; s = s->next)
		if (strcmp(s->guid, guid) == 0) {
			*ret_s = s;
			return 0;
		}
	const char *dir = gx_arena_printf(c->a, "%s/%s", o->dir, guid);
	struct oab_set *s = dir == NULL ? NULL : calloc(1, sizeof(*s));
	if (s == NULL)
		return GX_E_NOMEM;
	memcpy(s->guid, guid, sizeof(guid));
	if ((mkdir(o->dir, 0750) != 0 && errno != EEXIST) || (mkdir(dir, 0750) != 0 && errno != EEXIST)) {
		free(s);
		return gx_oab__complain(o, dir);
	}
	gx_oab__load_state(o, s, c->a);
	s->next = o->sets;
	o->sets = s;
	*ret_s = s;
	return 0;
}

struct wish {
	struct gx_oab *o;
	const char *name, *path;
	int err;
};

static bool is_due(const struct gx_oab *o, const struct oab_set *s, uint64_t generation)
{
	if (!s->looked || s->n == 0)
		return true;
	return s->generation != generation && gx_clock_mono_ms(o->o.clock) - s->looked_ms >= o->o.cache_ms;
}

/* One at a time: others wait until the book is made, and then find it there. */
static gx_ec serve(struct nsp_call *c, void *ctx)
{
	struct wish *w = ctx;
	struct oab_set *s = NULL;
	pthread_mutex_lock(&w->o->lock);
	w->err = find_set(w->o, c, &s);
	if (w->err == 0 && is_due(w->o, s, c->b->generation)) {
		w->err = update(w->o, s, c);
		s->looked = w->err == 0;
		s->looked_ms = gx_clock_mono_ms(w->o->o.clock);
		s->generation = c->b->generation;
	}
	bool known = w->err == 0 && strcmp(w->name, "oab.xml") == 0;
	for (unsigned i = 0; w->err == 0 && i < s->n; ++i)
		known = known || strcmp(w->name, s->v[i].name) == 0;
	if (w->err == 0)
		w->path = known ? gx_oab__path(w->o, s, w->name, c->a) : NULL;
	pthread_mutex_unlock(&w->o->lock);
	return NSP_OK;
}

int gx_oab_file(struct gx_oab *o, const char *user, const char *name, struct gx_arena *a, const char **ret_path)
{
	struct wish w = {.o = o, .name = name};
	if (o == NULL || user == NULL || name == NULL || a == NULL || ret_path == NULL)
		return GX_E_INVAL;
	gx_ec ec = gx_nsp__with(o->o.nsp, user, serve, a, &w);
	if (gx_ec_failed(ec))
		return gx_ec_is(ec, ecLoginFailure) ? GX_E_NOTFOUND : gx_ec_to_err(ec);
	if (w.err != 0)
		return w.err;
	*ret_path = w.path;
	return w.path == NULL ? GX_E_NOTFOUND : 0;
}

/* ---- Over HTTP ---- */

static void handle(struct gx_http_req *r, void *ctx)
{
	const char *name = strrchr(r->path, '/'), *path; /* the folder, with or without a GUID, is the user's own */
	int err = gx_oab_file(ctx, r->user, name == NULL ? "" : name + 1, r->arena, &path);
	if (err == 0)
		gx_http_files_send(r, path);
	else
		gx_http_reply_status(r, err == GX_E_NOTFOUND ? 404 : 503, NULL);
}

int gx_oab_new(const struct gx_oab_opts *o, struct gx_http *h, struct gx_oab **ret_o)
{
	struct gx_http_route route = GX_HTTP_ROUTE_INIT;
	if (o == NULL || o->size != sizeof(*o) || o->nsp == NULL || o->dir == NULL || o->keep >= OAB_ITEMS_MOST - 2 - 2 * NSP_LANGUAGES_MOST || ret_o == NULL)
		return GX_E_INVAL;
	struct gx_oab *n = calloc(1, sizeof(*n));
	if (n == NULL)
		return GX_E_NOMEM;
	n->o = *o;
	n->o.clock = o->clock != NULL ? o->clock : gx_clock_system();
	n->o.cache_ms = o->cache_ms != 0 ? o->cache_ms : CACHE_MS;
	n->o.keep = o->keep != 0 ? o->keep : KEEP;
	n->dir = strdup(o->dir);
	int err = n->dir == NULL || pthread_mutex_init(&n->lock, NULL) != 0 ? GX_E_NOMEM : 0;
	if (err != 0) {
		free(n->dir);
		free(n);
		return err;
	}
	route.methods = GX_HTTP_GET;
	route.path = "/OAB";
	route.flags = GX_HTTP_PREFIX | GX_HTTP_NOCASE | GX_HTTP_AUTH;
	route.handle = handle;
	route.ctx = n;
	err = h == NULL ? 0 : gx_http_route(h, &route);
	if (err != 0)
		gx_oab_free(n);
	else
		*ret_o = n;
	return err;
}

void gx_oab_free(struct gx_oab *o)
{
	if (o == NULL)
		return;
	while (o->sets != NULL) {
		struct oab_set *s = o->sets;
		o->sets = s->next;
		free(s);
	}
	pthread_mutex_destroy(&o->lock);
	free(o->dir);
	free(o);
}
