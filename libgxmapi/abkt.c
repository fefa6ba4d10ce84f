/* SPDX-License-Identifier: Apache-2.0 */
/* Dialog templates, [MS-OXOABKT] 2.2.2.1: rows of numbers, then the texts that they point to. */
#include <config.h>
#include <string.h>
#include <gx/abkt.h>
#include <gx/charset.h>
#include <gx/cursor.h>

enum { HEAD = 8, ROW_1 = 36, ROW_2 = 40, CONTROLS_MOST = 1000, VERSION_1 = 1, VERSION_2 = 2 };

/* ---- Names ---- */

static const char *const type_names[] = {
	[GX_DTCT_LABEL] = "label", [GX_DTCT_EDIT] = "edit", [GX_DTCT_LBX] = "listbox", [GX_DTCT_COMBOBOX] = "combobox",
	[GX_DTCT_DDLBX] = "ddlistbox", [GX_DTCT_CHECKBOX] = "checkbox", [GX_DTCT_GROUPBOX] = "groupbox", [GX_DTCT_BUTTON] = "button",
	[GX_DTCT_PAGE] = "tabpage", [GX_DTCT_RADIOBUTTON] = "radiobutton", [GX_DTCT_MVLISTBOX] = "mvlistbox", [GX_DTCT_MVDDLBX] = "mvddlistbox",
};
enum { TYPES = sizeof(type_names) / sizeof(type_names[0]) };
/* ControlFlags from the lowest bit on. */
static const char *const flag_names[] = {"multiline", "editable", "required", "set_immediate", "password", "dbcs", "set_selection"};
enum { FLAGS = sizeof(flag_names) / sizeof(flag_names[0]) };

const char *gx_dtct_name(uint32_t type)
{
	return type < TYPES ? type_names[type] : NULL;
}

static int find(const char *const *names, uint32_t n, const char *name, uint32_t *ret_i)
{
	for (uint32_t i = 0; name != NULL && i < n; ++i)
		if (names[i] != NULL && strcmp(names[i], name) == 0) {
			*ret_i = i;
			return 0;
		}
	return GX_E_NOTFOUND;
}

int gx_dtct_by_name(const char *name, uint32_t *ret_type)
{
	return find(type_names, TYPES, name, ret_type);
}

const char *gx_dt_flag_name(uint32_t bit)
{
	for (uint32_t i = 0; i < FLAGS; ++i)
		if (bit == 1U << i)
			return flag_names[i];
	return NULL;
}

int gx_dt_flag_by_name(const char *name, uint32_t *ret_bit)
{
	uint32_t i;
	int err = find(flag_names, FLAGS, name, &i);
	if (err == 0)
		*ret_bit = 1U << i;
	return err;
}

/* ---- Reading ---- */

struct reader {
	struct gx_arena *a;
	const uint8_t *data;
	size_t len;
	uint32_t cp, count;
	size_t row;
};

static uint32_t text_at(const struct reader *r, uint32_t i)
{
	struct gx_pull c;
	gx_pull_init(&c, r->data, r->len);
	gx_pull_skip(&c, HEAD + i * r->row + r->row - 4);
	return gx_pull_u32(&c);
}

/* Texts begin with ASCII: in UTF-16 its other byte is 0, and so is the one behind a text of a single character. */
static bool looks_wide(const struct reader *r)
{
	bool any = false;
	for (uint32_t i = 0; i < r->count; ++i) {
		uint32_t at = text_at(r, i);
		if (at >= r->len || r->data[at] == 0)
			continue;
		if (r->len - at < 4 || r->data[at + 1] != 0)
			return false;
		any = true;
	}
	return any;
}

static int read_wide(const struct reader *r, uint32_t at, char **ret_s)
{
	size_t n = at;
	while (n + 1 < r->len && (r->data[n] != 0 || r->data[n + 1] != 0))
		n += 2;
	return n + 1 >= r->len ? GX_E_TRUNC : gx_utf16le_to_utf8(r->a, r->data + at, n - at, ret_s);
}

static int read_text(const struct reader *r, uint32_t at, const char **ret_s)
{
	char *s = NULL;
	size_t room = HEAD + r->count * r->row;
	if (at < room || at >= r->len)
		return GX_E_FORMAT;
	const uint8_t *end = memchr(r->data + at, 0, r->len - at);
	int err = r->cp == GX_CP_UTF16 ? read_wide(r, at, &s) : end == NULL ? GX_E_TRUNC
		: gx_cp_to_utf8(r->a, r->cp, r->data + at, (size_t)(end - r->data - at), &s, NULL, NULL);
	*ret_s = s;
	return err;
}

static int read_row(const struct reader *r, struct gx_pull *c, struct gx_abkt_control *k)
{
	k->x = gx_pull_u32(c);
	k->dx = gx_pull_u32(c);
	k->y = gx_pull_u32(c);
	k->dy = gx_pull_u32(c);
	k->type = gx_pull_u32(c);
	k->flags = gx_pull_u32(c);
	k->extra = r->row == ROW_2 ? gx_pull_u32(c) : 0;
	k->tag = gx_pull_u32(c);
	k->size = gx_pull_u32(c);
	uint32_t at = gx_pull_u32(c);
	return c->err != 0 ? c->err : read_text(r, at, &k->text);
}

int gx_abkt_read(struct gx_arena *a, const void *data, size_t len, uint32_t cp, struct gx_abkt *ret_t)
{
	struct reader r = {a, data, len, cp, 0, ROW_1};
	struct gx_pull c;
	if (a == NULL || (data == NULL && len != 0) || ret_t == NULL)
		return GX_E_INVAL;
	gx_pull_init(&c, data, len);
	uint32_t version = gx_pull_u32(&c), n = gx_pull_u32(&c);
	if (c.err == 0 && version != VERSION_1 && version != VERSION_2)
		return GX_E_UNSUP;
	if (n > CONTROLS_MOST)
		return GX_E_LIMIT;
	r.row = version == VERSION_2 ? ROW_2 : ROW_1;
	r.count = (uint32_t)gx_pull_count(&c, n, r.row);
	struct gx_abkt_control *v = c.err != 0 ? NULL : gx_arena_new_array(a, struct gx_abkt_control, r.count + 1);
	int err = c.err != 0 ? c.err : v == NULL ? GX_E_NOMEM : 0;
	if (err == 0 && cp == 0 && looks_wide(&r))
		r.cp = GX_CP_UTF16;
	for (uint32_t i = 0; i < r.count && err == 0; ++i)
		err = read_row(&r, &c, &v[i]);
	if (err == 0)
		*ret_t = (struct gx_abkt){version, v, r.count};
	return err;
}

/* ---- Writing ---- */

static void write_row(struct gx_push *p, const struct gx_abkt *t, const struct gx_abkt_control *k, size_t at)
{
	gx_push_u32(p, k->x);
	gx_push_u32(p, k->dx);
	gx_push_u32(p, k->y);
	gx_push_u32(p, k->dy);
	gx_push_u32(p, k->type);
	gx_push_u32(p, k->flags);
	if (t->version == VERSION_2)
		gx_push_u32(p, k->extra);
	gx_push_u32(p, k->tag);
	gx_push_u32(p, k->size);
	gx_push_u32(p, (uint32_t)at);
}

static int write_text(struct gx_push *out, struct gx_arena *a, const char *s, uint32_t cp, bool gaps)
{
	struct gx_bin b;
	if (s == NULL)
		s = "";
	int err = cp == GX_CP_UTF16 ? gx_utf8_to_utf16le(a, s, true, &b) : gx_cp_from_utf8(a, cp, s, strlen(s), false, &b);
	if (err != 0)
		return err;
	gx_push_bytes(out, b.data, b.len);
	for (size_t i = 0; cp != GX_CP_UTF16 && i < (gaps ? b.len + 2 : 1); ++i)
		gx_push_u8(out, 0);
	return out->err;
}

int gx_abkt_write(struct gx_arena *a, const struct gx_abkt *t, uint32_t cp, bool gaps, struct gx_bin *ret_b)
{
	struct gx_push rows = GX_PUSH_INIT, texts = GX_PUSH_INIT;
	if (a == NULL || t == NULL || ret_b == NULL)
		return GX_E_INVAL;
	if (t->version != VERSION_1 && t->version != VERSION_2)
		return GX_E_UNSUP;
	int err = t->count > CONTROLS_MOST ? GX_E_LIMIT : 0;
	size_t start = HEAD + t->count * (size_t)(t->version == VERSION_2 ? ROW_2 : ROW_1);
	gx_push_u32(&rows, t->version);
	gx_push_u32(&rows, t->count);
	for (uint32_t i = 0; i < t->count && err == 0; ++i) {
		write_row(&rows, t, &t->v[i], start + texts.len);
		err = write_text(&texts, a, t->v[i].text, cp, gaps);
	}
	gx_push_bytes(&rows, texts.data, texts.len);
	if (err == 0)
		err = gx_push_finish(&rows, a, ret_b);
	gx_push_release(&rows);
	gx_push_release(&texts);
	return err;
}
