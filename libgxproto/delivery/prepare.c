/* SPDX-License-Identifier: Apache-2.0 */
/* Internet mail made ready for stores, and message objects shown as internet mail. */
#include <config.h>
#include <gx/delivery.h>
#include <gx/mailconv.h>
#include "mail-int.h"

/* What the converter's callback needs. */
struct lookup {
	struct gx_dir *dir;
	struct gx_arena *a;
};

static void resolve(const char *smtp, const char **ret_name, const char **ret_dn, void *ctx)
{
	const struct lookup *l = ctx;
	struct gx_user u;
	*ret_name = *ret_dn = NULL;
	if (gx_dir_user(l->dir, smtp, l->a, &u) == 0 && u.display_name[0] != '\0')
		*ret_name = u.display_name;
}

static int take_strbuf(struct gx_arena *a, struct gx_strbuf *b, struct gx_bin *ret_bin)
{
	int ret = b->err;
	if (ret == 0) {
		ret_bin->data = gx_arena_memdup(a, gx_strbuf_cstr(b), b->len);
		ret_bin->len = b->len;
		ret = ret_bin->data == NULL ? GX_E_NOMEM : 0;
	}
	gx_strbuf_release(b);
	return ret;
}

int gx_mail__structures(struct gx_arena *a, const struct gx_mime_part *root, struct gx_bin *ret_env, struct gx_bin *ret_body)
{
	struct gx_strbuf env = GX_STRBUF_INIT, body = GX_STRBUF_INIT;
	gx_mime_envelope(&env, root, a);
	gx_mime_bodystructure(&body, root, true, a);
	int ret = take_strbuf(a, &env, ret_env);
	int ret2 = take_strbuf(a, &body, ret_body);
	return ret != 0 ? ret : ret2;
}

/**
 * A message whose conversion fails is delivered all the same: its bytes are complete, only the
 * properties are few.
 */
static int bare_object(struct gx_arena *a, const struct gx_mime_part *root, struct gx_msgobj **ret_m)
{
	char *subject = NULL;
	struct gx_msgobj *m = gx_msgobj_new(a);
	if (m == NULL)
		return GX_E_NOMEM;
	const struct gx_mime_header *h = gx_mime_header(root, "Subject");
	int ret = gx_proplist_set_str(&m->props, a, PidTagMessageClass, "IPM.Note");
	if (ret == 0 && h != NULL)
		ret = gx_mime_decode_text(a, h->value, 0, &subject);
	if (ret == 0 && subject != NULL)
		ret = gx_proplist_set_str(&m->props, a, PidTagSubject, subject);
	*ret_m = m;
	return ret;
}

static int64_t date_of(const struct gx_mime_part *root)
{
	int64_t unix_sec;
	int offset;
	const struct gx_mime_header *h = gx_mime_header(root, "Date");
	return h != NULL && gx_mime_date(h->value, &unix_sec, &offset) == 0 ? unix_sec : 0;
}

int gx_mail_prepare(struct gx_arena *a, struct gx_dir *dir, const struct gx_clock *clock, struct gx_bin data, struct gx_mail_prepared *ret_p)
{
	return gx_mail_prepare_with(a, dir, clock, NULL, data, ret_p);
}

int gx_mail_prepare_with(struct gx_arena *a, struct gx_dir *dir, const struct gx_clock *clock, struct gx_prepare_ctx *ctx,
	struct gx_bin data, struct gx_mail_prepared *ret_p)
{
	struct gx_mime_part *root;
	struct gx_msgobj *obj;
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	struct lookup l = {dir, a};
	struct gx_mailconv_env env = {.clock = clock, .resolve = dir != NULL ? resolve : NULL, .ctx = &l};
	if (a == NULL || ret_p == NULL)
		return GX_E_INVAL;
	int ret = gx_mime_parse(a, NULL, data.data, data.len, &root);
	if (ret != 0)
		return ret;
	ret = gx_mail__structures(a, root, &src.envelope, &src.bodystructure);
	if (ret != 0)
		return ret;
	ret = gx_mail_to_msg(a, &env, data.data, data.len, root, &obj);
	if (ret != 0 && ret != GX_E_NOMEM)
		ret = bare_object(a, root, &obj);
	if (ret != 0)
		return ret;
	src.obj = obj;
	src.original = data.data != NULL ? data : (struct gx_bin){(const uint8_t *)"", 0}; /* empty is not absent */
	ret = gx_msg_prepare(a, &src, &ret_p->msg);
	if (ret != 0)
		return ret;
	ret_p->obj = obj;
	ret_p->date_unix = date_of(root);
	return 0;
}

static void push_strbuf(struct gx_push *out, struct gx_strbuf *b)
{
	if (b->err != 0)
		gx_push_fail(out, b->err);
	gx_push_bytes(out, gx_strbuf_cstr(b), b->len);
	gx_strbuf_release(b);
}

int gx_mail_describe(struct gx_bin original, struct gx_push *ret_envelope, struct gx_push *ret_bodystructure, void *ctx)
{
	struct gx_strbuf env = GX_STRBUF_INIT, body = GX_STRBUF_INIT;
	struct gx_mime_part *root;
	struct gx_arena *a = gx_arena_new(0);
	(void)ctx;
	int ret = a == NULL ? GX_E_NOMEM : gx_mime_parse(a, NULL, original.data, original.len, &root);
	if (ret == 0) {
		gx_mime_envelope(&env, root, a);
		gx_mime_bodystructure(&body, root, true, a);
		push_strbuf(ret_envelope, &env);
		push_strbuf(ret_bodystructure, &body);
		ret = ret_envelope->err != 0 ? ret_envelope->err : ret_bodystructure->err;
	}
	gx_arena_free(a);
	return ret;
}

int gx_mail_render(const struct gx_msgobj *m, struct gx_push *ret_message, struct gx_push *ret_envelope, struct gx_push *ret_bodystructure, void *ctx)
{
	struct gx_strbuf env_text = GX_STRBUF_INIT, body_text = GX_STRBUF_INIT;
	struct gx_mime_part *root;
	if (m == NULL || ret_message == NULL)
		return GX_E_INVAL;
	struct gx_arena *a = gx_arena_new(0);
	if (a == NULL)
		return GX_E_NOMEM;
	struct lookup l = {ctx, a};
	struct gx_mailconv_env env = {.clock = gx_clock_system(), .resolve = ctx != NULL ? resolve : NULL, .ctx = &l};
	size_t start = ret_message->len;
	/* Who may read the object in the store may see its Bcc; it leaves the server by another way. */
	int ret = gx_msg_to_mail(&env, m, (struct gx_bin){NULL, 0}, GX_MAIL_KEEP_BCC, ret_message);
	if (ret == 0)
		ret = ret_message->err;
	if (ret == 0)
		ret = gx_mime_parse(a, NULL, ret_message->data + start, ret_message->len - start, &root);
	if (ret == 0) {
		gx_mime_envelope(&env_text, root, a);
		gx_mime_bodystructure(&body_text, root, true, a);
		push_strbuf(ret_envelope, &env_text);
		push_strbuf(ret_bodystructure, &body_text);
		ret = ret_envelope->err != 0 ? ret_envelope->err : ret_bodystructure->err;
	}
	gx_arena_free(a);
	return ret;
}
