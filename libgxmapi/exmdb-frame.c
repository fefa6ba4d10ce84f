/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include <gx/exmdb-frame.h>

static const struct code {
	uint8_t code;
	const char *name, *text;
} codes[] = {
	{GX_XC_SUCCESS, "success", "The call succeeded."},
	{GX_XC_ACCESS_DENY, "access_deny", "The peer's address is not allowed."},
	{GX_XC_MAX_REACHED, "max_reached", "There are too many connections."},
	{GX_XC_LACK_MEMORY, "lack_memory", "The server is out of memory."},
	{GX_XC_MISCONFIG_PREFIX, "misconfig_prefix", "The store is not served here."},
	{GX_XC_MISCONFIG_MODE, "misconfig_mode", "The store is private where a public one was asked for, or the other way round."},
	{GX_XC_CONNECT_INCOMPLETE, "connect_incomplete", "A connection must begin with connect or listen_notification."},
	{GX_XC_PULL_ERROR, "pull_error", "The request could not be decoded."},
	{GX_XC_DISPATCH_ERROR, "dispatch_error", "The operation failed; the server's log has the cause."},
	{GX_XC_PUSH_ERROR, "push_error", "The answer could not be encoded."},
	{GX_XC_SERVICE_UNAVAILABLE, "service_unavailable", "The user database cannot be reached."},
};

static const struct code *find(uint8_t code)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); ++i)
		if (codes[i].code == code)
			return &codes[i];
	return NULL;
}

const char *gx_xcode_name(uint8_t code)
{
	const struct code *c = find(code);
	return c != NULL ? c->name : "invalid";
}

const char *gx_xcode_text(uint8_t code)
{
	const struct code *c = find(code);
	return c != NULL ? c->text : "The answer has a code that does not exist.";
}

int gx_xframe_split(const void *data, size_t len, uint32_t limit, struct gx_bin *ret_body, size_t *ret_used)
{
	struct gx_pull c;
	*ret_used = 0;
	if (len < 4)
		return 0;
	gx_pull_init(&c, data, len);
	uint32_t n = gx_pull_u32(&c);
	if (n > limit)
		return GX_E_LIMIT;
	*ret_used = (size_t)n + 4;
	if (c.left < n)
		return 0;
	*ret_body = (struct gx_bin){gx_pull_bytes(&c, n), n};
	return 1;
}

static const char *pull_dir(struct gx_pull *c, struct gx_arena *a)
{
	const char *dir = gx_pull_strz(c);
	size_t n = strlen(dir);
	if (n == 0 || dir[n - 1] != '/')
		return dir;
	while (n > 0 && dir[n - 1] == '/')
		--n;
	dir = gx_arena_strndup(a, dir, n);
	if (dir == NULL)
		gx_pull_fail(c, GX_E_NOMEM);
	return dir;
}

/* Reads d's fields and wants nothing to be left. NULL when there are none. */
static void *pull_all(struct gx_pull *c, struct gx_arena *a, const struct gx_desc *d, void *obj)
{
	const struct gx_dctx x = {.px = GX_PX_EXT(a)};
	if (d != NULL && obj == NULL && (obj = gx_arena_alloc(a, d->size)) == NULL)
		gx_pull_fail(c, GX_E_NOMEM);
	if (d != NULL && obj != NULL)
		gx_desc_pull(c, &x, d, obj);
	if (c->err == 0 && c->left != 0)
		gx_pull_fail(c, GX_E_FORMAT);
	return obj;
}

int gx_xframe_pull_request(struct gx_bin body, struct gx_arena *a, struct gx_xrequest *ret_r)
{
	struct gx_pull c;
	*ret_r = (struct gx_xrequest){.dir = ""};
	gx_pull_init(&c, body.data, body.len);
	uint8_t number = gx_pull_u8(&c);
	const char *dir = pull_dir(&c, a);
	if (c.err != 0)
		return c.err;
	ret_r->dir = dir;
	const struct gx_call_desc *call = gx_exmdb_call_desc(number);
	if (call == NULL || call->retired)
		return GX_E_UNSUP;
	ret_r->call = call;
	ret_r->req = pull_all(&c, a, call->req, NULL);
	return c.err;
}

/* Appends what d says; the length stands 4 bytes before what follows at @body. */
static int finish(struct gx_push *c, struct gx_arena *a, size_t start, size_t body, const struct gx_desc *d, const void *obj)
{
	const struct gx_dctx x = {.px = GX_PX_EXT(a)};
	if (d != NULL)
		gx_desc_push(c, &x, d, obj);
	if (c->err == 0 && c->len - body > UINT32_MAX)
		gx_push_fail(c, GX_E_RANGE);
	int err = c->err;
	if (err == 0) {
		gx_push_patch_u32(c, body - 4, (uint32_t)(c->len - body));
	} else {
		c->len = start;
		c->err = 0;
	}
	return err;
}

int gx_xframe_push_request(struct gx_push *c, struct gx_arena *a, const char *dir, uint8_t call, const void *req)
{
	const struct gx_call_desc *d = gx_exmdb_call_desc(call);
	size_t start = c->len;
	if (c->err != 0)
		return c->err;
	if (d == NULL || d->retired)
		return GX_E_UNSUP;
	if (d->req != NULL && req == NULL)
		return GX_E_INVAL;
	gx_push_u32(c, 0);
	size_t body = c->len;
	gx_push_u8(c, call);
	gx_push_strz(c, dir);
	return finish(c, a, start, body, d->req, req);
}

void gx_xframe_push_ping(struct gx_push *c)
{
	gx_push_u32(c, 0);
}

int gx_xframe_push_answer(struct gx_push *c, struct gx_arena *a, const struct gx_call_desc *call, const void *ans)
{
	size_t start = c->len;
	if (c->err != 0)
		return c->err;
	gx_push_u8(c, GX_XC_SUCCESS);
	gx_push_u32(c, 0);
	return finish(c, a, start, c->len, call->ans, ans);
}

int gx_xframe_split_answer(const void *data, size_t len, uint32_t limit, uint8_t *ret_code, struct gx_bin *ret_body,
	size_t *ret_used)
{
	const uint8_t *p = data;
	*ret_used = 0;
	if (len == 0)
		return 0;
	*ret_code = p[0];
	*ret_body = (struct gx_bin){0};
	if (p[0] != GX_XC_SUCCESS) {
		*ret_used = 1;
		return 1;
	}
	int ret = gx_xframe_split(p + 1, len - 1, limit, ret_body, ret_used);
	if (*ret_used != 0)
		++*ret_used;
	return ret;
}

int gx_xframe_pull_answer(struct gx_bin body, struct gx_arena *a, const struct gx_call_desc *call, void *ret_ans)
{
	struct gx_pull c;
	gx_pull_init(&c, body.data, body.len);
	(void)pull_all(&c, a, call->ans, ret_ans);
	return c.err;
}

int gx_xframe_push_event(struct gx_push *c, struct gx_arena *a, const struct gx_x_notification *n)
{
	size_t start = c->len;
	if (c->err != 0)
		return c->err;
	gx_push_u32(c, 0);
	int err = finish(c, a, start, c->len, gx_exmdb_desc(GX_EXMDB_X_NOTIFICATION), n);
	if (err == 0 && c->len - start - 4 > GX_XFRAME_EVENT_MAX) {
		c->len = start;
		err = GX_E_LIMIT;
	}
	return err;
}

int gx_xframe_pull_event(struct gx_bin body, struct gx_arena *a, struct gx_x_notification *ret_n)
{
	struct gx_pull c;
	gx_pull_init(&c, body.data, body.len);
	(void)pull_all(&c, a, gx_exmdb_desc(GX_EXMDB_X_NOTIFICATION), ret_n);
	return c.err;
}
