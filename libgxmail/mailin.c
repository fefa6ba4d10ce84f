/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include "mailin-int.h"

bool gx_mailin__is(const struct gx_mime_part *p, const char *type, const char *subtype)
{
	return strcmp(p->type, type) == 0 && strcmp(p->subtype, subtype) == 0;
}

int gx_mailin__set_text(struct gx_mailin *in, gx_proptag_t tag, const char *value)
{
	char *s;
	int err = gx_mime_decode_text(in->a, value, in->env->default_cp, &s);
	return err != 0 || *s == '\0' ? err : gx_proplist_set_str(&in->m->props, in->a, tag, s);
}

const char *gx_mailin__utf8(struct gx_mailin *in, const char *s)
{
	size_t n = strlen(s);
	char *out;
	if (gx_utf8_valid(s, n))
		return s;
	return gx_cp_to_utf8(in->a, in->env->default_cp, s, n, &out, NULL, NULL) != 0 ? NULL : out;
}

const char *gx_mailin__bare_id(const char *id, size_t *ret_len)
{
	if (id == NULL)
		return NULL;
	id += strspn(id, " \t<");
	*ret_len = strcspn(id, "> \t");
	return id;
}

int gx_mailin__set_slice(struct gx_mailin *in, gx_proptag_t tag, const struct gx_slice *s)
{
	if (s->len == 0)
		return GX_PROP_TYPE(tag) == PtypBinary ? gx_proplist_set_bin(&in->m->props, in->a, tag, "", 0)
						       : gx_proplist_set_str(&in->m->props, in->a, tag, "");
	for (size_t i = 0; i < sizeof(in->m->slices) / sizeof(*in->m->slices); ++i)
		if (in->m->slices[i].tag == 0) {
			in->m->slices[i] = (struct gx_slice_prop){tag, *s};
			return 0;
		}
	return GX_E_INTERNAL;
}

/* A declared us-ascii with 8-bit bytes is a lie often told: guess then. */
uint32_t gx_mailin__cp(const struct gx_mailin *in, const struct gx_mime_part *p)
{
	const char *cs = gx_mime_param(p->params, "charset");
	uint32_t cp = cs == NULL ? 0 : gx_cp_from_charset(cs);
	if (cp == 0 || cp == GX_CP_ASCII)
		cp = in->env->default_cp;
	return cp;
}

int gx_mailin__message(struct gx_mailin *in)
{
	int err = gx_proplist_set_str(&in->m->props, in->a, PidTagMessageClass, "IPM.Note");
	if (err == 0)
		err = gx_mailin__header(in);
	if (err != 0)
		return err;
	err = gx_mailin__smime(in);
	if (err != 0)
		return err > 0 ? 0 : err;
	err = gx_mailin__report(in);
	return err < 0 ? err : gx_mailin__body(in, in->root);
}

int gx_mail_to_msg(struct gx_arena *a, const struct gx_mailconv_env *env, const void *data, size_t len,
	const struct gx_mime_part *root, struct gx_msgobj **ret_msg)
{
	static const struct gx_mailconv_env no_env;
	struct gx_mailin in = {.a = a, .env = env == NULL ? &no_env : env, .data = data, .root = root};
	if (root->body_off > len || root->body_len > len - root->body_off)
		return GX_E_INVAL;
	in.m = gx_msgobj_new(a);
	if (in.m == NULL)
		return GX_E_NOMEM;
	int err = gx_mailin__message(&in);
	if (err == 0)
		*ret_msg = in.m;
	return err;
}
