/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include <jansson.h>
#include <gx/abktjson.h>
#include <gx/prop.h>

struct in {
	struct gx_arena *a;
	size_t at;          /* the control that is being read, from 1 */
	const char *why;
};

static int bad(struct in *k, const char *what, const char *want)
{
	if (k->why == NULL)
		k->why = k->at == 0 ? gx_arena_printf(k->a, "%s: expected %s", what, want)
			: gx_arena_printf(k->a, "control %zu: %s: expected %s", k->at, what, want);
	return GX_E_FORMAT;
}

static int number(struct in *k, const json_t *o, const char *key, uint32_t *ret_n)
{
	const json_t *v = json_object_get(o, key);
	if (v == NULL)
		return 0;
	if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > UINT32_MAX)
		return bad(k, key, "a number from 0 to 4294967295");
	*ret_n = (uint32_t)json_integer_value(v);
	return 0;
}

static bool parse_number(const char *s, uint32_t *ret_n)
{
	char *end;
	unsigned long long n = strtoull(s, &end, 0);
	*ret_n = (uint32_t)n;
	return end != s && *end == '\0' && n <= UINT32_MAX;
}

/* Texts of dialogs are 8-bit, and so are those that they show. */
static gx_proptag_t narrow(gx_proptag_t tag)
{
	return GX_PROP_TYPE(tag) == PtypString ? GX_PROP_RETYPE(tag, PtypString8) : tag;
}

static int tag(struct in *k, const json_t *o, const char *key, uint32_t *ret_n)
{
	const json_t *v = json_object_get(o, key);
	const char *s = json_string_value(v);
	if (s == NULL)
		return number(k, o, key, ret_n);
	*ret_n = narrow(gx_proptag_by_name(s));
	return *ret_n != 0 || parse_number(s, ret_n) ? 0 : bad(k, key, "the name of a property, or a number");
}

static int type(struct in *k, const json_t *o, uint32_t *ret_n)
{
	const char *s = json_string_value(json_object_get(o, "type"));
	if (s == NULL)
		return number(k, o, "type", ret_n);
	return gx_dtct_by_name(s, ret_n) == 0 ? 0 : bad(k, "type", "label, edit, listbox, tabpage and the like");
}

static int flags(struct in *k, const json_t *o, uint32_t *ret_n)
{
	const json_t *v = json_object_get(o, "flags");
	if (!json_is_array(v))
		return number(k, o, "flags", ret_n);
	for (size_t i = 0; i < json_array_size(v); ++i) {
		uint32_t bit;
		if (gx_dt_flag_by_name(json_string_value(json_array_get(v, i)), &bit) != 0)
			return bad(k, "flags", "multiline, editable, required, set_immediate, password, dbcs, set_selection");
		*ret_n |= bit;
	}
	return 0;
}

static int text(struct in *k, const json_t *o, const char **ret_s)
{
	const json_t *v = json_object_get(o, "text");
	if (v != NULL && (!json_is_string(v) || strlen(json_string_value(v)) != json_string_length(v)))
		return bad(k, "text", "a text");
	*ret_s = gx_arena_strdup(k->a, v == NULL ? "" : json_string_value(v));
	return *ret_s == NULL ? GX_E_NOMEM : 0;
}

static int known_keys(struct in *k, json_t *o)
{
	static const char *const keys[] = {"type", "x", "y", "dx", "dy", "flags", "extra", "tag", "size", "text"};
	const char *key;
	json_t *v;
	json_object_foreach(o, key, v) {
		size_t i = 0;
		while (i < sizeof(keys) / sizeof(keys[0]) && strcmp(keys[i], key) != 0)
			++i;
		if (i == sizeof(keys) / sizeof(keys[0]))
			return bad(k, key, "one of type, x, y, dx, dy, flags, extra, tag, size, text as a name");
	}
	return json_is_object(o) ? 0 : bad(k, "control", "an object");
}

static int control(struct in *k, json_t *o, struct gx_abkt_control *c)
{
	*c = (struct gx_abkt_control){0};
	int err = known_keys(k, o);
	if (err == 0)
		err = type(k, o, &c->type);
	if (err == 0)
		err = number(k, o, "x", &c->x);
	if (err == 0)
		err = number(k, o, "y", &c->y);
	if (err == 0)
		err = number(k, o, "dx", &c->dx);
	if (err == 0)
		err = number(k, o, "dy", &c->dy);
	if (err == 0)
		err = flags(k, o, &c->flags);
	if (err == 0)
		err = tag(k, o, "extra", &c->extra);
	if (err == 0)
		err = tag(k, o, "tag", &c->tag);
	if (err == 0)
		err = number(k, o, "size", &c->size);
	return err == 0 ? text(k, o, &c->text) : err;
}

static int whole(struct in *k, const json_t *o, struct gx_abkt *t)
{
	const json_t *list = json_object_get(o, "controls");
	t->version = 1;
	int err = !json_is_array(list) ? bad(k, "controls", "a list") : number(k, o, "version", &t->version);
	if (err == 0 && t->version != 1 && t->version != 2)
		err = bad(k, "version", "1 or 2");
	struct gx_abkt_control *v = err == 0 ? gx_arena_new_array(k->a, struct gx_abkt_control, json_array_size(list) + 1) : NULL;
	if (err == 0 && v == NULL)
		err = GX_E_NOMEM;
	for (size_t i = 0; err == 0 && i < json_array_size(list); ++i) {
		k->at = i + 1;
		err = control(k, json_array_get(list, i), &v[i]);
	}
	t->v = v;
	t->count = (uint32_t)json_array_size(list);
	return err;
}

int gx_abkt_from_json(struct gx_arena *a, const char *json, size_t len, struct gx_abkt *ret_t, const char **ret_why)
{
	struct in k = {.a = a};
	json_error_t e;
	if (a == NULL || (json == NULL && len != 0) || ret_t == NULL || ret_why == NULL)
		return GX_E_INVAL;
	json_t *o = json_loadb(json, len, JSON_REJECT_DUPLICATES, &e);
	if (o == NULL) {
		*ret_why = gx_arena_printf(a, "line %d: %s", e.line, e.text);
		return GX_E_FORMAT;
	}
	int err = whole(&k, o, ret_t);
	json_decref(o);
	*ret_why = k.why != NULL ? k.why : gx_strerror(err);
	return err;
}

/* ---- Writing ---- */

static json_t *flags_out(uint32_t n)
{
	json_t *v = json_array();
	for (uint32_t bit = 1; bit != 0; bit <<= 1) {
		const char *name = gx_dt_flag_name(bit);
		if (!(n & bit))
			continue;
		if (name == NULL) { /* not all of it can be said by names */
			json_decref(v);
			return json_integer(n);
		}
		json_array_append_new(v, json_string(name));
	}
	return v;
}

static json_t *tag_out(uint32_t n)
{
	char hex[16];
	const char *name = gx_proptag_name(n);
	if (n == 0)
		return json_integer(0);
	snprintf(hex, sizeof(hex), "0x%08x", (unsigned)n);
	return json_string(name != NULL && narrow(gx_proptag_by_name(name)) == n ? name : hex);
}

static json_t *control_out(const struct gx_abkt *t, const struct gx_abkt_control *c)
{
	json_t *o = json_object();
	const char *name = gx_dtct_name(c->type);
	json_object_set_new(o, "type", name != NULL ? json_string(name) : json_integer(c->type));
	json_object_set_new(o, "x", json_integer(c->x));
	json_object_set_new(o, "y", json_integer(c->y));
	json_object_set_new(o, "dx", json_integer(c->dx));
	json_object_set_new(o, "dy", json_integer(c->dy));
	json_object_set_new(o, "flags", flags_out(c->flags));
	if (t->version == 2)
		json_object_set_new(o, "extra", tag_out(c->extra));
	json_object_set_new(o, "tag", tag_out(c->tag));
	json_object_set_new(o, "size", json_integer(c->size));
	json_object_set_new(o, "text", json_string(c->text));
	return o;
}

void gx_abkt_to_json(const struct gx_abkt *t, struct gx_strbuf *b)
{
	json_t *o = json_object(), *list = json_array();
	for (uint32_t i = 0; i < t->count; ++i)
		json_array_append_new(list, control_out(t, &t->v[i]));
	json_object_set_new(o, "version", json_integer(t->version));
	json_object_set_new(o, "controls", list);
	char *text = json_dumps(o, JSON_INDENT(1));
	if (text == NULL)
		b->err = GX_E_NOMEM;
	else
		gx_strbuf_printf(b, "%s\n", text);
	free(text);
	json_decref(o);
}
