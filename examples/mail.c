/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The converter alone: reads an internet message from standard input, shows it as the message object
 * that Outlook would see, and writes a message made of that object to standard output with -w.
 *
 *   cc mail.c $(pkg-config --cflags --libs libgxmail) -o mail && ./mail <message.eml
 */
#include <stdio.h>
#include <string.h>
#include <gx/mailconv.h>
#include <gx/time.h>

static int fail(const char *what, int err)
{
	fprintf(stderr, "%s: %s\n", what, gx_strerror(err));
	return 1;
}

static void show(const struct gx_proplist *l, const char *indent, struct gx_strbuf *b)
{
	for (size_t i = 0; i < l->count; ++i) {
		const char *name = gx_proptag_name(l->v[i].tag);
		gx_strbuf_printf(b, "%s%s = ", indent, name != NULL ? name : "?");
		gx_value_print(b, GX_PROP_TYPE(l->v[i].tag), &l->v[i].v);
		gx_strbuf_addc(b, '\n');
	}
}

static void show_message(const struct gx_msgobj *m, struct gx_strbuf *b)
{
	show(&m->props, "", b);
	for (size_t i = 0; i < m->rcpt_count; ++i) {
		gx_strbuf_printf(b, "recipient %zu\n", i + 1);
		show(&m->rcpts[i], "  ", b);
	}
	for (size_t i = 0; i < m->att_count; ++i) {
		gx_strbuf_printf(b, "attachment %zu\n", i + 1);
		show(&m->atts[i].props, "  ", b);
	}
}

int main(int argc, char **argv)
{
	struct gx_mailconv_env env = {.clock = gx_clock_system()};
	struct gx_mime_part *root;
	struct gx_msgobj *msg;
	struct gx_strbuf text = GX_STRBUF_INIT;
	struct gx_push in = GX_PUSH_INIT, out = GX_PUSH_INIT;
	char piece[4096];
	for (size_t n; (n = fread(piece, 1, sizeof(piece), stdin)) > 0;)
		gx_push_bytes(&in, piece, n);
	if (in.err != 0)
		return fail("input", in.err);

	struct gx_arena *a = gx_arena_new(0);
	int err = a == NULL ? GX_E_NOMEM : gx_mime_parse(a, NULL, in.data, in.len, &root);
	if (err == 0)
		err = gx_mail_to_msg(a, &env, in.data, in.len, root, &msg);
	if (err != 0)
		return fail("message", err);
	if (argc > 1 && strcmp(argv[1], "-w") == 0) {
		/* Bodies are slices of what was read, so it is needed again. */
		err = gx_msg_to_mail(&env, msg, (struct gx_bin){in.data, in.len}, GX_MAIL_KEEP_BCC, &out);
		if (err != 0)
			return fail("writing", err);
		fwrite(out.data, 1, out.len, stdout);
	} else {
		show_message(msg, &text);
		fputs(gx_strbuf_cstr(&text), stdout);
	}
	gx_push_release(&out);
	gx_push_release(&in);
	gx_strbuf_release(&text);
	gx_arena_free(a);
	return 0;
}
