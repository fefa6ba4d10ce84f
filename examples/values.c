/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values alone: a list of properties is packed into a row, the row is read in place, and a restriction
 * is asked about it, as a client would send one.
 *
 *   cc values.c $(pkg-config --cflags --libs libgxmapi) -o values && ./values
 */
#include <stdio.h>
#include <gx/proptag.h>
#include <gx/restr.h>

static int print_row(struct gx_arena *a, const struct gx_push *row, struct gx_strbuf *b)
{
	struct gx_prow_iter it;
	struct gx_propval v;
	int ret = gx_prow_begin(&it, row->data, row->len);
	if (ret != 0)
		return ret;
	while ((ret = gx_prow_next(&it, a, &v)) > 0) {
		gx_strbuf_printf(b, "%s = ", gx_proptag_name(v.tag));
		gx_value_print(b, GX_PROP_TYPE(v.tag), &v.v);
		gx_strbuf_addc(b, '\n');
	}
	return ret;
}

int main(void)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_proplist props = {0};
	struct gx_push row = GX_PUSH_INIT;
	struct gx_strbuf text = GX_STRBUF_INIT;
	bool matches = false;
	int err = a == NULL ? GX_E_NOMEM : gx_proplist_set_str(&props, a, PidTagSubject, "Quarterly figures");
	if (err == 0)
		err = gx_proplist_set_i32(&props, a, PidTagImportance, 2);
	if (err == 0)
		err = gx_proplist_set_bool(&props, a, PidTagReadReceiptRequested, true);
	if (err == 0)
		err = gx_prow_pack(&row, &props);
	if (err == 0)
		err = print_row(a, &row, &text);

	/* Subject contains "FIGURES", whatever the case, and the importance is above 1 */
	const struct gx_restr both[] = {
		{.type = RES_CONTENT, .u.content = {FL_SUBSTRING, FL_IGNORECASE, PidTagSubject, {PidTagSubject, {.str = "FIGURES"}}}},
		{.type = RES_PROPERTY, .u.prop = {RELOP_GT, PidTagImportance, {PidTagImportance, {.i32 = 1}}}},
	};
	const struct gx_restr r = {.type = RES_AND, .u.list = {both, 2}};
	const struct gx_propsrc src = gx_propsrc_list(&props);
	if (err == 0)
		err = gx_restr_eval(&r, &src, &matches);
	gx_restr_print(&text, &r);
	if (err != 0)
		fprintf(stderr, "%s\n", gx_strerror(err));
	else
		printf("%s\n%s\n", gx_strbuf_cstr(&text), matches ? "matches" : "does not match");
	gx_strbuf_release(&text);
	gx_push_release(&row);
	gx_arena_free(a);
	return err != 0;
}
